#include "unit/name.h"

#include <catch2/catch.hpp>
#include <map>

#include "support/vectors.h"

using namespace onset;

TEST_CASE("names, paths and escapes are what systemd-escape makes of them", "[unit][name]") {
  for (const test::Row& row : test::read_vectors("escape")) {
    const std::string& how = row.at(0);
    const std::string& text = row.at(1);
    std::optional<std::string> given;
    if (how == "escape")
      given = unit_escape(text);
    else if (how == "path")
      given = unit_escape_path(text);
    else if (how == "path.mount")
      given = name_from_path(text, ".mount");
    else if (how == "template")
      given = instantiate("foo@.service", unit_escape(text));
    else if (how == "unescape")
      given = unit_unescape(text);
    else if (how == "unescape-path")
      given = unit_unescape_path(text);
    else if (how == "mangle")
      given = mangle(text);
    else
      FAIL("unknown row " << how);
    CAPTURE(how, text);
    CHECK(given.value_or("!") == row.at(2));
  }
}

TEST_CASE("drop-in folders apply in systemd's order", "[unit][name]") {
  for (const test::Row& row : test::read_vectors("dropin")) {
    CAPTURE(row.at(0));
    CHECK(dropin_names(row.at(0)) == test::parts(row.at(1), '\x1f'));
  }
  CHECK(dropin_names("a-b@.service") ==
        std::vector<std::string>{"a-b@.service", "a-.service", "service"});
  CHECK(dropin_names("no unit").empty());
}

TEST_CASE("every type has its word and no other word is one", "[unit][name]") {
  for (unsigned i = 0; i < kUnitTypes; ++i) {
    const auto type = static_cast<UnitType>(i);
    CHECK(unit_type_from_word(to_string(type)) == type);
    CHECK(unit_type_of("a." + std::string(to_string(type))) == type);
  }
  CHECK_FALSE(unit_type_from_word("snapshot"));
  CHECK_FALSE(unit_type_from_word(""));
  CHECK_FALSE(unit_type_from_word("Service"));
}

TEST_CASE("a name is plain, an instance, a template or not a name", "[unit][name]") {
  const std::map<std::string, std::optional<NameForm>> table = {
      {"foo.service", NameForm::Plain},
      {"-.slice", NameForm::Plain},
      {"hyperv-daemons.hv-kvp-daemon.service", NameForm::Plain},
      {"dev-disk-by\\x2did.device", NameForm::Plain},
      {"getty@tty1.service", NameForm::Instance},
      {"a@b@c.service", NameForm::Instance},
      {"getty@.service", NameForm::Template},
      {std::string(247, 'x') + ".service", NameForm::Plain},
      {std::string(248, 'x') + ".service", {}},
      {"", {}},
      {"foo", {}},
      {".service", {}},
      {"foo.", {}},
      {"foo.conf", {}},
      {"@.service", {}},
      {"@a.service", {}},
      {"foo.Service", {}},
      {"a b.service", {}},
      {"a/b.service", {}},
      {"../x.service", {}},
      {"foo@../x.service", {}},
      {"foo@a\nb.service", {}},
      {"f\xc3\xa4.service", {}},
      {std::string("a\0b.service", 11), {}},
      {"foo*.service", {}},
      {"foo%i.service", {}},
  };
  for (const auto& [name, form] : table) {
    CAPTURE(name);
    CHECK(name_form(name) == form);
    CHECK(unit_name_is_valid(name) == form.has_value());
  }
}

TEST_CASE("a name comes apart at its first at-sign and its last dot", "[unit][name]") {
  struct {
    const char *name, *prefix, *instance, *stem, *suffix;
  } const table[] = {
      {"foo.service", "foo", "", "foo", ".service"},
      {"foo@bar.service", "foo", "bar", "foo@bar", ".service"},
      {"foo@b@c.d.service", "foo", "b@c.d", "foo@b@c.d", ".service"},
      {"foo@.socket", "foo", "", "foo@", ".socket"},
      {"a.b.target", "a.b", "", "a.b", ".target"},
      {"no-suffix", "no-suffix", "", "no-suffix", ""},
      {"", "", "", "", ""},
  };
  for (const auto& row : table) {
    CAPTURE(row.name);
    CHECK(unit_prefix(row.name) == row.prefix);
    CHECK(unit_instance(row.name) == row.instance);
    CHECK(without_suffix(row.name) == row.stem);
    CHECK(unit_suffix(row.name) == row.suffix);
  }
}

TEST_CASE("C9: an instance is never made of what could leave its folder", "[unit][name][C9]") {
  CHECK(instantiate("foo@.service", "a") == "foo@a.service");
  CHECK(instantiate("foo@b.service", "a") == "foo@a.service");
  CHECK(instantiate("foo@.service", "a@b") == "foo@a@b.service");
  for (const char* bad : {"", "../x", "a/b", "a\nb", "a b", "\xc3\xa4"}) {
    CAPTURE(bad);
    CHECK_FALSE(instantiate("foo@.service", bad));
  }
  CHECK_FALSE(instantiate("foo.service", "a"));
  CHECK_FALSE(instantiate("foo@.service", std::string(256, 'x')));
  CHECK(template_of("foo@a.service") == "foo@.service");
  CHECK(template_of("foo@.service") == "foo@.service");
  CHECK_FALSE(template_of("foo.service"));
}

TEST_CASE("escaping is undone by unescaping for every byte but NUL", "[unit][name]") {
  for (int c = 1; c < 256; ++c) {
    const std::string text = {'a', static_cast<char>(c), 'b'};
    CAPTURE(c);
    CHECK(unit_unescape(unit_escape(text)) == text);
  }
  CHECK_FALSE(unit_unescape("\\x00"));
}

TEST_CASE("a pattern stays a pattern only where patterns are allowed", "[unit][name]") {
  CHECK(mangle("foo*", ".service", true) == "foo*");
  CHECK(mangle("foo*.service", ".service", true) == "foo*.service");
  CHECK(mangle("foo*", ".service", false) == "foo\\x2a.service");
  CHECK(mangle("foo", ".service", true) == "foo.service");
  CHECK(mangle("foo", ".target") == "foo.target");
}
