#pragma once
// ManagedOOMMemoryPressure= and ManagedOOMSwap=, decided: when a group has waited for memory for
// so long that something below it has to be killed, and what. systemd.resource-control(5),
// systemd-oomd.service(8); the limits that a unit leaves open are oomd.conf(5)'s defaults.
//
// Nobody looks at a clock for that: while a group is over its limit the kernel tells so about
// once in a window, and as long as it does, one spell of pressure goes on.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"
#include "unit/resource_config.h"

namespace onset {

inline constexpr Duration kPressureWindow = std::chrono::seconds(2);
inline constexpr unsigned kDefaultPressureLimit = 6000;  ///< hundredths of a percent
inline constexpr Duration kDefaultPressureDuration = std::chrono::seconds(30);
/// Of swap space and of memory, both: hundredths of a percent.
inline constexpr unsigned kSwapUsedLimit = 9000;

class PressureSpell {
 public:
  enum class Verdict : std::uint8_t {
    Begins,  ///< what is below the group is looked at, to be compared at the end
    Lasts,
    Over,  ///< the limit of its duration: act. A new spell begins with the next word
  };
  /// The kernel has told that the limit was passed within the last window.
  Verdict told(MonoTime now, Duration duration);

 private:
  std::optional<MonoTime> begin_;
  MonoTime last_;
};

/// A group without groups below, or one whose processes are killed together.
struct OomCandidate {
  std::string group;
  OomPreference preference = OomPreference::None;
  std::uint64_t reclaimed = 0;  ///< pages looked at for reclaim during the spell
  std::uint64_t memory = 0;     ///< bytes
  std::uint64_t swap = 0;       ///< bytes
};

enum class OomCause : bool { Pressure, Swap };
/// Of pressure who made the kernel reclaim the most, of swap who has the most of it. Null: there
/// is none whose end would help.
const OomCandidate* choose_victim(std::span<const OomCandidate> candidates, OomCause cause);

struct MemoryState {
  std::uint64_t memory = 0;
  std::uint64_t available = 0;
  std::uint64_t swap = 0;
  std::uint64_t swap_free = 0;
};
bool is_swap_used_up(const MemoryState& state);

}  // namespace onset
