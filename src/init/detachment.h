#pragma once
// Taking storage away from a machine that ends: each step in a child, since any of them may wait
// for a device that does not answer any more.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"

namespace onset {

enum class DetachKind : std::uint8_t {
  Unmount,
  UnmountLazily,  ///< out of sight at once, for good when nobody uses it any more
  RemountReadOnly,
  SwapOff,
  ClearLoop,      ///< a loop device
  RemoveMapping,  ///< of the device mapper
};
std::string_view to_string(DetachKind kind);  // "unmounting"

struct Detachment {
  DetachKind kind{};
  std::string what;          ///< a path
  std::uint64_t device = 0;  ///< of RemoveMapping: its number, dev_t of the kernel's interface
};

/// Called once for a step that takes long.
using SlowStep = std::function<void(const Detachment&)>;

/// One after the other. Of each its errno, 0: done. ETIME: it was not done within `patience`,
/// and is left to itself; EAGAIN: no child could be made for it.
std::vector<int> detach(std::span<const Detachment> steps, Duration patience, const SlowStep& slow);

}  // namespace onset
