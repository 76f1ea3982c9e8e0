#include "cli/top_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "control/json.h"
#include "unit/pressure.h"

namespace onset {
namespace {

using json = Json;

constexpr std::string_view kNothing = "-";

/// A count that went back is another one: the unit was started anew.
std::optional<double> rate(std::optional<std::uint64_t> before, std::optional<std::uint64_t> now,
                           double seconds) {
  if (!before || !now || *now < *before || seconds <= 0) return std::nullopt;
  return static_cast<double>(*now - *before) / seconds;
}

std::optional<unsigned> pressure_of(const UnitUse& use) {
  return std::max({use.cpu_pressure, use.memory_pressure, use.io_pressure});
}

/// What rows are sorted by; empty comes last.
std::optional<double> key_of(const TopRow& row, TopOrder order) {
  const auto number = [](const auto& value) {
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
  };
  switch (order) {
    case TopOrder::Cpu:
      return row.cpu_percent;
    case TopOrder::Memory:
      return number(row.use.memory);
    case TopOrder::Io:
      if (!row.read_rate && !row.write_rate) return std::nullopt;
      return row.read_rate.value_or(0) + row.write_rate.value_or(0);
    case TopOrder::Tasks:
      return number(row.use.tasks);
    case TopOrder::Pressure:
      return number(pressure_of(row.use));
    case TopOrder::Name:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string percent_cell(std::optional<double> percent) {
  return percent ? format("{:.1f}", *percent) : std::string(kNothing);
}
std::string bytes_cell(std::optional<double> bytes) {
  return bytes ? format_bytes(static_cast<std::uint64_t>(*bytes)) : std::string(kNothing);
}
Table::Cell pressure_cell(Scarce what, std::optional<unsigned> share) {
  constexpr double kPercent = 100;
  if (!share) return {std::string(kNothing)};
  return {format("{:.1f}", *share / kPercent),
          *share >= starves_from(what) ? Tone::Warn : Tone::Plain};
}

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

}  // namespace

std::optional<TopOrder> top_order_from(std::string_view word) {
  static constexpr std::pair<std::string_view, TopOrder> kWords[] = {
      {"cpu", TopOrder::Cpu},     {"memory", TopOrder::Memory},     {"io", TopOrder::Io},
      {"tasks", TopOrder::Tasks}, {"pressure", TopOrder::Pressure}, {"name", TopOrder::Name},
  };
  for (const auto& [name, order] : kWords) {
    if (word == name || word == name.substr(0, 1)) return order;
  }
  return std::nullopt;
}

std::vector<TopRow> top_rows(const Uses& before, const Uses& now, Duration between,
                             TopOrder order) {
  constexpr double kMicro = 1e6;
  constexpr double kPercent = 100;
  const double seconds = static_cast<double>(between.count()) / kMicro;
  std::vector<TopRow> rows;
  for (const auto& [unit, use] : now) {
    const auto found = before.find(unit);
    const UnitUse was = found == before.end() ? UnitUse{} : found->second;
    TopRow row{unit, use, rate(was.cpu_us, use.cpu_us, seconds), rate(was.read, use.read, seconds),
               rate(was.written, use.written, seconds)};
    if (row.cpu_percent) *row.cpu_percent *= kPercent / kMicro;
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(rows, [order](const TopRow& a, const TopRow& b) {
    return key_of(a, order) > key_of(b, order);  // they come by name
  });
  return rows;
}

std::string top_text(const std::vector<TopRow>& rows, const Palette& palette, std::size_t width,
                     std::size_t lines) {
  Table table({"CPU%", "MEMORY", "TASKS", "READ/s", "WRITE/s", "CPUw%", "MEMw%", "IOw%", "UNIT"});
  for (const TopRow& row : rows) {
    if (lines != 0 && table.rows() == lines) break;
    const UnitUse& use = row.use;
    std::string memory(kNothing);
    if (use.memory) memory = (use.memory_is_resident ? "~" : "") + format_bytes(*use.memory);
    table.add({percent_cell(row.cpu_percent), memory,
               use.tasks ? format("{}", *use.tasks) : std::string(kNothing),
               bytes_cell(row.read_rate), bytes_cell(row.write_rate),
               pressure_cell(Scarce::Cpu, use.cpu_pressure),
               pressure_cell(Scarce::Memory, use.memory_pressure),
               pressure_cell(Scarce::Io, use.io_pressure), printable(row.unit)});
  }
  constexpr std::size_t kUnitColumn = 8;
  return table.text(palette, true, width, kUnitColumn);
}

json top_json(const std::vector<TopRow>& rows) {
  json list = json::array();
  for (const TopRow& row : rows) {
    const UnitUse& use = row.use;
    list.push_back({{"unit", row.unit},
                    {"cpu_percent", or_null(row.cpu_percent)},
                    {"cpu_us", or_null(use.cpu_us)},
                    {"memory", or_null(use.memory)},
                    {"memory_is_resident", use.memory_is_resident},
                    {"tasks", or_null(use.tasks)},
                    {"read_rate", or_null(row.read_rate)},
                    {"write_rate", or_null(row.write_rate)},
                    {"cpu_pressure", or_null(use.cpu_pressure)},
                    {"memory_pressure", or_null(use.memory_pressure)},
                    {"io_pressure", or_null(use.io_pressure)}});
  }
  return list;
}

}  // namespace onset
