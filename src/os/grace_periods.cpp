#include "os/grace_periods.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/kernel.h"

namespace onset {

ExpeditedGracePeriods::ExpeditedGracePeriods(BorrowedFd group) {
  // The root group alone has no type (the kernel's cgroup-v2 document).
  if (::faccessat(group.get(), "cgroup.type", F_OK, 0) == 0) return;
  auto file = open_path("/sys/kernel/rcu_expedited", O_RDWR);
  char value = 0;
  if (!file || ::read(file->get(), &value, 1) != 1 || value != '0') return;
  if (::pwrite(file->get(), "1", 1, 0) == 1) file_ = std::move(*file);
}

ExpeditedGracePeriods::~ExpeditedGracePeriods() {
  if (file_) (void)!::pwrite(file_.get(), "0", 1, 0);
}

}  // namespace onset
