// Names are taken apart at two places: the last "." before the type, and the
// first "@" before that. Everything else follows from these two.
#include "unit/name.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace onset {

namespace {

constexpr std::array<std::string_view, kUnitTypes> kTypeWords = {
    "service", "socket", "target", "device", "mount", "automount",
    "swap",    "timer",  "path",   "slice",  "scope"};

constexpr bool is_name_char(char c) noexcept {
  return is_digit(c) || is_alpha(c) || c == ':' || c == '-' || c == '_' || c == '.' || c == '\\';
}
constexpr bool is_name_char_or_at(char c) noexcept {
  return c == '@' || is_name_char(c);
}
constexpr bool is_glob_char(char c) noexcept {
  return c == '[' || c == ']' || c == '!' || c == '*' || c == '?';
}

bool is_pattern(std::string_view s) noexcept {
  return s.find_first_of("*?[") != std::string_view::npos;
}

void append_hex_escape(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

std::size_t suffix_position(std::string_view name) noexcept {
  return std::min(name.rfind('.'), name.size());
}

/// "foo-bar-" of "foo-bar-baz", "foo-" of "foo-bar-"; empty when no dash is left
/// behind the first character.
std::string_view cut_to_dash(std::string_view prefix) noexcept {
  if (prefix.ends_with('-')) prefix.remove_suffix(1);
  const std::size_t dash = prefix.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return {};
  return prefix.substr(0, dash + 1);
}

}  // namespace

std::string_view to_string(UnitType type) noexcept {
  return kTypeWords[static_cast<std::size_t>(type)];
}

std::optional<UnitType> unit_type_from_word(std::string_view word) noexcept {
  const auto it = std::find(kTypeWords.begin(), kTypeWords.end(), word);
  if (it == kTypeWords.end()) return std::nullopt;
  return static_cast<UnitType>(it - kTypeWords.begin());
}

std::optional<UnitType> unit_type_of(std::string_view name) noexcept {
  if (!unit_name_is_valid(name)) return std::nullopt;
  return unit_type_from_word(name.substr(suffix_position(name) + 1));
}

std::optional<NameForm> name_form(std::string_view name) noexcept {
  const std::size_t dot = suffix_position(name);
  if (name.size() > kUnitNameMax || dot == 0 || dot == name.size()) return std::nullopt;
  if (!unit_type_from_word(name.substr(dot + 1))) return std::nullopt;
  const std::string_view stem = name.substr(0, dot);
  if (!std::all_of(stem.begin(), stem.end(), is_name_char_or_at)) return std::nullopt;
  const std::size_t at = stem.find('@');
  if (at == 0) return std::nullopt;
  if (at == std::string_view::npos) return NameForm::Plain;
  return at + 1 == stem.size() ? NameForm::Template : NameForm::Instance;
}

bool unit_name_is_valid(std::string_view name) noexcept {
  return name_form(name).has_value();
}
bool is_plain(std::string_view name) noexcept {
  return name_form(name) == NameForm::Plain;
}
bool is_instance(std::string_view name) noexcept {
  return name_form(name) == NameForm::Instance;
}
bool is_template(std::string_view name) noexcept {
  return name_form(name) == NameForm::Template;
}

bool unit_instance_is_valid(std::string_view instance) noexcept {
  return !instance.empty() && std::all_of(instance.begin(), instance.end(), is_name_char_or_at);
}

std::string_view without_suffix(std::string_view name) noexcept {
  return name.substr(0, suffix_position(name));
}

std::string_view unit_suffix(std::string_view name) noexcept {
  return name.substr(suffix_position(name));
}

std::string_view unit_prefix(std::string_view name) noexcept {
  const std::string_view stem = without_suffix(name);
  return stem.substr(0, stem.find('@'));
}

std::string_view unit_instance(std::string_view name) noexcept {
  const std::string_view stem = without_suffix(name);
  const std::size_t at = stem.find('@');
  return at == std::string_view::npos ? std::string_view{} : stem.substr(at + 1);
}

std::optional<std::string> template_of(std::string_view name) {
  const std::optional<NameForm> form = name_form(name);
  if (!form || *form == NameForm::Plain) return std::nullopt;
  return std::string(unit_prefix(name)).append("@").append(unit_suffix(name));
}

std::optional<std::string> instantiate(std::string_view template_name, std::string_view instance) {
  std::optional<std::string> name = template_of(template_name);
  if (!name || !unit_instance_is_valid(instance)) return std::nullopt;
  name->insert(name->find('@') + 1, instance);
  if (!is_instance(*name)) return std::nullopt;
  return name;
}

std::vector<std::string> dropin_names(std::string_view name) {
  std::vector<std::string> names;
  const std::optional<NameForm> form = name_form(name);
  if (!form) return names;
  const std::string_view suffix = unit_suffix(name);
  const std::string_view prefix = unit_prefix(name);
  const auto add = [&](std::string_view stem, std::string_view at, std::string_view instance) {
    names.push_back(std::string(stem).append(at).append(instance).append(suffix));
  };
  names.emplace_back(name);
  if (*form == NameForm::Instance) add(prefix, "@", "");
  for (auto cut = cut_to_dash(prefix); !cut.empty(); cut = cut_to_dash(cut)) add(cut, "", "");
  if (*form == NameForm::Instance) {
    for (auto cut = cut_to_dash(prefix); !cut.empty(); cut = cut_to_dash(cut)) {
      add(cut, "@", unit_instance(name));
      add(cut, "@", "");
    }
  }
  names.emplace_back(suffix.substr(1));
  return names;
}

std::string unit_escape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '/')
      out += '-';
    else if (c == '-' || c == '\\' || !is_name_char(c) || (c == '.' && i == 0))
      append_hex_escape(out, c);
    else
      out += c;
  }
  return out;
}

