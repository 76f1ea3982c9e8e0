#include "unit/directives.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <set>

#include "base/text.h"
#include "support/loaded_unit.h"

namespace onset {
namespace {

using test::load_service;
using test::load_text;
using test::LoadedUnit;

struct OracleRow {
  std::string section;
  std::string name;
  std::string kind;
};

std::vector<OracleRow> oracle_rows() {
  std::vector<OracleRow> rows;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(ONSET_ORACLE_DIR "/directives.tsv", "r"), std::fclose);
  REQUIRE(file != nullptr);
  char line[512];
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    const auto fields = split(trim(line), '\t');
    if (fields.size() == 3 && fields[0] != "section") {
      rows.push_back({std::string(fields[0]), std::string(fields[1]), std::string(fields[2])});
    }
  }
  return rows;
}

TEST_CASE("the table has every directive of systemd 252, section by section",
          "[unit][directives]") {
  const auto rows = oracle_rows();
  CHECK(rows.size() > 1100);
  for (const OracleRow& row : rows) {
    INFO("[" << row.section << "] " << row.name);
    const auto section = section_of(row.section);
    REQUIRE(section.has_value());
    CHECK(find_directive(*section, row.name) != nullptr);
  }
}

TEST_CASE("the table has nothing that systemd 252 does not, but what is marked newer",
          "[unit][directives]") {
  std::set<std::pair<std::string, std::string>> known;
  for (const OracleRow& row : oracle_rows()) known.emplace(row.section, row.name);
  for (const Directive& d : directives()) {
    if (d.support == Support::Obsolete || d.since > 252) continue;
    if (d.name == "AssertFirmware") continue;  // only ConditionFirmware= is in 252
    INFO("[" << to_string(d.section) << "] " << d.name);
    CHECK(known.contains({std::string(to_string(d.section)), std::string(d.name)}));
  }
}

TEST_CASE("every row has a line of help and a parser, honoured ones no inert value",
          "[unit][directives]") {
  std::size_t count = 0;
  for (const Directive& d : directives()) {
    INFO(d.name);
    ++count;
    CHECK_FALSE(d.help.empty());
    CHECK(d.help.ends_with("."));
    CHECK((d.parse != nullptr) == (d.support != Support::Obsolete));
    if (d.support == Support::Honoured) CHECK(d.inert.empty());
    CHECK(find_directive(d.section, d.name) == &d);
  }
  CHECK(count == directives().size());
}

TEST_CASE("values of booleans are checked as systemd does, of every boolean row",
          "[unit][directives]") {
  for (const OracleRow& row : oracle_rows()) {
    if (row.section != "Service" || row.kind != "BOOLEAN") continue;
    for (const char* good : {"yes", "True", "1", "off"}) {
      const LoadedUnit loaded = load_service(row.name + "=" + good);
      INFO(row.name << " " << loaded.told());
      CHECK(loaded.unit->load_state == LoadState::Loaded);
      CHECK_FALSE(loaded.tells("expected"));
    }
    INFO(row.name);
    CHECK(load_service(row.name + "=perhaps").tells("expected"));
  }
}

TEST_CASE("a bad value of any row is told in one sentence", "[unit][directives]") {
  for (const OracleRow& row : oracle_rows()) {
    if (row.section != "Service") continue;
    for (const char* bad : {"\x01?!", "-99999999999", "99999999999999999y"}) {
      const LoadedUnit loaded = load_service(row.name + "=" + bad);
      INFO(loaded.told());
      CHECK_FALSE(loaded.tells("expected expected"));
      CHECK_FALSE(loaded.tells("expected a time span can't"));
    }
  }
}

TEST_CASE("a section has its own directives and the shared ones that are its due",
          "[unit][directives]") {
  CHECK(find_directive(Section::Socket, "User") != nullptr);
  CHECK(find_directive(Section::Scope, "KillMode") != nullptr);
  CHECK(find_directive(Section::Slice, "MemoryMax") != nullptr);
  CHECK(find_directive(Section::Slice, "KillMode") == nullptr);
  CHECK(find_directive(Section::Unit, "User") == nullptr);
  CHECK(find_directive(Section::Timer, "Unit") != find_directive(Section::Path, "Unit"));
  CHECK(find_directive(Section::Service, "execstart") == nullptr);
}

