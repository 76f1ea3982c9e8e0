// systemd.mount(5), systemd.swap(5): what their sections say, and what is refused.
#include "unit/mount_config.h"

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"
#include "support/memory_files.h"
#include "unit/loader.h"

using namespace onset;
using namespace onset::test;

namespace {

std::unique_ptr<Unit> load(const std::string& name, const std::string& text) {
  MemoryFiles files;
  files.add("/units/" + name, text);
  LoaderConfig config;
  config.search_path = {"/units"};
  UnitLoader loader(files, std::move(config));
  Diagnostics diagnostics;
  return loader.load(name, diagnostics);
}

bool is_taken(const std::string& name, const std::string& text) {
  return load(name, text)->load_state == LoadState::Loaded;
}

}  // namespace

TEST_CASE("a mount unit has the settings of its section", "[unit][mount]") {
  const auto unit = load("srv-a\\x2db.mount",
                         "[Mount]\nWhat=/dev/x\nWhere=/srv/a-b/\nType=ext4\nOptions=ro\n"
                         "DirectoryMode=0700\nSloppyOptions=yes\nLazyUnmount=yes\n"
                         "ForceUnmount=yes\nReadWriteOnly=yes\nTimeoutSec=0\n");
  REQUIRE(unit->load_state == LoadState::Loaded);
  const MountConfig& mount = *unit->mount;
  CHECK(mount.what == "/dev/x");
  CHECK(mount.where == "/srv/a-b");
  CHECK(mount.directory_mode == 0700);
  CHECK((mount.sloppy_options && mount.lazy_unmount && mount.force_unmount));
  CHECK(mount.read_write_only);
  CHECK(mount.timeout == kInfinity);
  CHECK(unit->config.description == "/srv/a-b");
}

TEST_CASE("the name of a mount says Where=, of a swap What=", "[unit][mount]") {
  CHECK(load("srv.mount", "[Mount]\nWhat=x\n")->mount->where == "/srv");
  CHECK_FALSE(is_taken("srv.mount", "[Mount]\nWhat=x\nWhere=/other\n"));
  CHECK(load("dev-x.swap", "[Swap]\n")->swap->what == "/dev/x");
  CHECK_FALSE(is_taken("dev-x.swap", "[Swap]\nWhat=/dev/y\n"));
}

TEST_CASE("a mount without What= and one of the manager's own are refused", "[unit][mount]") {
  CHECK_FALSE(is_taken("srv.mount", "[Mount]\nWhere=/srv\n"));
  for (const char* name : {"proc.mount", "sys-fs-cgroup-unified.mount", "run.mount", "dev.mount"}) {
    CAPTURE(name);
    CHECK_FALSE(is_taken(name, "[Mount]\nWhat=x\n"));
  }
  CHECK(is_taken("dev-hugepages.mount", "[Mount]\nWhat=hugetlbfs\n"));
  CHECK(is_taken("tmp.mount", "[Mount]\nWhat=tmpfs\n"));
}

TEST_CASE("a mount option is looked up by its whole name, and the last one counts",
          "[unit][mount]") {
  CHECK(mount_option("a=1,b,a=2", "a") == "2");
  CHECK(mount_option("a=1,b", "b") == "");
  CHECK_FALSE(mount_option("abc,xb", "b"));
  MountConfig mount;
  mount.options = "nofail,fail";
  CHECK_FALSE(may_fail(mount));
  mount.options = "fail, nofail";
  CHECK(may_fail(mount));
}
