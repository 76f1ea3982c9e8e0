#include "unit/exec_parsers.h"

#include <algorithm>
#include <iterator>

#include "unit/capability.h"
#include "unit/environment.h"

namespace onset {
namespace {

struct SecureBit {
  std::string_view word;
  int bit;
};
/// linux/securebits.h.
constexpr SecureBit kSecureBits[] = {
    {"noroot", 1 << 0},          {"noroot-locked", 1 << 1},
    {"no-setuid-fixup", 1 << 2}, {"no-setuid-fixup-locked", 1 << 3},
    {"keep-caps", 1 << 4},       {"keep-caps-locked", 1 << 5},
};

ExecConfig& exec_of(ParseContext& context) {
  return config_of<ExecConfig>(context.unit);
}

}  // namespace

std::string parse_exec_commands(ParseContext& context, std::string_view value,
                                std::vector<ExecCommand>& list) {
  if (value.empty()) {
    list.clear();
    return {};
  }
  std::vector<std::string> warnings;
  auto commands = parse_exec_line(value, context.scope, &warnings);
  for (std::string& warning : warnings) {
    complain(context, Severity::Warning, format("{}=: {}", context.key, warning));
  }
  if (!commands) return std::move(commands).error();
  for (ExecCommand& command : *commands) list.push_back(std::move(command));
  return {};
}

std::string show_exec_commands(const std::vector<ExecCommand>& commands) {
  std::string text;
  for (const ExecCommand& c : commands) {
    if (!text.empty()) text += '\n';
    text += format("{{ path={} ; argv[]={} ; ignore_errors={} }}", c.path, join(c.argv, " "),
                   shown(c.ignore_failure));
  }
  return text;
}

std::string parse_user(ParseContext& context, std::string_view value, std::string ExecConfig::*to) {
  if (value.empty()) {
    (exec_of(context).*to).clear();
    return {};
  }
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  if (!user_or_id_is_valid(*name)) return "a user or group name, or a number as uid or gid";
  exec_of(context).*to = std::move(*name);
  return {};
}

std::string parse_supplementary_groups(ParseContext& context, std::string_view value) {
  auto& groups = exec_of(context).supplementary_groups;
  if (value.empty()) {
    groups.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::None);  // a quote is a character like others here
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto name = expand_value(context, word);
    if (!name) return std::move(name).error();
    if (!user_or_id_is_valid(*name)) {
      return format("group names or numbers, not \"{}\"", c_escape(*name));
    }
    groups.push_back(std::move(*name));
  }
  return {};
}

std::string parse_working_directory(ParseContext& context, std::string_view value) {
  ExecConfig& exec = exec_of(context);
  const bool optional = value.starts_with('-');
  if (optional) value.remove_prefix(1);
  if (value.empty() && !optional) {
    exec.working_directory.clear();
    exec.working_directory_optional = false;
    return {};
  }
  if (value == "~") {
    exec.working_directory = "~";
  } else if (auto path = expand_path(context, value)) {
    exec.working_directory = std::move(*path);
  } else {
    if (!optional) return format("{} or \"~\"", path.error());
    complain(context, Severity::Warning,
             format("WorkingDirectory=-{}: expected {} or \"~\"; ignored", c_escape(value),
                    path.error()));
    return {};
  }
  exec.working_directory_optional = optional;
  return {};
}

std::string show_working_directory(const Unit& unit) {
  const auto& exec = config_of<ExecConfig>(unit);
  return (exec.working_directory_optional ? "!" : "") + exec.working_directory;
}

