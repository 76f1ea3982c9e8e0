#pragma once
// What a process has given up that onset's own process has, as the kernel tells
// it. A process keeps this whatever it does to its parents, its session and its
// environment, so it holds where the unit of a process can't be told.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace onset {

struct Confinement {
  bool no_new_privileges = false;
  std::uint64_t bounding = 0;  ///< capabilities that it may still get, bit n: number n

  friend bool operator==(const Confinement&, const Confinement&) = default;
};

/// From /proc/PID/status; nothing if a field is missing or no number.
std::optional<Confinement> parse_confinement(std::string_view status);

/// Whether `process` lacks something that `self` has.
constexpr bool is_confined(const Confinement& process, const Confinement& self) {
  return (process.no_new_privileges && !self.no_new_privileges) ||
         (self.bounding & ~process.bounding) != 0;
}

/// Whether the process is provably as free as onset: its privileges, its root
/// and its user namespace. False for one that is gone; the error where onset has no
/// descriptor or memory left to look with.
Result<bool> is_as_free_as_self(pid_t pid);

}  // namespace onset
