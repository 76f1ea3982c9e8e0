#include "unit/enum_words.h"

namespace onset {

std::string expected_words(const std::string_view* words, std::size_t count) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += words[i];
  }
  return text;
}

}  // namespace onset
