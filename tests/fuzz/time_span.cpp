// Values of settings: time spans, sizes, parts of a whole, booleans, modes, numbers, limits,
// signals, capabilities, and the text rooms below them. One text is given to all.
// Parsers: unit/values*.cpp unit/signals.cpp unit/capability.cpp base/text.cpp

#include "base/format.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "unit/capability.h"
#include "unit/signals.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

void try_spans(std::string_view text) {
  if (const auto span = parse_span(text)) {
    expect(*span >= Duration::zero(), "a span is never negative");
    const auto again = parse_span(format_span(*span));
    expect(again && *again == *span, "a printed span is read as itself", format_span(*span));
    (void)format_span(*span, std::chrono::seconds(1));
    (void)format_span(*span, std::chrono::minutes(1));
    const auto limit = parse_span_zero_is_infinity(text);
    expect(limit && *limit == (*span == Duration::zero() ? kInfinity : *span),
           "0 is no limit, and nothing else is read otherwise");
  } else {
    expect(!span.error().empty(), "an error says what was expected");
  }
  (void)parse_span(text, std::chrono::microseconds(1));
  (void)parse_span_ns(text);
}

void try_sizes(std::string_view text) {
  for (const unsigned base : {1024U, 1000U}) {
    const auto size = parse_size(text, base);
    if (!size) continue;
    const auto again = parse_size(format("{}", *size), base);
    expect(again && *again == *size, "a printed size is read as itself");
    const auto bounded = parse_size_or_infinity(text, base);
    expect(bounded && *bounded == *size, "a size that may be infinite is read as a size");
  }
  (void)parse_size_or_infinity(text);
}

void try_parts(std::string_view text) {
  const auto percent = parse_percent(text);
  const auto permille = parse_permille(text);
  const auto permyriad = parse_permyriad(text);
  if (percent) {
    expect(*percent <= 100 && permille && *permille == *percent * 10, "a percent is ten permille");
  }
  if (permille) {
    expect(*permille <= 1000 && permyriad && *permyriad == *permille * 10,
           "a permille is ten in ten thousand");
  }
  if (permyriad) expect(*permyriad <= 10000, "a part is at most the whole");
  (void)parse_permyriad(text, true);
}

void try_numbers(std::string_view text) {
  if (const auto mode = parse_mode(text)) {
    const auto again = parse_mode(format("{:o}", *mode));
    expect(*mode <= 07777 && again && *again == *mode, "a printed mode is read as itself");
  }
  if (const auto number = parse_int(text, -5, 5)) {
    expect(*number >= -5 && *number <= 5, "a number is in its range");
  }
  if (const auto number = parse_unsigned(text, 10))
    expect(*number <= 10, "a number is in its range");
  if (const auto nice = parse_nice(text)) expect(*nice >= -20 && *nice <= 19, "nice is -20..19");
  (void)parse_oom_score_adjust(text);
  if (const auto uid = parse_uid(text)) {
    expect(format("{}", *uid) == text && *uid != 65535, "a user number has one spelling");
    expect(user_or_id_is_valid(text), "a user number is a user");
  }
  if (user_name_is_strict(text)) expect(user_or_id_is_valid(text), "a strict name is a name");
  const auto natural = parse_number_u64(text);
  const auto whole = parse_number_i64(text);
  if (natural && *natural <= INT64_MAX) {
    expect(whole && static_cast<std::uint64_t>(*whole) == *natural,
           "both readers of numbers agree");
  }
}

void try_limits(std::string_view text) {
  for (int resource = 0; resource < 16; ++resource) {
    const auto limit = parse_limit(resource, text);
    if (!limit) continue;
    expect(limit->soft <= limit->hard, "a soft limit is not above the hard one");
    // A printed limit has microseconds and nice values as the kernel counts them.
    const auto again = parse_limit(
        resource, format("{}:{}", format_limit(limit->soft), format_limit(limit->hard)));
    // Seconds are rounded up, at the end of time beyond it.
    constexpr rlim_t kLastSecond = kInfinity.count() / 1'000'000;
    const bool is_beyond = limit->soft > kLastSecond || limit->hard > kLastSecond;
    if (resource != RLIMIT_NICE && !(limit_kind(resource) == LimitKind::Seconds && is_beyond)) {
      expect(again && *again == *limit, "a printed limit is read as itself", text);
    }
  }
}

void try_words(std::string_view text) {
  if (const auto on = parse_bool(text)) {
    std::string loud(text);
    for (char& c : loud) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    const auto again = parse_bool(loud);
    expect(again && *again == *on, "a boolean may be in any case");
  }
  if (const auto signal = parse_signal(text)) {
    const auto brief = parse_signal(signal_name(*signal));
    const auto full = parse_signal(signal_name_long(*signal));
    expect(brief && *brief == *signal && full && *full == *signal, "a signal has its name");
  }
  if (const auto capability = capability_from_text(text)) {
    const std::string_view name = capability_name(*capability);
    expect(name.empty() || capability_from_text(name) == capability, "a capability has its name");
  }
  const CapabilityList list = parse_capability_set(text);
  const std::uint64_t named = list.set & kAllCapabilities;
  expect(parse_capability_set(format_capability_set(named)).set == named,
         "a printed set of capabilities is read as itself");
  const auto once = merge_capability_set(std::nullopt, kAllCapabilities, list);
  (void)merge_capability_set(once, 0, list);
  if (environment_assignment_is_valid(text)) {
    const auto equals = text.find('=');
    expect(environment_name_is_valid(text.substr(0, equals)) &&
               environment_value_is_valid(text.substr(equals + 1)),
           "an assignment is a name and a value");
  }
}

void try_text(std::string_view text) {
  expect(is_valid_utf8(c_escape(text)), "escaped text is UTF-8");
  for (const char c : c_escape(text))
    expect(!is_control(c), "escaped text has no control character");
  const std::string path = path_simplify(text);
  expect_same(path_simplify(path), path, "a simple path stays as it is");
  if (path_is_normalized(text)) expect(path_is_valid(text), "a normalized path is valid");
  if (filename_is_valid(text)) expect(path_is_valid(text), "a file name is a path");
  expect(equals_ignoring_case(text, text), "a text equals itself");
  char32_t code = 0;
  for (const char c : text.substr(0, 3)) code = code << 8 | static_cast<unsigned char>(c);
  const bool is_surrogate = code >= 0xd800 && code < 0xe000;
  if (code > 0 && code < 0x110000 && !is_surrogate) {
    std::string character;
    append_utf8(character, code);
    expect(utf8_length(character) == character.size(), "a character is one sequence");
  }
  std::vector<std::string> parts;
  for (const auto part : split(text, ' ')) parts.emplace_back(part);
  expect_same(join(parts, " "), text, "what was split can be joined");
  for (const auto word : split_whitespace(text)) {
    expect(!word.empty() && trim(word) == word, "a word has no blanks");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  try_spans(text);
  try_sizes(text);
  try_parts(text);
  try_numbers(text);
  try_limits(text);
  try_words(text);
  try_text(text);
  return 0;
}
