#include "unit/loader.h"

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"

namespace onset {
namespace {

using test::load_from;
using test::load_text;
using test::LoadedUnit;
using test::loader_config;
using test::MemoryFiles;
using test::names_of;
using Names = std::vector<std::string>;

constexpr std::string_view kPlain = "[Service]\nExecStart=/bin/a\n";
const std::string kEtc = "/etc/systemd/system/";
const std::string kUsr = "/usr/lib/systemd/system/";

TEST_CASE("a unit file becomes a unit with its settings", "[unit][loader]") {
  const LoadedUnit loaded = load_text("a.service",
                                      "[Unit]\nDescription=The A\nAfter=b.service c.service\n"
                                      "Wants=b.service\n[Service]\nExecStart=/bin/a -x\n"
                                      "Restart=on-failure\nUser=daemon\n[Install]\n"
                                      "WantedBy=multi-user.target\n");
  const Unit& unit = *loaded.unit;
  CHECK(loaded.told().empty());
  CHECK(unit.id == "a.service");
  CHECK(unit.load_state == LoadState::Loaded);
  CHECK(unit.fragment_path == kEtc + "a.service");
  CHECK(unit.config.description == "The A");
  CHECK(names_of(unit, DependencyKind::After) == Names{"b.service", "c.service"});
  CHECK(names_of(unit, DependencyKind::Wants) == Names{"b.service"});
  REQUIRE(unit.service->commands(ExecRole::Start).size() == 1);
  CHECK(unit.service->commands(ExecRole::Start)[0].argv == Names{"/bin/a", "-x"});
  CHECK(unit.service->restart == ServiceRestart::OnFailure);
  CHECK(unit.exec->user == "daemon");
  REQUIRE(unit.install != nullptr);
  CHECK(unit.install->wanted_by == Names{"multi-user.target"});
}

TEST_CASE("of two files of one name the directory that comes first counts", "[unit][loader]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", "[Unit]\nDescription=vendor\n[Service]\nExecStart=/bin/a\n");
  files.add(kEtc + "a.service", "[Unit]\nDescription=admin\n[Service]\nExecStart=/bin/a\n");
  CHECK(load_from(files, "a.service").unit->config.description == "admin");
}

TEST_CASE("what generators made comes where systemd looks for it", "[unit][loader]") {
  MemoryFiles files;
  const auto described_by = [&files](const std::string& folder) {
    files.add("/run/systemd/" + folder + "/a.service",
              "[Unit]\nDescription=" + folder + "\n[Service]\nExecStart=/bin/a\n");
    return load_from(files, "a.service").unit->config.description;
  };
  CHECK(described_by("generator.late") == "generator.late");
  files.add(kUsr + "a.service", "[Unit]\nDescription=usr\n[Service]\nExecStart=/bin/a\n");
  CHECK(load_from(files, "a.service").unit->config.description == "usr");
  CHECK(described_by("generator") == "generator");
  files.add(kEtc + "a.service", "[Unit]\nDescription=etc\n[Service]\nExecStart=/bin/a\n");
  CHECK(load_from(files, "a.service").unit->config.description == "etc");
  CHECK(described_by("generator.early") == "generator.early");
}

TEST_CASE("a unit without a file is not found, and says so", "[unit][loader]") {
  MemoryFiles files;
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->load_state == LoadState::NotFound);
  CHECK(loaded.unit->load_error.find("a.service") != std::string::npos);
  CHECK(loaded.told().empty());
  CHECK(load_from(files, "a-b.slice").unit->load_state == LoadState::Loaded);
}

TEST_CASE("C9: a name that is no unit's is refused before any path is made of it",
          "[unit][loader][C9]") {
  MemoryFiles files;
  const std::string long_name = "a@" + std::string(255, 'x') + ".service";
  for (const std::string& name :
       {std::string("a@../../x.service"), std::string("a\nb.service"), std::string("a"),
        std::string(".service"), std::string("../a.service"), std::string("a@.service"), long_name,
        std::string("a\0b.service", 11)}) {
    const LoadedUnit loaded = load_from(files, name);
    INFO(name);
    CHECK(loaded.unit->load_state == LoadState::Error);
    CHECK_FALSE(loaded.unit->load_error.empty());
  }
  CHECK(files.reads() == 0);
}

