// What an initrd is for: the root is looked for, mounted at /sysroot, and becomes the root.

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "init/machine_programs.h"
#include "init/soft_reboot.h"
#include "os/files.h"
#include "unit/fstab.h"
#include "unit/initrd_root.h"
#include "unit/kernel_command_line.h"

namespace onset {
namespace {

constexpr std::size_t kFileMax = std::size_t{1} << 20;
constexpr const char* kSysroot = "/sysroot";

int fail(std::string_view what, int err) {
  complain(format("{}: {}", what, errno_text(err)));
  return 1;
}

bool is_block_device(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISBLK(st.st_mode);
}

/// Without udev nobody has made links by what is on a device: it is asked itself.
bool says_it_is(const std::string& node, std::string_view wanted) {
  const UniqueFd fd(open(node.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, 1024> block{};
  if (!fd ||
      pread(fd.get(), block.data(), block.size(), 1024) != static_cast<ssize_t>(block.size()))
    return false;
  const auto identity = ext_identity({block.data(), block.size()});
  return identity && is_named(*identity, wanted);
}

/// Empty: it has not come yet.
std::string find_device(const InitrdRoot& root) {
  if (const std::string path = device_path(root.device); is_block_device(path)) return path;
  if (root.device.starts_with('/')) return {};
  RealFiles files;
  const auto blocks = files.list("/sys/class/block");
  if (!blocks) return {};
  for (const DirectoryItem& item : *blocks) {
    std::string node = "/dev/" + item.name;
    if (is_block_device(node) && says_it_is(node, root.device)) return node;
  }
  return {};
}

/// As long as the unit may take: the manager ends it, and says for how long it has waited.
std::string wait_for_device(const InitrdRoot& root) {
  const UniqueFd watch(inotify_init1(IN_CLOEXEC));
  (void)inotify_add_watch(watch.get(), "/dev", IN_CREATE | IN_ATTRIB | IN_MOVED_TO);
  (void)inotify_add_watch(watch.get(), "/dev/disk/by-uuid", IN_CREATE | IN_MOVED_TO);
  std::string device = find_device(root);
  if (device.empty()) complain(format("waiting for {}", root.device));
  while (device.empty()) {
    std::array<char, 4096> events{};
    if (read(watch.get(), events.data(), events.size()) < 0 && errno != EINTR) {
      (void)fail("inotify", errno);
      return {};
    }
    device = find_device(root);
  }
  return device;
}

/// Every type that the kernel knows and that needs a device, as mount(8) does it.
int mount_as_any(const std::string& device, const InitrdRoot& root, unsigned long flags) {
  RealFiles files;
  const auto types = files.read("/proc/filesystems", kFileMax);
  int err = ENODEV;
  for (const std::string_view line : split(types ? *types : std::string(), '\n')) {
    if (!line.starts_with('\t')) continue;
    const std::string type(trim(line));
    if (mount(device.c_str(), kSysroot, type.c_str(), flags, root.options.c_str()) == 0) return 0;
    if (errno != EINVAL) err = errno;
  }
  return err;
}

}  // namespace

int mount_root(const std::vector<std::string>& /*arguments*/) {
  RealFiles files;
  const auto line = files.read("/proc/cmdline", kFileMax);
  const InitrdRoot root = initrd_root(line ? *line : std::string());
  if (device_path(root.device).empty()) {
    complain(format("root={} names no device", root.device));
    return 1;
  }
  const std::string device = wait_for_device(root);
  if (device.empty()) return 1;
  (void)mkdir(kSysroot, 0755);
  unsigned long flags = root.flags;
  if (!root.writable) flags |= MS_RDONLY;
  int err = 0;
  if (root.type.empty()) {
    err = mount_as_any(device, root, flags);
  } else if (mount(device.c_str(), kSysroot, root.type.c_str(), flags, root.options.c_str()) < 0) {
    err = errno;
  }
  if (err == 0) return 0;
  return fail(format("{} can't be mounted{}{}", device, root.type.empty() ? "" : " as ", root.type),
              err);
}

/// What the root's own table wants to be there before it is left to: the manager reads it, and
/// what initrd-fs.target has got by it is started. Mostly there is nothing.
int read_sysroot_fstab(const std::vector<std::string>& /*arguments*/) {
  constexpr std::string_view kTable = "/sysroot/etc/fstab";
  Diagnostics said_by_the_generator;
  const auto entries = parse_fstab(text_of(std::string(kTable)), kTable, said_by_the_generator);
  const bool is_wanted = std::ranges::any_of(entries, is_for_initrd);
  if (!is_wanted) return 0;
  const std::string self = "/proc/self/exe";
  if (run_program(self, {"systemctl", "daemon-reload"}) != 0) return 1;
  return run_program(self, {"systemctl", "--no-block", "start", "initrd-fs.target"}) == 0 ? 0 : 1;
}

namespace {

bool is_there(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0;  // a link leads somewhere only once this is the root
}

/// Of the kernel's command line; empty: any.
std::string init_of_command_line() {
  std::string init;
  for (const KernelArgument& word : split_kernel_command_line(text_of("/proc/cmdline"))) {
    if (word.name == "init" && word.value) init = *word.value;
  }
  return init;
}

/// The init, or nothing, once it has been told.
std::optional<std::string> init_below(const std::string& root, std::string init) {
  if (init.empty()) init = init_of_command_line();
  if (init.empty()) {
    if (std::ranges::any_of(kInitPrograms, [&](const char* path) { return is_there(root + path); }))
      return init;
    complain(format("{} has no /sbin/init", root));
    return std::nullopt;
  }
  if (init.starts_with('/') && is_there(root + init)) return init;
  complain(format("{} has no program {}, which is to be its init", root, c_escape(init)));
  return std::nullopt;
}

bool leave_next_init(const std::string& init) {
  RealFiles files;
  if (init.empty()) {
    (void)unlink(kNextInit);
    return true;
  }
  const SysResult written = files.write_file(kNextInit, init, 0600);
  if (written) return true;
  complain(format("{}: {}", kNextInit, to_string(written.error())));
  return false;
}

}  // namespace

/// The folder becomes the root with the manager's next beginning, soft-reboot. ROOT, and the
/// init there, both optional.
int switch_to_root(const std::vector<std::string>& arguments) {
  const std::string root = arguments.empty() ? std::string(kSysroot) : arguments.front();
  const auto init = init_below(root, arguments.size() > 1 ? arguments[1] : std::string());
  if (!init || !leave_next_init(*init)) return 1;
  if (mkdir(kNextRoot, 0755) < 0 && errno != EEXIST) return fail(kNextRoot, errno);
  if (mount(root.c_str(), kNextRoot, nullptr, MS_BIND | MS_REC, nullptr) < 0) {
    return fail(kNextRoot, errno);
  }
  // What the end of the initrd's own mount units unmounts stays there.
  if (mount(nullptr, kNextRoot, nullptr, MS_PRIVATE | MS_REC, nullptr) < 0) {
    return fail(kNextRoot, errno);
  }
  return run_program("/proc/self/exe", {"systemctl", "--no-block", "soft-reboot"}) == 0 ? 0 : 1;
}

}  // namespace onset
