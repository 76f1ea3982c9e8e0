// First what the type and the settings imply whatever DefaultDependencies= says,
// then the table of default dependencies.
//
// Where onset adds other dependencies than systemd:
// - Type=dbus: systemd requires dbus.socket. Here dbus.service is wanted and waited
//   for, and dbus.socket only waited for. Wanted, not required:
//   where the bus comes from outside (a socket mounted into a container) there is
//   no dbus.service, and where there is no bus at all the service's own failure
//   says so better than a missing unit would.
// - Output to the journal: systemd orders after systemd-journald.socket. Logs are
//   onset's own, there from the beginning.
#include "graph/implicit.h"

#include <array>

#include "base/format.h"
#include "graph/applicable.h"
#include "graph/atoms.h"

namespace onset {
namespace {

// ---- default dependencies -------------------------------------------------------

enum class Managers : std::uint8_t { Both, System, User };

struct DefaultRow {
  UnitType type;
  Managers managers;
  DependencyKind kind;
  std::string_view name;
};

constexpr auto kDefaults = [] {
  using enum UnitType;
  using enum DependencyKind;
  constexpr auto Both = Managers::Both;
  constexpr auto System = Managers::System;
  constexpr auto User = Managers::User;
  return std::to_array<DefaultRow>({
      {Service, System, Requires, "sysinit.target"},
      {Service, System, After, "sysinit.target"},
      {Service, User, Requires, "basic.target"},
      {Service, Both, After, "basic.target"},
      {Service, Both, Conflicts, "shutdown.target"},
      {Service, Both, Before, "shutdown.target"},

      {Target, Both, Conflicts, "shutdown.target"},
      {Target, Both, Before, "shutdown.target"},
      {Slice, Both, Conflicts, "shutdown.target"},
      {Slice, Both, Before, "shutdown.target"},
      {Scope, Both, Conflicts, "shutdown.target"},
      {Scope, Both, Before, "shutdown.target"},

      {Socket, System, Requires, "sysinit.target"},
      {Socket, System, After, "sysinit.target"},
      {Socket, Both, Before, "sockets.target"},
      {Socket, Both, Conflicts, "shutdown.target"},
      {Socket, Both, Before, "shutdown.target"},
      {Timer, System, Requires, "sysinit.target"},
      {Timer, System, After, "sysinit.target"},
      {Timer, Both, Before, "timers.target"},
      {Timer, Both, Conflicts, "shutdown.target"},
      {Timer, Both, Before, "shutdown.target"},
      {UnitType::Path, System, Requires, "sysinit.target"},
      {UnitType::Path, System, After, "sysinit.target"},
      {UnitType::Path, Both, Before, "paths.target"},
      {UnitType::Path, Both, Conflicts, "shutdown.target"},
      {UnitType::Path, Both, Before, "shutdown.target"},

      {Automount, System, After, "local-fs-pre.target"},
      {Automount, System, Before, "local-fs.target"},
      {Automount, System, Conflicts, "umount.target"},
      {Automount, System, Before, "umount.target"},
      {Swap, System, Conflicts, "umount.target"},
      {Swap, System, Before, "umount.target"},
      {Swap, System, Before, "swap.target"},
  });
}();

class ImplicitDependencies {
 public:
  ImplicitDependencies(const Unit& unit, bool user_manager)
      : unit_(unit), user_manager_(user_manager) {}

  std::vector<NamedDependency> take() {
    add_slice();
    add_bus();
    add_defaults();
    add_mount();
    add_automount();
    add_swap();
    add_socket();
    add_device();
    return std::move(found_);
  }

 private:
  void add(DependencyKind kind, std::string_view name) {
    if (name != unit_.id) found_.push_back({kind, std::string(name), true});
  }

  /// The slice is what the loader says (CgroupConfig::slice): none for the root and
  /// for units without processes of their own.
  void add_slice() {
    if (unit_.cgroup == nullptr || unit_.cgroup->slice.empty()) return;
    add(DependencyKind::InSlice, unit_.cgroup->slice);
    add(DependencyKind::Requires, unit_.cgroup->slice);
    add(DependencyKind::After, unit_.cgroup->slice);
  }

  void add_bus() {
    if (unit_.service == nullptr || unit_.service->type != ServiceType::Dbus) return;
    add(DependencyKind::Wants, "dbus.service");
    add(DependencyKind::After, "dbus.service");
    add(DependencyKind::After, "dbus.socket");
  }

  void add_defaults() {
    if (!unit_.config.default_dependencies || is_perpetual(unit_)) return;
    const Managers other = user_manager_ ? Managers::System : Managers::User;
    for (const DefaultRow& row : kDefaults) {
      if (row.type == unit_.type && row.managers != other) add(row.kind, row.name);
    }
  }

  /// systemd.mount(5), AUTOMATIC DEPENDENCIES: what is on the network waits for that.
  void add_mount() {
    if (unit_.mount == nullptr || !unit_.config.default_dependencies || user_manager_) return;
    const MountConfig& mount = *unit_.mount;
    if (stays_mounted(mount.where) || has_mount_option(mount.options, "x-initrd.mount")) return;
    const bool is_remote = is_network_mount(mount);
    if (!may_fail(mount))
      add(DependencyKind::Before, is_remote ? "remote-fs.target" : "local-fs.target");
    add(DependencyKind::After, is_remote ? "remote-fs-pre.target" : "local-fs-pre.target");
    if (is_remote) {
      add(DependencyKind::After, "network.target");
      add(DependencyKind::Wants, "network-online.target");
      add(DependencyKind::After, "network-online.target");
    }
    add(DependencyKind::Conflicts, "umount.target");
    add(DependencyKind::Before, "umount.target");
    // What is in swap has to be gone before swapoff.
    if (mount.type == "tmpfs") add(DependencyKind::After, "swap.target");
  }

