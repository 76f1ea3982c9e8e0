// As whom a process executes, and with which rights.

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "os/launch_run.h"

namespace onset {
namespace {

void set_groups(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (!plan.set_groups) return;
  run.must(LaunchStep::Group, raw::call(SYS_setgroups, plan.groups.size(), plan.groups.data()));
}

void set_gid(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  if (!plan.set_gid) return;
  run.must(LaunchStep::Group, raw::call(SYS_setresgid, plan.gid, plan.gid, plan.gid));
}

void drop_bounding_set(const Run& run) noexcept {
  for (unsigned cap = 0; cap < 64; ++cap) {
    if (((run.plan.bounding_drop >> cap) & 1U) == 0) continue;
    run.must(LaunchStep::Capabilities, raw::call(SYS_prctl, PR_CAPBSET_DROP, cap));
  }
}

struct CapabilityState {
  __user_cap_data_struct data[2];
};

void get_capabilities(const Run& run, CapabilityState& state) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  run.must(LaunchStep::Capabilities, raw::call(SYS_capget, &header, state.data));
}

void set_capabilities(const Run& run, const CapabilityState& state) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  run.must(LaunchStep::Capabilities, raw::call(SYS_capset, &header, state.data));
}

std::uint32_t word_of(std::uint64_t set, unsigned word) noexcept {
  return static_cast<std::uint32_t>(set >> (32U * word));
}

/// After the change of user: full rights back for a moment to set the secure
/// bits, then what the process shall keep, then the ambient set.
void finish_capabilities(const Run& run, bool keep) noexcept {
  const LaunchPlan& plan = run.plan;
  const bool wanted = plan.set_securebits || plan.ambient != 0 || plan.clear_inheritable;
  if (!wanted) return;
  CapabilityState state{};
  get_capabilities(run, state);
  if (keep) {
    for (auto& word : state.data) word.effective = word.permitted;
    set_capabilities(run, state);
  }
  // Asking for what is set already must not need a right.
  if (plan.set_securebits && raw::call(SYS_prctl, PR_GET_SECUREBITS) != plan.securebits) {
    run.must(LaunchStep::SecureBits, raw::call(SYS_prctl, PR_SET_SECUREBITS, plan.securebits));
  }
  for (unsigned i = 0; i < 2; ++i) {
    auto& word = state.data[i];
    const std::uint32_t ambient = word_of(plan.ambient, i);
    word.inheritable = ambient;
    if (plan.set_uid && plan.uid != 0) word.effective = word.permitted = ambient;
  }
  set_capabilities(run, state);
  for (unsigned cap = 0; cap < 64; ++cap) {
    if (((plan.ambient >> cap) & 1U) == 0) continue;
    run.must(LaunchStep::Capabilities,
             raw::call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap));
  }
}

}  // namespace

void set_credentials(const Run& run) noexcept {
  const LaunchPlan& plan = run.plan;
  set_groups(run);
  drop_bounding_set(run);
  const bool keep = plan.set_uid && plan.uid != 0 && (plan.ambient != 0 || plan.set_securebits);
  if (keep) run.must(LaunchStep::Capabilities, raw::call(SYS_prctl, PR_SET_KEEPCAPS, 1));
  set_gid(run);
  if (plan.set_uid) {
    run.must(LaunchStep::User, raw::call(SYS_setresuid, plan.uid, plan.uid, plan.uid));
  }
  finish_capabilities(run, keep);
}

}  // namespace onset