TEST_CASE("a link to another unit of the search path is an alias", "[unit][loader]") {
  MemoryFiles files;
  files.add(kUsr + "real.service", kPlain);
  files.add_link(kEtc + "alias.service", kUsr + "real.service");
  files.add_link(kEtc + "other.service", "alias.service");
  for (const char* name : {"real.service", "alias.service", "other.service"}) {
    const LoadedUnit loaded = load_from(files, name);
    INFO(name);
    CHECK(loaded.unit->id == "real.service");
    CHECK(loaded.unit->aliases == Names{"alias.service", "other.service"});
    CHECK(loaded.unit->fragment_path == kUsr + "real.service");
  }
}

TEST_CASE("/lib and /usr/lib are one place where /usr is merged", "[unit][loader]") {
  MemoryFiles files;
  files.add_link("/lib", "usr/lib");
  files.add(kUsr + "real.service", kPlain);
  files.add_link(kEtc + "alias.service", "/lib/systemd/system/real.service");
  const LoadedUnit loaded = load_from(files, "alias.service");
  CHECK(loaded.unit->id == "real.service");
  CHECK(loaded.unit->fragment_path == kUsr + "real.service");
}

TEST_CASE("a link out of the search path is a file of the link's name", "[unit][loader]") {
  MemoryFiles files;
  files.add("/opt/vendor.service", kPlain);
  files.add_link(kEtc + "mine.service", "/opt/vendor.service");
  const LoadedUnit loaded = load_from(files, "mine.service");
  CHECK(loaded.unit->id == "mine.service");
  CHECK(loaded.unit->load_state == LoadState::Loaded);
  CHECK(loaded.unit->fragment_path == kEtc + "mine.service");
}

TEST_CASE("an alias of another type or form is told and left out", "[unit][loader]") {
  struct Row {
    const char* alias;
    const char* target;
  };
  for (const Row& row : {Row{"a.target", "b.service"}, Row{"a.service", "b@.service"},
                         Row{"a@.service", "b.service"}, Row{"a@x.service", "b@y.service"},
                         Row{"a@x.service", "b.service"}}) {
    MemoryFiles files;
    files.add(kUsr + row.target, kPlain);
    files.add_link(kEtc + row.alias, kUsr + row.target);
    const LoadedUnit loaded = load_from(files, "z.service");
    INFO(row.alias << " → " << row.target);
    CHECK(loaded.tells(std::string(row.alias) + " can't be another name"));
  }
}

TEST_CASE("aliases that go in a circle end in an error", "[unit][loader]") {
  MemoryFiles files;
  files.add_link(kEtc + "a.service", "b.service");
  files.add_link(kEtc + "b.service", "a.service");
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->load_state == LoadState::Error);
  CHECK(loaded.unit->load_error.find("circle") != std::string::npos);
}

TEST_CASE("an instance is made of its template", "[unit][loader]") {
  MemoryFiles files;
  files.add(kUsr + "getty@.service",
            "[Unit]\nDescription=Getty on %I\nAfter=pre@.service\n"
            "[Service]\nExecStart=/sbin/agetty %i\n");
  const LoadedUnit loaded = load_from(files, "getty@tty1.service");
  CHECK(loaded.unit->id == "getty@tty1.service");
  CHECK(loaded.unit->config.description == "Getty on tty1");
  CHECK(loaded.unit->service->commands(ExecRole::Start)[0].argv == Names{"/sbin/agetty", "tty1"});
  CHECK(names_of(*loaded.unit, DependencyKind::After) == Names{"pre@tty1.service"});
  CHECK(loaded.unit->cgroup->slice == "system-getty.slice");
}

