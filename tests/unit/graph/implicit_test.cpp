// systemd.service(5), .target(5), .slice(5), .scope(5), AUTOMATIC DEPENDENCIES, and
// systemd.exec(5), IMPLICIT DEPENDENCIES.
#include "graph/implicit.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "support/unit_table.h"

using namespace onset;
using namespace onset::test;

namespace {

using Words = std::vector<std::string>;

std::unique_ptr<Unit> implied(std::string name, std::string text, bool user = false) {
  const std::string whole = unit_text(name, text, true);
  MemoryFiles files;
  files.add("/units/" + name, whole);
  LoaderConfig config;
  config.search_path = {"/units"};
  config.user_manager = user;
  UnitLoader table(files, std::move(config));
  Diagnostics diagnostics;
  auto unit = table.load(name, diagnostics);
  REQUIRE(unit->load_state == LoadState::Loaded);
  unit->config.dependencies = implicit_dependencies(*unit, user);
  add_implicit_mounts(*unit, user);
  return unit;
}

Words dependencies(const Unit& unit) {
  Words words;
  for (const NamedDependency& d : unit.config.dependencies) {
    words.push_back(std::string(to_string(d.kind)) + "=" + d.name);
    CHECK(d.implicit);
  }
  std::sort(words.begin(), words.end());
  return words;
}

Words of(std::string name, std::string text = "", bool user = false) {
  return dependencies(*implied(std::move(name), std::move(text), user));
}

bool has(const Words& words, const char* what) {
  return std::find(words.begin(), words.end(), what) != words.end();
}

}  // namespace

TEST_CASE("a service is started after the base system and stopped at shutdown",
          "[graph][implicit]") {
  CHECK(of("a.service") == Words{"After=basic.target", "After=sysinit.target", "After=system.slice",
                                 "Before=shutdown.target", "Conflicts=shutdown.target",
                                 "Requires=sysinit.target", "Requires=system.slice",
                                 "Slice=system.slice"});
}

TEST_CASE("a user's service requires basic.target and lives in app.slice", "[graph][implicit]") {
  CHECK(of("a.service", "", true) == Words{"After=app.slice", "After=basic.target",
                                           "Before=shutdown.target", "Conflicts=shutdown.target",
                                           "Requires=app.slice", "Requires=basic.target",
                                           "Slice=app.slice"});
}

TEST_CASE("DefaultDependencies=no leaves what is not a default", "[graph][implicit]") {
  CHECK(of("a.service", "DefaultDependencies=no\n[Service]\nSlice=x-y.slice\n") ==
        Words{"After=x-y.slice", "Requires=x-y.slice", "Slice=x-y.slice"});
  CHECK(of("a.target", "DefaultDependencies=no\n").empty());
}

TEST_CASE("targets, slices and scopes go at shutdown", "[graph][implicit]") {
  const Words shutdown{"Before=shutdown.target", "Conflicts=shutdown.target"};
  CHECK(of("a.target") == shutdown);
  CHECK(of("shutdown.target").empty());
  const Words scope = of("a.scope");
  CHECK(has(scope, "Conflicts=shutdown.target"));
  CHECK(has(scope, "Slice=system.slice"));
  CHECK(of("a-b.slice") == Words{"After=a.slice", "Before=shutdown.target",
                                 "Conflicts=shutdown.target", "Requires=a.slice", "Slice=a.slice"});
  CHECK(has(of("a.slice"), "Slice=-.slice"));
}

TEST_CASE("perpetual slices have no default dependencies", "[graph][implicit]") {
  CHECK(of("-.slice").empty());
  CHECK(of("system.slice") == Words{"After=-.slice", "Requires=-.slice", "Slice=-.slice"});
}

TEST_CASE("a mount and a swap are bound to the device that they wait for", "[graph][implicit]") {
  const auto of_device = [](std::string name, std::string text, std::string device) {
    auto unit = implied(std::move(name), std::move(text));
    unit->config.dependencies.clear();
    if (unit->mount != nullptr)
      unit->mount->device = std::move(device);
    else
      unit->swap->device = std::move(device);
    Words words;
    for (const NamedDependency& d : implicit_dependencies(*unit, false)) {
      if (d.name.ends_with(".device"))
        words.push_back(std::string(to_string(d.kind)) + "=" + d.name);
    }
    return words;
  };
  const std::string mount = "[Mount]\nWhat=/dev/x\n";
  CHECK(of_device("a.mount", mount, "/dev/x") ==
        Words{"BindsTo=dev-x.device", "After=dev-x.device"});
  CHECK(of_device("a.mount", mount, "").empty());
  CHECK(of_device("dev-x.swap", "[Swap]\nWhat=/dev/x\n", "/dev/x") ==
        Words{"BindsTo=dev-x.device", "After=dev-x.device"});
}

TEST_CASE("instances of a template share a slice of their own", "[graph][implicit]") {
  const auto slice_of = [](const char* name, const char* text = "", bool user = false) {
    const auto unit = implied(name, text, user);
    for (const NamedDependency& d : unit->config.dependencies) {
      if (d.kind == DependencyKind::InSlice) return d.name;
    }
    return std::string{};
  };
  CHECK(slice_of("getty@tty1.service", "", false) == "system-getty.slice");
  CHECK(slice_of("a-b@1.service", "", false) == "system-a\\x2db.slice");
  CHECK(slice_of("getty@tty1.service", "", true) == "app-getty.slice");
  CHECK(slice_of("getty@tty1.service", "[Service]\nSlice=x.slice\n", false) == "x.slice");
  CHECK(slice_of("a.target", "", false).empty());
}

