#include "control/message.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "control/json.h"

using namespace onset;
using json = Json;

namespace {

std::string nested(unsigned depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("a call is read with its flags and parameters", "[control][message]") {
  json parameters;
  auto request = parse_request(
      R"({"method":"a.b.C","parameters":{"unit":"x"},"more":true,"later":[1]})", {}, parameters);
  REQUIRE(request.ok());
  CHECK(request->method == "a.b.C");
  CHECK(request->more);
  CHECK_FALSE(request->oneway);
  CHECK_FALSE(request->upgrade);
  CHECK(parameters == json{{"unit", "x"}});
}

TEST_CASE("null and absent members of a call have their defaults", "[control][message]") {
  json parameters;
  auto request =
      parse_request(R"({"method":"a.b.C","parameters":null,"oneway":null})", {}, parameters);
  REQUIRE(request.ok());
  CHECK_FALSE(request->oneway);
  CHECK(parameters == json::object());
}

TEST_CASE("what is not a call is refused with a sentence", "[control][message]") {
  const std::pair<const char*, const char*> rows[] = {
      {"", "the message is not JSON"},
      {"{", "the message is not JSON"},
      {"[]", "the message is not a JSON object"},
      {"null", "the message is not a JSON object"},
      {"{}", "\"method\" is not a method's name"},
      {R"({"method":7})", "\"method\" is not a method's name"},
      {R"({"method":""})", "\"method\" is not a method's name"},
      {R"({"method":"a","parameters":[]})", "\"parameters\" is not a JSON object"},
      {R"({"method":"a","oneway":1})", "\"oneway\" is not a boolean"},
      {R"({"method":"a","more":"yes"})", "\"more\" is not a boolean"},
      {R"({"method":"a"}{})", "the message is not JSON"},
      {"{\"method\":\"a\xff\"}", "the message is not JSON"},
  };
  for (const auto& [text, expected] : rows) {
    json parameters;
    auto request = parse_request(text, {}, parameters);
    CAPTURE(text);
    REQUIRE_FALSE(request.ok());
    CHECK(request.error() == expected);
  }
}

TEST_CASE("S6: deep nesting, long text and very many values are refused before parsing",
          "[control][message][S6]") {
  json out;
  CHECK(parse_json(nested(64), {}, out).ok());
  CHECK(parse_json(nested(65), {}, out).error() == "the message nests deeper than 64");
  CHECK(parse_json(nested(500000), {}, out).error() == "the message nests deeper than 64");
  CHECK(parse_json(std::string(1 << 20, ' ') + "1", {}, out).error() ==
        "the message has more than 1048576 bytes");
  std::string many = "[0";
  for (int i = 0; i < 70000; ++i) many += ",0";
  CHECK(parse_json(many + "]", {}, out).error() == "the message has more than 65536 values");
}

TEST_CASE("brackets and quotes in strings do not count as nesting", "[control][message]") {
  json out;
  const std::string text = R"({"a":"\"[[[[\\","b":")" + std::string(200, '{') + "\"}";
  REQUIRE(parse_json(text, {}, out).ok());
  CHECK(out["a"] == "\"[[[[\\");
}

TEST_CASE("text that is not UTF-8 leaves as UTF-8", "[control][message]") {
  const std::string dumped = dump_json({{"text",
                                         "a\xff"
                                         "b\x01"}});
  CHECK(dumped ==
        "{\"text\":\"a\xef\xbf\xbd"
        "b\\u0001\"}");
  CHECK_FALSE(json::parse(dumped, nullptr, false).is_discarded());
}

TEST_CASE("a reply survives the way there and back", "[control][message]") {
  json parameters;
  auto head = parse_reply(format_reply({true, ""}, {{"n", 1}}), {}, parameters);
  REQUIRE(head.ok());
  CHECK(head->continues);
  CHECK(head->error.empty());
  CHECK(parameters == json{{"n", 1}});
  head = parse_reply(format_reply({false, "a.b.Bad"}, nullptr), {}, parameters);
  REQUIRE(head.ok());
  CHECK(head->error == "a.b.Bad");
  CHECK(parameters == json::object());
}

TEST_CASE("any bytes are a call or a sentence", "[control][message]") {
  std::mt19937 random(7);
  const std::string seed = R"({"method":"io.onset.Manager.GetUnit","parameters":{"unit":"a"}})";
  unsigned accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (auto i = random() % 6; i > 0; --i) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    json parameters;
    auto request = parse_request(text, {}, parameters);
    if (request) {
      ++accepted;
      CHECK(parameters.is_object());
    } else {
      CHECK_FALSE(request.error().empty());
    }
  }
  CHECK(accepted > 1000);
  CHECK(accepted < 19000);
}
