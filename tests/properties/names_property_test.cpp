// Names, escaping, templates and specifiers: there and back.
#include "base/text.h"
#include "properties/oracle.h"
#include "properties/print.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "unit/name.h"
#include "unit/specifiers.h"

using namespace onset;
using namespace onset::test;

TEST_CASE("an escaped text comes back, and can be an instance", "[properties][name]") {
  holds([] {
    const std::string text = *any_text();
    const std::string escaped = unit_escape(text);
    RC_ASSERT(unit_unescape(escaped) == text);
    RC_ASSERT((text.empty() || unit_instance_is_valid(escaped)));
  });
}

TEST_CASE("an escaped path comes back as itself", "[properties][name]") {
  holds([] {
    const std::string path = *path_text();
    const auto escaped = unit_escape_path(path);
    if (!escaped) {
      RC_ASSERT(!path_is_normalized(path_simplify(path)));
      return;
    }
    const auto again = unit_unescape_path(*escaped);
    RC_ASSERT(again.has_value());
    RC_ASSERT(path_simplify(*again) == path_simplify("/" + path));
    RC_ASSERT(unit_escape_path(*again) == escaped);
  });
}

TEST_CASE("what is unescaped to a path is one that can be escaped", "[properties][name]") {
  holds([] {
    const auto path = unit_unescape_path(*escaped_text());
    if (!path) return;
    RC_ASSERT(path_is_absolute(*path));
    RC_ASSERT(path_is_normalized(*path));
    const auto escaped = unit_escape_path(*path);
    RC_ASSERT(escaped.has_value());
    RC_ASSERT(unit_unescape_path(*escaped) == path);
  });
}

TEST_CASE("a name is its prefix, its instance and its type", "[properties][name]") {
  holds([] {
    const std::string name = *valid_unit_name();
    RC_LOG() << name;
    RC_ASSERT(unit_name_is_valid(name));
    RC_ASSERT(unit_suffix(name) == "." + std::string(to_string(*unit_type_of(name))));
    std::string made(unit_prefix(name));
    if (!is_plain(name)) made += "@" + std::string(unit_instance(name));
    RC_ASSERT(made + std::string(unit_suffix(name)) == name);
    RC_ASSERT(is_plain(name) + is_instance(name) + is_template(name) == 1);
  });
}

TEST_CASE("a template and an instance make a name, and can be taken from it",
          "[properties][name]") {
  holds([] {
    const auto pattern = template_of(*valid_unit_name());
    const std::string text = *any_text();
    if (!pattern) return;
    RC_ASSERT(is_template(*pattern));
    const std::string instance = unit_escape(text);
    const auto name = instantiate(*pattern, instance);
    if (!name) {
      RC_ASSERT((instance.empty() || pattern->size() + instance.size() > kUnitNameMax));
      return;
    }
    RC_ASSERT(is_instance(*name));
    RC_ASSERT(template_of(*name) == pattern);
    RC_ASSERT(unit_instance(*name) == instance);
    RC_ASSERT(unit_unescape(unit_instance(*name)) == text);
  });
}

TEST_CASE("what is no name stays none with anything in it that no name has", "[properties][name]") {
  holds([] {
    std::string name = *valid_unit_name();
    const auto at = *within<std::size_t>(0, name.size() + 1);
    name.insert(at, *rc::gen::element<std::string>(" ", "/", "ä", "*", "\n", "%", "\x01", "\xff"));
    RC_ASSERT(!unit_name_is_valid(name));
    RC_ASSERT(!unit_type_of(name));
    RC_ASSERT((!is_instance(name) && !is_template(name) && !is_plain(name)));
    RC_ASSERT(dropin_names(name).empty());
  });
  holds([] {
    const std::string name = *unit_name_text();
    if (unit_name_is_valid(name)) return;
    RC_ASSERT(!template_of(name));
    RC_ASSERT(!instantiate(name, "a"));
  });
}

TEST_CASE("a mangled name is valid, and stays as it is", "[properties][name]") {
  holds([] {
    const std::string text = *rc::gen::oneOf(unit_name_text(), path_text(), any_text());
    const auto name = mangle(text);
    if (unit_name_is_valid(text)) RC_ASSERT(name == text);
    if (!name) return;
    RC_ASSERT(unit_name_is_valid(*name));
    RC_ASSERT(mangle(*name) == name);
  });
}

TEST_CASE("drop-in folders of a name go from itself to its type, each once", "[properties][name]") {
  holds([] {
    const std::string name = *valid_unit_name();
    auto folders = dropin_names(name);
    RC_ASSERT(folders.front() == name);
    RC_ASSERT(folders.back() == to_string(*unit_type_of(name)));
    std::sort(folders.begin(), folders.end());
    RC_ASSERT(std::adjacent_find(folders.begin(), folders.end()) == folders.end());
  });
}

TEST_CASE("%% is %, and what a specifier gives is not looked at again",
          "[properties][specifiers]") {
  HostFacts host;
  host.hostname = "%n%%";
  const SpecifierScope scope{"a%b@c.service", "", host};
  holds([&scope] {
    const std::string text = *any_text();
    const auto plain = expand_specifiers(doubled_percent(text), scope);
    RC_ASSERT(plain);
    RC_ASSERT(*plain == text);
    const auto hostname = expand_specifiers(doubled_percent(text) + "%H", scope);
    RC_ASSERT(hostname);
    RC_ASSERT(*hostname == text + "%n%%");
  });
}

TEST_CASE("an expansion of two texts is both expansions, where no % ends the first",
          "[properties][specifiers]") {
  HostFacts host;
  host.hostname = "box";
  const SpecifierScope scope{"a@b-c.service", "/etc/systemd/system/a@.service", host};
  holds([&scope] {
    const auto piece = word_of({"%n", "%i", "%I", "%%", "%H", "a", " ", "%-", "%Z", "%f", "%j"});
    const std::string first = *several(piece, 0, 4);
    const std::string second = *several(piece, 0, 4);
    const auto a = expand_specifiers(first, scope);
    const auto b = expand_specifiers(second, scope);
    const auto both = expand_specifiers(first + second, scope);
    RC_ASSERT(both.ok() == (a.ok() && b.ok()));
    if (both) RC_ASSERT(*both == *a + *b);
    if (both) {
      RC_ASSERT(expand_specifiers(first + second, scope, both->size()).ok());
      if (!both->empty())
        RC_ASSERT(!expand_specifiers(first + second, scope, both->size() - 1).ok());
    }
  });
}
