#pragma once
// Condition…= and Assert…= of systemd.unit(5), asked of this machine. Each
// answers for what the manual says of it; "!" and "|" are applied by whoever
// asks, except that `negate` is of no concern here.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/accounts.h"
#include "unit/condition.h"
#include "unit/file_source.h"
#include "unit/specifiers.h"

namespace onset {

/// What a test of conditions needs beyond the machine.
struct ConditionContext {
  const HostFacts& host;
  const std::vector<std::string>& environment;  ///< the manager's own
  FileSource& files;
  Accounts& accounts;
  bool user_manager = false;
};

class ConditionTester {
 public:
  explicit ConditionTester(ConditionContext context);
  ~ConditionTester();

  /// Whether the condition holds, before negation. An error means that it
  /// could not be found out.
  Result<bool> test(const Condition& condition);

 private:
  ConditionContext context_;
};

}  // namespace onset
