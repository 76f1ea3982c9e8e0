// What unit/values*, unit/signals, unit/capability and unit/exit_status print, they read again as
// the same.
#include <sys/resource.h>

#include "base/format.h"
#include "base/text.h"
#include "properties/property.h"
#include "properties/random_units.h"
#include "properties/texts.h"
#include "unit/capability.h"
#include "unit/exit_status.h"
#include "unit/signals.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::test;

namespace {

/// Of every magnitude.
rc::Gen<std::int64_t> microseconds() {
  return rc::gen::exec([] {
    const int bits = *within(0, 63);
    return *within<std::int64_t>(0, std::int64_t{1} << bits) + (std::int64_t{1} << bits) / 2;
  });
}

}  // namespace

TEST_CASE("a printed span is read as itself", "[properties][values]") {
  holds([] {
    const Duration span(*microseconds());
    const auto again = parse_span(format_span(span));
    RC_ASSERT(again);
    RC_ASSERT(*again == span);
  });
}

TEST_CASE("a span printed with an accuracy is the span cut off to it", "[properties][values]") {
  holds([] {
    const Duration span(*microseconds());
    const Duration accuracy(*rc::gen::element<std::int64_t>(1, 10, 1000, 100000, 1000000));
    const auto again = parse_span(format_span(span, accuracy));
    RC_ASSERT(again);
    RC_ASSERT(*again <= span);
    // What is the greatest part is shown however small it is.
    RC_ASSERT((span - *again < accuracy || *again < accuracy));
    if (accuracy == std::chrono::seconds(1) && span >= accuracy)
      RC_ASSERT(*again == span - span % accuracy);
  });
}

TEST_CASE("spans that are read one after the other are added", "[properties][values]") {
  holds([] {
    const std::string a = *span_text();
    const std::string b = *span_text();
    const auto both = parse_span(a + " " + b);
    const auto first = parse_span(a);
    const auto second = parse_span(b);
    RC_PRE((first && second && *first != kInfinity && *second != kInfinity));
    // A bare number takes the next one's unit only if they touch: " " is between them.
    if (!both) {
      RC_ASSERT(
          (first->count() > kInfinity.count() / 4 || second->count() > kInfinity.count() / 4));
      return;
    }
    RC_ASSERT((*both == kInfinity || *both == *first + *second));
  });
}

TEST_CASE("zero is no limit, and nothing else is read otherwise", "[properties][values]") {
  holds([] {
    const std::string text = *span_text();
    const auto span = parse_span(text);
    const auto limit = parse_span_zero_is_infinity(text);
    RC_ASSERT(span.ok() == limit.ok());
    if (span) RC_ASSERT(*limit == (*span == Duration(0) ? kInfinity : *span));
  });
}

TEST_CASE("a span in nanoseconds is the same span", "[properties][values]") {
  holds([] {
    const Duration span(*microseconds());
    const auto nanoseconds = parse_span_ns(format_span(span));
    const auto us = static_cast<std::uint64_t>(span.count());
    RC_ASSERT(nanoseconds.ok() == (us < UINT64_MAX / 1000));
    if (nanoseconds) RC_ASSERT(*nanoseconds == us * 1000);
  });
}

TEST_CASE("a printed size is read as itself, and a suffix is its factor", "[properties][values]") {
  holds([] {
    const std::string text = *size_text();
    const auto size = parse_size(text);
    const auto bounded = parse_size_or_infinity(text);
    if (text != "infinity") RC_ASSERT(size.ok() == bounded.ok());
    if (!size) return;
    RC_ASSERT(*bounded == *size);
    const auto again = parse_size(format("{}", *size));
    // The largest number stands for infinity, and is no size.
    RC_ASSERT(again.ok() == (*size != UINT64_MAX));
    if (again) RC_ASSERT(*again == *size);
  });
  holds([](std::uint16_t number) {
    constexpr std::string_view kSuffixes = "BKMGTPE";
    const auto at = *within<std::size_t>(0, kSuffixes.size());
    for (const unsigned base : {1000U, 1024U}) {
      const auto size = parse_size(format("{}{}", number, kSuffixes[at]), base);
      std::uint64_t expected = number;
      bool fits = true;
      for (std::size_t i = 0; i < at; ++i)
        fits = fits && !__builtin_mul_overflow(expected, base, &expected);
      RC_ASSERT(size.ok() == fits);
      if (fits) RC_ASSERT(*size == expected);
    }
  });
}

TEST_CASE("shares of all precisions agree", "[properties][values]") {
  holds([] {
    const std::string text = *share_text();
    const auto percent = parse_percent(text);
    const auto permille = parse_permille(text);
    const auto permyriad = parse_permyriad(text);
    const auto unbounded = parse_permyriad(text, true);
    if (percent) RC_ASSERT((permille && *permille == *percent * 10 && *percent <= 100));
    if (permille) RC_ASSERT((permyriad && *permyriad == *permille * 10 && *permille <= 1000));
    if (permyriad) RC_ASSERT((unbounded && *unbounded == *permyriad && *permyriad <= 10000));
    if (unbounded && *unbounded <= 10000) RC_ASSERT(permyriad);
  });
  holds([] {
    const auto parts = *within(0U, 100001U);
    const auto again = parse_permyriad(format("{}.{:02}%", parts / 100, parts % 100), true);
    RC_ASSERT(again);
    RC_ASSERT(*again == parts);
  });
}

