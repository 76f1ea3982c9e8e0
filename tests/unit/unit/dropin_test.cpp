#include "unit/dropin.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "support/loaded_unit.h"

namespace onset {
namespace {

using test::load_from;
using test::LoadedUnit;
using test::MemoryFiles;
using test::names_of;
using Names = std::vector<std::string>;

const std::string kEtc = "/etc/systemd/system/";
const std::string kRun = "/run/systemd/system/";
const std::string kUsr = "/usr/lib/systemd/system/";
constexpr std::string_view kPlain = "[Service]\nExecStart=/bin/a\n";

std::string described(std::string_view text) {
  return "[Unit]\nDescription=" + std::string(text) + "\n";
}

TEST_CASE("drop-ins are applied by file name over all directories", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add(kUsr + "a.service.d/20-vendor.conf", described("20 vendor"));
  files.add(kEtc + "a.service.d/10-admin.conf", described("10 admin"));
  files.add(kEtc + "a.service.d/30-note.txt", described("not a drop-in"));
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->config.description == "20 vendor");
  CHECK(loaded.unit->dropin_paths ==
        Names{kEtc + "a.service.d/10-admin.conf", kUsr + "a.service.d/20-vendor.conf"});
}

TEST_CASE("of equal file names the first directory counts, /dev/null hides", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add(kUsr + "a.service.d/10.conf", described("vendor"));
  files.add(kRun + "a.service.d/10.conf", described("run"));
  files.add(kUsr + "a.service.d/20.conf", described("hidden"));
  files.add_link(kEtc + "a.service.d/20.conf", "/dev/null");
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->config.description == "run");
  CHECK(loaded.unit->dropin_paths == Names{kRun + "a.service.d/10.conf"});
}

TEST_CASE("a drop-in that is no regular file is told and left out", "[unit][dropin][C7]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add_special(kUsr + "a.service.d/10-fifo.conf");
  files.add(kUsr + "a.service.d/20.conf", described("read"));
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->load_state == LoadState::Loaded);
  CHECK(loaded.unit->config.description == "read");
  CHECK(loaded.unit->dropin_paths == Names{kUsr + "a.service.d/20.conf"});
  CHECK(loaded.tells(kUsr + "a.service.d/10-fifo.conf"));
}

TEST_CASE("a unit whose drop-ins can't be listed is in error, and as it should be later",
          "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add(kEtc + "a.service.d/10-user.conf", "[Service]\nUser=daemon\n");
  UnitLoader loader(files, test::loader_config());
  files.break_path(kEtc + "a.service.d", EMFILE);
  Diagnostics told;
  const auto broken = loader.load("a.service", told);
  CHECK(broken->load_state == LoadState::Error);
  CHECK(broken->load_error.find(kEtc + "a.service.d: can't be listed: Too many open files") !=
        std::string::npos);
  CHECK(told.size() == 1);
  files.break_path(kEtc + "a.service.d", 0);
  const auto whole = loader.load("a.service", told);
  CHECK(whole->load_state == LoadState::Loaded);
  CHECK(whole->dropin_paths == Names{kEtc + "a.service.d/10-user.conf"});
}

TEST_CASE("the more specific folder's file hides that of its name", "[unit][dropin]") {
  struct Row {
    const char* unit;
    const char* folder;
  };
  // From the least to the most specific.
  for (const Row& row :
       {Row{"foo-bar-baz.service", "service.d"}, Row{"foo-bar-baz.service", "foo-.service.d"},
        Row{"foo-bar-baz.service", "foo-bar-.service.d"},
        Row{"foo-bar-baz.service", "foo-bar-baz.service.d"}, Row{"t@i.service", "service.d"},
        Row{"t@i.service", "t@.service.d"}, Row{"t@i.service", "t@i.service.d"}}) {
    MemoryFiles files;
    files.add(kUsr + "foo-bar-baz.service", kPlain);
    files.add(kUsr + "t@.service", kPlain);
    for (const char* folder : {"service.d", "foo-.service.d", "foo-bar-.service.d",
                               "foo-bar-baz.service.d", "t@.service.d", "t@i.service.d"}) {
      files.add(kUsr + folder + "/10.conf", described(folder));
      if (std::string_view(folder) == row.folder) break;
    }
    INFO(row.unit << " " << row.folder);
    CHECK(load_from(files, row.unit).unit->config.description == row.folder);
  }
}

