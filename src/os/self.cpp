#include "os/self.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "base/text.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr unsigned kCapabilityWords = 2;

/// What /proc says; 0 without it.
unsigned last_capability() {
  const auto text = read_kernel_file("/proc/sys/kernel/cap_last_cap", 16);
  const auto last = text ? parse_uint<unsigned>(without_line_end(*text)) : std::nullopt;
  return last && *last < 64 ? *last : 0;
}

void read_capabilities(SelfFacts& facts) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, kCapabilityWords> data{};
  if (::syscall(SYS_capget, &header, data.data()) == 0) {
    facts.effective = data[0].effective | static_cast<std::uint64_t>(data[1].effective) << 32U;
    facts.permitted = data[0].permitted | static_cast<std::uint64_t>(data[1].permitted) << 32U;
    facts.inheritable = data[0].inheritable | static_cast<std::uint64_t>(data[1].inheritable)
                                                  << 32U;
  }
  // One that can't be read, though there are higher ones, counts as held: so it is dropped where
  // it has to be. Beyond the last that this kernel has there is EINVAL.
  std::array<int, 64> held{};
  unsigned last = last_capability();
  for (unsigned cap = 0; cap < held.size(); ++cap) {
    held[cap] = ::prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
    if (held[cap] >= 0) last = std::max(last, cap);
  }
  for (unsigned cap = 0; cap <= last; ++cap) {
    facts.known_capabilities |= 1ULL << cap;
    if (held[cap] != 0) facts.bounding |= 1ULL << cap;
  }
}

void read_ignored_signals(SelfFacts& facts) {
  for (int signal = 1; signal <= 64; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
      facts.ignored_signals |= 1ULL << static_cast<unsigned>(signal - 1);
    }
  }
}

void read_kernel_version(SelfFacts& facts) {
  utsname names{};
  if (::uname(&names) != 0) return;
  char* end = nullptr;
  facts.kernel_major = static_cast<unsigned>(std::strtoul(names.release, &end, 10));
  if (end != nullptr && *end == '.') {
    facts.kernel_minor = static_cast<unsigned>(std::strtoul(end + 1, nullptr, 10));
  }
}

}  // namespace

SelfFacts read_self_facts() {
  SelfFacts facts;
  facts.uid = ::geteuid();
  facts.gid = ::getegid();
  read_capabilities(facts);
  read_ignored_signals(facts);
  read_kernel_version(facts);
  for (unsigned i = 0; i < facts.limits.size(); ++i) {
    // Of one that can't be read nothing is known that a service's own would have to fit.
    if (::getrlimit(static_cast<__rlimit_resource>(i), &facts.limits[i]) != 0)
      facts.limits[i] = {RLIM_INFINITY, RLIM_INFINITY};
  }
  auto setgroups = read_kernel_file("/proc/self/setgroups", 64);
  facts.setgroups_denied = setgroups && without_line_end(*setgroups) == "deny";
  return facts;
}

}  // namespace onset