TEST_CASE("a printed limit is read as itself", "[properties][values]") {
  holds([] {
    const int resource = *within(0, static_cast<int>(RLIM_NLIMITS));
    const std::string text = *limit_text();
    const auto limit = parse_limit(resource, text);
    if (!limit) return;
    RC_ASSERT(limit->soft <= limit->hard);
    if (resource == RLIMIT_NICE) {
      RC_ASSERT(limit->hard <= 40);
    } else if (limit_kind(resource) == LimitKind::Seconds &&
               limit->hard > static_cast<rlim_t>(kInfinity.count() / 1'000'000)) {
      return;  // rounded up over the end of time
    }
    const std::string printed =
        format("{}:{}", format_limit(limit->soft), format_limit(limit->hard));
    const auto again = parse_limit(resource, printed);
    RC_LOG() << printed;
    RC_ASSERT(again);
    RC_ASSERT(*again == *limit);
  });
}

TEST_CASE("a printed mode and number are read as themselves", "[properties][values]") {
  holds([] {
    const auto mode = parse_mode(*mode_text());
    if (!mode) return;
    const auto again = parse_mode(format("{:04o}", *mode));
    RC_ASSERT((again && *again == *mode && *mode <= 07777));
  });
  holds([] {
    const std::string text = *number_text();
    const auto natural = parse_unsigned(text);
    const auto whole = parse_int(text, INT64_MIN, INT64_MAX);
    if (natural) {
      const auto again = parse_unsigned(format("{}", *natural));
      RC_ASSERT((again && *again == *natural));
      RC_ASSERT(whole.ok() == (*natural <= INT64_MAX));
    }
    if (whole) {
      const auto again = parse_int(format("{}", *whole), INT64_MIN, INT64_MAX);
      RC_ASSERT((again && *again == *whole));
      RC_ASSERT(natural.ok() == (*whole >= 0));
    }
  });
}

TEST_CASE("a switch may be in any case, and is one of two", "[properties][values]") {
  holds([] {
    std::string text = *bool_text();
    const auto on = parse_bool(text);
    for (char& c : text) {
      if (is_alpha(c) && *rc::gen::arbitrary<bool>()) c = static_cast<char>(c ^ 0x20);
    }
    const auto again = parse_bool(text);
    RC_ASSERT(on.ok() == again.ok());
    if (on) RC_ASSERT(*on == *again);
  });
}

TEST_CASE("a signal is read by both of its names and its number", "[properties][signals]") {
  holds([] {
    const auto signal = parse_signal(*signal_text());
    if (!signal) return;
    RC_ASSERT((*signal >= 1 && *signal <= 64));
    for (const std::string& name :
         {signal_name(*signal), signal_name_long(*signal), format("{}", *signal)}) {
      const auto again = parse_signal(name);
      RC_LOG() << name;
      RC_ASSERT(again);
      RC_ASSERT(*again == *signal);
    }
  });
}

TEST_CASE("a printed set of statuses is read as itself", "[properties][exit_status]") {
  holds([] {
    ExitStatusSet set;
    for (const int status : *rc::gen::container<std::vector<int>>(
             rc::gen::oneOf(within(-1, 257), rc::gen::element(0, 255))))
      set.add_status(status);
    for (const int signal : *rc::gen::container<std::vector<int>>(within(0, 66)))
      if (signal != 32 && signal != 33) set.add_signal(signal);  // these have no names
    ExitStatusSet again;
    RC_ASSERT(parse_exit_status(to_string(set), again).empty());
    RC_ASSERT(again == set);
  });
}

TEST_CASE("the words of a set of statuses may come in any order", "[properties][exit_status]") {
  holds([] {
    const auto words = *rc::gen::container<std::vector<std::string>>(status_set_text());
    ExitStatusSet set;
    ExitStatusSet other;
    const auto problems = parse_exit_status(join(words, " "), set).size();
    const auto shuffled = permuted(words);
    RC_ASSERT(parse_exit_status(join(shuffled, " "), other).size() == problems);
    RC_ASSERT(other == set);
  });
}

TEST_CASE("a printed set of capabilities is read as itself", "[properties][capability]") {
  holds([](std::uint64_t bits) {
    const std::uint64_t set = bits & kAllCapabilities;
    const CapabilityList again = parse_capability_set(format_capability_set(set));
    RC_ASSERT((again.unknown.empty() && !again.invert));
    RC_ASSERT(again.set == set);
  });
}

TEST_CASE("what is taken from a capability set is no longer in it", "[properties][capability]") {
  holds([] {
    const CapabilityList first = parse_capability_set(*capability_set_text());
    const CapabilityList list = parse_capability_set(*capability_set_text());
    RC_PRE(list.set != 0);
    const auto before = merge_capability_set(std::nullopt, kAllCapabilities, first);
    const auto after = merge_capability_set(before, kAllCapabilities, list);
    if (list.invert) {
      RC_ASSERT((after & list.set) == 0U);
    } else {
      RC_ASSERT((after & list.set) == list.set);
    }
  });
}

TEST_CASE("a user number has one spelling, and a strict name is a name", "[properties][values]") {
  holds([] {
    const std::string text = *rc::gen::oneOf(digits(), number_text(), any_text());
    if (const auto uid = parse_uid(text)) {
      RC_ASSERT(format("{}", *uid) == text);
      RC_ASSERT(user_or_id_is_valid(text));
    }
    if (user_name_is_strict(text)) RC_ASSERT(user_or_id_is_valid(text));
  });
}