TEST_CASE("an instance's own file comes before the template", "[unit][loader]") {
  MemoryFiles files;
  files.add(kEtc + "a@.service", "[Unit]\nDescription=template\n[Service]\nExecStart=/bin/a\n");
  files.add(kUsr + "a@x.service", "[Unit]\nDescription=own\n[Service]\nExecStart=/bin/a\n");
  CHECK(load_from(files, "a@x.service").unit->config.description == "own");
  CHECK(load_from(files, "a@y.service").unit->config.description == "template");
}

TEST_CASE("a template's alias holds for all its instances", "[unit][loader]") {
  MemoryFiles files;
  files.add(kUsr + "real@.service", kPlain);
  files.add_link(kEtc + "alias@.service", kUsr + "real@.service");
  files.add_link(kEtc + "one@x.service", kUsr + "real@.service");
  CHECK(load_from(files, "alias@y.service").unit->id == "real@y.service");
  const LoadedUnit x = load_from(files, "one@x.service");
  CHECK(x.unit->id == "real@x.service");
  CHECK(x.unit->aliases == Names{"alias@x.service", "one@x.service"});
  CHECK(load_from(files, "one@y.service").unit->load_state == LoadState::NotFound);
}

TEST_CASE("a link to /dev/null and an empty file mask", "[unit][loader]") {
  MemoryFiles files;
  files.add_special("/dev/null");
  files.add(kUsr + "a.service", kPlain);
  files.add(kUsr + "b.service", kPlain);
  files.add_link(kEtc + "a.service", "/dev/null");
  files.add(kEtc + "b.service", "");
  CHECK(load_from(files, "a.service").unit->load_state == LoadState::Masked);
  CHECK(load_from(files, "b.service").unit->load_state == LoadState::Masked);
}

TEST_CASE("C7: what is no regular file is an error and nothing hangs on it", "[unit][loader][C7]") {
  MemoryFiles files;
  files.add_special(kEtc + "fifo.service");
  files.add_link(kEtc + "loop.service", "loop.service");
  files.add_link(kEtc + "outside.service", "/x/outside.service");
  files.add_link("/x/outside.service", "/x/outside.service");
  files.add_link(kEtc + "gone.service", "/x/gone.service");
  for (const char* name : {"fifo.service", "loop.service", "outside.service"}) {
    const LoadedUnit loaded = load_from(files, name);
    INFO(name);
    CHECK(loaded.unit->load_state == LoadState::Error);
    CHECK(loaded.unit->load_error.find(name) != std::string::npos);
  }
  CHECK(load_from(files, "gone.service").unit->load_state == LoadState::NotFound);
}

TEST_CASE("C8: a file that others may write is told of by name, or refused", "[unit][loader][C8]") {
  MemoryFiles files;
  files.add(kEtc + "open.service", kPlain, 0666);
  files.add(kEtc + "foreign.service", kPlain, 0644, 1000);
  for (const char* name : {"open.service", "foreign.service"}) {
    INFO(name);
    const LoadedUnit loaded = load_from(files, name);
    CHECK(loaded.unit->load_state == LoadState::Loaded);
    CHECK(loaded.tells(kEtc + name));
    LoaderConfig strict = loader_config();
    strict.strict_permissions = true;
    CHECK(load_from(files, name, strict).unit->load_state == LoadState::Error);
  }
  MemoryFiles folder;
  folder.add_directory("/etc/systemd/system", 0777);
  folder.add(kEtc + "a.service", kPlain);
  CHECK(load_from(folder, "a.service").tells("/etc/systemd/system: the directory can be written"));
}

TEST_CASE("C4: an unknown key and section are told with file and line", "[unit][loader][C4]") {
  const LoadedUnit loaded = load_text("a.service",
                                      "[Unit]\nDescripton=x\n[Service]\nExecStart=/bin/a\n"
                                      "X-Mine=1\n[Bogus]\nA=1\nB=2\n[X-Mine]\nA=1\n[Timer]\n"
                                      "OnBootSec=1\n");
  CHECK(loaded.unit->load_state == LoadState::Loaded);
  CHECK(loaded.told() == kEtc +
                             "a.service:2: Unknown key 'Descripton' in section [Unit], ignoring\n" +
                             kEtc + "a.service:7: Unknown section 'Bogus', ignoring\n" + kEtc +
                             "a.service:12: Unknown section 'Timer', ignoring\n");
}

