#include "control/properties.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "unit/control/manager_world.h"
#include "unit/control/property_names.h"

using namespace onset;
using namespace onset::test;
using Files = EngineWorld::Files;

namespace {

/// Settings that systemd has had since after version 252, and one that it has
/// and does not document.
constexpr std::string_view kBeyond[] = {
    "PermissionsStartOnly",
    "ReloadSignal",
    "RestartSteps",
    "RestartMaxDelayUSec",
    "SurviveFinalKillSignal",
    "MemoryPeak",
    "MemoryZSwapMax",
    "NotEnforced",
    "TasksRefused",
    "MemoryPressureWatch",
    "MemoryPressureThresholdUSec",
    "ManagedOOMMemoryPressureDurationUSec",
};

template <std::size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

Properties show(ManagerWorld& w, const std::string& unit) {
  return w.ask("GetProperties", {{"unit", unit}})["properties"].get<Properties>();
}

const char* const kText =
    "[Unit]\nDescription=The A\nDocumentation=man:a(8)\nAfter=b.service\nWants=b.service\n"
    "[Service]\nType=notify\nExecStart=/bin/a -x\nExecReload=/bin/r\n";

}  // namespace

TEST_CASE("an ended process keeps its number, its command how it ran", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", "[Service]\nExecStart=/bin/a b\nExecStop=/bin/c\n"}});
  (void)w.ask("Enqueue", {{"units", {"a.service"}}, {"type", "start"}, {"wait", true}});
  const auto pid = w.ask("GetProperties", {{"unit", "a.service"}})["properties"]["MainPID"];
  w.engine.exit("a.service", 3);
  const json p = w.ask("GetProperties", {{"unit", "a.service"}})["properties"];
  CHECK(p["MainPID"] == "0");
  CHECK(p["ExecMainPID"] == pid);
  CHECK(p["ExecMainCode"] == "1");
  CHECK(p["ExecMainStatus"] == "3");
  CHECK(p["ExecStart"].get<std::string>().ends_with("; pid=" + pid.get<std::string>() +
                                                    " ; code=exited ; status=3 }"));
  CHECK(p["ExecStop"] ==
        "{ path=/bin/c ; argv[]=/bin/c ; ignore_errors=no ; start_time=[n/a] ; "
        "stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }");
}

TEST_CASE("every property has a name that systemd has", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", kText}, {"t.target", "[Unit]\nWants=a.service\n"}});
  for (const char* unit : {"a.service", "t.target", "missing.service", "missing.target"}) {
    for (const auto& [name, value] : show(w, unit)) {
      CAPTURE(unit, name);
      const bool known =
          is_in(kUnitProperties, name) || is_in(kServiceProperties, name) || is_in(kBeyond, name);
      CHECK(known);
    }
  }
  for (const auto& [name, value] : w.ask("GetManagerProperties")["properties"].get<Properties>()) {
    CAPTURE(name);
    const bool known = is_in(kManagerProperties, name) || name == "StartConcurrencyMax";
    CHECK(known);
  }
}

TEST_CASE("every state property of a service is there", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", kText}});
  const Properties p = show(w, "a.service");
  // What onset does not have, or has under [Service] as a setting to come.
  constexpr std::string_view kAbsent[] = {
      "AccessSELinuxContext", "Markers", "Conditions", "Asserts", "Refs", "ActivationDetails",
  };
  for (std::string_view name : kUnitProperties) {
    if (is_in(kAbsent, name)) continue;
    CAPTURE(name);
    CHECK(p.contains(name));
  }
  for (const char* name : {"Type",
                           "Restart",
                           "RestartUSec",
                           "TimeoutStartUSec",
                           "TimeoutStopUSec",
                           "WatchdogUSec",
                           "MainPID",
                           "ControlPID",
                           "Result",
                           "NRestarts",
                           "ExecMainStatus",
                           "ExecMainCode",
                           "ExecMainStartTimestamp",
                           "StatusText",
                           "ExecStart",
                           "User",
                           "KillMode",
                           "KillSignal",
                           "Environment",
                           "Slice",
                           "ControlGroup",
                           "MemoryCurrent",
                           "TasksCurrent"}) {
    CAPTURE(name);
    CHECK(p.contains(name));
  }
}

