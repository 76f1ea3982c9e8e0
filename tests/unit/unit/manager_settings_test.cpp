#include "unit/manager_settings.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "support/memory_files.h"
#include "unit/manager_files.h"

using namespace onset;
using namespace std::chrono_literals;
using test::MemoryFiles;

namespace {

const std::string kMain = "/etc/systemd/system.conf";
const std::string kEtcDropins = "/etc/systemd/system.conf.d/";

struct Read {
  ManagerSettings settings;
  std::string told;  ///< "FILE:LINE: message" of all, one a line
};

HostFacts host() {
  HostFacts facts;
  facts.hostname = "box.example";
  facts.short_hostname = "box";
  facts.architecture = "x86-64";
  return facts;
}

Read read_all(MemoryFiles& files, bool user = false, HostFacts facts = host()) {
  Read read;
  Diagnostics diagnostics;
  read.settings =
      read_manager_settings(files, default_config_path(user, facts), user, facts, {}, diagnostics);
  for (const Diagnostic& d : diagnostics) read.told += to_string(d) + '\n';
  return read;
}

/// The lines as [Manager] of the main file; they begin at line 2.
Read read_lines(const std::string& lines) {
  MemoryFiles files;
  files.add(kMain, "[Manager]\n" + lines + "\n");
  return read_all(files);
}

/// systemd-system.conf(5), OPTIONS: every name that it has, in its order.
constexpr std::string_view kManual[] = {"LogColor",
                                        "LogLevel",
                                        "LogLocation",
                                        "LogTarget",
                                        "LogTime",
                                        "DumpCore",
                                        "CrashChangeVT",
                                        "CrashShell",
                                        "CrashReboot",
                                        "ShowStatus",
                                        "DefaultStandardOutput",
                                        "DefaultStandardError",
                                        "CtrlAltDelBurstAction",
                                        "CPUAffinity",
                                        "NUMAPolicy",
                                        "NUMAMask",
                                        "RuntimeWatchdogSec",
                                        "RebootWatchdogSec",
                                        "KExecWatchdogSec",
                                        "RuntimeWatchdogPreSec",
                                        "RuntimeWatchdogPreGovernor",
                                        "WatchdogDevice",
                                        "CapabilityBoundingSet",
                                        "NoNewPrivileges",
                                        "SystemCallArchitectures",
                                        "TimerSlackNSec",
                                        "StatusUnitFormat",
                                        "DefaultTimerAccuracySec",
                                        "DefaultTimeoutStartSec",
                                        "DefaultTimeoutStopSec",
                                        "DefaultTimeoutAbortSec",
                                        "DefaultRestartSec",
                                        "DefaultDeviceTimeoutSec",
                                        "DefaultStartLimitIntervalSec",
                                        "DefaultStartLimitBurst",
                                        "DefaultEnvironment",
                                        "ManagerEnvironment",
                                        "DefaultCPUAccounting",
                                        "DefaultMemoryAccounting",
                                        "DefaultTasksAccounting",
                                        "DefaultIOAccounting",
                                        "DefaultIPAccounting",
                                        "DefaultTasksMax",
                                        "DefaultLimitCPU",
                                        "DefaultLimitFSIZE",
                                        "DefaultLimitDATA",
                                        "DefaultLimitSTACK",
                                        "DefaultLimitCORE",
                                        "DefaultLimitRSS",
                                        "DefaultLimitNOFILE",
                                        "DefaultLimitAS",
                                        "DefaultLimitNPROC",
                                        "DefaultLimitMEMLOCK",
                                        "DefaultLimitLOCKS",
                                        "DefaultLimitSIGPENDING",
                                        "DefaultLimitMSGQUEUE",
                                        "DefaultLimitNICE",
                                        "DefaultLimitRTPRIO",
                                        "DefaultLimitRTTIME",
                                        "DefaultOOMPolicy",
                                        "DefaultOOMScoreAdjust",
                                        "DefaultSmackProcessLabel"};

}  // namespace

TEST_CASE("every setting of the manual has one row with a parser", "[unit][manager-settings]") {
  for (const std::string_view name : kManual) {
    INFO(name);
    const ManagerDirective* row = find_manager_directive(name);
    REQUIRE(row != nullptr);
    CHECK(row->parse != nullptr);
    CHECK_FALSE(row->help.empty());
  }
  for (const ManagerDirective& row : manager_directives()) {
    INFO(row.name);
    CHECK(find_manager_directive(row.name) == &row);
  }
}

