// Makes a failing world small: delta debugging. Halves of the events, then quarters, …
// are taken out as long as it still fails in the same way; then whole units, then
// single lines of them; and the events again, for with fewer units fewer are needed.
#include <algorithm>

#include "sim/run.h"
#include "sim/trial.h"

namespace onset::sim {
namespace {

void shrink_events(Recording& r, std::string_view failure) {
  for (std::size_t chunk = std::max<std::size_t>(r.events.size() / 2, 1); chunk > 0; chunk /= 2) {
    for (std::size_t at = 0; at < r.events.size();) {
      Recording smaller = r;
      const auto first = smaller.events.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last = smaller.events.begin() +
                        static_cast<std::ptrdiff_t>(std::min(at + chunk, r.events.size()));
      smaller.events.erase(first, last);
      if (fails(smaller, failure)) {
        r = std::move(smaller);
      } else {
        at += chunk;
      }
    }
  }
}

/// The places of the others must stay: a unit that goes has no file and no lines.
void shrink_units(Recording& r, std::string_view failure) {
  for (std::size_t i = r.plan.units.size(); i-- > 0;) {
    if (r.plan.units[i].lines.empty()) continue;
    Recording smaller = r;
    smaller.plan.units[i].lines.clear();
    if (fails(smaller, failure)) r = std::move(smaller);
  }
  for (std::size_t i = 0; i < r.plan.units.size(); ++i) {
    for (std::size_t line = r.plan.units[i].lines.size(); line-- > 0;) {
      Recording smaller = r;
      auto& lines = smaller.plan.units[i].lines;
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line));
      if (fails(smaller, failure)) r = std::move(smaller);
    }
  }
}

}  // namespace

Recording shrink(Recording r, std::string_view failure) {
  if (Recording calm = r; (calm.plan.steps_a_call = kManySteps, fails(calm, failure)))
    r = std::move(calm);
  for (int round = 0; round < 3; ++round) {
    const std::string before = to_text(r);
    shrink_events(r, failure);
    shrink_units(r, failure);
    if (to_text(r) == before) break;
  }
  return r;
}

}  // namespace onset::sim
