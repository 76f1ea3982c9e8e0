#include "engine/managed_oom.h"

#include <tuple>

namespace onset {

PressureSpell::Verdict PressureSpell::told(MonoTime now, Duration duration) {
  // One window without pressure may pass unnoticed beside one that is told late.
  const bool goes_on = begin_ && now - last_ <= 2 * kPressureWindow;
  last_ = now;
  if (!goes_on) {
    begin_ = now;
    return Verdict::Begins;
  }
  if (now - *begin_ < duration) return Verdict::Lasts;
  begin_.reset();
  return Verdict::Over;
}

const OomCandidate* choose_victim(std::span<const OomCandidate> candidates, OomCause cause) {
  const auto weight = [cause](const OomCandidate& c) {
    const bool is_spared = c.preference == OomPreference::Avoid;
    return cause == OomCause::Swap ? std::tuple(!is_spared, c.swap, std::uint64_t{0})
                                   : std::tuple(!is_spared, c.reclaimed, c.memory);
  };
  const OomCandidate* victim = nullptr;
  for (const OomCandidate& candidate : candidates) {
    const bool helps = cause == OomCause::Swap ? candidate.swap > 0
                                               : candidate.reclaimed > 0 || candidate.memory > 0;
    if (candidate.preference == OomPreference::Omit || !helps) continue;
    if (victim == nullptr || weight(candidate) > weight(*victim)) victim = &candidate;
  }
  return victim;
}

bool is_swap_used_up(const MemoryState& state) {
  const auto is_over = [](std::uint64_t all, std::uint64_t free) {
    return all > 0 && free < all && (all - free) / (all / 10000 + 1) >= kSwapUsedLimit;
  };
  return is_over(state.swap, state.swap_free) && is_over(state.memory, state.available);
}

}  // namespace onset
