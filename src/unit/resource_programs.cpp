// BPFProgram= and its kin, and RestrictNetworkInterfaces=.

#include <algorithm>

#include "unit/resource_parsers.h"

namespace onset {
namespace {

/// As the kernel takes it, or an alternative name, which may be longer.
bool interface_name_is_valid(std::string_view name) {
  constexpr std::size_t kAlternativeMax = 127;
  constexpr std::string_view kStrange = "/:%";
  if (name.empty() || name.size() > kAlternativeMax || name == "." || name == "..") return false;
  if (name == "all" || name == "default") return false;  // of /proc/sys/net
  bool has_other_than_digits = false;
  for (const char c : name) {
    if (c <= ' ' || c >= 127 || kStrange.find(c) != std::string_view::npos) return false;
    has_other_than_digits = has_other_than_digits || !is_digit(c);
  }
  return has_other_than_digits;
}

}  // namespace

std::string parse_path_list(const ParseContext& context, std::string_view value,
                            std::vector<std::string>& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  auto path = expand_path(context, value);
  if (!path) return std::move(path).error();
  if (std::ranges::find(to, *path) == to.end()) to.push_back(std::move(*path));
  return {};
}

std::string format_lines(const std::vector<std::string>& list) {
  return join(list, "\n");
}

std::string parse_pinned_program(const ParseContext& context, std::string_view value,
                                 std::vector<PinnedProgram>& to) {
  if (value.empty()) {
    to.clear();
    return {};
  }
  const std::size_t colon = value.find(':');
  const auto hook = from_string<BpfHook>(value.substr(0, colon));
  if (!hook || colon == std::string_view::npos) {
    return format("TYPE:PATH, TYPE {}", expected_words<BpfHook>());
  }
  auto path = expand_path(context, value.substr(colon + 1));
  if (!path) return format("TYPE:PATH, PATH {}", path.error());
  PinnedProgram program{*hook, std::move(*path)};
  if (std::ranges::find(to, program) == to.end()) to.push_back(std::move(program));
  return {};
}

std::string format_pinned_programs(const std::vector<PinnedProgram>& list) {
  std::vector<std::string> lines;
  for (const PinnedProgram& program : list) {
    lines.push_back(format("{}:{}", to_string(program.hook), program.path));
  }
  return format_lines(lines);
}

std::string parse_interfaces(ParseContext& context, std::string_view value,
                             std::optional<InterfaceList>& to) {
  if (value.empty()) {
    to.reset();
    return {};
  }
  const bool denies = value.front() == '~';
  if (denies) value.remove_prefix(1);
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  if (!to) to.emplace().is_denied = denies;
  for (std::string& word : *words) {
    if (!interface_name_is_valid(word)) {
      complain(context, Severity::Warning,
               format("{}={}: not the name of an interface; ignored", context.key, c_escape(word)));
      continue;
    }
    const auto at = std::ranges::find(to->names, word);
    if (to->is_denied != denies) {
      if (at != to->names.end()) to->names.erase(at);
    } else if (at == to->names.end()) {
      to->names.push_back(std::move(word));
    }
  }
  return {};
}

std::string format_interfaces(const std::optional<InterfaceList>& list) {
  if (!list) return {};
  return (list->is_denied ? "~" : "") + join_words(list->names);
}

}  // namespace onset