TEST_CASE("type.d comes after a name's own folder even in an earlier directory", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add(kUsr + "a.service.d/10.conf", described("own"));
  files.add(kEtc + "service.d/10.conf", described("type"));
  CHECK(load_from(files, "a.service").unit->config.description == "own");
}

TEST_CASE("drop-ins of an alias belong to the unit", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "real.service", kPlain);
  files.add_link(kEtc + "alias.service", kUsr + "real.service");
  files.add(kEtc + "alias.service.d/10.conf", described("by alias"));
  files.add(kEtc + "alias.service.wants/b.service", "");
  files.add_link(kEtc + "alias.service.wants/c.service", "../c.service");
  const LoadedUnit loaded = load_from(files, "real.service");
  CHECK(loaded.unit->config.description == "by alias");
  CHECK(names_of(*loaded.unit, DependencyKind::Wants) == Names{"c.service"});
  CHECK(loaded.tells("alias.service.wants/b.service: not a symbolic link"));
}

TEST_CASE("a drop-in empties lists and completes a service", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.service",
            "[Unit]\nConditionPathExists=/x\n[Service]\nExecStart=\nType=notify\n");
  files.add(kEtc + "a.service.d/10.conf",
            "[Unit]\nConditionPathExists=\n[Service]\nType=simple\nExecStart=/bin/b\n");
  const LoadedUnit loaded = load_from(files, "a.service");
  CHECK(loaded.unit->load_state == LoadState::Loaded);
  CHECK(loaded.unit->config.conditions.empty());
  CHECK(loaded.unit->service->type == ServiceType::Simple);
  CHECK(loaded.unit->service->commands(ExecRole::Start).size() == 1);
}

TEST_CASE("links in .wants, .requires and .upholds are dependencies", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "a.target", "[Unit]\n");
  files.add_link(kEtc + "a.target.wants/b.service", "/lib/systemd/system/b.service");
  files.add_link(kUsr + "a.target.wants/c.service", "../c.service");
  files.add_link(kUsr + "a.target.wants/off.service", "../off.service");
  files.add_link(kEtc + "a.target.wants/off.service", "/dev/null");
  files.add_link(kUsr + "a.target.requires/d@x.service", "../d@.service");
  files.add_link(kUsr + "a.target.upholds/e.service", "../e.service");
  files.add_link(kUsr + "a.target.wants/nonsense", "../nonsense");
  const LoadedUnit loaded = load_from(files, "a.target");
  CHECK(names_of(*loaded.unit, DependencyKind::Wants) == Names{"b.service", "c.service"});
  CHECK(names_of(*loaded.unit, DependencyKind::Requires) == Names{"d@x.service"});
  CHECK(names_of(*loaded.unit, DependencyKind::Upholds) == Names{"e.service"});
  CHECK(loaded.tells("nonsense: not a valid unit name"));
}

TEST_CASE("a template in a folder gets the instance, or the unit's own prefix", "[unit][dropin]") {
  MemoryFiles files;
  files.add(kUsr + "t@.target", "[Unit]\n");
  files.add(kUsr + "plain.target", "[Unit]\n");
  files.add_link(kUsr + "t@.target.wants/s@.service", "../s@.service");
  files.add_link(kUsr + "plain.target.wants/s@.service", "../s@.service");
  CHECK(names_of(*load_from(files, "t@i.target").unit, DependencyKind::Wants) ==
        Names{"s@i.service"});
  CHECK(names_of(*load_from(files, "plain.target").unit, DependencyKind::Wants) ==
        Names{"s@plain.service"});
}

}  // namespace
}  // namespace onset
