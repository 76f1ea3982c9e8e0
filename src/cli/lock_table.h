#pragma once
// /proc/locks and the lines "lock:" of /proc/PID/fdinfo (proc_locks(5), proc_pid_fdinfo(5), and
// lock_get_status() of the kernel's fs/locks.c, which writes both). Pure; any bytes are survived.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// A lock that is held, or a request for one that waits.
struct FileLock {
  std::uint64_t number = 0;  ///< of /proc/locks; a request has that of the lock it waits for
  bool waits = false;
  std::string kind;  ///< "POSIX", "FLOCK", "OFDLCK", "LEASE", …
  std::string mode;  ///< "READ", "WRITE", …
  pid_t pid = 0;     ///< 0: a lock of an open file, which is no process's
  std::string file;  ///< "fe:01:131075": device and inode
};

/// What is no lock's line is left out.
std::vector<FileLock> parse_locks(std::string_view text);
/// The locks that the open file of this fdinfo has.
std::vector<FileLock> parse_fdinfo_locks(std::string_view text);

}  // namespace onset
