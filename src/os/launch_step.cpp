#include "os/launch_step.h"

#include <array>

namespace onset {
namespace {

constexpr std::array<LaunchStepInfo, kLaunchSteps> kSteps{{
    {LaunchStep::None, "NONE", 0, "nothing failed"},
    {LaunchStep::Cgroup, "CGROUP", 219, "cannot enter its cgroup"},
    {LaunchStep::Stdin, "STDIN", 208, "cannot set up standard input"},
    {LaunchStep::Stdout, "STDOUT", 209, "cannot set up standard output"},
    {LaunchStep::Stderr, "STDERR", 222, "cannot set up standard error"},
    {LaunchStep::SetSid, "SETSID", 220, "cannot start a session"},
    {LaunchStep::OomAdjust, "OOM_ADJUST", 206, "cannot set OOMScoreAdjust="},
    {LaunchStep::Nice, "NICE", 201, "cannot set Nice="},
    {LaunchStep::Scheduler, "SETSCHEDULER", 214, "cannot set CPUSchedulingPolicy="},
    {LaunchStep::CpuAffinity, "CPUAFFINITY", 215, "cannot set CPUAffinity="},
    {LaunchStep::NumaPolicy, "NUMA_POLICY", 242, "cannot set NUMAPolicy="},
    {LaunchStep::IoPriority, "IOPRIO", 211, "cannot set IOSchedulingClass="},
    {LaunchStep::TimerSlack, "TIMERSLACK", 212, "cannot set TimerSlackNSec="},
    {LaunchStep::Limits, "LIMITS", 205, "cannot set a resource limit"},
    {LaunchStep::Chroot, "CHROOT", 210, "cannot change the root directory to"},
    {LaunchStep::Group, "GROUP", 216, "cannot change group"},
    {LaunchStep::Capabilities, "CAPABILITIES", 218, "cannot set capabilities"},
    {LaunchStep::SecureBits, "SECUREBITS", 213, "cannot set SecureBits="},
    {LaunchStep::User, "USER", 217, "cannot change user"},
    {LaunchStep::Chdir, "CHDIR", 200, "cannot change the working directory to"},
    {LaunchStep::Fds, "FDS", 202, "cannot close or pass descriptors"},
    {LaunchStep::NoNewPrivileges, "NO_NEW_PRIVILEGES", 227, "cannot set NoNewPrivileges="},
    {LaunchStep::SignalMask, "SIGNAL_MASK", 207, "cannot reset signals"},
    {LaunchStep::Exec, "EXEC", 203, "cannot execute"},
    {LaunchStep::RuntimeDirectory, "RUNTIME_DIRECTORY", 233, "cannot set up RuntimeDirectory="},
    {LaunchStep::StateDirectory, "STATE_DIRECTORY", 238, "cannot set up StateDirectory="},
    {LaunchStep::CacheDirectory, "CACHE_DIRECTORY", 239, "cannot set up CacheDirectory="},
    {LaunchStep::LogsDirectory, "LOGS_DIRECTORY", 240, "cannot set up LogsDirectory="},
    {LaunchStep::ConfigurationDirectory, "CONFIGURATION_DIRECTORY", 241,
     "cannot set up ConfigurationDirectory="},
    {LaunchStep::Memory, "MEMORY", 204, "out of memory"},
}};

constexpr bool in_order() {
  for (unsigned i = 0; i < kLaunchSteps; ++i) {
    if (static_cast<unsigned>(kSteps[i].step) != i) return false;
  }
  return true;
}
static_assert(in_order(), "a row for every step, in the order of the enumeration");

}  // namespace

const LaunchStepInfo& describe(LaunchStep step) noexcept {
  const auto index = static_cast<unsigned>(step);
  return kSteps[index < kLaunchSteps ? index : 0];
}

}  // namespace onset
