// [Scope]: systemd.scope(5).

#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/scope_config.h"

namespace onset {
namespace {

using C = ScopeConfig;
constexpr Section S = Section::Scope;

std::string parse_oom_policy(ParseContext& context, std::string_view value) {
  const auto policy = enum_value<OomPolicy>(value);
  if (!policy) return policy.error();
  auto& scope = config_of<C>(context.unit);
  scope.oom_policy = *policy;
  scope.oom_policy_written = true;
  return {};
}

constexpr Directive kRows[] = {
    honoured(S, "RuntimeMaxSec", kSpan<&C::runtime_max>, "How long the scope may be active.",
             "RuntimeMaxUSec"),
    honoured(S, "RuntimeRandomizedExtraSec", kSpan<&C::runtime_randomized_extra>,
             "A random time of up to this is added to it.", "RuntimeRandomizedExtraUSec"),
    honoured(S, "TimeoutStopSec", kTimeout<&C::timeout_stop>,
             "How long each step of a stop may take.", "TimeoutStopUSec"),
    honoured(S, "OOMPolicy", {parse_oom_policy, show_member<&C::oom_policy>},
             "What happens when the kernel kills a process for want of memory."),
};

}  // namespace

std::span<const Directive> scope_directives() {
  return kRows;
}

}  // namespace onset
