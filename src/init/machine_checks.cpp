// systemd-fsck-root.service, systemd-fsck@.service and systemd-remount-fs.service: the root is
// looked at while nobody writes to it, then becomes what fstab says.

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "init/machine_programs.h"
#include "os/mount_table.h"
#include "unit/device_tag.h"
#include "unit/fsck_plan.h"
#include "unit/fstab.h"
#include "unit/kernel_command_line.h"

namespace onset {
namespace {

// ---- fsck -------------------------------------------------------------------------

struct Checked {
  FsckTarget target;
  std::string type;  ///< empty: not known
};

/// The root where no device is given.
Checked find_target(const std::vector<std::string>& arguments) {
  Checked checked;
  if (!arguments.empty()) {
    std::string& device = checked.target.device;
    device = arguments.front();
    // Where nobody has made the link, fsck(8) finds the device by its tag.
    const std::string tag = tag_of_link(device);
    if (!tag.empty() && access(device.c_str(), F_OK) < 0) device = tag;
    return checked;
  }
  checked.target.is_root = true;
  checked.target.device = node_of("/");
  for (const MountEntry& mount : parse_mount_table(text_of("/proc/self/mountinfo"))) {
    if (mount.path == "/") checked.type = mount.type;
  }
  return checked;
}

/// As an operator would have typed it: no answer is waited for.
void ask_for_reboot() {
  (void)run_program("/proc/self/exe", {"systemctl", "--no-block", "--job-mode=replace-irreversibly",
                                       "start", "reboot.target"});
}

}  // namespace

int check_file_system(const std::vector<std::string>& arguments) {
  Diagnostics diagnostics;
  const FsckWishes wishes = fsck_wishes(text_of("/proc/cmdline"), diagnostics);
  for (const Diagnostic& d : diagnostics) complain(to_string(d));
  if (wishes.mode == FsckMode::Skip) return 0;
  const Checked checked = find_target(arguments);
  // A root in memory or from the network has no device and nothing to check.
  if (checked.target.device.empty()) return 0;
  if (!checked.type.empty() && find_program(format("fsck.{}", checked.type)).empty()) {
    complain(format("{} is not checked: there is no fsck.{}", checked.target.device, checked.type));
    return 0;
  }
  const std::string program = find_program("fsck");
  if (program.empty()) {
    complain(format("{} is not checked: there is no fsck", checked.target.device));
    return 0;
  }
  const int status = run_program(program, fsck_arguments(wishes, checked.target));
  const FsckVerdict verdict = judge_fsck(status, checked.target.is_root);
  if (verdict != FsckVerdict::Good || status != 0) {
    complain(format("fsck of {}: {} (exit status {})", checked.target.device, fsck_words(status),
                    status));
  }
  switch (verdict) {
    case FsckVerdict::Good:
    case FsckVerdict::Ignored:
      return 0;
    case FsckVerdict::RebootWanted:
      ask_for_reboot();
      return 1;
    case FsckVerdict::Failed:
      return 1;
  }
  return 1;
}

// ---- remount ------------------------------------------------------------------------

namespace {

/// Without mount(8), which knows every option: only whether it is writable.
int remount_plainly(const std::string& where, bool writable) {
  unsigned long flags = MS_REMOUNT;
  if (!writable) flags |= MS_RDONLY;
  if (mount(nullptr, where.c_str(), nullptr, flags, nullptr) == 0) return 0;
  complain(format("{} can't be remounted: {}", where, errno_text(errno)));
  return 1;
}

int remount(const FstabEntry& entry) {
  const std::string program = find_program("mount");
  if (program.empty()) {
    return remount_plainly(entry.where,
                           ("," + entry.options + ",").find(",ro,") == std::string::npos);
  }
  // The options are those of fstab, which mount reads.
  return run_program(program, {"mount", "-o", "remount", entry.where}) == 0 ? 0 : 1;
}

}  // namespace

int remount_file_systems(const std::vector<std::string>& /*arguments*/) {
  int result = 0;
  bool has_root = false;
  for (const FstabEntry& entry : early_entries(text_of("/etc/fstab"))) {
    has_root = has_root || entry.where == "/";
    if (remount(entry) != 0) result = 1;
  }
  if (!has_root && root_is_to_be_writable(text_of("/proc/cmdline")).value_or(false)) {
    if (remount_plainly("/", true) != 0) result = 1;
  }
  return result;
}

}  // namespace onset
