// Subscriptions, reloads, shutdowns: the manager as a whole.
#include <catch2/catch.hpp>

#include "unit/control/manager_world.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;
using namespace std::chrono_literals;

TEST_CASE("a subscriber misses nothing from its first reply on", "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService}, {"b.service", kService}});
  CHECK(w.refusal("Subscribe") == "ExpectedMore");
  auto all = w.client();
  all.send("Subscribe", json::object(), true);
  auto one = w.client();
  one.send("Subscribe", {{"units", {"a.service"}}}, true);
  CHECK(all.replies().at(0)["parameters"]["event"] == "subscribed");
  CHECK(one.replies().at(0)["parameters"]["event"] == "subscribed");

  (void)w.ask("Enqueue", enqueue("start", {"b.service"}));
  CHECK(one.replies().empty());
  (void)w.ask("Enqueue", enqueue("start", {"a.service"}));
  auto events = one.replies();
  REQUIRE(events.size() == 3);
  CHECK(events[0]["parameters"]["event"] == "job-queued");
  CHECK(events[1]["parameters"]["event"] == "job-done");
  CHECK(events[1]["parameters"]["result"] == "done");
  CHECK(events[2]["parameters"]["event"] == "unit");
  CHECK(events[2]["parameters"]["unit"]["active"] == "active");
  CHECK(events[2]["continues"] == true);
  CHECK(all.replies().size() >= 6);

  one.leave();
  all.leave();
  CHECK(w.interface.pending_calls() == 0);
  w.engine.exit("a.service", 1);
  w.run();
}

TEST_CASE("changes in quick succession reach a subscriber as one", "[control][system]") {
  ManagerWorld w(
      Files{{"a.service", "[Service]\nExecStart=/bin/a\nRestart=always\nRestartSec=0\n"}});
  auto client = w.client();
  client.send("Subscribe", json::object(), true);
  (void)w.ask("Enqueue", enqueue("start", {"a.service"}));
  (void)client.replies();
  w.engine.exit("a.service", 0);
  w.engine.pass(1ms);
  std::size_t unit_events = 0;
  for (const auto& event : client.replies()) {
    if (event["parameters"]["event"] != "unit") continue;
    ++unit_events;
    CHECK(event["parameters"]["unit"]["active"] == "active");
  }
  CHECK(unit_events == 1);
}

TEST_CASE("S5: a subscriber that falls too far behind is let go", "[control][system][S5]") {
  Subscription subscription({});
  Job job;
  job.unit = UnitId{1};
  for (std::size_t i = 0; i <= Subscription::kMaxJobEvents; ++i) {
    (void)subscription.job_event(job, std::nullopt);
  }
  CHECK(subscription.fell_behind());
  // What it will not be told takes no memory and keeps no unit loaded.
  CHECK(subscription.empty());
  CHECK_FALSE(subscription.holds(job.unit));
  CHECK_FALSE(subscription.job_event(job, JobResult::Done));
  CHECK_FALSE(subscription.unit_changed(job.unit));
  CHECK(subscription.empty());
}

TEST_CASE("S5: all subscribers together keep a bounded number of events", "[control][system][S5]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=oneshot\nExecStart=/x\n"}});
  std::vector<ManagerWorld::Client> clients;
  constexpr std::size_t kClients = 64;
  for (std::size_t i = 0; i < kClients; ++i) {
    clients.push_back(w.client());
    clients.back().send("Subscribe", json::object(), true);
    (void)clients.back().replies();
  }
  Job job;
  job.unit = w.engine.manager.load("a.service");
  for (std::size_t i = 0; i <= Subscription::kMaxJobEventsOfAll / kClients; ++i) {
    w.interface.job_queued(job);
  }
  std::size_t let_go = 0;
  for (auto& client : clients) {
    for (const json& reply : client.replies()) let_go += reply.contains("error") ? 1 : 0;
  }
  CHECK(let_go == 1);
}

TEST_CASE("a subscription holds a unit until its last event is told", "[control][system]") {
  Subscription subscription({});
  Job job;
  job.unit = UnitId{3};
  (void)subscription.job_event(job, std::nullopt);
  (void)subscription.job_event(job, JobResult::Done);
  CHECK_FALSE(subscription.holds(UnitId{2}));
  (void)subscription.next_job();
  CHECK(subscription.holds(job.unit));
  const auto last = subscription.next_job();
  REQUIRE(last);
  CHECK(last->result == JobResult::Done);
  CHECK_FALSE(subscription.holds(job.unit));
}

