#include "unit/mount_config.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "unit/device_tag.h"

namespace onset {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_below(std::string_view path, std::string_view top) {
  return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '/');
}

/// "fuse.sshfs" is sshfs by way of FUSE.
bool is_network_type(std::string_view type) {
  static constexpr std::array<std::string_view, 17> kTypes = {
      "afs",  "ceph", "cifs", "smb3",      "smbfs", "sshfs", "ncpfs",  "ncp",  "nfs",
      "nfs4", "gfs",  "gfs2", "glusterfs", "pvfs2", "ocfs2", "lustre", "davfs"};
  constexpr std::string_view kFuse = "fuse.";
  if (type.starts_with(kFuse)) type.remove_prefix(kFuse.size());
  return is_one_of(kTypes, type);
}

/// Empty of what is none: a server, a file, "none".
std::string device_of_node(std::string_view what) {
  const std::string path = device_of_tag(what);
  return path.starts_with("/dev/") ? path_simplify(path) : std::string();
}

}  // namespace

std::optional<std::string> mount_option(std::string_view options, std::string_view name) {
  std::optional<std::string> value;
  for (const std::string_view option : split(options, ',')) {
    const std::string_view word = trim(option);
    if (word == name) {
      value.emplace();
    } else if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=') {
      value = std::string(word.substr(name.size() + 1));
    }
  }
  return value;
}

bool has_mount_option(std::string_view options, std::string_view name) {
  return mount_option(options, name).has_value();
}

bool is_bind_mount(const MountConfig& mount) {
  return mount.type == "bind" || mount.type == "rbind" || has_mount_option(mount.options, "bind") ||
         has_mount_option(mount.options, "rbind");
}

bool is_network_mount(const MountConfig& mount) {
  return has_mount_option(mount.options, "_netdev") || is_network_type(mount.type);
}

bool may_fail(const MountConfig& mount) {
  bool may = false;
  for (const std::string_view option : split(mount.options, ',')) {
    if (trim(option) == "nofail") may = true;
    if (trim(option) == "fail") may = false;
  }
  return may;
}

std::string_view mount_source_path(const MountConfig& mount) {
  const bool is_local =
      is_bind_mount(mount) || has_mount_option(mount.options, "loop") || !is_network_mount(mount);
  if (mount.is_found || !is_local || !mount.what.starts_with('/')) return {};
  return mount.what;
}

std::string mount_device(const MountConfig& mount) {
  if (is_bind_mount(mount) || has_mount_option(mount.options, "loop") || mount.where == "/")
    return {};
  std::string path = device_of_node(mount.what);
  // What the kernel calls a root that it has mounted itself.
  return path == "/dev/root" || path == "/dev/nfs" ? std::string() : path;
}

std::string swap_device(const SwapConfig& swap) {
  return device_of_node(swap.what);
}

bool is_kernel_node(std::string_view path) {
  constexpr std::string_view kDev = "/dev/";
  constexpr std::string_view kMapper = "/dev/mapper/";
  if (path.starts_with(kMapper)) return true;
  return path.starts_with(kDev) && path.find('/', kDev.size()) == std::string_view::npos;
}

bool is_api_mount_point(std::string_view where) {
  static constexpr std::array<std::string_view, 12> kPoints = {
      "/proc",       "/sys",           "/dev", "/sys/kernel/security", "/sys/fs/smackfs",
      "/dev/shm",    "/dev/pts",       "/run", "/sys/fs/pstore",       "/sys/firmware/efi/efivars",
      "/sys/fs/bpf", "/sys/fs/selinux"};
  return is_one_of(kPoints, where) || is_below(where, "/sys/fs/cgroup");
}

bool stays_mounted(std::string_view where) {
  static constexpr std::array<std::string_view, 5> kTrees = {"/run/initramfs", "/run/nextroot",
                                                             "/proc", "/sys", "/dev"};
  return where == "/" || where == "/usr" || where == "/etc" || where == "/run" ||
         std::any_of(kTrees.begin(), kTrees.end(),
                     [where](std::string_view tree) { return is_below(where, tree); });
}

}  // namespace onset
