#include "base/octal_escape.h"

#include "base/text.h"

namespace onset {

std::string unescape_octal(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.size() - i > kDigits) {
      const auto code = parse_uint<unsigned char>(text.substr(i + 1, kDigits), 8);
      if (code && *code != 0) {
        plain += static_cast<char>(*code);
        i += kDigits;
        continue;
      }
    }
    plain += text[i];
  }
  return plain;
}

}  // namespace onset
