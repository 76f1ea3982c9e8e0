#include "os/api_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/unique_fd.h"

namespace onset {
namespace {

constexpr unsigned long kPlain = MS_NOSUID | MS_NOEXEC | MS_NODEV;

struct ApiMount {
  const char* where;
  const char* type;
  unsigned long flags;
  const char* options;
  const char* plain_options = nullptr;  ///< for a kernel that does not know those
  bool optional = false;  ///< only where the kernel has made the folder, or knows the type
};

// In the order in which they are made: what lies below another comes after it.
constexpr ApiMount kMounts[] = {
    {"/proc", "proc", kPlain, ""},
    {"/sys", "sysfs", kPlain, ""},
    {"/dev", "devtmpfs", MS_NOSUID | MS_STRICTATIME, "mode=0755"},
    {"/sys/kernel/security", "securityfs", kPlain, "", nullptr, true},
    {"/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=01777"},
    {"/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666"},
    {"/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME, "mode=0755,size=20%,nr_inodes=800k"},
    {"/sys/fs/cgroup", "cgroup2", kPlain, "nsdelegate,memory_recursiveprot", ""},
    {"/sys/fs/pstore", "pstore", kPlain, "", nullptr, true},
    {"/sys/firmware/efi/efivars", "efivarfs", kPlain, "", nullptr, true},
    {"/sys/fs/bpf", "bpf", kPlain, "mode=0700", nullptr, true},
};

struct Link {
  const char* path;
  const char* target;
};
constexpr Link kLinks[] = {
    {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/core", "/proc/kcore"},
};

bool is_mount_point(const std::string& path) {
  struct stat here {};
  struct stat above {};
  if (stat(path.c_str(), &here) < 0 || stat((path + "/..").c_str(), &above) < 0) return false;
  return here.st_dev != above.st_dev || here.st_ino == above.st_ino;
}

/// 0, or the errno.
int mount_one(const ApiMount& m) {
  if (is_mount_point(m.where)) return 0;
  // What sysfs has no folder for the kernel was built without.
  if (mkdir(m.where, 0755) < 0 && errno != EEXIST) return m.optional ? 0 : errno;
  if (mount(m.type, m.where, m.type, m.flags, m.options) == 0) return 0;
  if (errno == EINVAL && m.plain_options != nullptr &&
      mount(m.type, m.where, m.type, m.flags, m.plain_options) == 0)
    return 0;
  if (m.optional && (errno == ENODEV || errno == ENOENT || errno == EOPNOTSUPP)) return 0;
  return errno;
}

/// Where the kernel numbers namespaces from, PROC_PID_INIT_INO in include/linux/proc_ns.h.
bool is_initial(const struct stat& st) {
  constexpr ino_t kInitial = 0xEFFFFFFC;
  return st.st_ino == kInitial;
}

}  // namespace

std::vector<std::string> mount_api_file_systems() {
  std::vector<std::string> losses;
  for (const ApiMount& m : kMounts) {
    if (const int err = mount_one(m); err != 0) {
      losses.push_back(format("{} can't be mounted at {}: {}", m.type, m.where, errno_text(err)));
    }
  }
  for (const Link& link : kLinks) (void)symlink(link.target, link.path);
  // What is mounted later is seen in the namespaces that services get, systemd.exec(5),
  // MountFlags=.
  (void)mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr);
  return losses;
}

bool in_initial_pid_namespace() {
  struct stat st {};
  if (stat("/proc/self/ns/pid", &st) == 0) return is_initial(st);
  // Nothing is mounted there yet, or a container goes without: looked up in a proc that nobody
  // else sees, and that is gone with its descriptor.
  const UniqueFd context(fsopen("proc", FSOPEN_CLOEXEC));
  if (!context) return false;
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return false;
  const UniqueFd proc(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  return proc && fstatat(proc.get(), "self/ns/pid", &st, 0) == 0 && is_initial(st);
}

}  // namespace onset
