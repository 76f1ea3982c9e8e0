#pragma once
// What units use, between two looks: rows, their order, and how they are shown.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/render.h"
#include "cli/usage_reader.h"
#include "control/json.h"

namespace onset {

enum class TopOrder : std::uint8_t { Cpu, Memory, Io, Tasks, Pressure, Name };
/// "cpu", "memory", "io", "tasks", "pressure", "name", or their first letters.
std::optional<TopOrder> top_order_from(std::string_view word);

struct TopRow {
  std::string unit;
  UnitUse use;
  std::optional<double> cpu_percent;  ///< of one CPU
  std::optional<double> read_rate;    ///< bytes a second
  std::optional<double> write_rate;
};

/// Sorted, the largest first; what is not known comes last, and names decide.
std::vector<TopRow> top_rows(const Uses& before, const Uses& now, Duration between, TopOrder order);

/// At most `lines` of them, 0: all.
std::string top_text(const std::vector<TopRow>& rows, const Palette& palette, std::size_t width,
                     std::size_t lines);
Json top_json(const std::vector<TopRow>& rows);

}  // namespace onset