TEST_CASE("there are only so many subscribers", "[control][system]") {
  ManagerWorld w(Files{});
  std::vector<ManagerWorld::Client> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(w.client());
    clients.back().send("Subscribe", json::object(), true);
  }
  auto last = w.client();
  last.send("Subscribe", json::object(), true);
  CHECK(last.replies().at(0)["error"] == "io.onset.Manager.LimitReached");
  clients.front().leave();
  last.send("Subscribe", json::object(), true);
  CHECK(last.replies().at(0)["parameters"]["event"] == "subscribed");
}

TEST_CASE("the end of the start can be waited for", "[control][system]") {
  ManagerConfig config;
  config.default_target = "t.target";
  ManagerWorld w(
      Files{{"t.target", "[Unit]\nAllowIsolate=yes\nRequires=a.service\nAfter=a.service\n"},
            {"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}},
      config);
  w.engine.manager.start_up(w.engine.now);
  CHECK(w.ask("GetSystemState")["state"] == "starting");
  auto client = w.client();
  client.send("GetSystemState", {{"wait", true}});
  CHECK(client.replies().empty());
  auto streaming = w.client();
  streaming.send("GetSystemState", {{"wait", true}}, true);
  CHECK(streaming.replies().at(0)["parameters"]["state"] == "starting");
  w.engine.notify("a.service", "READY=1");
  CHECK(client.replies().at(0)["parameters"]["state"] == "running");
  CHECK(streaming.replies().at(0)["parameters"]["state"] == "running");
  CHECK(w.ask("GetSystemState", {{"wait", true}})["state"] == "running");
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("a reload tells what there is to say about files", "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService}});
  (void)w.ask("Enqueue", waiting("start", {"a.service"}));
  auto diagnostics = w.ask("Reload")["diagnostics"];
  REQUIRE(diagnostics.size() == 1);
  CHECK(diagnostics[0]["severity"] == "warning");
  CHECK(diagnostics[0]["line"] == 3);
  CHECK(w.engine.state("a.service") == "active");
}

TEST_CASE("a reload whose generators run is answered when they have ended", "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService}});
  auto first = w.client();
  auto second = w.client();
  w.backend.generators = 1;
  first.send("Reload", json::object());
  w.backend.generators = 2;
  second.send("Reload", json::object());
  CHECK(w.ask("Ping") == json::object());  // it goes on meanwhile
  CHECK(first.replies().empty());
  w.interface.reloaded(1, std::make_shared<const Diagnostics>());
  CHECK(first.replies().at(0)["parameters"]["diagnostics"].empty());
  CHECK(second.replies().empty());
  w.interface.reloaded(2, std::make_shared<const Diagnostics>(Diagnostics{
                              {Severity::Warning, "/etc/a.service", 3, "Unknown key 'X'"}}));
  CHECK(second.replies().at(0)["parameters"]["diagnostics"][0]["line"] == 3);
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("who waits for a reload that finds no memory is told", "[control][system]") {
  ManagerWorld w(Files{});
  auto client = w.client();
  w.backend.generators = 1;
  client.send("Reload", json::object());
  w.interface.reloaded(1, nullptr);
  CHECK(client.replies().at(0)["error"] == "io.onset.Manager.OutOfResources");
  CHECK(w.interface.pending_calls() == 0);
}

TEST_CASE("a wait and a subscription outlive a reload", "[control][system]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nType=notify\nExecStart=/bin/a\n"}});
  auto waiter = w.client();
  waiter.send("Enqueue", waiting("start", {"a.service"}), true);
  auto subscriber = w.client();
  subscriber.send("Subscribe", {{"units", {"a.service"}}}, true);
  (void)waiter.replies();
  (void)w.ask("Reload");
  (void)subscriber.replies();
  w.engine.notify("a.service", "READY=1");
  CHECK(waiter.replies().at(0)["parameters"]["jobs"][0]["result"] == "done");
  CHECK_FALSE(subscriber.replies().empty());
}

TEST_CASE("a shutdown is asked of the backend, and refuses starts from then on",
          "[control][system]") {
  ManagerWorld w(Files{{"a.service", kService},
                       {"exit.target", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n"}});
  CHECK(w.refusal("Shutdown", {{"how", "kexec"}}) == "NotSupported");
  CHECK_FALSE(w.engine.manager.stopping());
  const json why = {{"how", "exit"}, {"message", std::string(1025, 'x')}};
  CHECK(w.refusal("Shutdown", why) == "InvalidParameter");
  (void)w.ask("Shutdown",
              {{"how", "exit"}, {"exit_status", 7}, {"force", true}, {"message", "moving"}});
  CHECK(w.backend.message == "moving");
  CHECK(w.engine.manager.stopping());
  CHECK(w.backend.forced);
  CHECK(w.ask("GetSystemState")["state"] == "stopping");
}

TEST_CASE("a shutdown is planned for later, told, and cancelled", "[control][system]") {
  ManagerWorld w(Files{});
  CHECK(w.ask("GetScheduledShutdown")["how"].is_null());
  CHECK(w.ask("CancelShutdown")["cancelled"] == false);
  const json plan = {{"how", "reboot"}, {"after_usec", 300000000}, {"message", "new kernel"}};
  const json reply = w.ask("ScheduleShutdown", plan);
  CHECK(w.backend.announces);
  CHECK(w.backend.message == "new kernel");
  CHECK(w.ask("GetScheduledShutdown") ==
        json({{"how", "reboot"}, {"realtime_usec", reply["realtime_usec"]}}));
  CHECK_FALSE(w.engine.manager.stopping());
  const json kexec = {{"how", "kexec"}, {"after_usec", 0}};
  CHECK(w.refusal("ScheduleShutdown", kexec) == "NotSupported");
  CHECK(w.ask("CancelShutdown", {{"no_wall", true}})["cancelled"] == true);
  CHECK_FALSE(w.backend.announces);
  CHECK(w.ask("GetScheduledShutdown")["realtime_usec"].is_null());
}

TEST_CASE("variables are unset before others are set, and must be valid", "[control][system]") {
  ManagerWorld w(Files{});
  (void)w.ask("ChangeEnvironment", {{"set", {"A=1", "B=x y"}}});
  (void)w.ask("ChangeEnvironment", {{"unset", {"A", "B=other"}}, {"set", {"C="}}});
  CHECK(w.ask("GetEnvironment")["environment"] == json{"PATH=/bin", "B=x y", "C="});
  CHECK(w.refusal("ChangeEnvironment", {{"set", {"A"}}}) == "InvalidParameter");
  CHECK(w.refusal("ChangeEnvironment", {{"set", {"1A=1"}}}) == "InvalidParameter");
  CHECK(w.refusal("ChangeEnvironment", {{"unset", {"a b"}}}) == "InvalidParameter");
  CHECK(w.refusal("ChangeEnvironment", {{"set", {"A=1", "B=1", "C=1", "D=1"}}}) == "LimitReached");
  CHECK(w.ask("GetEnvironment")["environment"] == json{"PATH=/bin", "B=x y", "C="});
}

TEST_CASE("the manager's lines can be switched", "[control][system]") {
  ManagerWorld w(Files{});
  (void)w.ask("SetLogging", {{"level", "debug"}, {"target", "kmsg"}});
  CHECK(w.backend.log_level == 7);
  CHECK(w.backend.log_target == "kmsg");
  CHECK(w.refusal("SetLogging", {{"level", "loud"}}) == "InvalidParameter");
  CHECK(w.refusal("SetLogging", {{"target", "moon"}, {"level", "err"}}) == "InvalidParameter");
  CHECK(w.backend.log_level == 7);
}

TEST_CASE("small questions have small answers", "[control][system]") {
  ManagerWorld w(Files{});
  CHECK(w.ask("Ping") == json::object());
  CHECK(w.ask("GetDefault")["unit"] == "multi-user.target");
  CHECK(w.ask("GetVersion") == json{{"version", "0.1.0"}, {"features", {"cgroup"}}});
  auto properties = w.ask("GetManagerProperties")["properties"];
  CHECK(properties["Version"] == "0.1.0");
  CHECK(properties["Virtualization"] == "docker");
  CHECK(properties["DefaultTimeoutStartUSec"] == "1min 30s");
}
