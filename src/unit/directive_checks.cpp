#include "unit/directive_checks.h"

#include "unit/name.h"

namespace onset {

std::string check_text(ParseContext& context, std::string_view value) {
  auto text = expand_value(context, value);
  return text ? std::string{} : std::move(text).error();
}

std::string check_path(ParseContext& context, std::string_view value) {
  if (value.empty()) return {};
  auto path = expand_path(context, value);
  return path ? std::string{} : std::move(path).error();
}

std::string check_words(ParseContext&, std::string_view value) {
  auto words = split_words(value, kUnquoteAndUnescape | WordFlags::RelaxEscapes);
  return words ? std::string{} : std::move(words).error();
}

std::string check_paths(ParseContext& context, std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    std::string_view path = word;
    if (path.starts_with('-')) path.remove_prefix(1);
    if (path.starts_with('+')) path.remove_prefix(1);
    auto expanded = expand_path(context, path);
    if (!expanded) return format("{}, not \"{}\"", expanded.error(), c_escape(word));
  }
  return {};
}

std::string check_socket_names(ParseContext& context, std::string_view value) {
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto name = expand_value(context, word);
    if (!name || unit_type_of(*name) != UnitType::Socket) return "names of socket units";
  }
  return {};
}

std::string check_unit_name(ParseContext& context, std::string_view value) {
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  return unit_name_is_valid(*name) ? std::string{} : std::string("a valid unit name");
}

std::string check_user(ParseContext& context, std::string_view value) {
  if (value.empty()) return {};
  auto name = expand_value(context, value);
  if (!name) return std::move(name).error();
  return user_or_id_is_valid(*name) ? std::string{} : std::string("a user or group, or its number");
}

std::string expect_word(std::string_view value, const std::string_view* words, std::size_t count) {
  if (value.empty() || std::find(words, words + count, value) != words + count) return {};
  return expected_words(words, count);
}

}  // namespace onset