TEST_CASE("sockets, timers and paths come before their target", "[graph][implicit]") {
  CHECK(has(of("a.socket", "[Socket]\nListenStream=/run/a\n"), "Before=sockets.target"));
  CHECK(has(of("a.timer"), "Before=timers.target"));
  CHECK(has(of("a.path"), "Before=paths.target"));
  CHECK(has(of("a.timer"), "Requires=sysinit.target"));
  CHECK_FALSE(has(of("a.timer", "", true), "Requires=sysinit.target"));
  CHECK(has(of("a.mount"), "Conflicts=umount.target"));
}

TEST_CASE("a mount comes before the target of its kind", "[graph][implicit]") {
  const auto of_mount = [](const std::string& text) { return of("srv.mount", "[Mount]\n" + text); };
  const Words local = of_mount("What=/dev/x\nType=ext4\n");
  CHECK(has(local, "Before=local-fs.target"));
  CHECK(has(local, "After=local-fs-pre.target"));
  CHECK(has(local, "Before=umount.target"));
  CHECK_FALSE(has(local, "Wants=network-online.target"));
  for (const char* text : {"What=h:/x\nType=nfs\n", "What=x\nType=fuse.sshfs\n",
                           "What=/dev/x\nOptions=ro,_netdev\n"}) {
    CAPTURE(text);
    const Words remote = of_mount(text);
    CHECK(has(remote, "Before=remote-fs.target"));
    CHECK(has(remote, "After=remote-fs-pre.target"));
    CHECK(has(remote, "After=network.target"));
    CHECK(has(remote, "Wants=network-online.target"));
    CHECK(has(remote, "After=network-online.target"));
    CHECK_FALSE(has(remote, "Before=local-fs.target"));
  }
  const Words optional = of_mount("What=/dev/x\nOptions=nofail\n");
  CHECK_FALSE(has(optional, "Before=local-fs.target"));
  CHECK(has(optional, "After=local-fs-pre.target"));
  CHECK(has(of_mount("What=tmpfs\nType=tmpfs\n"), "After=swap.target"));
}

TEST_CASE("what stays until the end is not unmounted with the rest", "[graph][implicit]") {
  for (const char* name : {"-.mount", "usr.mount", "sys-kernel-debug.mount", "dev-mqueue.mount"}) {
    CAPTURE(name);
    CHECK_FALSE(has(of(name, "[Mount]\nWhat=x\n"), "Conflicts=umount.target"));
  }
  CHECK(has(of("usr-local.mount", "[Mount]\nWhat=x\n"), "Conflicts=umount.target"));
  CHECK_FALSE(
      has(of("a.mount", "[Mount]\nWhat=x\nOptions=x-initrd.mount\n"), "Conflicts=umount.target"));
}

TEST_CASE("a mount requires what its source lies on", "[graph][implicit]") {
  const auto mounts = [](const char* text) {
    return implied("srv-a.mount", std::string("[Mount]\n") + text)->config.requires_mounts_for;
  };
  CHECK(mounts("What=/opt/x\nOptions=bind\n") == Words{"/srv", "/opt/x"});
  CHECK(mounts("What=/img\nOptions=loop\n") == Words{"/srv", "/img"});
  CHECK(mounts("What=//host/share\nType=cifs\n") == Words{"/srv"});
  CHECK(mounts("What=UUID=1\n") == Words{"/srv"});
}

TEST_CASE("a service on the bus waits for it", "[graph][implicit]") {
  const Words words = of("a.service", "[Service]\nType=dbus\nBusName=a.b\n");
  CHECK(has(words, "Wants=dbus.service"));
  CHECK(has(words, "After=dbus.service"));
  CHECK(has(words, "After=dbus.socket"));
  CHECK_FALSE(has(of("dbus.service", "[Service]\nType=dbus\nBusName=a.b\n"), "Wants=dbus.service"));
}

TEST_CASE("paths of a service's processes require their mounts", "[graph][implicit]") {
  const auto mounts = [](const char* text, bool user = false) {
    return implied("a.service", text, user)->config.requires_mounts_for;
  };
  CHECK(mounts("[Service]\nWorkingDirectory=/srv/a\n") == Words{"/srv/a"});
  CHECK(mounts("[Service]\nWorkingDirectory=-/srv/a\n").empty());
  CHECK(mounts("[Service]\nWorkingDirectory=~\n").empty());
  CHECK(mounts("[Service]\nRootDirectory=/srv/root\n") == Words{"/srv/root"});
  CHECK(mounts("[Service]\nRuntimeDirectory=a b\nStateDirectory=c/d\n") ==
        Words{"/run/a", "/run/b", "/var/lib/c/d"});
  CHECK(mounts("[Service]\nRuntimeDirectory=a\n", true).empty());
  CHECK(implied("srv-a.mount", "")->config.requires_mounts_for == Words{"/srv"});
  CHECK(implied("srv.mount", "")->config.requires_mounts_for == Words{"/"});
  CHECK(implied("-.mount", "")->config.requires_mounts_for.empty());
}

TEST_CASE("an automount triggers the mount of its path, and comes before it", "[graph][implicit]") {
  const Words automount = of("a-b.automount", "[Automount]\nTimeoutIdleSec=1\n");
  CHECK(has(automount, "Triggers=a-b.mount"));
  CHECK(has(automount, "Before=a-b.mount"));
  CHECK(has(automount, "Before=local-fs.target"));
  CHECK(has(automount, "Conflicts=umount.target"));
}

TEST_CASE("a file is swapped to once the root can be written to", "[graph][implicit]") {
  CHECK(has(of("s.swap", "[Swap]\nWhat=/s\n"), "After=systemd-remount-fs.service"));
  CHECK_FALSE(
      has(of("dev-vdb.swap", "[Swap]\nWhat=/dev/vdb\n"), "After=systemd-remount-fs.service"));
}
