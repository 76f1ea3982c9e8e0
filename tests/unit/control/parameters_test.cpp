#include "control/parameters.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "control/json.h"

using namespace onset;
using json = Json;

namespace {

/// What a method with one parameter of each kind finds wrong.
std::string bad_of(const char* text) {
  const json object = json::parse(text);
  Parameters p(object);
  (void)p.text("name");
  (void)p.optional_text("who");
  (void)p.optional_texts("list");
  (void)p.optional_number("signal", 1, 64);
  (void)p.flag("force");
  return p.bad();
}

}  // namespace

TEST_CASE("parameters are read by name and type", "[control][parameters]") {
  const json object = {{"name", "a"}, {"list", {"x", "y"}}, {"signal", 9}, {"force", true}};
  Parameters p(object);
  CHECK(p.text("name") == "a");
  CHECK(p.texts("list") == std::vector<std::string>{"x", "y"});
  CHECK(p.number("signal", 1, 64) == 9);
  CHECK(p.flag("force"));
  CHECK_FALSE(p.optional_text("who").has_value());
  CHECK(p.bad().empty());
}

TEST_CASE("the first bad parameter is named", "[control][parameters]") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"name":"a"})", ""},
      {R"({"name":"a","who":null,"list":null,"signal":null,"force":null})", ""},
      {R"({})", "name"},
      {R"({"name":null})", "name"},
      {R"({"name":7})", "name"},
      {R"({"name":["a"]})", "name"},
      {R"({"name":"a","who":false})", "who"},
      {R"({"name":"a","list":"x"})", "list"},
      {R"({"name":"a","list":["x",1]})", "list"},
      {R"({"name":"a","list":{"x":"y"}})", "list"},
      {R"({"name":"a","signal":0})", "signal"},
      {R"({"name":"a","signal":65})", "signal"},
      {R"({"name":"a","signal":-9})", "signal"},
      {R"({"name":"a","signal":9.0})", "signal"},
      {R"({"name":"a","signal":"9"})", "signal"},
      {R"({"name":"a","signal":18446744073709551615})", "signal"},
      {R"({"name":"a","signal":1e300})", "signal"},
      {R"({"name":"a","force":1})", "force"},
      {R"({"name":"a","wiat":true})", "wiat"},
      {R"({"name":"a","signal":0,"force":1})", "signal"},
  };
  for (const auto& [text, expected] : rows) {
    CAPTURE(text);
    CHECK(bad_of(text) == expected);
  }
}