std::optional<std::string> unit_unescape(std::string_view escaped) {
  std::string out;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '-') {
      out += '/';
    } else if (escaped[i] != '\\') {
      out += escaped[i];
    } else {
      if (escaped.size() - i < 4 || escaped[i + 1] != 'x') return std::nullopt;
      const int high = hex_value(escaped[i + 2]);
      const int low = hex_value(escaped[i + 3]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 3;
    }
  }
  return out;
}

std::optional<std::string> unit_escape_path(std::string_view path) {
  const std::string simple = path_simplify(path);
  if (simple.empty() || simple == "/") return "-";
  if (!path_is_normalized(simple)) return std::nullopt;
  return unit_escape(path_is_absolute(simple) ? std::string_view(simple).substr(1) : simple);
}

std::optional<std::string> unit_unescape_path(std::string_view escaped) {
  if (escaped.empty()) return std::nullopt;
  if (escaped == "-") return "/";
  const std::optional<std::string> inner = unit_unescape(escaped);
  if (!inner || inner->starts_with('/') || inner->ends_with('/')) return std::nullopt;
  std::string path = "/" + *inner;
  if (!path_is_normalized(path)) return std::nullopt;
  return path;
}

std::optional<std::string> name_from_path(std::string_view path, std::string_view suffix) {
  std::optional<std::string> name = unit_escape_path(path);
  if (!name) return std::nullopt;
  name->append(suffix);
  if (!is_plain(*name)) return std::nullopt;
  return name;
}

std::optional<std::string> mangle(std::string_view name, std::string_view suffix,
                                  bool allow_globs) {
  if (name.empty()) return std::nullopt;
  if (unit_name_is_valid(name)) return std::string(name);
  const auto keeps = [&](char c) {
    return is_name_char_or_at(c) || (allow_globs && is_glob_char(c));
  };
  if (allow_globs && is_pattern(name) && std::all_of(name.begin(), name.end(), keeps))
    return std::string(name);

  if (path_is_absolute(name)) {
    const std::string path = path_simplify(name);
    const bool device = path.starts_with("/dev/") || path.starts_with("/sys/");
    if (device)
      if (std::optional<std::string> unit = name_from_path(path, ".device")) return unit;
    if (std::optional<std::string> unit = name_from_path(path, ".mount")) return unit;
  }

  std::string out;
  for (const char c : name) {
    if (c == '/')
      out += '-';
    else if (keeps(c))
      out += c;
    else
      append_hex_escape(out, c);
  }
  const bool pattern = allow_globs && is_pattern(out);
  if (!pattern && !unit_name_is_valid(out)) out += suffix;
  if (!allow_globs && !unit_name_is_valid(out)) return std::nullopt;
  return out;
}

}  // namespace onset
