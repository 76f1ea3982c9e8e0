#pragma once
// Lists of the words that an option takes: what "help" as its value prints.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace onset {

/// A line each, below the title if there is one.
std::string listing(std::string_view title, std::span<const std::string_view> words);
inline std::string listing(std::string_view title, std::initializer_list<std::string_view> words) {
  return listing(title, std::span(words.begin(), words.size()));
}
std::string type_words();
/// The words that units of the types that onset runs can be in.
std::string state_words();
/// "HUP", or with numbers a table "1      SIGHUP".
std::string signal_words(bool with_numbers);

}  // namespace onset
