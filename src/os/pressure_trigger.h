#pragma once
// A descriptor that tells when tasks begin to wait, without anybody looking: a trigger of PSI,
// Documentation/accounting/psi.rst.

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace onset {

/// Of a file such as cpu.pressure: ready with EPOLLPRI, at most once in two seconds, when some
/// tasks have waited for a tenth of them. ENOENT: this kernel does not measure it.
Result<UniqueFd> open_pressure_trigger(const std::string& path);

}  // namespace onset
