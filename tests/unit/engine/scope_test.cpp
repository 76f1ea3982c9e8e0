// Scopes with processes, in sentences.
#include <catch2/catch.hpp>
#include <csignal>

#include "support/engine_world.h"

using namespace onset;
using namespace onset::test;
using namespace std::chrono_literals;

namespace {

/// A scope that runs, with so many processes.
struct ScopeWorld : EngineWorld {
  explicit ScopeWorld(const std::string& settings, unsigned processes = 2,
                      ManagerConfig config = {})
      : EngineWorld({}, std::move(config)) {
    table.set_transient("a.scope", "[Unit]\nDefaultDependencies=no\n[Scope]\n" + settings);
    pinned.insert("a.scope");  // so that it can be looked at when it has ended
    if (processes > 0) os.held["a.scope"] = processes;
    problem = start("a.scope");
  }
  void end_all() {
    os.alive.clear();
    manager.unit_empty(manager.graph().find("a.scope"), now);
  }
  [[nodiscard]] std::string result() const {
    return std::string(to_string(manager.runtime(manager.graph().find("a.scope")).scope.result));
  }
  [[nodiscard]] std::vector<int> signals() const {
    return os.alive.empty() ? std::vector<int>{} : os.alive.begin()->second.signals;
  }
  std::string problem;
};

}  // namespace

TEST_CASE("a scope runs until its last process has ended", "[engine][scope]") {
  ScopeWorld w("");
  CHECK(w.problem.empty());
  CHECK(w.state("a.scope") == "active");
  CHECK(w.sub("a.scope") == "running");
  CHECK(w.has_finished("a.scope start done"));
  w.end_all();
  CHECK(w.state("a.scope") == "inactive");
  CHECK(w.sub("a.scope") == "dead");
  CHECK(w.result() == "success");
}

TEST_CASE("a scope without a process fails", "[engine][scope]") {
  ScopeWorld w("", 0);
  CHECK(w.state("a.scope") == "failed");
  CHECK(w.result() == "resources");
  CHECK(w.has_finished("a.scope start failed"));
}

TEST_CASE("a scope that is stopped gets SIGTERM, and SIGKILL after its time", "[engine][scope]") {
  ScopeWorld w("TimeoutStopSec=5s");
  w.stop("a.scope");
  CHECK(w.sub("a.scope") == "stop-sigterm");
  CHECK(w.signals() == std::vector<int>{SIGTERM, SIGCONT});
  w.pass(5s);
  CHECK(w.sub("a.scope") == "stop-sigkill");
  w.end_all();
  CHECK(w.state("a.scope") == "failed");
  CHECK(w.result() == "timeout");
  CHECK(w.has_finished("a.scope stop done"));
}

TEST_CASE("a scope that ends by its SIGTERM has not failed", "[engine][scope]") {
  ScopeWorld w("KillSignal=SIGINT");
  w.stop("a.scope");
  CHECK(w.signals() == std::vector<int>{SIGINT, SIGCONT});
  w.end_all();
  CHECK(w.state("a.scope") == "inactive");
  CHECK(w.result() == "success");
}

TEST_CASE("a scope is stopped when RuntimeMaxSec= is over", "[engine][scope]") {
  ScopeWorld w("RuntimeMaxSec=1min");
  w.pass(59s);
  CHECK(w.sub("a.scope") == "running");
  w.pass(1s);
  CHECK(w.sub("a.scope") == "stop-sigterm");
  w.end_all();
  CHECK(w.result() == "timeout");
}

TEST_CASE("an abandoned scope goes on, without a limit, until its last process has ended",
          "[engine][scope]") {
  ScopeWorld w("RuntimeMaxSec=1min");
  CHECK(w.manager.abandon("a.scope", w.now).ok());
  CHECK(w.sub("a.scope") == "abandoned");
  CHECK(w.state("a.scope") == "active");
  w.pass(2min);
  CHECK(w.sub("a.scope") == "abandoned");
  w.end_all();
  CHECK(w.state("a.scope") == "inactive");
  CHECK_FALSE(w.manager.abandon("a.scope", w.now).ok());
  CHECK_FALSE(w.manager.abandon("b.scope", w.now).ok());
}

TEST_CASE("OOMPolicy= says what becomes of a scope that the kernel has killed in",
          "[engine][scope]") {
  const struct {
    const char* policy;
    const char* sub;
  } rows[] = {{"", "stop-sigterm"},
              {"OOMPolicy=stop", "stop-sigterm"},
              {"OOMPolicy=kill", "stop-sigkill"},
              {"OOMPolicy=continue", "running"},
              {"Delegate=yes", "running"}};
  for (const auto& row : rows) {
    INFO(row.policy);
    ScopeWorld w(row.policy);
    w.manager.oom_killed(w.manager.graph().find("a.scope"), w.now);
    CHECK(w.sub("a.scope") == row.sub);
    if (w.sub("a.scope") == "running") continue;
    w.end_all();
    CHECK(w.result() == "oom-kill");
  }
}

TEST_CASE("DefaultOOMPolicy= holds where neither OOMPolicy= nor Delegate= says it",
          "[engine][scope]") {
  ManagerConfig config;
  config.defaults.oom_policy = OomPolicy::Continue;
  ScopeWorld w("", 1, config);
  w.manager.oom_killed(w.manager.graph().find("a.scope"), w.now);
  CHECK(w.sub("a.scope") == "running");
}

TEST_CASE("a shutdown ends scopes", "[engine][scope]") {
  ScopeWorld w("");
  w.table.set("shutdown.target", "[Unit]\nDefaultDependencies=no\n");
  w.table.set_transient("b.scope", "[Scope]\n");
  w.os.held["b.scope"] = 1;
  CHECK(w.start("b.scope").empty());
  CHECK(w.request("shutdown.target", JobType::Start).empty());
  CHECK(w.sub("b.scope") == "stop-sigterm");
}

TEST_CASE("a scope that has ended is unloaded, one that has failed is kept", "[engine][scope]") {
  for (const bool fails : {false, true}) {
    ScopeWorld w("");
    w.pinned.clear();
    if (fails) w.stop("a.scope");
    if (fails) w.pass(90s);
    w.end_all();
    w.manager.collect();
    CHECK(w.os.forgotten.empty() == fails);
  }
}
