#include "unit/values.h"

#include <catch2/catch.hpp>
#include <map>

#include "base/format.h"
#include "support/vectors.h"
#include "unit/capability.h"
#include "unit/environment.h"
#include "unit/signals.h"
#include "unit/specifiers.h"

using namespace onset;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string shown(const Parsed<T>& value) {
  return value ? format("{}", *value) : "!";
}

std::string shown_limit(int resource, std::string_view text) {
  const auto limit = parse_limit(resource, text);
  return limit ? format("{}\x1f{}", limit->hard, limit->soft) : "!";
}

std::string shown_signal(std::string_view text) {
  const auto signal = parse_signal(text);
  return signal ? "SIG" + signal_name(*signal) : "!";
}

std::string shown_quota(std::string_view text) {
  const auto share = parse_permyriad(text, true);
  // Without any share there is no quota, and systemd refuses it.
  return share && *share != 0 ? format_span(*share * 100us) : "!";
}

std::string shown_capabilities(std::string_view text) {
  const CapabilityList list = parse_capability_set(text);
  const std::uint64_t set = merge_capability_set({}, kAllCapabilities, list);
  // What restricts nothing is not shown.
  return set == kAllCapabilities ? "" : format_capability_set(set);
}

std::string shown_environment(std::string_view text, const SpecifierScope& scope) {
  const Environment all(parse_environment_assignments(text, scope).assignments);
  std::string out;
  for (const std::string& assignment : all.assignments())
    out += (out.empty() ? "" : "\x1f") + assignment;
  return out;
}

const std::map<std::string_view, int> kLimits = {{"LimitNOFILE", RLIMIT_NOFILE},
                                                 {"LimitCORE", RLIMIT_CORE},
                                                 {"LimitCPU", RLIMIT_CPU},
                                                 {"LimitRTTIME", RLIMIT_RTTIME},
                                                 {"LimitNICE", RLIMIT_NICE}};

}  // namespace

TEST_CASE("time spans are what systemd-analyze reads and prints", "[unit][values]") {
  for (const test::Row& row : test::read_vectors("timespan")) {
    CAPTURE(row.at(0));
    const auto span = parse_span(row.at(0));
    if (row.at(1) == test::kRefused) {
      CHECK_FALSE(span);
      continue;
    }
    REQUIRE(span);
    const std::uint64_t us = std::stoull(row.at(1));
    if (us >= INT64_MAX) {
      CHECK(*span == kInfinity);
    } else {
      CHECK(static_cast<std::uint64_t>(span->count()) == us);
      CHECK(format_span(*span) == row.at(2));
    }
  }
}

TEST_CASE("settings hold what systemd's own loader makes of them", "[unit][values]") {
  HostFacts host;
  host.user_name = "u";
  host.uid = 1000;
  const SpecifierScope scope{"v.service", "", host};
  for (const test::Row& row : test::read_vectors("setting")) {
    const std::string& key = row.at(0);
    const std::string& value = row.at(1);
    std::string expected = row.at(2);
    std::string given;
    if (const auto limit = kLimits.find(key); limit != kLimits.end()) {
      given = shown_limit(limit->second, value);
    } else if (key == "Nice") {
      given = shown(parse_nice(value));
    } else if (key == "OOMScoreAdjust") {
      given = shown(parse_oom_score_adjust(value));
    } else if (key == "UMask") {
      const auto mode = parse_mode(value);
      given = mode ? format("{:04o}", *mode) : "!";
    } else if (key == "KillSignal") {
      given = shown_signal(value);
    } else if (key == "CapabilityBoundingSet") {
      given = shown_capabilities(value);
    } else if (key == "User" || key == "Group") {
      given = user_or_id_is_valid(value) ? value : "!";
    } else if (key == "RemainAfterExit") {
      const auto yes = parse_bool(value);
      given = !yes ? "!" : *yes ? "yes" : "no";
    } else if (key == "MemoryMax") {
      // The reader has taken the space off.
      const std::string trimmed = value.substr(0, value.find_last_not_of(' ') + 1);
      given = shown(parse_size_or_infinity(trimmed));
    } else if (key == "CPUQuota") {
      given = shown_quota(value);
    } else if (key == "Environment") {
      given = shown_environment(value, scope);
    } else if (key == "Description") {
      given = expand_specifiers(value, scope).value_or("!");
      // An empty description is shown as the name, and this user is another.
      if (given.empty()) given = "v.service";
      if (value == "%u%U") expected = "u1000";
    } else {
      FAIL("unknown row " << key);
    }
    CAPTURE(key, value);
    CHECK(given == expected);
  }
}

