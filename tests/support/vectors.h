#pragma once
// The vectors that systemd's own tools gave (tests/oracle/make-vectors): rows of
// tab-parted fields, escaped in C's way. Undone here with code of its own, not
// with the code under test.

#include <string>
#include <string_view>
#include <vector>

namespace onset::test {

using Row = std::vector<std::string>;

/// Answers of "!" stand for a text that systemd refuses.
inline constexpr std::string_view kRefused = "!";

/// tests/oracle/NAME.tsv; a test that finds no rows must fail, so it throws if
/// there are none.
std::vector<Row> read_vectors(std::string_view name);

/// The parts of `text` at `separator`; none for an empty text.
std::vector<std::string> parts(std::string_view text, char separator);

}  // namespace onset::test