struct Shown {
  const char* setting;
  const char* shown;  ///< of the directive that the setting names
};

std::string show(const Unit& unit, std::string_view setting) {
  const std::string_view name = setting.substr(0, setting.find('='));
  const Directive* d = find_directive(Section::Service, name);
  if (d == nullptr || d->show == nullptr) d = find_directive(Section::Unit, name);
  return d == nullptr || d->show == nullptr ? "-" : d->show(unit);
}

TEST_CASE("settings of a service are kept and shown", "[unit][directives]") {
  for (const Shown& row : {
           Shown{"Type=notify", "notify"},
           Shown{"RestartSec=1min 30s", "1min 30s"},
           Shown{"TimeoutStartSec=0", "infinity"},
           Shown{"TimeoutStopSec=infinity", "infinity"},
           Shown{"TimeoutAbortSec=5", "5s"},
           Shown{"WatchdogSec=infinity", "0"},
           Shown{"SuccessExitStatus=7 DATAERR SIGUSR1", "7 65 SIGUSR1"},
           Shown{"KillSignal=SIGRTMIN+3", "37"},
           Shown{"KillMode=mixed", "mixed"},
           Shown{"UMask=0027", "0027"},
           Shown{"OOMScoreAdjust=-500", "-500"},
           Shown{"LimitNOFILE=1024:4096", "4096"},
           Shown{"LimitNOFILE=infinity", "infinity"},
           Shown{"PIDFile=a.pid", "/run/a.pid"},
           Shown{"PIDFile=/var/run/a.pid", "/run/a.pid"},
           Shown{"WorkingDirectory=~", "~"},
           Shown{"WorkingDirectory=-/srv//x/", "!/srv/x"},
           Shown{"Environment=A=1 \"B=x y\" A=2", "A=2 \"B=x y\""},
           Shown{"PassEnvironment=\"A\" B", "A B"},
           Shown{"SupplementaryGroups=a\\b \"c", "ab \"c"},
           Shown{"ExecSearchPath=/a:/b\\\\c:d:/e", "/a:/b\\\\c"},
           Shown{"RuntimeDirectory=\"a b\" c\\:d:e:f", "\"a b\" c\\:d:e"},
           Shown{"EnvironmentFile=-/etc/default/%p", "/etc/default/a (ignore_errors=yes)"},
           Shown{"StandardOutput=append:/var/log/a.log", "append:/var/log/a.log"},
           Shown{"StandardOutput=syslog", "journal"},
           Shown{"StandardError=fd:err", "fd:err"},
           Shown{"StandardError=fd:", "fd:stderr"},
           Shown{"StandardOutput=fd:50%%-%p", "fd:50%-a"},
           Shown{"StandardInput=file:/dev/zero", "file:/dev/zero"},
           Shown{"RuntimeDirectory=lock/a irqbalance/", "lock/a irqbalance"},
           Shown{"StateDirectory=a:b a:c", "a:b a:c"},
           Shown{"RuntimeDirectoryMode=2755", "2755"},
           Shown{"RuntimeDirectoryPreserve=restart", "restart"},
           Shown{"CapabilityBoundingSet=CAP_KILL CAP_CHOWN", "cap_chown cap_kill"},
           Shown{"AmbientCapabilities=CAP_NET_BIND_SERVICE", "cap_net_bind_service"},
           Shown{"SecureBits=keep-caps noroot-locked", "noroot-locked keep-caps"},
           Shown{"BusName=org.example.A", "org.example.A"},
           Shown{"Slice=a-b.slice", "a-b.slice"},
           Shown{"Delegate=memory pids", "yes"},
           Shown{"ExecSearchPath=/a:/b/", "/a:/b"},
           Shown{"NotifyAccess=all", "all"},
           Shown{"OOMPolicy=kill", "kill"},
       }) {
    const LoadedUnit loaded = load_service(row.setting);
    INFO(row.setting << " " << loaded.told());
    CHECK(show(*loaded.unit, row.setting) == row.shown);
  }
}

