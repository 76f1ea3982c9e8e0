#pragma once
// A descriptor that tells when tasks begin to wait, without anybody looking: a trigger of PSI,
// Documentation/accounting/psi.rst.

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace onset {

/// How much waiting is worth a word: of some tasks, or of all that are not idle (`full`).
struct PressureLimit {
  bool full = false;
  Duration share = std::chrono::milliseconds(200);
  Duration window = std::chrono::seconds(2);  ///< the least that needs no right of its own
};
/// As it is written: "some 200000 2000000".
std::string pressure_limit_text(const PressureLimit& limit);

/// Of a file such as cpu.pressure: ready with EPOLLPRI, at most once in a window, when so much
/// of it was waited. ENOENT: this kernel does not measure it. EPOLLERR: the group is gone.
Result<UniqueFd> open_pressure_trigger(const std::string& path, const PressureLimit& limit = {});

}  // namespace onset
