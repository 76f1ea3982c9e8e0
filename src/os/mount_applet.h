#pragma once
// What the process of a mount or a swap unit runs: never PID 1, which must not wait for a
// server or a disk. It makes the mount point and hands over to mount(8), umount(8), swapon(8) or
// swapoff(8). Where there is none (an initramfs, an image of onset alone), and for the kernel's
// own file systems, it makes the system call itself.
//
//   mount MODE WHAT WHERE TYPE OPTIONS FLAGS     FLAGS: s sloppy, w read-write only
//   remount MODE WHAT WHERE TYPE OPTIONS FLAGS
//   umount WHERE FLAGS                           FLAGS: l lazy, f force
//   swapon WHAT OPTIONS
//   swapoff WHAT
//   autofs-mount MODE WHERE OPTIONS SECONDS      descriptor 3 is a socket, see os/autofs
//   autofs-expire                                descriptors 3 and 4: /dev/autofs, the point
//   autofs-unmount WHERE

#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// The exit status, where nothing was handed over: 0, or as mount(8)'s: 1 the call is wrong,
/// 32 it has failed. What has failed is said on standard error.
int run_mount_applet(const std::vector<std::string>& arguments);

/// Mount options of fstab(5) as mount(2) has them.
struct MountFlags {
  unsigned long flags = 0;
  unsigned long propagation = 0;  ///< by a call of its own, 0: none
  std::string data;               ///< what is the file system's
};
MountFlags parse_mount_flags(std::string_view options);

}  // namespace onset
