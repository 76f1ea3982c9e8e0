#pragma once
// RCU's grace periods, made short for what a boot has to wait for.

#include "base/unique_fd.h"

namespace onset {

/// A process changes its group, and a group with processes gets a controller, only when every CPU
/// has passed through a grace period: some ticks in which a boot stands still. Expedited it is over
/// at once (the kernel's kernel-parameters.txt, rcupdate.rcu_expedited=). It is the machine's
/// setting: for one write at a time, by who has the machine's root group, and not where the admin
/// has chosen it for good.
class ExpeditedGracePeriods {
 public:
  /// `group`: the top of the tree that is written to.
  explicit ExpeditedGracePeriods(BorrowedFd group);
  ~ExpeditedGracePeriods();
  ExpeditedGracePeriods(const ExpeditedGracePeriods&) = delete;
  ExpeditedGracePeriods& operator=(const ExpeditedGracePeriods&) = delete;

 private:
  UniqueFd file_;  ///< invalid: nothing was changed
};

}  // namespace onset
