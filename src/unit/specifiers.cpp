// One pass: text up to the next "%" is copied, the letter behind it looked up.
#include "unit/specifiers.h"

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {

namespace {

using Value = Result<std::string, std::string>;

Failure<std::string> no_value(char letter, std::string_view why) {
  return Failure{format("the specifier %{} has no value: {}", letter, why)};
}

Value or_fail(std::optional<std::string> value, char letter, std::string_view why) {
  if (!value) return no_value(letter, why);
  return std::move(*value);
}

std::string short_hostname(const HostFacts& host) {
  if (!host.short_hostname.empty()) return host.short_hostname;
  return host.hostname.substr(0, host.hostname.find('.'));
}

/// %j: behind the last dash of the prefix.
std::string_view last_component(std::string_view prefix) {
  const std::size_t dash = prefix.rfind('-');
  return dash == std::string_view::npos ? prefix : prefix.substr(dash + 1);
}

Value of_name(char letter, std::string_view name) {
  constexpr std::string_view kBroken = "its escapes can't be undone";
  switch (letter) {
    case 'n':
      return std::string(name);
    case 'N':
      return std::string(without_suffix(name));
    case 'p':
      return std::string(unit_prefix(name));
    case 'P':
      return or_fail(unit_unescape(unit_prefix(name)), letter, kBroken);
    case 'i':
      return std::string(unit_instance(name));
    case 'I':
      return or_fail(unit_unescape(unit_instance(name)), letter, kBroken);
    case 'j':
      return std::string(last_component(unit_prefix(name)));
    case 'J':
      return or_fail(unit_unescape(last_component(unit_prefix(name))), letter, kBroken);
    default: {  // 'f'
      const std::string_view instance = unit_instance(name);
      return or_fail(unit_unescape_path(instance.empty() ? unit_prefix(name) : instance), letter,
                     "it is not the escaped form of a path");
    }
  }
}

struct HostSpecifier {
  char letter;
  std::string HostFacts::*fact;
};
/// What the host says as it is.
constexpr HostSpecifier kHostSpecifiers[] = {
    {'t', &HostFacts::runtime_dir},
    {'S', &HostFacts::state_dir},
    {'C', &HostFacts::cache_dir},
    {'L', &HostFacts::logs_dir},
    {'E', &HostFacts::config_dir},
    {'T', &HostFacts::tmp_dir},
    {'V', &HostFacts::var_tmp_dir},
    {'a', &HostFacts::architecture},
    {'A', &HostFacts::os_image_version},
    {'B', &HostFacts::os_build_id},
    {'M', &HostFacts::os_image_id},
    {'o', &HostFacts::os_id},
    {'w', &HostFacts::os_version_id},
    {'W', &HostFacts::os_variant_id},
    {'H', &HostFacts::hostname},
    {'v', &HostFacts::kernel_release},
    {'u', &HostFacts::user_name},
    {'g', &HostFacts::group_name},
    {'h', &HostFacts::home},
    {'s', &HostFacts::shell},
};

/// Of the host, with a look at what is there. None: no specifier.
std::optional<Value> of_host(char letter, const HostFacts& host) {
  switch (letter) {
    case 'b':
      if (host.boot_id.empty()) return no_value(letter, "the boot ID is not known");
      return host.boot_id;
    case 'm':
      if (host.machine_id.empty()) return no_value(letter, "there is no machine ID");
      return host.machine_id;
    case 'l':
      return short_hostname(host);
    case 'q':
      return host.pretty_hostname.empty() ? short_hostname(host) : host.pretty_hostname;
    case 'U':
      return format("{}", host.uid);
    case 'G':
      return format("{}", host.gid);
    default:
      break;
  }
  for (const HostSpecifier& specifier : kHostSpecifiers) {
    if (specifier.letter == letter) return host.*specifier.fact;
  }
  return std::nullopt;
}

/// %y and %Y.
Value of_fragment(char letter, std::string_view path) {
  if (path.empty()) return no_value(letter, "the unit has no file");
  if (letter == 'y') return std::string(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return std::string(".");
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

/// None: no specifier.
std::optional<Value> value_of(char letter, const SpecifierScope& scope) {
  switch (letter) {
    case '%':
      return std::string("%");
    case 'n':
    case 'N':
    case 'p':
    case 'P':
    case 'i':
    case 'I':
    case 'j':
    case 'J':
    case 'f':
      return of_name(letter, scope.unit_name);
    case 'y':
    case 'Y':
      return of_fragment(letter, scope.fragment_path);
    case 'd':
      return format("{}/credentials/{}", scope.host.runtime_dir, scope.unit_name);
    default:
      return of_host(letter, scope.host);
  }
}

}  // namespace

Result<std::string, std::string> expand_specifiers(std::string_view text,
                                                   const SpecifierScope& scope, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const std::size_t percent = text.find('%');
    out += text.substr(0, percent);
    text.remove_prefix(std::min(percent, text.size()));
    if (text.size() == 1) {
      out += '%';
      text = {};
    } else if (!text.empty()) {
      const char letter = text[1];
      std::optional<Value> value = value_of(letter, scope);
      if (value && !*value) return Failure{std::move(*value).error()};
      if (value)
        out += **value;
      else if (is_alpha(letter) || is_digit(letter))
        return Failure{format("unknown specifier %{}; a percent sign is written %%", letter)};
      else
        out.append(1, '%').append(1, letter);
      text.remove_prefix(2);
    }
    if (out.size() > limit)
      return Failure{format("longer than {} bytes once its specifiers are replaced", limit)};
  }
  return out;
}

}  // namespace onset