TEST_CASE("a bare number counts the default unit", "[unit][values]") {
  CHECK(*parse_span("5", 1min) == 5min);
  CHECK(*parse_span("5ms 1", 1min) == 60'005ms);
  CHECK(*parse_span(".5", 1h) == 30min);
  CHECK(*parse_span_zero_is_infinity("0") == kInfinity);
  CHECK(*parse_span_zero_is_infinity("5") == 5s);
  CHECK_FALSE(parse_span_zero_is_infinity("-1"));
}

TEST_CASE("an error about a span names what was expected and shows the text safely",
          "[unit][values]") {
  CHECK(parse_span("5 x\x1b").error() ==
        "expected a time span such as \"5min 20s\" or \"infinity\", not \"5 x\\x1b\"");
  CHECK(parse_span("-5").error() == "expected a time span that is not negative, not \"-5\"");
  CHECK(parse_span("99999999999999y").error() ==
        "expected a shorter time span, not \"99999999999999y\"");
}

TEST_CASE("nanoseconds have spans of their own", "[unit][values]") {
  CHECK(*parse_span_ns("5") == 5U);
  CHECK(*parse_span_ns("5ns 1us") == 1005U);
  CHECK(*parse_span_ns("7nsec") == 7U);
  CHECK(*parse_span_ns("1.5us") == 1500U);
  CHECK(*parse_span_ns("1s") == 1'000'000'000U);
  CHECK(*parse_span_ns("infinity") == UINT64_MAX);
  CHECK_FALSE(parse_span_ns("600y"));
  CHECK_FALSE(parse_span_ns("5nsx"));
}

TEST_CASE("a span is cut off at the accuracy asked for", "[unit][values]") {
  CHECK(format_span(2'500'600us, 1ms) == "2.500s");
  CHECK(format_span(65'400ms, 1s) == "1min 5s");
  CHECK(format_span(90'000'500us, 1s) == "1min 30s");
  CHECK(format_span(500us, 1ms) == "500us");
  CHECK(format_span(-5s) == "0");
}

TEST_CASE("sizes of base 1000 count in thousands", "[unit][values]") {
  CHECK(*parse_size("1K", 1000) == 1000U);
  CHECK(*parse_size("1.5M", 1000) == 1'500'000U);
  CHECK(*parse_size("18E", 1000) == 18'000'000'000'000'000'000U);
  CHECK_FALSE(parse_size("19E", 1000));
  CHECK_FALSE(parse_size("infinity"));
}

TEST_CASE("shares are read to the precision of their sign", "[unit][values]") {
  CHECK(*parse_percent("99%") == 99U);
  for (const char* bad : {"101%", "1.5%", "-1%", "5", "%", "", "5%%"})
    CHECK_FALSE(parse_percent(bad));
  CHECK(*parse_permille("12.5%") == 125U);
  CHECK(*parse_permille("125\u2030") == 125U);
  CHECK_FALSE(parse_permille("12.55%"));
  CHECK_FALSE(parse_permille("1001\u2030"));
  CHECK(*parse_permyriad("100%") == 10000U);
  CHECK(*parse_permyriad("0.01%") == 1U);
  CHECK_FALSE(parse_permyriad("100.01%"));
}

TEST_CASE("a user ID is plain decimal, in range, and never one that means none", "[unit][values]") {
  CHECK(*parse_uid("0") == 0U);
  CHECK(*parse_uid("4294967294") == 4294967294U);
  for (const char* bad : {"", "00", "01", "0x0", "0day", "-1", "+0", " 0", "0 ", "65535",
                          "4294967295", "4294967296", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_uid(bad));
  }
}

TEST_CASE("a number that is too large for an ID is no name either", "[unit][values]") {
  for (const char* bad : {"65535", "4294967295", "4294967296", "99999999999999999999", "00", "-5",
                          "a\nb", " a", "a ", "\xff"}) {
    CAPTURE(bad);
    CHECK_FALSE(user_or_id_is_valid(bad));
  }
}

TEST_CASE("a strict user name is POSIX's and short", "[unit][values]") {
  CHECK(user_name_is_strict("www-data"));
  CHECK(user_name_is_strict("_apt"));
  CHECK(user_name_is_strict(std::string(31, 'x')));
  for (const std::string& bad : {std::string(), std::string(32, 'x'), std::string("0day"),
                                 std::string("a.b"), std::string("x@y"), std::string("-x")}) {
    CAPTURE(bad);
    CHECK_FALSE(user_name_is_strict(bad));
  }
}

TEST_CASE("the names and values of variables are checked", "[unit][values]") {
  CHECK(environment_assignment_is_valid("_A1=\n\x01"));
  CHECK(environment_assignment_is_valid("A="));
  for (const char* bad : {"", "A", "=b", "1A=b", "A-B=c", "A B=c", "\xc3\xa4=b", "A=\xff"}) {
    CAPTURE(bad);
    CHECK_FALSE(environment_assignment_is_valid(bad));
  }
  CHECK_FALSE(environment_assignment_is_valid("A=" + std::string(std::size_t{2} << 20, 'x')));
}

TEST_CASE("limits print as numbers or infinity", "[unit][values]") {
  CHECK(format_limit(RLIM_INFINITY) == "infinity");
  CHECK(format_limit(1024) == "1024");
}
