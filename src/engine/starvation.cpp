#include "engine/starvation.h"

#include <algorithm>

namespace onset {

std::vector<StarvationChange> Starvation::judge(
    const std::map<std::string, PressureReading>& readings) {
  std::vector<StarvationChange> changes;
  std::map<std::string, PressureReading, std::less<>> now;
  for (const auto& [unit, reading] : readings) {
    PressureReading starves{};
    for (const Scarce what : kAllScarce) {
      const auto i = static_cast<std::size_t>(what);
      const bool before = share(unit, what).has_value();
      const unsigned limit = before ? starves_from(what) / 2 : starves_from(what);
      const bool does = reading[i] >= limit;
      if (does) starves[i] = reading[i];
      if (does != before) changes.push_back({unit, what, reading[i], does});
    }
    if (std::ranges::any_of(starves, [](unsigned s) { return s > 0; })) now.emplace(unit, starves);
  }
  starving_ = std::move(now);
  return changes;
}

std::optional<unsigned> Starvation::share(std::string_view unit, Scarce what) const {
  const auto found = starving_.find(unit);
  if (found == starving_.end()) return std::nullopt;
  const unsigned share = found->second[static_cast<std::size_t>(what)];
  return share > 0 ? std::optional(share) : std::nullopt;
}

}  // namespace onset
