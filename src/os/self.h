#pragma once
// What onset's own process may do and has inherited, read once at start. A
// launch plan is the difference between this and what a unit asks for, so that
// a service which asks for nothing costs no system call.

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>

namespace onset {

struct SelfFacts {
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t effective = 0;  ///< capabilities, bit n: number n
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;
  std::uint64_t bounding = 0;
  std::uint64_t known_capabilities = 0;  ///< those the kernel has
  bool setgroups_denied = false;         ///< a user namespace forbids setgroups(2)
  std::uint64_t ignored_signals = 0;     ///< bit n: signal n + 1 is ignored here
  std::array<rlimit, RLIM_NLIMITS> limits{};
  unsigned kernel_major = 0;
  unsigned kernel_minor = 0;

  [[nodiscard]] bool has_capability(unsigned number) const {
    return ((effective >> number) & 1U) != 0;
  }
  [[nodiscard]] bool kernel_at_least(unsigned major, unsigned minor) const {
    return kernel_major != major ? kernel_major > major : kernel_minor >= minor;
  }
};

SelfFacts read_self_facts();

}  // namespace onset
