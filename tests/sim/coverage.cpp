#include "sim/coverage.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"

namespace onset::sim {
namespace {

std::size_t number_of(std::string_view event) {
  const auto at = std::ranges::find(test::kEventNames, event);
  return static_cast<std::size_t>(std::min(at, test::kEventNames.end() - 1) -
                                  test::kEventNames.begin());
}

std::optional<ServicePhase> phase_named(std::string_view name) {
  for (unsigned p = 0; p < kServicePhases; ++p) {
    if (to_string(static_cast<ServicePhase>(p)) == name) return static_cast<ServicePhase>(p);
  }
  return std::nullopt;
}

/// `count` if none has that name.
template <class Enum>
std::size_t number_named(std::string_view name, std::size_t count) {
  std::size_t i = 0;
  while (i < count && to_string(static_cast<Enum>(i)) != name) ++i;
  return i;
}

constexpr std::string_view kRootSlice = "-.slice";

using Cells = std::vector<std::string_view>;

/// Each row of the table that begins so.
template <class Take>
void read_table(std::string_view document, std::string_view head, Take take) {
  const std::size_t begin = document.find(head);
  if (begin == std::string_view::npos) return;
  for (const std::string_view line : split(document.substr(begin), '\n')) {
    if (!line.starts_with("|")) break;
    Cells cells;
    for (const std::string_view cell : split(line, '|')) cells.push_back(trim(cell));
    if (cells.size() > 2 && !cells[1].starts_with("-")) take(cells);
  }
}

std::vector<PlainRow> plain_rows(std::string_view document, std::string_view head) {
  std::vector<PlainRow> rows;
  read_table(document, head, [&](const Cells& cells) {
    if (cells.size() < 7 || cells[1] == "unit") return;
    // Whether it is mounted is seen by what comes of it.
    const std::string_view unit = cells[1].substr(0, cells[1].find(','));
    rows.push_back({std::string(unit), std::string(cells[2]), std::string(cells[3]),
                    std::string(cells[4]), std::string(cells[5])});
  });
  return rows;
}

std::vector<Edge> edges(std::string_view document, std::string_view head) {
  std::vector<Edge> found;
  read_table(document, head, [&](const Cells& cells) {
    const auto from = phase_named(cells[1]);
    if (!from || cells.size() < 5) return;
    const auto to = cells[3] == "–" ? from : phase_named(cells[3]);
    if (to) found.push_back({*from, std::string(cells[2]), *to});
  });
  return found;
}

Coverage* current = nullptr;

}  // namespace

void set_coverage(Coverage* coverage) {
  current = coverage;
}
Coverage* coverage() {
  return current;
}

void Coverage::step(ServicePhase from, const ServiceEvent& event, const ServiceState& state,
                    ServicePhase to) {
  steps_.set(index(from, number_of(test::event_name(event, state)), to));
}

void Coverage::job_ended(JobType type, JobResult result) {
  jobs_.set(static_cast<std::size_t>(type) * kResults + static_cast<std::size_t>(result));
}

void Coverage::requested(JobType type, ServicePhase phase) {
  requests_.set(static_cast<std::size_t>(type) * kServicePhases + static_cast<std::size_t>(phase));
}

void Coverage::service_started(const Unit& unit) {
  ++types_[static_cast<std::size_t>(unit.service->type)];
  ++restarts_[static_cast<std::size_t>(unit.service->restart)];
  ++kill_modes_[static_cast<std::size_t>(unit.kill != nullptr ? unit.kill->mode
                                                              : KillMode::ControlGroup)];
}

std::size_t Coverage::plain_index(std::size_t unit, ActiveState from, JobType job, ActiveState to,
                                  std::size_t result) {
  std::size_t index = unit * kActiveStates + static_cast<std::size_t>(from);
  index = index * kJobTypes + static_cast<std::size_t>(job);
  index = index * kActiveStates + static_cast<std::size_t>(to);
  return index * (kResults + 1) + result;
}

void Coverage::plain_job(const Unit& unit, ActiveState from, JobType job, ActiveState to,
                         std::optional<JobResult> result) {
  const std::size_t number =
      unit.id == kRootSlice ? kUnitTypes : static_cast<std::size_t>(unit.type);
  plain_.set(
      plain_index(number, from, job, to, result ? static_cast<std::size_t>(*result) : kResults));
}

bool Coverage::has(const PlainRow& row) const {
  const std::size_t unit = number_named<UnitType>(row.unit, kUnitTypes);  // "`-.slice`": the last
  const std::size_t from = number_named<ActiveState>(row.state, kActiveStates);
  const std::size_t job = number_named<JobType>(row.job, kJobTypes);
  const std::size_t to = number_named<ActiveState>(row.next, kActiveStates);
  const std::size_t result = number_named<JobResult>(row.result, kResults);  // "refused": the last
  return from < kActiveStates && job < kJobTypes && to < kActiveStates &&
         plain_.test(plain_index(unit, static_cast<ActiveState>(from), static_cast<JobType>(job),
                                 static_cast<ActiveState>(to), result));
}

void Coverage::add(const Coverage& other) {
  requests_ |= other.requests_;
  plain_ |= other.plain_;
  for (std::size_t i = 0; i < types_.size(); ++i) types_[i] += other.types_[i];
  for (std::size_t i = 0; i < restarts_.size(); ++i) restarts_[i] += other.restarts_[i];
  for (std::size_t i = 0; i < kill_modes_.size(); ++i) kill_modes_[i] += other.kill_modes_[i];
  steps_ |= other.steps_;
  jobs_ |= other.jobs_;
  looks_ += other.looks_;
  excused_ += other.excused_;
}

bool Coverage::has(ServicePhase from, std::string_view event, ServicePhase to) const {
  return steps_.test(index(from, number_of(event), to));
}

std::size_t Coverage::phases() const {
  std::size_t reached = 0;
  for (unsigned to = 0; to < kServicePhases; ++to) {
    bool is_reached = false;
    for (unsigned from = 0; from < kServicePhases; ++from) {
      for (std::size_t e = 0; e < kEvents; ++e)
        is_reached |=
            steps_.test(index(static_cast<ServicePhase>(from), e, static_cast<ServicePhase>(to)));
    }
    reached += is_reached ? 1 : 0;
  }
  return reached;
}

std::vector<Edge> edges_of(std::string_view document) {
  return edges(document, "| phase | event | next | actions |");
}

std::vector<Edge> ways_not_taken(std::string_view document) {
  return edges(document, "| phase | event | next | why not |");
}

std::vector<Edge> ways_of(std::string_view document) {
  std::vector<Edge> ways;
  read_table(document, "| phase | next | by |", [&](const Cells& cells) {
    const auto from = phase_named(cells[1]);
    const auto to = phase_named(cells[2]);
    if (!from || !to) return;
    for (const std::string_view event : split(cells[3], ';'))
      ways.push_back({*from, std::string(trim(event)), *to});
  });
  return ways;
}

std::vector<PlainRow> plain_rows_of(std::string_view document) {
  return plain_rows(document, "| unit | state | job | next | result |");
}

std::vector<PlainRow> plain_rows_not_reached(std::string_view document) {
  return plain_rows(document, "| unit | state | job | next | result, and why not |");
}

}  // namespace onset::sim
