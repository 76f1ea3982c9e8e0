#include "unit/boot_times.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr std::string_view kHead = "onset boot-times 1";

}  // namespace

BootTimes parse_boot_times(std::string_view text) {
  BootTimes times;
  if (text.size() > kBootTimesBytes) return times;
  bool is_head = true;
  for (const std::string_view line : split(text, '\n')) {
    if (is_head && line != kHead) break;
    if (std::exchange(is_head, false)) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const auto us = parse_uint<std::uint64_t>(line.substr(0, space));
    const std::string_view name = line.substr(space + 1);
    if (!us || !unit_name_is_valid(name)) continue;
    const auto most = static_cast<std::uint64_t>(BootTimes::kLongest.count());
    times.times_.try_emplace(std::string(name),
                             Duration(static_cast<Duration::rep>(std::min(*us, most))));
    if (times.size() == BootTimes::kUnits) break;
  }
  return times;
}

std::string format_boot_times(std::vector<BootTime> times) {
  std::ranges::sort(times, [](const BootTime& a, const BootTime& b) {
    return a.took != b.took ? a.took > b.took : a.unit < b.unit;
  });
  std::string text = format("{}\n", kHead);
  std::size_t count = 0;
  for (const BootTime& time : times) {
    const std::string line = format("{} {}\n", std::max(time.took, Duration(0)).count(), time.unit);
    if (++count > BootTimes::kUnits || text.size() + line.size() > kBootTimesBytes) break;
    text += line;
  }
  return text;
}

}  // namespace onset
