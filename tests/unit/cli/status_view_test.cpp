// Golden texts from canned replies.
#include "cli/status_view.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/dependency_view.h"

namespace onset {
namespace {

using nlohmann::json;

constexpr std::int64_t kNow = 1'795'500'782'000'000;

json at(std::int64_t seconds_ago) {
  return {{"realtime", kNow - seconds_ago * 1'000'000}, {"monotonic", 1}};
}

json nginx() {
  return {
      {"name", "nginx.service"},
      {"description", "A web server"},
      {"documentation", {"man:nginx(8)", "https://nginx.org"}},
      {"load", "loaded"},
      {"active", "active"},
      {"sub", "running"},
      {"result", "success"},
      {"file", "/lib/systemd/system/nginx.service"},
      {"file_state", "enabled"},
      {"file_preset", "enabled"},
      {"dropins",
       {"/etc/systemd/system/nginx.service.d/a.conf", "/etc/systemd/system/nginx.service.d/b.conf",
        "/run/systemd/system/service.d/c.conf"}},
      {"active_entered", at(65)},
      {"main", {{"pid", 12}, {"directive", "ExecStart"}, {"command", "/usr/sbin/nginx -g x"}}},
      {"control",
       {{"pid", 0},
        {"directive", "ExecStartPre"},
        {"command", "/usr/sbin/nginx -t"},
        {"code", "exited"},
        {"status", 0}}},
      {"processes",
       {{{"pid", 12}, {"role", "main"}, {"command", "nginx: master process"}},
        {{"pid", 113}, {"role", "other"}, {"command", "nginx: worker\x1b[2J"}}}},
      {"tasks", 2},
      {"memory", 2'411'725},
      {"cgroup", "/system.slice/nginx.service"},
      {"status_text", "Serving \"all\""},
  };
}

StatusLook plain() {
  StatusLook look;
  look.now = WallTime{kNow};
  look.program = "systemctl";
  return look;
}

/// The time zone is the machine's: its part is cut out.
std::string without_times(std::string text) {
  for (std::size_t i = text.find(" since "); i != std::string::npos;
       i = text.find(" since ", i + 1)) {
    const std::size_t end = text.find("; ", i);
    if (end != std::string::npos) text.replace(i, end - i, " since T");
  }
  return text;
}

TEST_CASE("status of a running service has systemctl's lines", "[cli][status]") {
  CHECK(without_times(unit_status_text(nginx(), plain())) ==
        R"(● nginx.service - A web server
     Loaded: loaded (/lib/systemd/system/nginx.service; enabled; preset: enabled)
    Drop-In: /etc/systemd/system/nginx.service.d
             ├─a.conf
             └─b.conf
             /run/systemd/system/service.d
             └─c.conf
     Active: active (running) since T; 1min 5s ago
       Docs: man:nginx(8)
             https://nginx.org
    Process: ExecStartPre=/usr/sbin/nginx -t (code=exited, status=0/SUCCESS)
   Main PID: 12 (nginx)
     Status: "Serving "all""
      Tasks: 2
     Memory: 2.3M
     CGroup: /system.slice/nginx.service
             ├─ 12 nginx: master process
             └─113 nginx: worker\x1b[2J
)");
  CHECK(unit_status_code(nginx()) == 0);
}

TEST_CASE("status of a failed service says why", "[cli][status]") {
  const json unit = {{"name", "b.service"},
                     {"description", "b.service"},
                     {"load", "loaded"},
                     {"active", "failed"},
                     {"sub", "failed"},
                     {"result", "exit-code"},
                     {"inactive_entered", at(3)},
                     {"problem", "main process exited, status=203/EXEC"},
                     {"main",
                      {{"pid", 0},
                       {"directive", "ExecStart"},
                       {"command", "/bin/nope"},
                       {"code", "exited"},
                       {"status", 203}}},
                     {"notes", {"/etc/b.service:3: not honoured yet"}},
                     {"needs_reload", true}};
  CHECK(without_times(unit_status_text(unit, plain())) ==
        R"(× b.service
     Loaded: loaded
     Active: failed (Result: exit-code) since T; 3s ago
    Problem: main process exited, status=203/EXEC
    Process: ExecStart=/bin/nope (code=exited, status=203/EXEC)
       Note: /etc/b.service:3: not honoured yet
Warning: the files of b.service have changed since they were read. Run 'systemctl daemon-reload' to load them.
)");
  CHECK(unit_status_code(unit) == 3);
}

TEST_CASE("status of a unit that can't be loaded, waits, or whose condition failed",
          "[cli][status]") {
  json unit = {{"name", "c.service"},
               {"load", "bad-setting"},
               {"load_error", "Unit c.service has no command."},
               {"active", "inactive"},
               {"sub", "dead"},
               {"failed_check", {{"check", "ConditionPathExists=/x"}, {"checked", at(1)}}},
               {"job", {{"id", 4}, {"type", "start"}, {"state", "waiting"}, {"waits_for", 3}}}};
  const std::string text = unit_status_text(unit, plain());
  CHECK(text.find("     Loaded: bad-setting (Reason: Unit c.service has no command.)\n") !=
        std::string::npos);
  CHECK(text.find("  Condition: start condition failed at ") != std::string::npos);
  CHECK(text.find("             └─ ConditionPathExists=/x was not met\n") != std::string::npos);
  CHECK(text.find("        Job: 4 (start, waiting for job 3)\n") != std::string::npos);
}

TEST_CASE("lines are cut to the terminal, coloured on one, and never longer", "[cli][status]") {
  json unit = nginx();
  unit["description"] = std::string(200, 'd');
  unit["processes"][0]["command"] = std::string(200, 'c');
  StatusLook look = plain();
  look.width = 100;
  const std::string text = unit_status_text(unit, look);
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = text.find('\n', from);
    CHECK(display_width(std::string_view(text).substr(from, end - from)) <= 100);
    from = end + 1;
  }
  look.palette.colours = true;
  CHECK(unit_status_text(unit, look).starts_with("\033[0;1;32m●\033[0m nginx.service"));
}

TEST_CASE("status of the whole shows units with processes, and failed ones", "[cli][status]") {
  const json manager = {{"SystemState", "degraded"},
                        {"NJobs", "1"},
                        {"Version", "0.1.0"},
                        {"ProcessBackend", "cgroup"}};
  json failed = {{"name", "b.service"}, {"active", "failed"}, {"sub", "failed"}};
  json idle = {{"name", "c.service"}, {"active", "active"}, {"sub", "exited"}};
  const std::vector<json> units = {nginx(), idle, failed};
  const std::string text = system_status_text(manager, "box", units, 0, plain());
  CHECK(text ==
        R"(× box
      State: degraded
       Jobs: 1 queued
     Failed: 1 units
      onset: 0.1.0
  Processes: by cgroup
             ├─● nginx.service (running)
             │ ├─ 12 nginx: master process
             │ └─113 nginx: worker\x1b[2J
             └─× b.service (failed)
)");
}

TEST_CASE("dependencies are a tree in which a unit opens once", "[cli][dependencies]") {
  const json edges = {{{"from", "a.target"}, {"to", "b.target"}, {"active", "active"}},
                      {{"from", "a.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "a.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "b.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "b.target"}, {"to", "a.target"}, {"active", "active"}},
                      {{"from", "c.service"}, {"to", "d.service"}, {"active", "inactive"}}};
  CHECK(dependency_tree("a.target", edges, {}) ==
        "a.target\n"
        "● ├─b.target\n"
        "× │ ├─c.service\n"
        "○ │ │ └─d.service\n"
        "● │ └─a.target\n"
        "× └─c.service\n");
  DependencyLook look;
  look.plain = true;
  CHECK(dependency_tree("b.target", json::array({edges[3]}), look) == "b.target\n×   c.service\n");
}

TEST_CASE("a deep chain is walked to its end", "[cli][dependencies]") {
  json edges = json::array();
  for (int i = 0; i < 500; ++i) {
    edges.push_back(
        {{"from", std::to_string(i)}, {"to", std::to_string(i + 1)}, {"active", "active"}});
  }
  DependencyLook look;
  look.width = 80;
  const std::string text = dependency_tree("0", edges, look);
  CHECK(std::count(text.begin(), text.end(), '\n') == 501);
  CHECK(text.ends_with("└─500\n"));
}

}  // namespace
}  // namespace onset
