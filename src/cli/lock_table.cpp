#include "cli/lock_table.h"

#include "base/process_text.h"
#include "base/text.h"

namespace onset {
namespace {

/// "1: POSIX  ADVISORY  WRITE 1234 fe:01:131075 0 EOF"; of a request "1: -> POSIX …", with more
/// blanks the longer its row.
std::optional<FileLock> parse_line(std::string_view line) {
  std::vector<std::string_view> words = split_whitespace(line);
  if (words.empty() || !words[0].ends_with(':')) return std::nullopt;
  const auto number = parse_uint<std::uint64_t>(words[0].substr(0, words[0].size() - 1));
  const bool waits = words.size() > 1 && words[1] == "->";
  words.erase(words.begin(), words.begin() + (waits ? 2 : 1));
  constexpr std::size_t kWords = 5;  // what follows are the bytes that it covers
  if (!number || words.size() < kWords) return std::nullopt;
  FileLock lock{*number, waits, std::string(words[0]), std::string(words[2]), 0, {}};
  lock.pid = parse_pid(words[3]).value_or(0);  // "-1" of an open file's
  lock.file = words[4];
  return lock;
}

}  // namespace

std::vector<FileLock> parse_locks(std::string_view text) {
  std::vector<FileLock> locks;
  for (const std::string_view line : split(text, '\n')) {
    if (auto lock = parse_line(line)) locks.push_back(std::move(*lock));
  }
  return locks;
}

std::vector<FileLock> parse_fdinfo_locks(std::string_view text) {
  constexpr std::string_view kLabel = "lock:";
  std::vector<FileLock> locks;
  for (std::string_view line : split(text, '\n')) {
    if (!line.starts_with(kLabel)) continue;
    line.remove_prefix(kLabel.size());
    if (auto lock = parse_line(line)) locks.push_back(std::move(*lock));
  }
  return locks;
}

}  // namespace onset
