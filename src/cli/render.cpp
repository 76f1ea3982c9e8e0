#include "cli/render.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

std::string_view sequence_of(Tone tone) {
  switch (tone) {
    case Tone::Plain:
      return {};
    case Tone::Good:
      return "\033[0;1;32m";
    case Tone::Bad:
      return "\033[0;1;31m";
    case Tone::Warn:
      return "\033[0;1;38;5;185m";
    case Tone::Dim:
      return "\033[0;38;5;245m";
    case Tone::Strong:
      return "\033[0;1;39m";
    case Tone::Underline:
      return "\033[0;4m";
  }
  return {};
}

/// C1 controls are C2 80 to C2 9F.
bool is_c1(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' &&
         static_cast<unsigned char>(sequence[1]) < 0xa0;
}

struct AgeUnit {
  const char* name;
  std::int64_t us;
};
// A month is a twelfth of a year of 365.25 days.
constexpr std::array<AgeUnit, 10> kAgeUnits = {{
    {"y", 31'557'600'000'000},
    {"month", 2'629'800'000'000},
    {"w", 604'800'000'000},
    {"day", 86'400'000'000},
    {"h", 3'600'000'000},
    {"min", 60'000'000},
    {"s", 1'000'000},
    {"ms", 1'000},
    {"us", 1},
    {"", 0},
}};

/// The words of systemd's relative time stamps: "years", "months", "weeks", "days".
std::string age_part(std::int64_t n, const AgeUnit& unit) {
  const std::string_view name = unit.name;
  if (name == "y") return format("{} {}", n, n == 1 ? "year" : "years");
  if (name == "month") return format("{} {}", n, n == 1 ? "month" : "months");
  if (name == "w") return format("{} {}", n, n == 1 ? "week" : "weeks");
  if (name == "day") return format("{} {}", n, n == 1 ? "day" : "days");
  return format("{}{}", n, name);
}

}  // namespace

std::string Palette::paint(Tone tone, std::string_view text) const {
  if (!colours || tone == Tone::Plain || text.empty()) return std::string(text);
  return format("{}{}\033[0m", sequence_of(tone), text);
}

std::string printable_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x7f') {
      out += "\\u007f";
    } else if (is_c1(text.substr(i, 2))) {
      out += format("\\u00{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const std::string_view character = text.substr(0, n == 0 ? 1 : n);
    if (n == 0 || (n == 1 && is_control(character[0])) || is_c1(character)) {
      for (char c : character) out += format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string ellipsize(std::string_view text, std::size_t width) {
  if (width == 0 || display_width(text) <= width) return std::string(text);
  std::string out;
  for (std::size_t kept = 0; kept + 1 < width && !text.empty(); ++kept) {
    const std::size_t n = std::max<std::size_t>(1, utf8_length(text));
    out += text.substr(0, n);
    text.remove_prefix(n);
  }
  return out + "…";
}

std::string pad_right(std::string_view text, std::size_t width) {
  std::string out(text);
  const std::size_t taken = display_width(text);
  if (taken < width) out.append(width - taken, ' ');
  return out;
}

std::string format_time(std::int64_t realtime_us, TimeStyle style) {
  const time_t seconds = static_cast<time_t>(realtime_us / 1'000'000);
  if (style == TimeStyle::Unix) return format("@{}", seconds);
  const bool utc = style == TimeStyle::Utc || style == TimeStyle::UsUtc;
  const bool with_us = style == TimeStyle::Us || style == TimeStyle::UsUtc;
  tm parts{};
  if ((utc ? ::gmtime_r(&seconds, &parts) : ::localtime_r(&seconds, &parts)) == nullptr)
    return "n/a";
  std::array<char, 64> date{};
  std::array<char, 64> zone{};
  const std::size_t n = ::strftime(date.data(), date.size(), "%a %Y-%m-%d %H:%M:%S", &parts);
  const std::size_t z = ::strftime(zone.data(), zone.size(), "%Z", &parts);
  std::string text(date.data(), n);
  if (with_us) text += format(".{:06}", realtime_us % 1'000'000);
  return format("{} {}", text, utc ? std::string_view("UTC") : std::string_view(zone.data(), z));
}

std::string format_age(std::int64_t realtime_us, WallTime now) {
  const bool past = realtime_us <= now.us;
  std::int64_t left = past ? now.us - realtime_us : realtime_us - now.us;
  const char* const side = past ? "ago" : "left";
  for (std::size_t i = 0; i + 1 < kAgeUnits.size(); ++i) {
    const AgeUnit& unit = kAgeUnits[i];
    if (left < unit.us) continue;
    std::string text = age_part(left / unit.us, unit);
    left %= unit.us;
    // A second part where it says something: months go with days, no second
    // part is smaller than a second.
    const std::size_t next = unit.name == std::string_view("month") ? i + 2 : i + 1;
    const AgeUnit& smaller = kAgeUnits[next];
    if (smaller.us >= 1'000'000 && left >= smaller.us) {
      text += ' ' + age_part(left / smaller.us, smaller);
    }
    return format("{} {}", text, side);
  }
  return "now";
}

std::string format_lasting(std::int64_t us) {
  std::string text;
  std::int64_t left = us / 1000 * 1000;
  for (const AgeUnit& unit : kAgeUnits) {
    if (unit.us > 1'000'000 ? left < unit.us : left == 0 || unit.us < 1000) continue;
    const std::string_view before = text.empty() ? "" : " ";
    // Below a minute the milliseconds are a fraction of the seconds.
    if (unit.us == 1'000'000 && left >= unit.us && left % unit.us != 0) {
      return format("{}{}{}.{:03}s", text, before, left / unit.us, left % unit.us / 1000);
    }
    if (left < unit.us) continue;
    text += format("{}{}", before, age_part(left / unit.us, unit));
    left %= unit.us;
  }
  return text.empty() ? "0" : text;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<char, 6> kSuffixes = {'K', 'M', 'G', 'T', 'P', 'E'};
  if (bytes < 1024) return format("{}B", bytes);
  std::uint64_t unit = 1024;
  std::size_t i = 0;
  while (i + 1 < kSuffixes.size() && bytes / unit >= 1024) {
    unit *= 1024;
    ++i;
  }
  const std::uint64_t tenth = (bytes % unit) * 10 / unit;
  return format("{}.{}{}", bytes / unit, tenth, kSuffixes[i]);
}

// ---- tables -----------------------------------------------------------------

std::string Table::text(const Palette& palette, bool with_header, std::size_t width,
                        std::size_t flexible) const {
  const std::size_t columns = header_.size();
  std::vector<std::size_t> widths(columns, 0);
  for (std::size_t i = 0; i < columns; ++i) {
    if (with_header) widths[i] = display_width(header_[i]);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  std::size_t total = columns - 1;
  for (std::size_t w : widths) total += w;
  auto shrink = [&](std::size_t column, std::size_t least) {
    if (width == 0 || total <= width || widths[column] <= least) return;
    const std::size_t take = std::min(total - width, widths[column] - least);
    widths[column] -= take;
    total -= take;
  };
  shrink(columns - 1, 8);
  shrink(flexible, 16);

  std::string out;
  auto add_cell = [&](std::size_t column, std::string_view cell, Tone tone) {
    std::string shown = ellipsize(cell, widths[column]);
    if (widths[column] == 0) shown.clear();
    if (column + 1 < columns) shown = pad_right(shown, widths[column]) + ' ';
    out += palette.paint(tone, shown);
  };
  if (with_header) {
    for (std::size_t i = 0; i < columns; ++i) add_cell(i, header_[i], Tone::Underline);
    out += '\n';
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns; ++i) add_cell(i, row[i].text, row[i].tone);
    out += '\n';
  }
  return out;
}

// ---- states -----------------------------------------------------------------

std::string_view state_dot(std::string_view active) {
  if (active == "failed") return "×";
  if (active == "reloading") return "↻";
  if (active == "inactive" || active == "maintenance") return "○";
  return "●";
}

Tone state_tone(std::string_view active) {
  if (active == "active" || active == "reloading") return Tone::Good;
  if (active == "failed") return Tone::Bad;
  return Tone::Plain;
}

}  // namespace onset
