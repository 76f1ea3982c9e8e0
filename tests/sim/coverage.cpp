#include "sim/coverage.h"

#include <algorithm>
#include <optional>

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

void Coverage::plain_changed(UnitType type, ActiveState from, ActiveState to) {
  plain_.set(plain_index(type, from, to));
}

void Coverage::add(const Coverage& other) {
  requests_ |= other.requests_;
  plain_ |= other.plain_;
  for (std::size_t i = 0; i < types_.size(); ++i) types_[i] += other.types_[i];
  for (std::size_t i = 0; i < restarts_.size(); ++i) restarts_[i] += other.restarts_[i];
  for (std::size_t i = 0; i < kill_modes_.size(); ++i) kill_modes_[i] += other.kill_modes_[i];
  steps_ |= other.steps_;
  jobs_ |= other.jobs_;
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
  std::vector<Edge> edges;
  const std::size_t begin = document.find("| phase | event | next |");
  if (begin == std::string_view::npos) return edges;
  for (const std::string_view line : split(document.substr(begin), '\n')) {
    if (!line.starts_with("|")) break;
    const auto cells = split(line, '|');
    if (cells.size() < 4) continue;
    const auto from = phase_named(trim(cells[1]));
    if (!from) continue;
    const std::string_view next = trim(cells[3]);
    const auto to = next == "–" ? from : phase_named(next);
    if (to) edges.push_back({*from, std::string(trim(cells[2])), *to});
  }
  return edges;
}

}  // namespace onset::sim
