// One pass over the text, one character at a time. The state is the open quote,
// if any; a backslash is dealt with as a whole the moment it is seen.
#include "unit/words.h"

#include <algorithm>

#include "base/format.h"

namespace onset {

namespace {

/// Reads exactly `digits` digits of `base`; none if there are fewer.
std::optional<std::uint32_t> fixed_digits(std::string_view text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  return parse_uint<std::uint32_t>(text.substr(0, digits), base);
}

bool is_code_point(std::uint32_t c) {
  return c != 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/// Set aside by Unicode for a program's own use; \U does not take them, \u does.
bool is_noncharacter(std::uint32_t c) {
  return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

}  // namespace

std::size_t unescape_one(std::string_view text, std::string& out) {
  if (text.empty()) return 0;
  constexpr std::string_view kLetters = "abfnrtv\\\"'s";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"' ";
  if (const std::size_t at = kLetters.find(text[0]); at != std::string_view::npos) {
    out += kMeanings[at];
    return 1;
  }
  if (text[0] >= '0' && text[0] <= '7') {
    const auto byte = fixed_digits(text, 3, 8);
    if (!byte || *byte == 0 || *byte > 255) return 0;
    out += static_cast<char>(*byte);
    return 3;
  }
  if (text[0] == 'x') {
    const auto byte = fixed_digits(text.substr(1), 2, 16);
    if (!byte || *byte == 0) return 0;
    out += static_cast<char>(*byte);
    return 3;
  }
  if (text[0] != 'u' && text[0] != 'U') return 0;
  const std::size_t digits = text[0] == 'u' ? 4 : 8;
  const auto code = fixed_digits(text.substr(1), digits, 16);
  if (!code || !is_code_point(*code) || (digits == 8 && is_noncharacter(*code))) return 0;
  append_utf8(out, static_cast<char32_t>(*code));
  return 1 + digits;
}

Result<std::optional<std::string>, std::string> WordReader::take(WordFlags flags) {
  using Word = std::optional<std::string>;
  if (ended_) return Word{};
  const bool keep_empty = has(flags, WordFlags::KeepEmpty);
  const auto is_separator = [&](char c) { return separators_.find(c) != std::string_view::npos; };

  std::size_t i = keep_empty ? 0 : std::min(rest_.find_first_not_of(separators_), rest_.size());
  if (i == rest_.size()) {
    ended_ = true;
    rest_ = {};
    return keep_empty ? Word{""} : Word{};
  }

  std::string word;
  char quote = 0;
  while (i < rest_.size()) {
    const char c = rest_[i++];
    if (c == '\\' && !has(flags, WordFlags::RetainEscapes)) {
      const std::string_view behind = rest_.substr(i);
      if (behind.empty()) {
        // An open quote is found out about below.
        if (has(flags, WordFlags::RelaxEscapes))
          word += '\\';
        else if (!has(flags, WordFlags::Relax))
          return Failure{std::string("expected a character after the last backslash")};
        break;
      }
      const bool separators = has(flags, WordFlags::UnescapeSeparators);
      std::size_t taken = has(flags, WordFlags::CUnescape) ? unescape_one(behind, word) : 0;
      if (taken == 0) {
        const bool plain = !has(flags, WordFlags::CUnescape) && !separators;
        const bool guarded = separators && (is_separator(behind[0]) || behind[0] == '\\');
        if (!plain && !guarded) {
          if (!has(flags, WordFlags::RelaxEscapes))
            return Failure{format("unknown escape \"\\{}\"", c_escape(behind.substr(0, 1)))};
          word += '\\';
        }
        word += behind[0];
        taken = 1;
      }
      i += taken;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
      if (quote != 0 || !has(flags, WordFlags::Unquote)) word += c;
    } else if ((c == '"' || c == '\'') && has(flags, WordFlags::Unquote | WordFlags::KeepQuotes)) {
      quote = c;
      if (!has(flags, WordFlags::Unquote)) word += c;
    } else if (is_separator(c)) {
      if (!keep_empty) i = std::min(rest_.find_first_not_of(separators_, i), rest_.size());
      rest_.remove_prefix(i);
      return Word{std::move(word)};
    } else {
      word += c;
    }
  }
  if (quote != 0 && !has(flags, WordFlags::Relax))
    return Failure{format("expected a closing {}", quote)};
  ended_ = true;
  rest_ = {};
  return Word{std::move(word)};
}

Result<std::optional<std::string>, std::string> WordReader::next() {
  return take(flags_);
}

Result<std::optional<std::string>, std::string> WordReader::next_lenient(std::string& warning) {
  auto word = take(flags_);
  if (word || has(flags_, WordFlags::RetainEscapes)) return word;
  auto relaxed = take(flags_ | WordFlags::RelaxEscapes);
  if (relaxed) warning = format("{} kept as it is: \"{}\"", word.error(), c_escape(**relaxed));
  return relaxed;
}

Result<std::vector<std::string>, std::string> split_words(std::string_view text, WordFlags flags,
                                                          std::string_view separators) {
  std::vector<std::string> words;
  WordReader reader(text, flags, separators);
  for (;;) {
    auto word = reader.next();
    if (!word) return Failure{std::move(word).error()};
    if (!*word) return words;
    words.push_back(std::move(**word));
  }
}

std::string quote_word(std::string_view text, WordFlags flags) {
  std::string out;
  if (!has(flags, WordFlags::Unquote)) {  // a backslash alone protects
    for (const char c : text) {
      if (is_space(c) || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }
  const bool retains = has(flags, WordFlags::RetainEscapes);
  const auto needs_quotes = [retains](char c) {
    return is_space(c) || is_control(c) || c == '"' || c == '\'' || (c == '\\' && !retains);
  };
  if (!text.empty() && std::none_of(text.begin(), text.end(), needs_quotes))
    return std::string(text);
  // Where no escape is undone a quote that is part of the word stands in the other ones.
  const auto quote_for = [retains](char c) { return retains && c == '"' ? '\'' : '"'; };
  char quote = text.empty() ? '"' : quote_for(text[0]);
  out = quote;
  for (const char c : text) {
    if (retains && c == quote) {
      out += quote;
      quote = quote_for(c);
      out.append(1, quote).append(1, c);
    } else if (!retains && (c == '"' || c == '\\')) {
      out.append(1, '\\').append(1, c);
    } else if (is_control(c) && has(flags, WordFlags::CUnescape)) {
      out += c_escape(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out += quote;
}

std::string join_words(const std::vector<std::string>& words, WordFlags flags) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += quote_word(word, flags);
  }
  return out;
}

}  // namespace onset
