#include "sim/sim_event.h"

#include <array>
#include <charconv>
#include <vector>

#include "base/format.h"
#include "base/text.h"

namespace onset::sim {
namespace {

constexpr std::array<std::string_view, kWhats> kNames{
    "request",   "cancel",    "kill",    "reset-failed", "exit", "exec-done", "empty",
    "notify",    "pass",      "late",    "to-deadline",  "jump", "fork",      "trouble",
    "temper",    "pid-file",  "bus",     "oom",          "flag", "reload",    "shut-down",
    "no-memory", "reset-all", "problem", "file"};

template <class T>
bool read(std::string_view word, T& value) {
  return std::from_chars(word.data(), word.data() + word.size(), value).ec == std::errc{};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string to_text(const SimEvent& e) {
  return format("{} {} {} {} {} {} {} {}", kNames[static_cast<unsigned>(e.what)], e.unit,
                static_cast<unsigned>(e.who), e.number, e.second,
                static_cast<unsigned>(e.status.kind), e.status.value, escaped(e.text));
}

std::optional<SimEvent> parse_event(std::string_view line) {
  constexpr std::size_t kWords = 7;
  std::array<std::string_view, kWords> words;
  for (std::string_view& word : words) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    word = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  SimEvent e;
  unsigned who = 0;
  unsigned kind = 0;
  unsigned what = 0;
  while (what < kWhats && kNames[what] != words[0]) ++what;
  if (what == kWhats || !read(words[1], e.unit) || !read(words[2], who) ||
      !read(words[3], e.number) || !read(words[4], e.second) || !read(words[5], kind) ||
      !read(words[6], e.status.value))
    return std::nullopt;
  if (who > static_cast<unsigned>(Who::Foreign) || kind > static_cast<unsigned>(ExitKind::Dumped))
    return std::nullopt;
  e.what = static_cast<What>(what);
  e.who = static_cast<Who>(who);
  e.status.kind = static_cast<ExitKind>(kind);
  e.text = unescaped(line);
  return e;
}

}  // namespace onset::sim
