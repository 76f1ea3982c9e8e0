// Names that other programs will read: users, groups, variables.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"

namespace onset {

namespace {

constexpr std::size_t kUserNameMax = 31;                      // utmp's field, less its NUL
constexpr std::size_t kAssignmentMax = std::size_t{2} << 20;  // ARG_MAX as systemd sees it

bool all_digits(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), is_digit);
}

/// What no system's accounts could hold, or what would break passwd(5).
bool user_name_is_usable(std::string_view name) {
  if (name.starts_with(' ') || name.ends_with(' ')) return false;
  if (!is_valid_utf8(name) || std::any_of(name.begin(), name.end(), is_control)) return false;
  if (name.find_first_of(":/") != std::string_view::npos) return false;
  if (all_digits(name) || (name.starts_with('-') && all_digits(name.substr(1)))) return false;
  return name != "-" && name != "." && name != "..";
}

}  // namespace

Parsed<uid_t> parse_uid(std::string_view text) {
  const auto uid = parse_uint<std::uint32_t>(text);
  if (!uid || (text.size() > 1 && text[0] == '0'))
    return Failure{format("expected a decimal user or group ID, not \"{}\"", c_escape(text))};
  if (*uid == 0xffffU || *uid == 0xffffffffU)
    return Failure{format("expected an ID other than {}, which stands for none", *uid)};
  return static_cast<uid_t>(*uid);
}

bool user_name_is_strict(std::string_view name) noexcept {
  if (name.empty() || name.size() > kUserNameMax) return false;
  if (!is_alpha(name[0]) && name[0] != '_') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; });
}

bool user_or_id_is_valid(std::string_view name) noexcept {
  if (name.empty()) return false;
  if (all_digits(name)) {
    const auto uid = parse_uint<std::uint32_t>(name);
    return uid && (name.size() == 1 || name[0] != '0') && *uid != 0xffffU && *uid != 0xffffffffU;
  }
  return user_name_is_usable(name);
}

bool environment_name_is_valid(std::string_view name) noexcept {
  if (name.empty() || name.size() > kAssignmentMax - 2 || is_digit(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
}

bool environment_value_is_valid(std::string_view value) noexcept {
  return value.size() <= kAssignmentMax - 3 && is_valid_utf8(value);
}

bool environment_assignment_is_valid(std::string_view assignment) noexcept {
  const std::size_t equals = assignment.find('=');
  return equals != std::string_view::npos && assignment.size() <= kAssignmentMax - 1 &&
         environment_name_is_valid(assignment.substr(0, equals)) &&
         environment_value_is_valid(assignment.substr(equals + 1));
}

}  // namespace onset