TEST_CASE("values read as systemctl prints them", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", kText}, {"b.service", "[Service]\nExecStart=/bin/b\n"}});
  (void)w.ask("Enqueue", {{"units", {"a.service"}}, {"type", "start"}});
  Properties p = show(w, "a.service");
  CHECK(p["Id"] == "a.service");
  CHECK(p["Names"] == "a.service");
  CHECK(p["Description"] == "The A");
  CHECK(p["Documentation"] == "man:a(8)");
  CHECK(p["LoadState"] == "loaded");
  CHECK(p["LoadError"] == "");
  CHECK(p["ActiveState"] == "activating");
  CHECK(p["SubState"] == "start");
  CHECK(p["Type"] == "notify");
  CHECK(p["NotifyAccess"] == "main");
  CHECK(p["TimeoutStartUSec"] == "1min 30s");
  CHECK(p["TimeoutStopUSec"] == "1min 30s");
  CHECK(p["TimeoutAbortUSec"] == "1min 30s");
  CHECK(p["RestartUSec"] == "100ms");
  CHECK(p["WatchdogUSec"] == "0");
  CHECK(p["JobTimeoutUSec"] == "infinity");
  CHECK(p["StartLimitIntervalUSec"] == "10s");
  CHECK(p["StartLimitBurst"] == "5");
  CHECK(p["CanStart"] == "yes");
  CHECK(p["CanReload"] == "yes");
  CHECK(p["CanIsolate"] == "no");
  CHECK(p["Job"] != "");
  CHECK(p["MainPID"] == std::to_string(w.engine.os.pid_of("a.service")));
  CHECK(p["ActiveEnterTimestamp"] == "");
  CHECK(p["ActiveEnterTimestampMonotonic"] == "0");
  CHECK(p["InactiveExitTimestamp"] == "1700000000000000");
  CHECK(p["InactiveExitTimestampMonotonic"] == "1000000");
  CHECK(p["ConditionResult"] == "yes");
  CHECK(p["Wants"] == "b.service");
  CHECK(p["After"].find("b.service") != std::string::npos);
  CHECK(p["MemoryCurrent"] == "1024");
  CHECK(p["CPUUsageNSec"] == "[not set]");
  CHECK(p["UnitFileState"] == "static");

  w.engine.die("a.service", 9);
  p = show(w, "a.service");
  CHECK(p["ActiveState"] == "failed");
  CHECK(p["Result"] == "signal");
  CHECK(p["ExecMainCode"] == "2");
  CHECK(p["ExecMainStatus"] == "9");
  CHECK(p["MainPID"] == "0");
  CHECK(p["Job"] == "");
}

TEST_CASE("what can't be loaded says so in its properties", "[control][properties]") {
  ManagerWorld w(Files{{"m.service", "/dev/null"}});
  CHECK(show(w, "m.service")["LoadState"] == "masked");
  CHECK(show(w, "m.service")["LoadError"].starts_with("org.freedesktop.systemd1.UnitMasked"));
  CHECK(show(w, "x.service")["LoadError"] ==
        "org.freedesktop.systemd1.NoSuchUnit \"Unit x.service not found.\"");
  CHECK(show(w, "x.service")["CanStart"] == "no");
}

TEST_CASE("a file that has changed asks for a reload", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", kText}});
  CHECK(show(w, "a.service")["NeedDaemonReload"] == "no");
  w.backend.stale = "a.service";
  CHECK(show(w, "a.service")["NeedDaemonReload"] == "yes");
}

TEST_CASE("properties are given by name where names are asked for", "[control][properties]") {
  ManagerWorld w(Files{{"a.service", kText}});
  const Properties p = w.ask("GetProperties", {{"unit", "a.service"},
                                               {"names", {"Type", "Id", "Nonsense"}}})["properties"]
                           .get<Properties>();
  CHECK(p == Properties{{"Id", "a.service"}, {"Type", "notify"}});
}
