// What a mount unit's process is told. The words are those of init/mount_applet.
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "engine/mount.h"

namespace onset {
namespace {

/// fstab(5) words that are not mount(8)'s.
bool is_for_the_manager(std::string_view option) {
  static constexpr std::array<std::string_view, 4> kWords = {"nofail", "fail", "noauto", "auto"};
  for (const std::string_view word : kWords) {
    if (option == word) return true;
  }
  return option.starts_with("x-systemd.");
}

std::string without_our_options(std::string_view options) {
  std::string rest;
  for (const std::string_view option : split(options, ',')) {
    if (is_for_the_manager(trim(option)) || trim(option).empty()) continue;
    if (!rest.empty()) rest += ',';
    rest += option;
  }
  return rest;
}

void add_mount(std::vector<std::string>& argv, const MountConfig& mount, bool again) {
  argv.push_back(again ? "remount" : "mount");
  argv.push_back(format("{:o}", static_cast<unsigned>(mount.directory_mode)));
  argv.push_back(mount.what);
  argv.push_back(mount.where);
  argv.push_back(mount.type);
  argv.push_back(without_our_options(mount.options));
  std::string flags;
  if (mount.sloppy_options) flags += 's';
  if (mount.read_write_only) flags += 'w';
  argv.push_back(std::move(flags));
}

void add_unmount(std::vector<std::string>& argv, const MountConfig& mount) {
  argv.emplace_back("umount");
  argv.push_back(mount.where);
  std::string flags;
  if (mount.lazy_unmount) flags += 'l';
  if (mount.force_unmount) flags += 'f';
  argv.push_back(std::move(flags));
}

void add_swapon(std::vector<std::string>& argv, const SwapConfig& swap) {
  argv.emplace_back("swapon");
  argv.push_back(swap.what);
  std::string options;
  for (const std::string_view option : split(swap.options, ',')) {
    const std::string_view word = trim(option);
    if (is_for_the_manager(word) || word.empty() || word == "defaults" || word == "sw") continue;
    if (word.starts_with("pri=") && swap.priority) continue;
    if (!options.empty()) options += ',';
    options += word;
  }
  if (swap.priority) {
    if (!options.empty()) options += ',';
    options += format("pri={}", *swap.priority);
  }
  argv.push_back(std::move(options));
}

}  // namespace

ExecCommand mount_command(const Unit& unit, ExecRole role) {
  ExecCommand command;
  command.path = "/proc/self/exe";
  command.argv.emplace_back("onset-mount");
  command.argv0_given = true;
  command.no_env_expand = true;
  const bool is_stop = role == ExecRole::Stop || role == ExecRole::StopPost;
  if (unit.mount != nullptr && is_stop) {
    add_unmount(command.argv, *unit.mount);
  } else if (unit.mount != nullptr) {
    add_mount(command.argv, *unit.mount, role == ExecRole::Reload);
  } else if (unit.swap != nullptr && is_stop) {
    command.argv.emplace_back("swapoff");
    command.argv.push_back(unit.swap->what);
  } else if (unit.swap != nullptr) {
    add_swapon(command.argv, *unit.swap);
  }
  return command;
}

}  // namespace onset
