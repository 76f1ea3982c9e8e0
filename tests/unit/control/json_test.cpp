#include "control/json_object.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "control/message.h"
#include "support/failing_new.h"

namespace onset {
namespace {

static_assert(!std::is_base_of_v<std::allocator<Json>, JsonAllocator<Json>>);

Json nested(std::size_t values) {
  Json value = Json::array();
  for (std::size_t i = 0; i < values; ++i) value.push_back(Json::array({Json::array({1})}));
  return value;
}

TEST_CASE("a value with as much in it as a message may have is destroyed without memory",
          "[control][json][P1]") {
  const std::size_t most = JsonLimits().values;
  for (const std::size_t values : {std::size_t{1}, std::size_t{1000}, most / 3}) {
    Json value = nested(values);
    const test::FailingNew none(0);
    value = Json();  // would end the program
    CHECK(value.is_null());
  }
  Json flat = std::vector<int>(most, 1);
  const test::FailingNew none(0);
  flat = Json();
}

TEST_CASE("what stands by is there again for the next value", "[control][json][P1]") {
  for (int round = 0; round < 20; ++round) {
    Json value = nested(JsonLimits().values / 3);
    const test::FailingNew none(0);
    value = Json();
  }
}

TEST_CASE("a message that memory runs out for is refused whole, at any allocation",
          "[control][json][P1]") {
  std::string text = R"({"method":"a.b.C","parameters":{"units":[)";
  for (int i = 0; i < 200; ++i) text += R"(["x",{"y":[1,2,3]}],)";
  text += "0]}}";
  unsigned refused = 0;
  for (unsigned left = 0;; left += 7) {
    Json parameters;
    try {
      const test::FailingNew fails(left);
      (void)parse_request(text, JsonLimits(), parameters);
      if (test::FailingNew::count() == 0) break;
    } catch (const std::bad_alloc&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("an object leaves nothing behind at whatever allocation memory runs out",
          "[control][json][P1]") {
  const std::string name = "a name that is too long to be kept within a string";
  const std::vector<std::string> names(3, name);
  unsigned refused = 0;
  for (unsigned left = 0;; ++left) {
    const std::size_t before = test::FailingNew::alive();
    bool has_failed = true;
    try {
      const test::FailingNew fails(left);
      const Json object = json_object(
          {{"name", name},
           {"names", names},
           {"list", Json::array({json_object({{"of", name}}), json_object({{"of", names}})})},
           {"unit", json_object({{"name", name}, {"job", nullptr}, {"pid", 5}})}});
      has_failed = test::FailingNew::count() > 0;
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    REQUIRE(test::FailingNew::alive() == before);
    if (!has_failed) break;
  }
  CHECK(refused > 20);
}

}  // namespace
}  // namespace onset
