#pragma once
// Text for people: colours, columns, times, sizes. What comes from a service or
// a file passes printable() before it reaches a terminal.

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace onset {

enum class Tone : unsigned char { Plain, Good, Bad, Warn, Dim, Strong, Underline };

/// Colours on, or text as it is.
struct Palette {
  bool colours = false;
  [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;
};

/// Control characters (C0, DEL, C1) and what is not UTF-8 as \xNN; all else stays,
/// the backslash too, so that a script reads what is there.
std::string printable(std::string_view text);

/// JSON text with DEL and the C1 controls as \u00xx too; JSON itself lets them stand.
std::string printable_json(std::string_view text);
/// How many columns the text takes, one for each character.
std::size_t display_width(std::string_view text);
/// At most `width` columns; what is cut ends in "…". 0: as it is.
std::string ellipsize(std::string_view text, std::size_t width);
std::string pad_right(std::string_view text, std::size_t width);

/// --timestamp= of systemctl(1).
enum class TimeStyle : unsigned char { Pretty, Unix, Us, Utc, UsUtc };
/// "Tue 2026-11-24 06:13:02 UTC", in the local time zone unless the style has its own.
std::string format_time(std::int64_t realtime_us, TimeStyle style = TimeStyle::Pretty);
/// "5s ago", "1h 3min left", as systemctl words it: two units at most.
std::string format_age(std::int64_t realtime_us, WallTime now);
/// "1min 5.250s", "435ms": a span with all its parts, down to milliseconds.
std::string format_lasting(std::int64_t us);
/// "1.5M".
std::string format_bytes(std::uint64_t bytes);

/// Columns as wide as their widest cell, one space between; the last is not
/// padded. Text only: colours are put on when it is laid out.
class Table {
 public:
  struct Cell {
    Cell(std::string t = {}, Tone cell_tone = Tone::Plain) : text(std::move(t)), tone(cell_tone) {}
    std::string text;
    Tone tone;
  };
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// `width` 0: as wide as it gets; else the last column, and then the first
  /// that can be cut (`flexible`), gives way.
  [[nodiscard]] std::string text(const Palette& palette, bool with_header, std::size_t width,
                                 std::size_t flexible) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<Cell>> rows_;
};

/// The dot of a state: ● ○ × ↻, and its colour.
std::string_view state_dot(std::string_view active);
Tone state_tone(std::string_view active);

}  // namespace onset
