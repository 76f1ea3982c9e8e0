#include "os/mount_table.h"

#include <algorithm>
#include <array>

#include "base/octal_escape.h"
#include "base/text.h"

namespace onset {
namespace {

/// `path` itself or what is below it.
bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool has_option(std::string_view options, std::string_view wanted) {
  return std::ranges::any_of(split(options, ','), [&](std::string_view o) { return o == wanted; });
}

/// The mount's own options say whether it can be written, the file system's say it again.
std::string joined_options(std::string_view of_mount, std::string_view of_file_system) {
  std::string all(of_mount);
  for (const std::string_view option : split(of_file_system, ',')) {
    if (option.empty() || option == "rw" || option == "ro") continue;
    if (!all.empty()) all += ',';
    all += option;
  }
  return all;
}

}  // namespace

// 36 35 98:0 /root /where options tags… - type source super-options
std::vector<MountEntry> parse_mount_table(std::string_view mountinfo) {
  constexpr std::size_t kPath = 4;
  constexpr std::size_t kOptions = 5;
  constexpr std::size_t kFirstTag = 6;
  std::vector<MountEntry> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto words = split(line, ' ');
    const auto dash =
        std::find(words.begin() + std::min(kFirstTag, words.size()), words.end(), "-");
    if (words.end() - dash < 4) continue;
    MountEntry& m = mounts.emplace_back();
    m.path = unescape_octal(words[kPath]);
    m.type = unescape_octal(dash[1]);
    m.source = unescape_octal(dash[2]);
    m.read_only = has_option(dash[3], "ro");
    m.options = unescape_octal(joined_options(words[kOptions], dash[3]));
  }
  return mounts;
}

std::vector<MountEntry> visible_mounts(std::vector<MountEntry> mounts) {
  std::ranges::stable_sort(mounts, {}, &MountEntry::path);
  const auto first =
      std::unique(mounts.rbegin(), mounts.rend(),
                  [](const MountEntry& a, const MountEntry& b) { return a.path == b.path; });
  mounts.erase(mounts.begin(), first.base());
  return mounts;
}

// A line of heads, then: path type size used priority
std::vector<std::string> parse_swap_table(std::string_view swaps) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::vector<std::string> paths;
  for (const std::string_view line : split(swaps, '\n')) {
    if (!line.starts_with('/')) continue;
    std::string path = unescape_octal(line.substr(0, line.find_first_of(" \t")));
    if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
    paths.push_back(std::move(path));
  }
  return paths;
}

bool stays_mounted(const MountEntry& mount) {
  if (mount.path == "/" || mount.path == "/usr" || mount.path == "/run") return true;
  constexpr std::array kFolders = {"/proc", "/sys", "/dev", "/run/initramfs"};
  return std::ranges::any_of(kFolders,
                             [&](const char* folder) { return is_within(mount.path, folder); });
}

bool wants_read_only(const MountEntry& mount) {
  // Of these the source may be a name of their own.
  constexpr std::array<std::string_view, 3> kOnDevices = {"zfs", "ubifs", "bcachefs"};
  if (mount.read_only) return false;
  return (mount.source.starts_with("/dev/") && mount.type != "devtmpfs") ||
         std::ranges::find(kOnDevices, mount.type) != kOnDevices.end();
}

}  // namespace onset