TEST_CASE("C1: a wrong value is left out, one that protects fails the unit", "[unit][loader][C1]") {
  const LoadedUnit mild = test::load_service("RestartSec=soon\nNice=5\nNice=200");
  CHECK(mild.unit->load_state == LoadState::Loaded);
  CHECK_FALSE(mild.unit->service->restart_delay);
  CHECK(mild.unit->exec->nice == 5);
  CHECK(mild.tells("a.service:3: RestartSec=soon: expected"));
  for (const char* setting :
       {"User=a:b", "User=00", "User=4294967295", "Group=-1", "SupplementaryGroups=a b/c",
        "CapabilityBoundingSet=CAP_FLY", "NoNewPrivileges=maybe", "ProtectSystem=mostly",
        "SystemCallFilter=@nonsense", "RootDirectory=here", "ExecStartPre=not/absolute"}) {
    const LoadedUnit loaded = test::load_service(setting);
    INFO(setting);
    CHECK(loaded.unit->load_state == LoadState::BadSetting);
    CHECK(loaded.unit->load_error.starts_with(kEtc + "a.service:3: "));
    REQUIRE_FALSE(loaded.diagnostics.empty());
    CHECK(loaded.diagnostics.back().severity == Severity::Error);
  }
}

TEST_CASE("what is known and not honoured is said once, unless it asks for nothing",
          "[unit][loader]") {
  const LoadedUnit loaded = test::load_service(
      "PrivateTmp=yes\nPrivateDevices=no\nMemoryMax=1M\nLogRateLimitBurst=10\nLogRateLimitBurst="
      "20\n"
      "ProtectHome=yes\nProtectHome=no\nReadOnlyPaths=/usr\nReadOnlyPaths=");
  CHECK(loaded.unit->load_state == LoadState::Loaded);
  CHECK(loaded.told() == kEtc +
                             "a.service: not honoured yet: PrivateTmp= (line 3), "
                             "LogRateLimitBurst= (line 6)\n");
  CHECK(loaded.unit->not_honoured ==
        std::vector<std::string_view>{"PrivateTmp", "LogRateLimitBurst"});
}

TEST_CASE("C6: a file that systemd refuses is refused with its line", "[unit][loader][C6]") {
  const LoadedUnit nul = load_text("a.service", std::string_view("[Unit]\nA\0=1\n", 12));
  CHECK(nul.unit->load_state != LoadState::Loaded);
  CHECK(nul.unit->load_error.find("a.service") != std::string::npos);
}

TEST_CASE("C12: 10,000 units are listed once and read once", "[unit][loader][C12]") {
  MemoryFiles files;
  for (int i = 0; i < 10000; ++i) {
    files.add(kEtc + "s" + std::to_string(i) + ".service", kPlain);
  }
  UnitLoader loader(files, loader_config());
  Diagnostics diagnostics;
  for (int i = 0; i < 10000; ++i) {
    REQUIRE(loader.load("s" + std::to_string(i) + ".service", diagnostics)->load_state ==
            LoadState::Loaded);
  }
  CHECK(files.reads() == 10000);
  CHECK(files.listings() == loader.config().search_path.size());
}

TEST_CASE("the units of the binary come last and have their aliases", "[unit][loader]") {
  MemoryFiles files;
  LoaderConfig config = loader_config();
  config.builtin = builtin_units(false);
  const LoadedUnit target = load_from(files, "default.target", config);
  CHECK(target.unit->id == "graphical.target");
  CHECK(target.unit->load_state == LoadState::Loaded);
  files.add(kUsr + "multi-user.target", "[Unit]\nDescription=Mine\n");
  files.add_link(kEtc + "default.target", kUsr + "multi-user.target");
  const LoadedUnit mine = load_from(files, "default.target", config);
  CHECK(mine.unit->id == "multi-user.target");
  CHECK(mine.unit->config.description == "Mine");
}