std::string parse_secure_bits(ParseContext& context, std::string_view value) {
  std::optional<int>& bits = exec_of(context).secure_bits;
  if (value.empty()) {
    bits = 0;
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  int sum = bits.value_or(0);
  for (const std::string& word : *words) {
    const auto* bit = std::find_if(std::begin(kSecureBits), std::end(kSecureBits),
                                   [&word](const SecureBit& b) { return b.word == word; });
    if (bit == std::end(kSecureBits)) {
      return format("keep-caps, no-setuid-fixup, noroot and their -locked forms, not \"{}\"",
                    c_escape(word));
    }
    sum |= bit->bit;
  }
  bits = sum;
  return {};
}

std::string show_secure_bits(const Unit& unit) {
  std::string text;
  for (const SecureBit& bit : kSecureBits) {
    if ((config_of<ExecConfig>(unit).secure_bits.value_or(0) & bit.bit) == 0) continue;
    if (!text.empty()) text += ' ';
    text += bit.word;
  }
  return text;
}

std::string parse_capabilities(ParseContext& context, std::string_view value,
                               std::optional<std::uint64_t> ExecConfig::*to,
                               std::uint64_t initial) {
  const CapabilityList list = parse_capability_set(value);
  if (!list.unknown.empty()) {
    return format("capabilities such as CAP_NET_ADMIN, not \"{}\"", c_escape(list.unknown.front()));
  }
  auto& set = exec_of(context).*to;
  set = merge_capability_set(set, initial, list);
  return {};
}

std::string parse_exec_limit(ParseContext& context, std::string_view value, int resource) {
  auto limit = parse_limit(resource, value);
  if (!limit) return std::move(limit).error();
  auto& limits = exec_of(context).limits;
  const auto known = std::find_if(limits.begin(), limits.end(),
                                  [resource](const Limit& l) { return l.resource == resource; });
  Limit& slot = known != limits.end() ? *known : limits.emplace_back();
  slot = {resource, limit->soft, limit->hard};
  return {};
}

std::string show_exec_limit(const Unit& unit, int resource) {
  for (const Limit& limit : config_of<ExecConfig>(unit).limits) {
    if (limit.resource == resource) return format_limit(limit.hard);
  }
  return {};
}

std::string parse_environment(ParseContext& context, std::string_view value) {
  auto& environment = exec_of(context).environment;
  if (value.empty()) {
    environment.clear();
    return {};
  }
  EnvironmentAssignments parsed = parse_environment_assignments(value, context.scope);
  for (const std::string& problem : parsed.problems) {
    complain(context, Severity::Warning, format("Environment=: {}; ignored", problem));
  }
  // Each name once, when all lines are read: complete_unit().
  std::ranges::move(parsed.assignments, std::back_inserter(environment));
  return {};
}

std::string parse_environment_file_path(ParseContext& context, std::string_view value) {
  auto& files = exec_of(context).environment_files;
  if (value.empty()) {
    files.clear();
    return {};
  }
  const bool optional = value.starts_with('-');
  auto path = expand_path(context, optional ? value.substr(1) : value);
  if (!path) return std::move(path).error();
  files.push_back({std::move(*path), optional});
  return {};
}

std::string show_environment_files(const Unit& unit) {
  std::string text;
  for (const EnvironmentFile& file : config_of<ExecConfig>(unit).environment_files) {
    if (!text.empty()) text += '\n';
    text += format("{} (ignore_errors={})", file.path, shown(file.optional));
  }
  return text;
}

std::string parse_environment_names(ParseContext& context, std::string_view value,
                                    std::vector<std::string> ExecConfig::*to, bool assignments) {
  auto& names = exec_of(context).*to;
  if (value.empty()) {
    names.clear();
    return {};
  }
  auto words = split_words(value, assignments ? kUnquoteAndUnescape : WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto name = expand_value(context, word);
    const bool valid = name && (environment_name_is_valid(*name) ||
                                (assignments && environment_assignment_is_valid(*name)));
    if (!valid) {
      complain(context, Severity::Warning,
               format("{}={}: expected a variable's name; ignored", context.key, c_escape(word)));
      continue;
    }
    names.push_back(std::move(*name));
  }
  return {};
}

std::string parse_search_path(ParseContext& context, std::string_view value) {
  std::string& joined = exec_of(context).exec_search_path;
  if (value.empty()) {
    joined.clear();
    return {};
  }
  // A quote is a character like others here.
  auto words = split_words(value, WordFlags::None, ":");
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto path = expand_path(context, word);
    // It becomes a part of PATH=, which no colon of its own can be in.
    if (!path || path->find(':') != std::string::npos) {
      complain(context, Severity::Warning,
               format("ExecSearchPath={}: expected {}; ignored from there on", c_escape(word),
                      path ? std::string("a path without a colon") : path.error()));
      return {};  // and what stands behind it, as systemd does
    }
    if (!joined.empty()) joined += ':';
    joined += *path;
  }
  return {};
}

std::string show_search_path(const Unit& unit) {
  std::string text;
  for (const char c : config_of<ExecConfig>(unit).exec_search_path) {
    if (c == '\\') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace onset