TEST_CASE("without any file the defaults are the manual's", "[unit][manager-settings]") {
  MemoryFiles files;
  const Read read = read_all(files);
  CHECK(read.told.empty());
  CHECK(read.settings.timeout_start == 90s);
  CHECK(read.settings.timeout_stop == 90s);
  CHECK_FALSE(read.settings.timeout_abort);
  CHECK(read.settings.restart_delay == 100ms);
  CHECK(read.settings.start_limit_interval == 10s);
  CHECK(read.settings.start_limit_burst == 5);
  CHECK(read.settings.output == ExecOutput::Journal);
  CHECK(read.settings.error_output == ExecOutput::Inherit);
  CHECK(read.settings.limits.empty());
  CHECK_FALSE(read.settings.oom_score_adjust);
}

TEST_CASE("each honoured setting reaches its member", "[unit][manager-settings]") {
  const Read read = read_lines(
      "DefaultTimeoutStartSec=5min 20s\nDefaultTimeoutStopSec=infinity\n"
      "DefaultTimeoutAbortSec=7\nDefaultRestartSec=1500ms\nDefaultStartLimitIntervalSec=1min\n"
      "DefaultStartLimitBurst=9\nDefaultStandardOutput=null\nDefaultStandardError=tty\n"
      "DefaultOOMScoreAdjust=-100\nLogLevel=notice\nShowStatus=no\n"
      "DefaultLimitNOFILE=1024:4096\nDefaultLimitCORE=infinity\nDefaultLimitCPU=1min\n");
  CHECK(read.told.empty());
  const ManagerSettings& s = read.settings;
  CHECK(s.timeout_start == 320s);
  CHECK(s.timeout_stop == kInfinity);
  CHECK(s.timeout_abort == Duration(7s));
  CHECK(s.restart_delay == 1500ms);
  CHECK(s.start_limit_interval == 60s);
  CHECK(s.start_limit_burst == 9);
  CHECK(s.output == ExecOutput::Null);
  CHECK(s.error_output == ExecOutput::Tty);
  CHECK(s.oom_score_adjust == -100);
  CHECK(s.log_level == 5);
  CHECK(s.show_status == ShowStatus::No);
  REQUIRE(s.limits.size() == 3);
  CHECK(find_limit(s.limits, RLIMIT_NOFILE)->soft == 1024);
  CHECK(find_limit(s.limits, RLIMIT_NOFILE)->hard == 4096);
  CHECK(find_limit(s.limits, RLIMIT_CORE)->hard == RLIM_INFINITY);
  CHECK(find_limit(s.limits, RLIMIT_CPU)->soft == 60);
  CHECK(find_limit(s.limits, RLIMIT_AS) == nullptr);
}

TEST_CASE("all sixteen limits are taken", "[unit][manager-settings]") {
  std::string lines;
  unsigned count = 0;
  for (const ManagerDirective& row : manager_directives()) {
    if (row.resource < 0) continue;
    ++count;
    lines += std::string(row.name) + "=10\n";
  }
  CHECK(count == RLIM_NLIMITS);
  const Read read = read_lines(lines);
  CHECK(read.told.empty());
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    CHECK(find_limit(read.settings.limits, resource) != nullptr);
  }
}

TEST_CASE("DefaultEnvironment= is the manual's example, and lists add up",
          "[unit][manager-settings]") {
  using Variables = std::vector<std::string>;
  CHECK(read_lines(R"(DefaultEnvironment="VAR1=word1 word2" VAR2=word3 "VAR3=word 5 6")")
            .settings.environment == Variables{"VAR1=word1 word2", "VAR2=word3", "VAR3=word 5 6"});
  CHECK(read_lines("DefaultEnvironment=A=1 B=2\nDefaultEnvironment=A=3").settings.environment ==
        Variables{"A=3", "B=2"});
  CHECK(read_lines("ManagerEnvironment=A=1\nManagerEnvironment=\nManagerEnvironment=B=2")
            .settings.manager_environment == Variables{"B=2"});
}

TEST_CASE("only the manager's own specifiers are expanded", "[unit][manager-settings]") {
  using Variables = std::vector<std::string>;
  const Read good = read_lines("DefaultEnvironment=H=%H L=%l A=%a P=100%% T=%T");
  CHECK(good.told.empty());
  CHECK(good.settings.environment ==
        Variables{"H=box.example", "L=box", "A=x86-64", "P=100%", "T=/tmp"});
  const Read bad = read_lines("DefaultEnvironment=N=%n\nDefaultEnvironment=OK=1");
  CHECK(bad.settings.environment == Variables{"OK=1"});
  CHECK(bad.told.starts_with(kMain + ":2: DefaultEnvironment="));
}

