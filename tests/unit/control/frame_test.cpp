#include "control/frame.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace onset;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::vector<std::string> all(FrameReader& reader) {
  std::vector<std::string> messages;
  while (auto message = reader.next()) messages.push_back(*message);
  return messages;
}

}  // namespace

TEST_CASE("a message comes out whole however it was cut", "[control][frame]") {
  const std::string bytes = "first\0\0a second one\0tail"s;
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    FrameReader reader(64);
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.append(std::string_view(bytes).substr(at, step));
      for (auto& m : all(reader)) messages.push_back(m);
    }
    CHECK(messages == std::vector<std::string>{"first", "", "a second one"});
    CHECK(reader.has_partial());
    CHECK(reader.buffered() == 4);
  }
}

TEST_CASE("a message of exactly the limit passes and one byte more does not", "[control][frame]") {
  FrameReader fits(8);
  fits.append("12345678\0"sv);
  CHECK(all(fits) == std::vector<std::string>{"12345678"});
  CHECK_FALSE(fits.overflowed());

  FrameReader too_long(8);
  too_long.append("123456789"sv);
  CHECK(too_long.overflowed());
  CHECK(too_long.buffered() == 0);
  too_long.append("\0more\0"sv);
  CHECK_FALSE(too_long.has_frame());
}

TEST_CASE("a second message that is too long stops the reader after the first",
          "[control][frame]") {
  FrameReader reader(4);
  reader.append("ab\0abcdef\0gh\0"sv);
  CHECK(reader.next() == "ab");
  CHECK(reader.overflowed());
  CHECK_FALSE(reader.next().has_value());
}

TEST_CASE("any bytes in any pieces give what a plain split gives", "[control][frame]") {
  std::mt19937 random(20);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) bytes.push_back(random() % 7 == 0 ? '\0' : 'x');
    std::vector<std::string> expected;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = bytes.find('\0', begin)) != std::string::npos;) {
      expected.push_back(bytes.substr(begin, end - begin));
      begin = end + 1;
    }
    FrameReader reader(1000);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = 1 + random() % 40;
      reader.append(std::string_view(bytes).substr(at, n));
      at += n;
      if (random() % 2 == 0) continue;
      for (auto& m : all(reader)) got.push_back(m);
    }
    for (auto& m : all(reader)) got.push_back(m);
    CHECK(got == expected);
    CHECK(reader.buffered() == bytes.size() - begin);
  }
}
