#include "unit/root_entry.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "unit/kernel_command_line.h"

namespace onset {
namespace {

constexpr std::string_view kEarly[] = {"/",        "/usr",     "/dev", "/proc",         "/sys",
                                       "/dev/pts", "/dev/shm", "/run", "/sys/fs/cgroup"};

/// getmntent(3): blanks and backslashes are \ooo.
std::string unescape(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + kDigits < text.size()) {
      if (const auto code = parse_uint<unsigned char>(text.substr(i + 1, kDigits), 8)) {
        out += static_cast<char>(*code);
        i += kDigits;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

struct Line {
  std::string what;
  EarlyEntry entry;
  [[nodiscard]] bool is_early() const {
    return std::ranges::find(kEarly, entry.where) != std::end(kEarly);
  }
};

std::vector<Line> lines_of(std::string_view fstab) {
  std::vector<Line> lines;
  for (const std::string_view text : split(fstab, '\n')) {
    const auto words = split_whitespace(text);
    constexpr std::size_t kFewest = 3;
    if (words.size() < kFewest || words[0].starts_with('#')) continue;
    Line& line = lines.emplace_back();
    line.what = unescape(words[0]);
    line.entry.where = path_simplify(unescape(words[1]));
    line.entry.type = words[2];
    line.entry.options = words.size() > 3 ? unescape(words[3]) : std::string("defaults");
    if (words.size() > 5) line.entry.pass = parse_uint<unsigned>(words[5]).value_or(0);
  }
  return lines;
}

}  // namespace

std::vector<EarlyEntry> early_entries(std::string_view fstab) {
  std::vector<EarlyEntry> entries;
  for (Line& line : lines_of(fstab)) {
    if (line.is_early()) entries.push_back(std::move(line.entry));
  }
  return entries;
}

std::vector<std::string> later_entries(std::string_view fstab) {
  std::vector<std::string> entries;
  for (Line& line : lines_of(fstab)) {
    const auto options = split(line.entry.options, ',');
    if (line.is_early() || std::ranges::find(options, "noauto") != options.end()) continue;
    entries.push_back(line.entry.type == "swap" ? line.what : line.entry.where);
  }
  return entries;
}

std::optional<bool> root_is_to_be_writable(std::string_view command_line) {
  std::optional<bool> writable;
  for (const KernelArgument& word : split_kernel_command_line(command_line)) {
    if (word.text == "rw") writable = true;
    if (word.text == "ro") writable = false;
  }
  return writable;
}

}  // namespace onset
