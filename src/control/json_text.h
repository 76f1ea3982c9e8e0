#pragma once
// JSON between text and values. The bytes are judged by one scan before
// anything is built from them, so that hostile text costs its own length and
// no more. Nothing here throws, for any bytes.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "control/json.h"

namespace onset {

struct JsonLimits {
  std::size_t bytes = std::size_t{1} << 20;
  unsigned depth = 64;
  /// Values, counted by the punctuation between them: what bounds the heap.
  std::size_t values = std::size_t{1} << 16;
};

/// The text as one value; the error is a sentence for the sender.
Result<void, std::string> parse_json(std::string_view text, const JsonLimits& limits, Json& out);

/// On one line, as UTF-8: what is not becomes U+FFFD.
std::string dump_json(const Json& value);

}  // namespace onset