TEST_CASE("settings of [Unit] are kept and shown", "[unit][directives]") {
  for (const Shown& row : {
           Shown{"Documentation=man:a(8) https://a.example", "man:a(8) https://a.example"},
           Shown{"Documentation=a(8) man:b(8)", "man:b(8)"},
           Shown{"RequiresMountsFor=/a //b/ c", "/a /b"},
           Shown{"OnFailure=heartbeat-failed@%n", "heartbeat-failed@a.service"},
           Shown{"Wants=x.service not/valid y.service", "x.service y.service"},
           Shown{"ConditionPathExists=|!/a", "|!/a"},
           Shown{"ConditionHost=!b", "!b"},
           Shown{"AssertPathExists=/a", "/a"},
           Shown{"StartLimitIntervalSec=1h", "1h"},
           Shown{"StartLimitBurst=3", "3"},
           Shown{"FailureAction=reboot-force", "reboot-force"},
           Shown{"SuccessActionExitStatus=7", "7"},
           Shown{"JobTimeoutSec=30min", "30min"},
           Shown{"OnFailureJobMode=replace-irreversibly", "replace-irreversibly"},
           Shown{"CollectMode=inactive-or-failed", "inactive-or-failed"},
           Shown{"RefuseManualStart=yes", "yes"},
       }) {
    const LoadedUnit loaded = load_text(
        "a.service", "[Unit]\n" + std::string(row.setting) + "\n[Service]\nExecStart=/bin/a\n");
    INFO(row.setting << " " << loaded.told());
    const std::string_view name =
        std::string_view(row.setting).substr(0, std::string_view(row.setting).find('='));
    CHECK(find_directive(Section::Unit, name)->show(*loaded.unit) == row.shown);
  }
}

TEST_CASE("an empty value takes back what was set", "[unit][directives]") {
  for (const char* setting :
       {"Environment=A=1", "EnvironmentFile=/a", "SupplementaryGroups=a", "ExecStartPost=/bin/b",
        "RuntimeDirectory=a", "SuccessExitStatus=3", "User=a", "WorkingDirectory=/a",
        "PassEnvironment=A", "PIDFile=/a", "AmbientCapabilities=CAP_KILL", "KillMode=mixed"}) {
    const std::string name(setting, std::string_view(setting).find('='));
    const LoadedUnit unset = load_service("");
    const LoadedUnit reset = load_service(std::string(setting) + "\n" + name + "=");
    INFO(setting << " " << reset.told());
    CHECK(reset.told().empty());
    CHECK(show(*reset.unit, setting) == show(*unset.unit, setting));
  }
}

TEST_CASE("old names act as the new ones", "[unit][directives]") {
  const LoadedUnit loaded = load_service("StartLimitInterval=7\nStartLimitBurst=8");
  CHECK(loaded.unit->config.start_limit_interval == std::chrono::seconds(7));
  CHECK(loaded.unit->config.start_limit_burst == 8U);
  const LoadedUnit old = load_text("a.service",
                                   "[Unit]\nBindTo=b.service\nPropagateReloadTo=c.service\n"
                                   "RequiresOverridable=d.service\nOnFailureIsolate=yes\n"
                                   "[Service]\nExecStart=/bin/a\nCapabilities=all\n");
  CHECK(test::names_of(*old.unit, DependencyKind::BindsTo).size() == 1);
  CHECK(test::names_of(*old.unit, DependencyKind::PropagatesReloadTo).size() == 1);
  CHECK(test::names_of(*old.unit, DependencyKind::Requires).size() == 1);
  CHECK(old.unit->config.on_failure_job_mode == JobMode::Isolate);
  CHECK(old.tells("Capabilities= no longer has a meaning"));
}

TEST_CASE("a bad command with \"-\" is left out, without it the unit is refused",
          "[unit][directives]") {
  CHECK(load_service("ExecStartPre=-relative/path").unit->load_state == LoadState::Loaded);
  CHECK(load_service("ExecStartPre=relative/path").unit->load_state == LoadState::BadSetting);
}

}  // namespace

TEST_CASE("of several commands it is the bad one's own prefix that counts", "[unit][directives]") {
  const auto spared = load_service("ExecStartPre=/bin/a ; -/bin/b %Z");
  CHECK(spared.unit->load_state == LoadState::Loaded);
  CHECK(spared.unit->service->commands(ExecRole::StartPre).size() == 1);
  const auto refused = load_service("ExecStartPre=-/bin/a ; /bin/b %Z");
  CHECK(refused.unit->load_state == LoadState::BadSetting);
}

}  // namespace onset
