#pragma once
// Capabilities as names and bit sets (capabilities(7)). Pure: what the running
// kernel knows is os/'s concern.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

inline constexpr int kCapabilities = 41;  ///< CAP_CHOWN … CAP_CHECKPOINT_RESTORE
inline constexpr std::uint64_t kAllCapabilities = (std::uint64_t{1} << kCapabilities) - 1;

/// "cap_chown" in any case, or a number 0..62.
std::optional<int> capability_from_text(std::string_view text) noexcept;
/// "cap_chown"; empty for a number without a name.
std::string_view capability_name(int capability) noexcept;

/// A value of CapabilityBoundingSet= or AmbientCapabilities=.
struct CapabilityList {
  std::uint64_t set = 0;
  bool invert = false;               ///< it began with "~"
  std::vector<std::string> unknown;  ///< words that name none
};
CapabilityList parse_capability_set(std::string_view value);
/// What the setting holds after one more assignment: the first replaces, later
/// ones add (or with "~" take away), an empty one clears, "~" alone is all.
/// `initial` is what an unset setting means: all for the bounding set, 0 for ambient.
std::uint64_t merge_capability_set(std::optional<std::uint64_t> current, std::uint64_t initial,
                                   const CapabilityList& value) noexcept;
/// "cap_chown cap_kill", ascending, as `show` prints it.
std::string format_capability_set(std::uint64_t set);

}  // namespace onset
