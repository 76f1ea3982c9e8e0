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

TEST_CASE("where devices have units, what they can tell of is waited for", "[unit][mount]") {
  const auto device_of = [](std::string what, const std::string& more = "", bool has_udev = false,
                            bool has_devices = true) {
    MemoryFiles files;
    files.add("/units/a.mount", "[Mount]\nWhat=" + what + "\n" + more);
    if (has_udev) files.add("/units/systemd-udevd.service", "[Service]\nExecStart=/bin/x\n");
    LoaderConfig config;
    config.search_path = {"/units"};
    config.has_devices = has_devices;
    UnitLoader loader(files, std::move(config));
    Diagnostics diagnostics;
    auto unit = loader.load("a.mount", diagnostics);
    return unit->mount != nullptr ? unit->mount->device : "none";
  };
  CHECK(device_of("/dev/vda1") == "/dev/vda1");
  CHECK(device_of("/dev/mapper/x") == "/dev/mapper/x");
  CHECK(device_of("/dev/vda1", "", true, false).empty());
  CHECK(device_of("/dev/vda1", "Options=bind\n").empty());
  for (const char* what : {"tmpfs", "server:/x", "/file", "/dev/root", "/dev/nfs"})
    CHECK(device_of(what, "", true).empty());
  // Links that nobody makes are mount(8)'s to find.
  CHECK(device_of("UUID=1-2").empty());
  CHECK(device_of("UUID=1-2", "", true) == "/dev/disk/by-uuid/1-2");
  CHECK(device_of("/dev/disk/by-label/x").empty());
  CHECK(device_of("/dev/disk/by-label/x", "", true) == "/dev/disk/by-label/x");
}

TEST_CASE("a device needs no file, drop-ins complete it", "[unit][mount]") {
  MemoryFiles files;
  files.add("/units/dev-x\\x2dy.device.d/a.conf", "[Unit]\nJobRunningTimeoutSec=3\n");
  LoaderConfig config;
  config.search_path = {"/units"};
  UnitLoader loader(files, std::move(config));
  Diagnostics diagnostics;
  const auto unit = loader.load("dev-x\\x2dy.device", diagnostics);
  CHECK(unit->load_state == LoadState::Loaded);
  CHECK(unit->config.description == "/dev/x-y");
  CHECK(unit->config.job_running_timeout == std::chrono::seconds(3));
  CHECK_FALSE(loader.load("dev-z.device", diagnostics)->config.job_running_timeout);
}