TEST_CASE("a bad line is told with file and line, the rest holds", "[unit][manager-settings]") {
  struct Case {
    const char* line;
    const char* told;
  };
  for (const Case& c :
       {Case{"DefaultTimeoutStartSec=soon", "DefaultTimeoutStartSec=soon: expected"},
        Case{"DefaultTimeoutStopSec=", "DefaultTimeoutStopSec=: expected"},
        Case{"DefaultStartLimitBurst=-1", "DefaultStartLimitBurst=-1: expected"},
        Case{"DefaultLimitNOFILE=many", "DefaultLimitNOFILE=many: expected"},
        Case{"DefaultStandardOutput=file:/tmp/x",
             "DefaultStandardOutput=file:/tmp/x: expected inherit, null"},
        Case{"DefaultStandardError=fd:x", "DefaultStandardError=fd:x: expected"},
        Case{"DefaultOOMScoreAdjust=2000", "DefaultOOMScoreAdjust=2000: expected"},
        Case{"LogLevel=loud", "LogLevel=loud: expected emerg"},
        Case{"CrashShell=perhaps", "CrashShell=perhaps: expected"},
        Case{"DefaultEnvironment=1A=x", "DefaultEnvironment=: "},
        Case{"DefaultTimeoutStratSec=1",
             "Unknown key 'DefaultTimeoutStratSec' in section [Manager], ignoring"},
        Case{"no assignment", ""}}) {
    INFO(c.line);
    const Read read = read_lines(std::string(c.line) + "\nDefaultRestartSec=3\nX-Mine=1");
    CHECK(read.settings.restart_delay == 3s);
    CHECK(read.settings.timeout_start == 90s);
    CHECK(read.told.starts_with(kMain + ":2: " + c.told));
    CHECK(read.told.find('\n') == read.told.size() - 1);
  }
}

TEST_CASE("what is known and not honoured is told where it is set, unless it asks for nothing",
          "[unit][manager-settings]") {
  CHECK(read_lines("CPUAffinity=0").told == kMain + ":2: CPUAffinity= is not honoured yet\n");
  CHECK(read_lines("CrashShell=yes").told == kMain + ":2: CrashShell= is not honoured yet\n");
  CHECK(read_lines("CrashShell=yes\nCrashShell=no").told.empty());
  CHECK(read_lines("CrashShell=no\nDefaultIOAccounting=false\nDefaultMemoryAccounting=yes\n"
                   "DefaultOOMPolicy=stop\nStatusUnitFormat=combined\nRuntimeWatchdogSec=0")
            .told.empty());
  CHECK(read_lines("NoNewPrivileges=no\n\nNoNewPrivileges=yes").told ==
        kMain + ":4: NoNewPrivileges= is not honoured yet\n");
}

TEST_CASE("how units are called and how many come up at once can be set",
          "[unit][manager-settings]") {
  CHECK(read_lines("").settings.status_unit_format == StatusUnitFormat::Combined);
  CHECK(read_lines("StatusUnitFormat=name").settings.status_unit_format == StatusUnitFormat::Name);
  CHECK(read_lines("StatusUnitFormat=description").settings.status_unit_format ==
        StatusUnitFormat::Description);
  CHECK(read_lines("StatusUnitFormat=long").told.find("name, description or combined") !=
        std::string::npos);
  CHECK(read_lines("").settings.start_concurrency_max == kNoCountLimit);
  CHECK(read_lines("StartConcurrencyMax=8").settings.start_concurrency_max == 8);
  CHECK(read_lines("StartConcurrencyMax=8\nStartConcurrencyMax=infinity")
            .settings.start_concurrency_max == kNoCountLimit);
  // Nothing would ever start.
  CHECK(read_lines("StartConcurrencyMax=0").settings.start_concurrency_max == kNoCountLimit);
  CHECK_FALSE(read_lines("StartConcurrencyMax=0").told.empty());
}

TEST_CASE("0 is no limit of time, an empty DefaultTimeoutAbortSec= is none",
          "[unit][manager-settings]") {
  CHECK(read_lines("DefaultTimeoutStartSec=0").settings.timeout_start == kInfinity);
  CHECK_FALSE(
      read_lines("DefaultTimeoutAbortSec=5\nDefaultTimeoutAbortSec=").settings.timeout_abort);
}

