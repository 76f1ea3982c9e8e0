// Unit names, escaping, patterns and %-specifiers. The first line is a name (or a path, or a
// pattern), the rest a text with specifiers.
// Parsers: unit/name.cpp unit/specifiers.cpp unit/glob.cpp unit/glob_paths.cpp

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "unit/glob.h"
#include "unit/name.h"
#include "unit/specifiers.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

void try_name(std::string_view name, std::string_view other) {
  const auto form = name_form(name);
  expect(form.has_value() == unit_name_is_valid(name), "a name with a form is valid");
  expect(form.has_value() == unit_type_of(name).has_value(), "a valid name has a type");
  (void)unit_prefix(name);
  (void)unit_instance(name);
  (void)dropin_names(name);
  (void)unit_type_from_word(name);
  if (!form) return;
  expect(name.size() <= kUnitNameMax, "a name is at most 255 bytes");
  expect(name.find('/') == std::string_view::npos, "a name is no path");
  expect_same(std::string(without_suffix(name)) + std::string(unit_suffix(name)), name,
              "a name is what stands before its suffix, and that");
  expect(unit_suffix(name).substr(1) == to_string(*unit_type_of(name)), "the suffix is the type");
  expect(is_plain(name) + is_instance(name) + is_template(name) == 1, "a name has one form");
  const auto pattern = template_of(name);
  expect(pattern.has_value() == !is_plain(name), "what is not plain has a template");
  if (pattern) expect(is_template(*pattern), "a template is one", *pattern);
  if (is_instance(name)) {
    const auto again = instantiate(*pattern, unit_instance(name));
    expect(again && *again == name, "a template and an instance make the name");
  }
  if (const auto made = instantiate(name, other)) {
    expect(is_instance(*made) && unit_instance(*made) == other, "an instance is what was given");
  }
  for (const std::string& folder : dropin_names(name)) {
    expect(!folder.empty() && folder.find('/') == std::string::npos,
           "a drop-in folder is one name");
  }
}

void try_escaping(std::string_view text) {
  const auto plain = unit_unescape(unit_escape(text));
  if (text.find('\0') == std::string_view::npos) {
    expect(plain && *plain == text, "an escaped text comes back");
  }
  if (const auto escaped = unit_escape_path(text)) {
    const auto path = unit_unescape_path(*escaped);
    expect(path.has_value(), "an escaped path comes back", *escaped);
    expect_same(path_simplify(*path), path_simplify("/" + std::string(text)),
                "an escaped path comes back as itself");
  }
  if (const auto path = unit_unescape_path(text)) {
    expect(path_is_absolute(*path) && path_is_normalized(*path), "a path is normalized", *path);
    expect(unit_escape_path(*path).has_value(), "a path can be escaped", *path);
  }
  (void)unit_unescape(text);
  if (const auto name = name_from_path(text, ".device")) {
    expect(unit_name_is_valid(*name), "the name of a path is valid", *name);
  }
  const auto name = mangle(text);
  if (name) {
    expect(unit_name_is_valid(*name), "a mangled name is valid", *name);
    expect(mangle(*name) == name, "a mangled name stays as it is", *name);
  }
  // With globs systemctl lets pass what is no name either.
  (void)mangle(text, ".service", true);
}

void try_patterns(std::string_view pattern, std::string_view text) {
  const bool matches = glob_matches(pattern, text);
  const bool escaped = glob_matches(pattern, text, Backslash::Escapes);
  if (!is_glob(pattern)) expect(matches == (pattern == text), "a text is itself");
  if (pattern.find('\\') == pattern.npos) expect(matches == escaped, "nothing is escaped");
  expect(glob_matches("*", text), "* is everything");
  const auto all = expand_braces(pattern);
  expect(!all.empty() && all.size() <= kGlobAlternativesMax, "a pattern is one or more");
  if (pattern.find('{') == pattern.npos) expect(all.front() == pattern, "no brace is opened");
}

void try_specifiers(std::string_view text, std::string_view name) {
  HostFacts host;
  host.hostname = "box.example.org";
  host.machine_id = text.size() % 2 == 0 ? "0123456789abcdef0123456789abcdef" : "";
  host.boot_id = host.machine_id;
  host.kernel_release = "6.1.0";
  host.architecture = "x86-64";
  host.os_id = "debian";
  const std::string_view fragment = text.size() % 3 == 0 ? "" : "/etc/systemd/system/a.service";
  const SpecifierScope scope{name, fragment, host};
  for (const std::size_t limit : {std::size_t{16}, std::size_t{256}, kExpansionMax}) {
    const auto expanded = expand_specifiers(text, scope, limit);
    if (!expanded) {
      expect(!expanded.error().empty(), "an error says what is wrong");
      continue;
    }
    expect(expanded->size() <= limit, "no expansion is longer than its limit");
    const auto again = expand_specifiers(text, scope, limit);
    expect(again && *again == *expanded, "an expansion is the same again");
    if (text.find('%') == std::string_view::npos) expect_same(*expanded, text, "nothing to expand");
  }
  std::string doubled;
  for (const char c : text) doubled.append(c == '%' ? 2 : 1, c);
  if (const auto expanded = expand_specifiers(doubled, scope)) {
    expect_same(*expanded, text, "%% is %");
  } else {
    expect(text.size() > kExpansionMax, "%% is always known");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const std::string_view name = take(rest, '\n');
  try_name(name, rest);
  try_escaping(name);
  try_patterns(name, rest.substr(0, 256));
  const bool is_usable = unit_name_is_valid(name) && !is_template(name);
  try_specifiers(rest, is_usable ? name : "a@b-c\\x2dd.service");
  return 0;
}
