#pragma once
// What the worlds have reached: every step of a service's machine as (phase, event,
// next phase), and every end of a job. docs/states.md says which there are.

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/service.h"
#include "graph/job_type.h"
#include "support/event_names.h"

namespace onset::sim {

inline constexpr std::size_t kServiceTypes = 8;
inline constexpr std::size_t kRestarts = 7;
inline constexpr std::size_t kKillModes = 4;

/// A job of a unit without processes: the words of docs/states.md.
struct PlainRow {
  std::string unit;  ///< its type, or "`-.slice`"
  std::string state;
  std::string job;
  std::string next;
  std::string result;  ///< "refused": there was no job
  bool operator==(const PlainRow&) const = default;
};

class Coverage {
 public:
  void step(ServicePhase from, const ServiceEvent& event, const ServiceState& state,
            ServicePhase to);
  void job_ended(JobType type, JobResult result);
  /// Somebody asks for a job of a service in that phase.
  void requested(JobType type, ServicePhase phase);
  /// A service with that configuration starts.
  void service_started(const Unit& unit);
  /// Of a unit without processes.
  void plain_changed(UnitType, ActiveState, ActiveState) {}  // told by plain_job() as well
  /// Of such a unit, by its name; no result: it was refused.
  void plain_job(const Unit& unit, ActiveState from, JobType job, ActiveState to,
                 std::optional<JobResult> result);
  [[nodiscard]] bool has(const PlainRow& row) const;
  /// At what units are to one another; excused: the manuals let the manager leave it.
  void looked(bool is_excused) { ++(is_excused ? excused_ : looks_); }
  void add(const Coverage& other);

  [[nodiscard]] std::size_t phases() const;
  [[nodiscard]] std::size_t transitions() const { return steps_.count(); }
  [[nodiscard]] std::size_t job_ends() const { return jobs_.count(); }
  [[nodiscard]] std::size_t requests() const { return requests_.count(); }
  [[nodiscard]] bool has(JobType type, ServicePhase phase) const {
    return requests_.test(static_cast<std::size_t>(type) * kServicePhases +
                          static_cast<std::size_t>(phase));
  }
  [[nodiscard]] const auto& types() const { return types_; }
  [[nodiscard]] const auto& restarts() const { return restarts_; }
  [[nodiscard]] const auto& kill_modes() const { return kill_modes_; }
  [[nodiscard]] std::uint64_t looks() const { return looks_ + excused_; }
  [[nodiscard]] std::uint64_t excused() const { return excused_; }
  [[nodiscard]] bool has(ServicePhase from, std::string_view event, ServicePhase to) const;

 private:
  static constexpr std::size_t kEvents = test::kEventNames.size();
  static constexpr std::size_t kResults = 11;
  [[nodiscard]] static std::size_t index(ServicePhase from, std::size_t event, ServicePhase to) {
    return (static_cast<std::size_t>(from) * kEvents + event) * kServicePhases +
           static_cast<std::size_t>(to);
  }
  static constexpr std::size_t kActiveStates = 7;
  /// Of a row as numbers: a unit's type, or one behind them for -.slice.
  [[nodiscard]] static std::size_t plain_index(std::size_t unit, ActiveState from, JobType job,
                                               ActiveState to, std::size_t result);
  std::bitset<kJobTypes * kServicePhases> requests_;
  std::array<std::uint64_t, kServiceTypes> types_{};
  std::array<std::uint64_t, kRestarts> restarts_{};
  std::array<std::uint64_t, kKillModes> kill_modes_{};
  std::bitset<(kUnitTypes + 1) * kActiveStates * kJobTypes * kActiveStates*(kResults + 1)> plain_;
  std::bitset<kServicePhases * kEvents * kServicePhases> steps_;
  std::bitset<kJobTypes * kResults> jobs_;
  std::uint64_t looks_ = 0;
  std::uint64_t excused_ = 0;
};

/// "| phase | event | next | …", "| phase | next | event; event |" and "| phase | event | next |
/// why not |" of docs/states.md.
struct Edge {
  ServicePhase from{};
  std::string event;
  ServicePhase to{};
  bool operator==(const Edge&) const = default;
};
std::vector<Edge> edges_of(std::string_view states_document);
std::vector<Edge> ways_of(std::string_view states_document);
std::vector<Edge> ways_not_taken(std::string_view states_document);

/// "| unit | state | job | next | result |", and what of it does not come.
std::vector<PlainRow> plain_rows_of(std::string_view states_document);
std::vector<PlainRow> plain_rows_not_reached(std::string_view states_document);

/// Where step() is told (coverage_probe.cpp); null: nowhere.
void set_coverage(Coverage* coverage);
Coverage* coverage();

}  // namespace onset::sim