TEST_CASE("every unit of the binary loads without a word", "[unit][loader][builtin]") {
  for (const bool user : {false, true}) {
    MemoryFiles files;
    LoaderConfig config = loader_config();
    config.user_manager = user;
    config.builtin = builtin_units(user);
    UnitLoader loader(files, config);
    Diagnostics diagnostics;
    for (const BuiltinUnit& builtin : config.builtin) {
      std::string name(builtin.name);
      if (const auto at = name.find("@."); at != std::string::npos)
        name.insert(at + 1, "an-instance");
      const auto unit = loader.load(name, diagnostics);
      INFO(builtin.name << ": " << unit->load_error);
      CHECK(unit->load_state == LoadState::Loaded);
      for (const NamedDependency& d : unit->config.dependencies) {
        if (d.kind != DependencyKind::Requires) continue;
        CHECK(loader.load(d.name, diagnostics)->load_state == LoadState::Loaded);
      }
    }
    for (const Diagnostic& d : diagnostics) FAIL_CHECK(to_string(d));
  }
}

TEST_CASE("paths are looked for below the root, links are read as from within", "[unit][loader]") {
  MemoryFiles files;
  files.add("/image" + kUsr + "a.service", kPlain);
  files.add_link("/image" + kEtc + "b.service", kUsr + "a.service");
  LoaderConfig config = loader_config();
  config.root = "/image/";
  const LoadedUnit loaded = load_from(files, "b.service", config);
  CHECK(loaded.unit->id == "a.service");
  CHECK(loaded.unit->fragment_path == kUsr + "a.service");
}

TEST_CASE("one file alone is loaded whatever the search path has", "[unit][loader]") {
  MemoryFiles files;
  files.add("/tmp/a.service", "[Unit]\nDescription=%n from here\n[Service]\nExecStart=/bin/a\n");
  files.add(kEtc + "a.service", kPlain);
  UnitLoader loader(files, loader_config());
  Diagnostics diagnostics;
  CHECK(loader.load_file("/tmp/a.service", diagnostics)->config.description ==
        "a.service from here");
}

TEST_CASE("a unit whose link leads nowhere has not changed until the file is there",
          "[unit][loader]") {
  MemoryFiles files;
  files.add_link("/etc/systemd/system/a.service", "/opt/a.service");
  UnitLoader loader(files, loader_config());
  Diagnostics diagnostics;
  const auto unit = loader.load("a.service", diagnostics);
  CHECK(unit->load_state == LoadState::NotFound);
  CHECK_FALSE(loader.has_changed(*unit));
  files.add("/opt/a.service", "[Service]\nExecStart=/bin/a\n");
  CHECK(loader.has_changed(*unit));
}

TEST_CASE("a drop-in that is no file makes no change until it is one", "[unit][loader]") {
  MemoryFiles files;
  files.add(kEtc + "a.service", kPlain);
  files.add_special(kEtc + "a.service.d/10.conf");
  files.add_link(kEtc + "a.service.d/20.conf", "nowhere");
  UnitLoader loader(files, loader_config());
  Diagnostics diagnostics;
  const auto unit = loader.load("a.service", diagnostics);
  CHECK(unit->load_state == LoadState::Loaded);
  CHECK_FALSE(loader.has_changed(*unit));
  files.add(kEtc + "a.service.d/nowhere", "[Unit]\nDescription=b\n");
  CHECK(loader.has_changed(*unit));
}

TEST_CASE("a unit that is no file has not changed until it is one", "[unit][loader]") {
  MemoryFiles files;
  files.add_special("/etc/systemd/system/a.service");
  UnitLoader loader(files, loader_config());
  Diagnostics diagnostics;
  const auto unit = loader.load("a.service", diagnostics);
  CHECK(unit->load_state == LoadState::Error);
  CHECK_FALSE(loader.has_changed(*unit));
  CHECK(files.remove("/etc/systemd/system/a.service").ok());
  files.add("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/a\n");
  CHECK(loader.has_changed(*unit));
}

}  // namespace
}  // namespace onset
