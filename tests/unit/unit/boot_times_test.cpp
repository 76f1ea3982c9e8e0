// The file of the last boot's times: hostile text.
#include "unit/boot_times.h"

#include <catch2/catch.hpp>

#include "base/format.h"

using namespace onset;
using namespace std::chrono_literals;

TEST_CASE("times that are kept are read as themselves", "[unit][boot-times]") {
  const std::string text =
      format_boot_times({{"a.service", 5ms}, {"b@x\\x2dy.service", 3s}, {"c.mount", Duration(-4)}});
  CHECK(text == "onset boot-times 1\n3000000 b@x\\x2dy.service\n5000 a.service\n0 c.mount\n");
  const BootTimes times = parse_boot_times(text);
  CHECK(times.size() == 3);
  CHECK(times.of("b@x\\x2dy.service") == 3s);
  CHECK(times.of("a.service") == 5ms);
  CHECK(times.of("c.mount") == 0s);
  CHECK(times.of("unknown.service") == BootTimes::kUnknown);
}

TEST_CASE("of a file of another format nothing is taken, of a bad line only that",
          "[unit][boot-times]") {
  for (const char* text : {"", "\n", "onset boot-times 2\n5 a.service\n", "5 a.service\n",
                           "onset boot-times 1", "\nonset boot-times 1\n5 a.service\n"}) {
    CAPTURE(text);
    CHECK(parse_boot_times(text).size() == 0);
  }
  for (const char* line :
       {"a.service 5", "5", "5 ", " a.service", "-5 a.service", "5x a.service", "5 a",
        "5 a.service ", "5  a.service", "99999999999999999999999 a.service", "5 ../a.service",
        "5 a\x01.service"}) {
    CAPTURE(line);
    const BootTimes times =
        parse_boot_times(format("onset boot-times 1\n{}\n7 b.service\n7 b.service", line));
    CHECK(times.size() == 1);
    CHECK(times.of("b.service") == Duration(7));
  }
}

TEST_CASE("no time is longer than an hour, and no file gives more than a boot has",
          "[unit][boot-times]") {
  CHECK(parse_boot_times("onset boot-times 1\n18446744073709551615 a.service\n").of("a.service") ==
        BootTimes::kLongest);
  std::string text = "onset boot-times 1\n";
  for (unsigned i = 0; i < BootTimes::kUnits + 5; ++i) text += format("1 s{}.service\n", i);
  CHECK(parse_boot_times(text).size() == BootTimes::kUnits);
  text.append(kBootTimesBytes, '\n');
  CHECK(parse_boot_times(text).size() == 0);
  std::vector<BootTime> many(BootTimes::kUnits + 5, {"a.service", 1s});
  const std::string kept = format_boot_times(many);
  CHECK(std::count(kept.begin(), kept.end(), '\n') == BootTimes::kUnits + 1);
}