  /// systemd.automount(5): the mount of the same path, which comes after it.
  void add_automount() {
    if (unit_.automount == nullptr) return;
    if (const auto mount = name_from_path(unit_.automount->where, ".mount")) {
      add(DependencyKind::Triggers, *mount);
      add(DependencyKind::Before, *mount);
    }
  }

  /// A file can be swapped to once it can be written to.
  void add_swap() {
    if (unit_.swap == nullptr || unit_.swap->is_found || user_manager_) return;
    if (!unit_.swap->what.starts_with("/dev/"))
      add(DependencyKind::After, "systemd-remount-fs.service");
  }

  /// systemd.socket(5), IMPLICIT DEPENDENCIES. The instances of Accept=yes come one by one.
  void add_socket() {
    if (unit_.socket == nullptr || unit_.socket->service.empty()) return;
    add(DependencyKind::Triggers, unit_.socket->service);
    add(DependencyKind::Before, unit_.socket->service);
  }

  /// systemd.mount(5), systemd.swap(5): its device comes first, and what a file has is bound to it.
  void add_device() {
    const bool is_mount = unit_.mount != nullptr;
    if (!is_mount && unit_.swap == nullptr) return;
    const std::string& path = is_mount ? unit_.mount->device : unit_.swap->device;
    const auto device = path.empty() ? std::nullopt : name_from_path(path, ".device");
    if (!device) return;
    const bool is_found = is_mount ? unit_.mount->is_found : unit_.swap->is_found;
    const bool is_bound =
        !is_found || (is_mount && has_mount_option(unit_.mount->options, "x-systemd.device-bound"));
    add(is_bound ? DependencyKind::BindsTo : DependencyKind::Requires, *device);
    add(DependencyKind::After, *device);
  }

  const Unit& unit_;
  bool user_manager_;
  std::vector<NamedDependency> found_;
};

// ---- execution ----------------------------------------------------------------------

std::string_view directory_root(ExecDirectory directory) {
  switch (directory) {
    case ExecDirectory::Runtime:
      return "/run";
    case ExecDirectory::State:
      return "/var/lib";
    case ExecDirectory::Cache:
      return "/var/cache";
    case ExecDirectory::Logs:
      return "/var/log";
    case ExecDirectory::Configuration:
      return "/etc";
  }
  return "/";
}

/// systemd.exec(5), IMPLICIT DEPENDENCIES.
void add_exec(Unit& unit, bool user_manager) {
  if (unit.exec == nullptr) return;
  const ExecConfig& exec = *unit.exec;
  auto& mounts = unit.config.requires_mounts_for;
  if (exec.working_directory.starts_with('/') && !exec.working_directory_optional) {
    mounts.push_back(exec.working_directory);
  }
  if (!exec.root_directory.empty()) mounts.push_back(exec.root_directory);
  // A user's directories are below the home, which was mounted before its manager.
  if (user_manager) return;
  for (unsigned i = 0; i < kExecDirectories; ++i) {
    if (!exec.directories[i]) continue;
    const std::string_view root = directory_root(static_cast<ExecDirectory>(i));
    for (const DirectoryEntry& entry : exec.directories[i]->entries) {
      mounts.push_back(format("{}/{}", root, entry.path));
    }
  }
}

/// systemd.mount(5): a mount below another one requires it.
void add_mount_above(Unit& unit) {
  if (unit.type != UnitType::Mount && unit.type != UnitType::Automount) return;
  const auto path = unit_unescape_path(without_suffix(unit.id));
  if (!path || *path == "/") return;
  const std::size_t slash = path->rfind('/');
  if (slash == std::string::npos) return;
  unit.config.requires_mounts_for.push_back(slash == 0 ? "/" : path->substr(0, slash));
}

/// systemd.mount(5), systemd.swap(5): where the source lies comes first.
void add_mount_source(Unit& unit) {
  std::string_view path;
  if (unit.mount != nullptr) path = mount_source_path(*unit.mount);
  if (unit.swap != nullptr && !unit.swap->is_found) path = unit.swap->what;
  if (path.starts_with('/')) unit.config.requires_mounts_for.emplace_back(path);
}

/// systemd.socket(5): where its nodes lie.
void add_socket_paths(Unit& unit) {
  if (unit.socket == nullptr) return;
  for (const ListenAddress& listen : unit.socket->listen) {
    if (const auto path = path_of(listen); !path.empty())
      unit.config.requires_mounts_for.emplace_back(path);
  }
}

}  // namespace

std::vector<NamedDependency> implicit_dependencies(const Unit& unit, bool user_manager) {
  return ImplicitDependencies(unit, user_manager).take();
}

void add_implicit_mounts(Unit& unit, bool user_manager) {
  add_exec(unit, user_manager);
  add_mount_above(unit);
  add_mount_source(unit);
  add_socket_paths(unit);
}

void add_target_ordering(UnitGraph& graph, UnitId target) {
  const Unit& unit = graph.unit(target);
  if (unit.type != UnitType::Target || unit.load_state != LoadState::Loaded ||
      !unit.config.default_dependencies) {
    return;
  }
  constexpr DependencySet kComplemented = kinds_with(Atom::TargetOrdering);
  std::vector<UnitId> before;
  for (const Dependency& d : graph.dependencies(target)) {
    const Unit& other = graph.unit(d.other);
    if (!d.kinds.any(kComplemented) || d.kinds.has(DependencyKind::Before)) continue;
    if (other.load_state != LoadState::Loaded || !other.config.default_dependencies) continue;
    before.push_back(d.other);
  }
  for (UnitId other : before) graph.add_dependency(target, DependencyKind::After, other);
}

}  // namespace onset
