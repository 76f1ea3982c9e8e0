#include "sim/coverage.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace onset::sim {
namespace {

std::string_view of_notification(const NotifyMessage& m) {
  if (m.watchdog_trigger) return "WATCHDOG=trigger";
  if (m.stopping) return "STOPPING=1";
  if (m.reloading) return "RELOADING=1";
  return m.ready ? "READY=1" : "other";
}

struct NameOf {
  const ServiceState& state;
  std::string_view operator()(const StartRequested&) const { return "start"; }
  std::string_view operator()(const StartLimitHit&) const { return "start limit"; }
  std::string_view operator()(const StopRequested&) const { return "stop"; }
  std::string_view operator()(const ReloadRequested&) const { return "reload"; }
  std::string_view operator()(const Spawned&) const { return "spawned"; }
  std::string_view operator()(const SpawnFailed&) const { return "spawn failed"; }
  std::string_view operator()(const ExecDone&) const { return "execve done"; }
  std::string_view operator()(const ProcessExited& e) const {
    const bool is_zero = e.status.kind == ExitKind::Exited && e.status.value == 0;
    if (e.pid == state.main.pid) return is_zero ? "main exits, 0" : "main exits, 1";
    return is_zero ? "command exits, 0" : "command exits, 1";
  }
  std::string_view operator()(const UnitEmpty&) const { return "unit empty"; }
  std::string_view operator()(const KillAnswer&) const { return "kill answered"; }
  std::string_view operator()(const MainPidFound&) const { return "main found"; }
  std::string_view operator()(const DeadlineElapsed&) const { return "deadline"; }
  std::string_view operator()(const WatchdogElapsed&) const { return "watchdog"; }
  std::string_view operator()(const BusNameChanged& e) const {
    return e.owned ? "name owned" : "other";
  }
  std::string_view operator()(const OomKilled&) const { return "OOM kill"; }
  std::string_view operator()(const QueueIdle&) const { return "other"; }
  std::string_view operator()(const NotifyMessage& m) const { return of_notification(m); }
  std::string_view operator()(const RestartQueued&) const { return "restart queued"; }
  std::string_view operator()(const Passed&) const { return "passed"; }
  std::string_view operator()(const ResetFailed&) const { return "reset-failed"; }
};

std::size_t number_of(std::string_view event) {
  const auto at = std::ranges::find(kEventNames, event);
  return static_cast<std::size_t>(std::min(at, kEventNames.end() - 1) - kEventNames.begin());
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
  steps_.set(index(from, number_of(std::visit(NameOf{state}, event)), to));
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
