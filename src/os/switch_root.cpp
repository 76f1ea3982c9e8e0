#include "os/switch_root.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace onset {
namespace {

struct Kept {
  const char* path;
  unsigned long flags;
};
// Not what is below /run: the new root may be.
constexpr Kept kKept[] = {{"/proc", MS_BIND | MS_REC},
                          {"/sys", MS_BIND | MS_REC},
                          {"/dev", MS_BIND | MS_REC},
                          {"/run", MS_BIND}};

Failure<SysError> failed(const char* step) {
  return Failure{SysError{step, errno}};
}

}  // namespace

SysResult switch_root(const char* new_root) {
  // Else what is moved here would be moved in every namespace.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return failed("mount --make-rprivate /");
  if (mount(new_root, new_root, nullptr, MS_BIND | MS_REC, nullptr) < 0)
    return failed("mount of the new root");
  for (const Kept& kept : kKept) {
    const std::string place = std::string(new_root) + kept.path;
    (void)mkdir(place.c_str(), 0755);
    if (mount(kept.path, place.c_str(), nullptr, kept.flags, nullptr) < 0) return failed(kept.path);
  }
  if (chdir(new_root) < 0) return failed("chdir");
  if (syscall(SYS_pivot_root, ".", ".") == 0) {
    (void)umount2(".", MNT_DETACH);
  } else {
    // The kernel's first root, an initramfs, stays where it is, and is covered.
    if (errno != EINVAL) return failed("pivot_root");
    if (mount(".", "/", nullptr, MS_MOVE, nullptr) < 0) return failed("mount --move to /");
  }
  if (chroot(".") < 0) return failed("chroot");
  return chdir("/") < 0 ? SysResult(failed("chdir")) : SysResult();
}

}  // namespace onset