// ---- files --------------------------------------------------------------------------

TEST_CASE("the first main file that is there is the only one", "[unit][manager-settings]") {
  MemoryFiles files;
  files.add("/usr/lib/systemd/system.conf",
            "[Manager]\nDefaultTimeoutStartSec=1\nDefaultTimeoutStopSec=1\n");
  CHECK(read_all(files).settings.timeout_stop == 1s);
  files.add(kMain, "[Manager]\nDefaultTimeoutStartSec=2\n");
  CHECK(read_all(files).settings.timeout_start == 2s);
  CHECK(read_all(files).settings.timeout_stop == 90s);
  files.add("/etc/onset/system.conf", "[Manager]\nDefaultTimeoutStartSec=3\n");
  CHECK(read_all(files).settings.timeout_start == 3s);
}

TEST_CASE("drop-ins override the main file, sorted by name whatever their folder",
          "[unit][manager-settings]") {
  MemoryFiles files;
  files.add(kMain, "[Manager]\nDefaultStartLimitBurst=1\nDefaultRestartSec=1\n");
  files.add("/usr/lib/systemd/system.conf.d/50-b.conf",
            "[Manager]\nDefaultStartLimitBurst=50\nDefaultEnvironment=B=1\n");
  files.add(kEtcDropins + "10-a.conf",
            "[Manager]\nDefaultStartLimitBurst=10\nDefaultEnvironment=A=1\n");
  files.add("/run/systemd/system.conf.d/60-c.txt", "[Manager]\nDefaultStartLimitBurst=60\n");
  files.add_directory("/run/systemd/system.conf.d/70-d.conf");
  const Read read = read_all(files);
  CHECK(read.told.empty());
  CHECK(read.settings.start_limit_burst == 50);
  CHECK(read.settings.restart_delay == 1s);
  CHECK(read.settings.environment == std::vector<std::string>{"A=1", "B=1"});
}

TEST_CASE("a drop-in hides those of its name in later folders, a link to /dev/null too",
          "[unit][manager-settings]") {
  MemoryFiles files;
  files.add("/usr/lib/systemd/system.conf.d/a.conf", "[Manager]\nDefaultStartLimitBurst=1\n");
  files.add("/run/systemd/system.conf.d/a.conf", "[Manager]\nDefaultRestartSec=2\n");
  files.add("/usr/local/lib/systemd/system.conf.d/b.conf", "[Manager]\nDefaultRestartSec=7\n");
  files.add_special("/dev/null");
  files.add_link("/etc/onset/system.conf.d/b.conf", "/dev/null");
  const Read read = read_all(files);
  CHECK(read.settings.start_limit_burst == 5);
  CHECK(read.settings.restart_delay == 2s);
}

TEST_CASE("a user's manager reads user.conf, first in the user's own folder",
          "[unit][manager-settings]") {
  MemoryFiles files;
  HostFacts facts = host();
  facts.config_dir = "/home/u/.config";
  files.add(kMain, "[Manager]\nDefaultRestartSec=1\n");
  files.add("/etc/systemd/user.conf", "[Manager]\nDefaultRestartSec=2\n");
  files.add("/etc/systemd/user.conf.d/x.conf", "[Manager]\nDefaultStartLimitBurst=4\n");
  CHECK(read_all(files, true, facts).settings.restart_delay == 2s);
  files.add("/home/u/.config/systemd/user.conf", "[Manager]\nDefaultRestartSec=3\n");
  CHECK(read_all(files, true, facts).settings.restart_delay == 3s);
  CHECK(read_all(files, true, facts).settings.start_limit_burst == 4);
}

TEST_CASE("what is no settings file is told and nothing else is lost", "[unit][manager-settings]") {
  MemoryFiles files;
  files.add_special(kMain);
  files.add_link(kEtcDropins + "1.conf", "/nowhere");
  files.add(kEtcDropins + "2.conf", "[Service]\nUser=x\n[Manager]\nDefaultRestartSec=3\n");
  files.add(kEtcDropins + "3.conf", "[Manager]\nDefaultStartLimitBurst=8\n", 0666);
  const Read read = read_all(files);
  CHECK(read.settings.restart_delay == 3s);
  CHECK(read.settings.start_limit_burst == 8);
  CHECK(read.told == kMain + ": not a regular file\n" + kEtcDropins +
                         "2.conf:1: Unknown section 'Service', ignoring\n" + kEtcDropins +
                         "3.conf: the file can be written by everyone\n");
}
