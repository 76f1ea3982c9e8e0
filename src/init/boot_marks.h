#pragma once
// When the parts of a machine's boot began, as systemd-analyze(1) tells them apart: the kernel,
// the initrd, the system itself. The initrd's manager leaves its own beginning in /run for the one
// that follows it; who begins anew later tells that there was no kernel's part.

#include <optional>

#include "base/time.h"
#include "os/files.h"

namespace onset {

struct BootMarks {
  std::optional<Timestamp> kernel;  ///< not set: this start is not part of a machine's boot
  std::optional<Timestamp> initrd;
  Timestamp userspace;  ///< of the initrd's own manager: when it began, too
};

/// Of a machine, whose `userspace` is set. What was left is taken away.
void read_boot_marks(BootMarks& marks, bool in_initrd, RealFiles& files);
/// For who comes after this manager.
void leave_boot_marks(const BootMarks& marks, bool in_initrd, RealFiles& files);

}  // namespace onset
