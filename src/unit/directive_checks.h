#pragma once
// Values of directives that onset knows and does not honour yet: what is not of
// the right kind is told all the same. A check is a parser that keeps nothing.

#include <string>
#include <string_view>

#include "unit/directive_codecs.h"

namespace onset {

// ---- of any kind ------------------------------------------------------------
std::string check_text(ParseContext& context, std::string_view value);
std::string check_path(ParseContext& context, std::string_view value);
/// Absolute paths, each with "-" and "+" in front if wanted.
std::string check_paths(ParseContext& context, std::string_view value);
/// Words with quotes and escapes, whatever they say.
std::string check_words(ParseContext& context, std::string_view value);
std::string check_socket_names(ParseContext& context, std::string_view value);
std::string check_unit_name(ParseContext& context, std::string_view value);
std::string check_user(ParseContext& context, std::string_view value);

template <auto Parse>
std::string check_value(ParseContext&, std::string_view value) {
  auto parsed = Parse(value);
  return parsed ? std::string{} : std::move(parsed).error();
}
/// As check_value; an empty value takes the setting back.
template <auto Parse>
std::string check_or_reset(ParseContext& context, std::string_view value) {
  return value.empty() ? std::string{} : check_value<Parse>(context, value);
}
template <std::int64_t Lowest, std::int64_t Highest>
std::string check_integer(ParseContext&, std::string_view value) {
  if (value.empty()) return {};
  auto parsed = parse_int(value, Lowest, Highest);
  return parsed ? std::string{} : std::move(parsed).error();
}

inline Parsed<std::uint64_t> any_unsigned(std::string_view text) {
  return parse_unsigned(text, UINT32_MAX);
}
inline Parsed<std::uint64_t> any_size(std::string_view text) {
  return parse_size(text);
}

inline constexpr ParseFn check_bool = check_value<parse_bool>;
inline constexpr ParseFn check_span = check_or_reset<span_of_seconds>;
inline constexpr ParseFn check_span_ns = check_or_reset<parse_span_ns>;
inline constexpr ParseFn check_mode = check_value<parse_mode>;
inline constexpr ParseFn check_unsigned = check_or_reset<any_unsigned>;
inline constexpr ParseFn check_size = check_or_reset<any_size>;

/// One of the words of `Words`, a constexpr array; empty resets.
std::string expect_word(std::string_view value, const std::string_view* words, std::size_t count);
template <const auto& Words>
std::string check_word(ParseContext&, std::string_view value) {
  return expect_word(value, std::data(Words), std::size(Words));
}
/// The same or a boolean.
template <const auto& Words>
std::string check_bool_or_word(ParseContext& context, std::string_view value) {
  return value.empty() || parse_bool(value) ? std::string{} : check_word<Words>(context, value);
}

// ---- sandbox ----------------------------------------------------------------
std::string check_bind_paths(ParseContext& context, std::string_view value);
std::string check_system_calls(ParseContext& context, std::string_view value);
std::string check_architectures(ParseContext& context, std::string_view value);
std::string check_error_number(ParseContext& context, std::string_view value);
std::string check_address_families(ParseContext& context, std::string_view value);
std::string check_namespaces(ParseContext& context, std::string_view value);

}  // namespace onset
