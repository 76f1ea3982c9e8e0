#pragma once
// How long units took to start in the last boot: /var/lib/onset/boot-times, a line a unit below
// one that tells the format. What stands in the file is hostile: a line that can't be read is
// left out, a file of another format is empty, and no more is taken than a boot has units.
//
//   onset boot-times 1
//   1250000 postgresql.service

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"

namespace onset {

inline constexpr const char* kBootTimesFile = "/var/lib/onset/boot-times";
inline constexpr std::size_t kBootTimesBytes = std::size_t{1} << 20;

class BootTimes {
 public:
  /// Of a unit that nothing is known of.
  static constexpr Duration kUnknown = std::chrono::milliseconds(1);
  static constexpr Duration kLongest = std::chrono::hours(1);
  static constexpr std::size_t kUnits = 10000;

  [[nodiscard]] Duration of(const std::string& unit) const {
    const auto found = times_.find(unit);
    return found == times_.end() ? kUnknown : found->second;
  }
  [[nodiscard]] std::size_t size() const { return times_.size(); }

 private:
  friend BootTimes parse_boot_times(std::string_view text);
  std::unordered_map<std::string, Duration> times_;
};

BootTimes parse_boot_times(std::string_view text);

struct BootTime {
  std::string unit;
  Duration took{0};
};
/// The file's text: the longest first, as many as are read again.
std::string format_boot_times(std::vector<BootTime> times);

}  // namespace onset
