#pragma once
// A value cut into words: quotes, escapes and separators as systemd.syntax(7),
// QUOTING, has them. As systemd itself, and beyond that page, a quote may open
// and close in the middle of a word: a"b c"d is one word.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace onset {

enum class WordFlags : std::uint8_t {
  None = 0,
  Unquote = 1,             ///< quotes group, and are removed
  KeepQuotes = 2,          ///< quotes group, and stay
  CUnescape = 4,           ///< C escapes are decoded; an unknown one is an error
  UnescapeSeparators = 8,  ///< a backslash before a separator or a backslash protects it
  RelaxEscapes = 16,       ///< an escape that is not known stays as it is
  RetainEscapes = 32,      ///< a backslash is a character like others
  Relax = 64,              ///< the end of the text closes an open quote
  KeepEmpty = 128,         ///< two separators in a row have an empty word between them
};
constexpr WordFlags operator|(WordFlags a, WordFlags b) noexcept {
  return static_cast<WordFlags>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool has(WordFlags set, WordFlags flag) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(flag)) != 0;
}

/// What most list settings use: quotes removed, escapes decoded.
inline constexpr WordFlags kUnquoteAndUnescape = WordFlags::Unquote | WordFlags::CUnescape;

/// Takes one word after the other off a text. Without a flag about escapes a
/// backslash goes and the next character stays.
class WordReader {
 public:
  explicit WordReader(std::string_view text, WordFlags flags,
                      std::string_view separators = kWhitespace) noexcept
      : rest_(text), separators_(separators), flags_(flags) {}

  /// The next word; none at the end; the error says what is wrong, and the text
  /// then stands where it stood before.
  Result<std::optional<std::string>, std::string> next();
  /// As next(), but unknown escapes are kept and told in `warning`: what systemd
  /// does for exec lines and most lists.
  Result<std::optional<std::string>, std::string> next_lenient(std::string& warning);

  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
  void set_rest(std::string_view rest) noexcept { rest_ = rest; }

 private:
  Result<std::optional<std::string>, std::string> take(WordFlags flags);

  std::string_view rest_;
  std::string_view separators_;
  WordFlags flags_;
  bool ended_ = false;
};

Result<std::vector<std::string>, std::string> split_words(
    std::string_view text, WordFlags flags = kUnquoteAndUnescape,
    std::string_view separators = kWhitespace);

/// One C escape, `text` beginning behind the backslash. Appends what it stands
/// for and returns how many characters it took; 0: not an escape, or one for NUL.
std::size_t unescape_one(std::string_view text, std::string& out);

/// `text` in quotes if it needs them, so that split_words with the same flags (None, or
/// Unquote with CUnescape or RetainEscapes) gives it back. None can't give an empty word.
std::string quote_word(std::string_view text, WordFlags flags = kUnquoteAndUnescape);
/// Words as one value that split_words takes apart again.
std::string join_words(const std::vector<std::string>& words,
                       WordFlags flags = kUnquoteAndUnescape);

}  // namespace onset
