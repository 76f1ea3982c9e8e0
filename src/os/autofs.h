#pragma once
// autofs, the kernel's mount points that wait for somebody to look: filesystems/autofs and
// filesystems/autofs-mount-control of its documents, protocol 5, direct mounts.
//
// To the kernel its daemon is a process group, that of who has mounted it. PID 1 is in it, and so
// are the processes of mount and automount units: these see what lies below the point, and never
// wait there. Everybody else waits until PID 1 has answered, which therefore never blocks.
//
// What may wait is done by processes of automount units (onset-mount autofs-…): one makes the
// point and hands over three descriptors, through a socket that is its descriptor 3. Another one
// has the kernel look for what is idle, and waits for the answer of PID 1 to that.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/os.h"
#include "os/socket_table.h"

namespace onset {

// ---- in processes of automount units ------------------------------------------------

struct AutofsWish {
  mode_t mode = 0755;
  std::string where;
  std::string options;     ///< ExtraOptions=
  std::uint64_t idle = 0;  ///< seconds, 0: for ever
};
/// Makes the point and sends the descriptors over `socket`; an error leaves none behind.
SysResult make_autofs(const AutofsWish& wish, BorrowedFd socket);
/// Has the kernel expire what is idle, of the point that descriptors 3 and 4 are about; returns
/// when that is through.
SysResult expire_autofs(BorrowedFd device, BorrowedFd point);
/// The point and whatever is mounted on it, at once.
SysResult remove_autofs(const std::string& where);

// ---- in PID 1 -------------------------------------------------------------------------

class AutomountTable {
 public:
  /// What a process of the unit is handed: the socket to answer over, or what it expires.
  Result<PassedSockets> passed_to(const LaunchRequest& request);
  /// What the process that has made the point has sent; then pipe_of() can be watched.
  SysResult take(UnitId id);
  [[nodiscard]] BorrowedFd pipe_of(UnitId id) const;
  /// Reads what the kernel says through this pipe.
  void read(int pipe);
  /// One of those whose word was not passed on yet; not valid: none.
  struct Told {
    UnitId id;
    AutomountAsks what{};
    pid_t pid = 0;
  };
  [[nodiscard]] Told next_untold() const;
  void told(const Told& what);

  void answer(UnitId id, AutomountAsks what, int error);
  /// Who waits is let go; later comers find the bare point.
  void drop(UnitId id);

 private:
  struct Point {
    UniqueFd ours;  ///< of the socket
    UniqueFd theirs;
    UniqueFd pipe;
    UniqueFd root;                                ///< of the point, for the device's calls
    UniqueFd device;                              ///< /dev/autofs
    std::array<std::vector<unsigned>, 2> tokens;  ///< of Access and Expiry
    std::array<bool, 3> untold{};
    pid_t asker = 0;
  };
  std::unordered_map<std::uint32_t, Point> points_;
};

}  // namespace onset
