#pragma once
// How one directive's value gets into a unit and out again, as templates over
// the member that holds it. The rooms of the table (directives_*.cpp) pair these
// with names.
//
// A parser returns what was expected, or nothing if the value was taken. What
// systemd takes but grumbles about goes to `complain`.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "unit/directives.h"
#include "unit/enum_words.h"
#include "unit/signals.h"
#include "unit/unit_members.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {

/// A word about this assignment that does not make it a wrong one.
void complain(ParseContext& context, Severity severity, std::string message);

/// The value with its specifiers replaced, or what is wrong with it.
Parsed<std::string> expand_value(const ParseContext& context, std::string_view value,
                                 std::size_t limit = kExpansionMax);
/// An absolute path without "..": specifiers replaced, simplified.
Parsed<std::string> expand_path(const ParseContext& context, std::string_view value);
/// As expand_path, and /var/run is said to be /run (an old place, linked for years).
Parsed<std::string> expand_runtime_path(ParseContext& context, std::string_view value);

struct Codec {
  ParseFn parse = nullptr;
  ShowFn show = nullptr;
};

// ---- values with a parser of one argument -----------------------------------

inline Parsed<Duration> span_of_seconds(std::string_view text) {
  return parse_span(text);
}
template <unsigned Highest>
Parsed<unsigned> unsigned_up_to(std::string_view text) {
  auto number = parse_unsigned(text, Highest);
  if (!number) return Failure{std::move(number).error()};
  return static_cast<unsigned>(*number);
}
template <HasWords E>
Parsed<E> enum_value(std::string_view text) {
  if (const auto value = from_string<E>(text)) return *value;
  return Failure{expected_words<E>()};
}

/// Once for all members of a type, which are many.
template <auto Parse, class T>
[[gnu::noinline]] std::string take(std::string_view value, T& member) {
  auto parsed = Parse(value);
  if (!parsed) return std::move(parsed).error();
  member = std::move(*parsed);
  return {};
}

template <auto Member, auto Parse>
std::string parse_into(ParseContext& context, std::string_view value) {
  return take<Parse>(value, member_of<Member>(context.unit));
}
/// As parse_into; an empty value takes the setting back.
template <auto Member, auto Parse>
std::string parse_or_reset(ParseContext& context, std::string_view value) {
  if (value.empty()) {
    member_of<Member>(context.unit).reset();
    return {};
  }
  return parse_into<Member, Parse>(context, value);
}

// ---- text -------------------------------------------------------------------

std::string take_text(ParseContext& context, std::string_view value, std::string& member);
std::string take_path(ParseContext& context, std::string_view value, std::string& member);

template <auto Member>
std::string parse_text(ParseContext& context, std::string_view value) {
  return take_text(context, value, member_of<Member>(context.unit));
}
template <auto Member>
std::string parse_path(ParseContext& context, std::string_view value) {
  return take_path(context, value, member_of<Member>(context.unit));
}

// ---- dependencies -----------------------------------------------------------

std::string parse_dependencies(ParseContext& context, std::string_view value, DependencyKind kind);
template <DependencyKind Kind>
std::string parse_dependency(ParseContext& context, std::string_view value) {
  return parse_dependencies(context, value, Kind);
}
std::string show_dependencies(const Unit& unit, DependencyKind kind);
template <DependencyKind Kind>
std::string show_dependency(const Unit& unit) {
  return show_dependencies(unit, Kind);
}

// ---- showing ----------------------------------------------------------------

inline std::string shown(bool value) {
  return value ? "yes" : "no";
}
inline std::string shown(Duration value) {
  return format_span(value);
}
inline std::string shown(const std::string& value) {
  return value;
}
/// In quotes what a reader would cut into several words.
inline std::string shown(const std::vector<std::string>& value) {
  return join_words(value);
}
template <HasWords E>
std::string shown(E value) {
  return std::string(to_string(value));
}
template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) std::string shown(T value) {
  return format("{}", value);
}
template <class T>
std::string shown(const std::optional<T>& value) {
  return value ? shown(*value) : std::string{};
}

template <auto Member>
std::string show_member(const Unit& unit) {
  return shown(member_of<Member>(unit));
}

/// Of a list that is read with these flags.
template <auto Member, WordFlags Flags>
std::string show_words(const Unit& unit) {
  return join_words(member_of<Member>(unit), Flags);
}
template <auto Member>
inline constexpr ShowFn show_unescaped =
    show_words<Member, WordFlags::Unquote | WordFlags::RetainEscapes>;

// ---- the pairs --------------------------------------------------------------

template <auto Member>
inline constexpr Codec kBool{parse_into<Member, parse_bool>, show_member<Member>};
template <auto Member>
inline constexpr Codec kSpan{parse_into<Member, span_of_seconds>, show_member<Member>};
/// "0" means no limit.
template <auto Member>
inline constexpr Codec kTimeout{parse_into<Member, parse_span_zero_is_infinity>,
                                show_member<Member>};
template <auto Member>
inline constexpr Codec kUnsigned{parse_into<Member, unsigned_up_to<UINT32_MAX>>,
                                 show_member<Member>};
template <auto Member>
inline constexpr Codec kSignal{parse_into<Member, parse_signal>, show_member<Member>};
template <auto Member, class E>
inline constexpr Codec kWord{parse_into<Member, enum_value<E>>, show_member<Member>};
template <auto Member>
inline constexpr Codec kText{parse_text<Member>, show_member<Member>};
template <auto Member>
inline constexpr Codec kPath{parse_path<Member>, show_member<Member>};
template <DependencyKind Kind>
inline constexpr Codec kDependency{parse_dependency<Kind>, show_dependency<Kind>};

// ---- rows -------------------------------------------------------------------

constexpr Directive honoured(Section section, std::string_view name, Codec codec,
                             std::string_view help, std::string_view property = {},
                             std::uint16_t since = 0) {
  return {.section = section,
          .name = name,
          .parse = codec.parse,
          .show = codec.show,
          .since = since,
          .help = help,
          .property = property};
}
/// One whose bad value makes the unit fail to load.
constexpr Directive protecting(Section section, std::string_view name, Codec codec,
                               std::string_view help) {
  Directive row = honoured(section, name, codec, help);
  row.protects = true;
  return row;
}
/// Known, its value checked by `check`, not honoured; `inert` asks for nothing.
constexpr Directive not_yet(Section section, std::string_view name, ParseFn check,
                            std::string_view help, std::string_view inert = {}) {
  return {.section = section,
          .name = name,
          .parse = check,
          .support = Support::NotYet,
          .help = help,
          .inert = inert};
}
constexpr Directive not_yet_protecting(Section section, std::string_view name, ParseFn check,
                                       std::string_view help, std::string_view inert = {}) {
  Directive row = not_yet(section, name, check, help, inert);
  row.protects = true;
  return row;
}
/// A row whose value is kept and shown, but has no effect yet.
constexpr Directive without_effect(Directive row, std::string_view inert = {}) {
  row.support = Support::NotYet;
  row.inert = inert;
  return row;
}
constexpr Directive obsolete(Section section, std::string_view name, std::string_view help) {
  return {.section = section, .name = name, .support = Support::Obsolete, .help = help};
}

}  // namespace onset
