// Golden texts from canned replies.
#include "cli/status_view.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/dependency_view.h"
#include "control/json.h"

namespace onset {
namespace {

using json = Json;

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
      {"main",
       {{"pid", 12},
        {"running", true},
        {"directive", "ExecStart"},
        {"command", "/usr/sbin/nginx -g x"}}},
      {"commands",
       {{{"pid", 9},
         {"running", false},
         {"directive", "ExecStartPre"},
         {"command", "/usr/sbin/nginx -t"},
         {"code", "exited"},
         {"status", 0}}}},
      {"processes",
       {{{"pid", 12}, {"role", "main"}, {"command", "nginx: master process"}},
        {{"pid", 113}, {"role", "other"}, {"command", "nginx: worker\x1b[2J"}}}},
      {"tasks", 2},
      {"memory", 2'411'725},
      {"cpu_nsec", 65'250'400'000},
      {"slice", "system.slice"},
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
             └─a.conf, b.conf
             /run/systemd/system/service.d
             └─c.conf
     Active: active (running) since T; 1min 5s ago
       Docs: man:nginx(8)
             https://nginx.org
    Process: 9 ExecStartPre=/usr/sbin/nginx -t (code=exited, status=0/SUCCESS)
   Main PID: 12 (nginx)
     Status: "Serving "all""
      Tasks: 2
     Memory: 2.3M
        CPU: 1min 5.250s
     CGroup: /system.slice/nginx.service
             ├─ 12 nginx: master process
             └─113 nginx: worker\x1b[2J
)");
  CHECK(unit_status_code(nginx()) == 0);
}

TEST_CASE("status of a failed service says why", "[cli][status]") {
  const json nope = {
      {"pid", 7},         {"running", false}, {"directive", "ExecStart"}, {"command", "/bin/nope"},
      {"code", "exited"}, {"status", 203}};
  const json unit = {{"name", "b.service"},
                     {"description", "b.service"},
                     {"load", "loaded"},
                     {"active", "failed"},
                     {"sub", "failed"},
                     {"result", "exit-code"},
                     {"inactive_entered", at(3)},
                     {"problem", "main process exited, status=203/EXEC"},
                     {"active_entered", at(9)},
                     {"active_left", at(4)},
                     {"main", nope},
                     {"commands", {nope}},
                     {"notes", {"/etc/b.service:3: not honoured yet"}},
                     {"needs_reload", true}};
  CHECK(without_times(unit_status_text(unit, plain())) ==
        R"(× b.service
     Loaded: loaded
     Active: failed (Result: exit-code) since T; 3s ago
   Duration: 5s
    Problem: main process exited, status=203/EXEC
    Process: 7 ExecStart=/bin/nope (code=exited, status=203/EXEC)
   Main PID: 7 (code=exited, status=203/EXEC)
       Note: /etc/b.service:3: not honoured yet
)");
  CHECK(unit_status_code(unit) == 3);
}

TEST_CASE("status of a unit that can't be loaded, waits, or whose condition failed",
          "[cli][status]") {
  json unit = {
      {"name", "c.service"},
      {"load", "bad-setting"},
      {"load_error", "Unit c.service has no command."},
      {"active", "inactive"},
      {"sub", "dead"},
      {"failed_conditions",
       {{"checks", {"ConditionPathExists=|/w", "ConditionPathExists=/x"}}, {"checked", at(1)}}},
      {"failed_asserts", {{"checks", {"AssertPathExists=!/y"}}, {"checked", at(1)}}},
      {"job", {{"id", 4}, {"type", "start"}, {"state", "waiting"}, {"waits_for", 3}}}};
  const std::string text = unit_status_text(unit, plain());
  CHECK(text.find("     Loaded: bad-setting (Reason: Unit c.service has no command.)\n") !=
        std::string::npos);
  CHECK(text.find("  Condition: start condition failed at ") != std::string::npos);
  CHECK(text.find("             ├─ ConditionPathExists=|/w was not met\n"
                  "             └─ ConditionPathExists=/x was not met\n") != std::string::npos);
  CHECK(text.find("     Assert: start assertion failed at ") != std::string::npos);
  CHECK(text.find("             AssertPathExists=!/y was not met\n") != std::string::npos);
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

TEST_CASE("a unit that is neither failed nor told apart by its sub-state has one word",
          "[cli][status]") {
  const json unit = {{"name", "s.slice"}, {"active", "active"}, {"sub", "active"}};
  CHECK(unit_status_text(unit, plain()).find("     Active: active\n") != std::string::npos);
}

TEST_CASE("triggers that all failed are told together", "[cli][status]") {
  const json unit = {
      {"name", "a.service"},
      {"failed_asserts",
       {{"checks", {"AssertPathExists=|/x", "AssertPathExists=|/y"}}, {"checked", at(1)}}}};
  CHECK(unit_status_text(unit, plain())
            .find("             none of the trigger assertions were met\n") != std::string::npos);
}

TEST_CASE("status of the whole is a tree of slices, units and processes", "[cli][status]") {
  const json manager = {{"SystemState", "degraded"}, {"NNames", "7"},    {"NJobs", "1"},
                        {"NFailedUnits", "1"},       {"Version", "0.1"}, {"ControlGroup", "/"}};
  json failed = {{"name", "b.service"}, {"active", "failed"}, {"sub", "failed"}};
  json getty = {{"name", "getty@1.service"},
                {"slice", "system-getty.slice"},
                {"processes", {{{"pid", 5}, {"command", "getty"}}}}};
  json init = {{"name", "init.scope"},
               {"slice", "-.slice"},
               {"processes", {{{"pid", 1}, {"command", "onset"}}}}};
  const std::string text =
      system_status_text(manager, "box", {nginx(), failed, getty, init}, plain());
  CHECK(text ==
        R"(× box
    State: degraded
    Units: 7 loaded (incl. loaded aliases)
     Jobs: 1 queued
   Failed: 1 units
    onset: 0.1
   CGroup: /
           ├─init.scope
           │ └─1 onset
           └─system.slice
             ├─nginx.service
             │ ├─ 12 nginx: master process
             │ └─113 nginx: worker\x1b[2J
             └─system-getty.slice
               └─getty@1.service
                 └─5 getty
)");
}

/// As systemctl 252 prints it of x.target, whose members pull each other in, but for
/// the "…" in place of what stands below y.target already.
TEST_CASE("dependencies are a tree that a unit above closes", "[cli][dependencies]") {
  json edges = json::array();
  const auto add = [&](const char* from, const char* to, const char* active) {
    edges.push_back({{"from", from}, {"to", to}, {"active", active}});
  };
  add("x.target", "y.target", "active");
  add("x.target", "want.service", "active");
  add("x.target", "z.target", "inactive");
  add("y.target", "x.target", "active");
  add("y.target", "req.service", "active");
  add("z.target", "y.target", "active");
  add("z.target", "Deep2.service", "inactive");
  add("z.target", "a.service", "inactive");
  CHECK(dependency_tree("x.target", edges, {}) == R"(x.target
● ├─want.service
● ├─y.target
● │ ├─req.service
  │ └─...
○ └─z.target
○   ├─a.service
○   ├─Deep2.service
●   └─y.target …
)");
  DependencyLook plain;
  plain.plain = true;
  CHECK(dependency_tree("x.target", edges, plain) ==
        "x.target\n  want.service\n  y.target\n  req.service\n  z.target\n  a.service\n"
        "  Deep2.service\n");
}

TEST_CASE("a unit that is pulled in twice stands once below the other", "[cli][dependencies]") {
  const json edges = {{{"from", "a.target"}, {"to", "b.target"}, {"active", "active"}},
                      {{"from", "a.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "a.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "b.target"}, {"to", "c.service"}, {"active", "failed"}},
                      {{"from", "b.target"}, {"to", "a.target"}, {"active", "active"}},
                      {{"from", "c.service"}, {"to", "d.service"}, {"active", "inactive"}}};
  CHECK(dependency_tree("a.target", edges, {}) ==
        "a.target\n"
        "× ├─c.service\n"
        "● └─b.target\n"
        "×   ├─c.service\n"
        "    └─...\n");
  DependencyLook look;
  look.all = true;
  CHECK(dependency_tree("b.target", json::array({edges[3], edges[5]}), look) ==
        "b.target\n× └─c.service\n○   └─d.service\n");
}

TEST_CASE("a subtree of one line stands wherever its unit does", "[cli][dependencies]") {
  json edges = json::array();
  const auto add = [&](const char* from, const char* to) {
    edges.push_back({{"from", from}, {"to", to}, {"active", "active"}});
  };
  for (const char* side : {"a.target", "b.target", "c.target"}) {
    add("x.target", side);
    add(side, "small.target");
    add(side, "large.target");
  }
  add("small.target", "s.service");
  add("large.target", "s.service");
  add("large.target", "t.service");
  DependencyLook look;
  look.width = 18;
  CHECK(dependency_tree("x.target", edges, look) == R"(x.target
● ├─a.target
● │ ├─large.target
● │ │ ├─s.service
● │ │ └─t.service
● │ └─small.target
● │   └─s.service
● ├─b.target
● │ ├─large.tar… …
● │ └─small.target
● │   └─s.service
● └─c.target
●   ├─large.tar… …
●   └─small.target
●     └─s.service
)");
}

TEST_CASE("a chain of diamonds takes lines in proportion to its edges", "[cli][dependencies]") {
  constexpr int kDiamonds = 30;
  json edges = json::array();
  const auto add = [&](const std::string& from, const std::string& to) {
    edges.push_back({{"from", from}, {"to", to}, {"active", "active"}});
  };
  for (int i = 0; i < kDiamonds; ++i) {
    for (const char* side : {"a", "b"}) {
      add(format("t{}.target", i), format("{}{}.target", side, i));
      add(format("{}{}.target", side, i), format("t{}.target", i + 1));
    }
  }
  // One that is pulled in from below, too: closed where it stands above, not shown in full
  // at each of the places that the others have.
  add("t30.target", "b15.target");
  DependencyLook look;
  look.all = GENERATE(false, true);
  look.plain = GENERATE(false, true);
  const std::string text = dependency_tree("t0.target", edges, look);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  CHECK(lines <= static_cast<std::ptrdiff_t>(2 * edges.size() + 1));
  for (int i = 0; i < kDiamonds; ++i) {
    for (const char* side : {"a", "b", "t"}) {
      CHECK(text.find(format("{}{}.target\n", side, i)) != std::string::npos);
    }
  }
}

json process(int pid, const char* command, const json& group, int parent = 0) {
  return {{"pid", pid}, {"command", command}, {"group", group}, {"parent", parent}};
}

/// As systemctl 252 prints it of a service that has made groups of its own.
TEST_CASE("cgroups below the unit's are a tree", "[cli][status]") {
  const json unit = {{"cgroup", "/system.slice/tree.service"},
                     {"processes",
                      {process(30, "main", nullptr), process(4, "first", nullptr),
                       process(33, "sleep 1001", "sub"), process(36, "sleep 1002", "sub/deeper"),
                       process(39, "sleep 1003", "leaf"), process(40, "x", "only/below")}}};
  CHECK(process_tree(unit, "  ", {}) == R"(  ├─ 4 first
  ├─30 main
  ├─leaf
  │ └─39 sleep 1003
  ├─only
  │ └─below
  │   └─40 x
  └─sub
    ├─33 sleep 1001
    └─deeper
      └─36 sleep 1002
)");
}

TEST_CASE("without cgroups a process stands below its parent", "[cli][status]") {
  const json unit = {{"cgroup", nullptr},
                     {"processes",
                      {process(9, "main", nullptr, 1), process(12, "worker", nullptr, 9),
                       process(15, "of it", nullptr, 12), process(14, "orphan", nullptr, 1),
                       process(20, "a", nullptr, 21), process(21, "b", nullptr, 20)}}};
  CHECK(process_tree(unit, "", {}) == R"(├─ 9 main
│ └─12 worker
│   └─15 of it
└─14 orphan
)");
}

TEST_CASE("a deep chain is walked to its end", "[cli][dependencies]") {
  json edges = json::array();
  for (int i = 0; i < 500; ++i) {
    edges.push_back(
        {{"from", std::to_string(i)}, {"to", std::to_string(i + 1)}, {"active", "active"}});
  }
  DependencyLook look;
  look.width = 80;
  look.all = true;
  const std::string text = dependency_tree("0", edges, look);
  CHECK(std::count(text.begin(), text.end(), '\n') == 501);
  CHECK(text.ends_with("└─500\n"));
}

}  // namespace
}  // namespace onset
