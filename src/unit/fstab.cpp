#include "unit/fstab.h"

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/octal_escape.h"
#include "base/text.h"
#include "unit/mount_config.h"

namespace onset {
namespace {

constexpr std::size_t kFewest = 3;  // what, where, type
constexpr std::size_t kOptions = 3;
constexpr std::size_t kPass = 5;

/// A line end would begin another setting, a backslash at the end go on with the next line.
bool fits_a_line(std::string_view text) {
  return is_valid_utf8(text) && std::ranges::none_of(text, is_control) && trim(text) == text &&
         !text.ends_with('\\');
}

/// What is wrong with it, or nothing.
std::string read_line(const std::vector<std::string_view>& words, FstabEntry& entry) {
  if (words.size() < kFewest) return "a line has a device, a mount point and a type, ignored";
  entry.what = unescape_octal(words[0]);
  entry.where = unescape_octal(words[1]);
  entry.type = unescape_octal(words[2]);
  entry.options = words.size() > kOptions ? unescape_octal(words[kOptions]) : "defaults";
  for (const std::string* field : {&entry.what, &entry.where, &entry.type, &entry.options}) {
    if (!fits_a_line(*field))
      return format("\"{}\" can't be part of a unit, ignored", c_escape(*field));
  }
  if (path_is_absolute(entry.where)) entry.where = path_simplify(entry.where);
  return {};
}

}  // namespace

std::vector<FstabEntry> parse_fstab(std::string_view text, std::string_view file,
                                    Diagnostics& diagnostics) {
  std::vector<FstabEntry> entries;
  unsigned number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const auto words = split_whitespace(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    const auto say = [&](std::string message) {
      diagnostics.push_back({Severity::Warning, std::string(file), number, std::move(message)});
    };
    FstabEntry entry;
    entry.line = number;
    if (std::string wrong = read_line(words, entry); !wrong.empty()) {
      say(std::move(wrong));
      continue;
    }
    if (words.size() > kPass) {
      const auto pass = parse_number_i64(words[kPass]);
      entry.pass = pass && *pass != 0 ? 1 : 0;
      if (!pass)
        say(format("\"{}\" is no pass of fsck, it is not checked", c_escape(words[kPass])));
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool is_early(const FstabEntry& entry) {
  return entry.type != "swap" &&
         (entry.where == "/" || entry.where == "/usr" || is_api_mount_point(entry.where));
}

bool is_for_initrd(const FstabEntry& entry) {
  return entry.type != "swap" && entry.where != "/" &&
         (entry.where == "/usr" || has_mount_option(entry.options, "x-initrd.mount"));
}

std::vector<FstabEntry> early_entries(std::string_view fstab) {
  Diagnostics said_elsewhere;
  std::vector<FstabEntry> entries = parse_fstab(fstab, {}, said_elsewhere);
  std::erase_if(entries, [](const FstabEntry& entry) { return !is_early(entry); });
  return entries;
}

}  // namespace onset
