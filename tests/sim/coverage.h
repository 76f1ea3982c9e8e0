#pragma once
// What the worlds have reached: every step of a service's machine as (phase, event,
// next phase), and every end of a job. docs/states.md says which there are.

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/service.h"
#include "graph/job_type.h"

namespace onset::sim {

inline constexpr std::array<std::string_view, 26> kEventNames{"start",
                                                              "start limit",
                                                              "stop",
                                                              "reload",
                                                              "main exits, 0",
                                                              "main exits, 1",
                                                              "command exits, 0",
                                                              "command exits, 1",
                                                              "unit empty",
                                                              "deadline",
                                                              "watchdog",
                                                              "READY=1",
                                                              "RELOADING=1",
                                                              "STOPPING=1",
                                                              "WATCHDOG=trigger",
                                                              "OOM kill",
                                                              "restart queued",
                                                              "passed",
                                                              "reset-failed",
                                                              "spawned",
                                                              "spawn failed",
                                                              "execve done",
                                                              "kill answered",
                                                              "main found",
                                                              "name owned",
                                                              "other"};

class Coverage {
 public:
  void step(ServicePhase from, const ServiceEvent& event, const ServiceState& state,
            ServicePhase to);
  void job_ended(JobType type, JobResult result);
  void add(const Coverage& other);

  [[nodiscard]] std::size_t phases() const;
  [[nodiscard]] std::size_t transitions() const { return steps_.count(); }
  [[nodiscard]] std::size_t job_ends() const { return jobs_.count(); }
  [[nodiscard]] bool has(ServicePhase from, std::string_view event, ServicePhase to) const;

 private:
  static constexpr std::size_t kEvents = kEventNames.size();
  static constexpr std::size_t kResults = 11;
  [[nodiscard]] static std::size_t index(ServicePhase from, std::size_t event, ServicePhase to) {
    return (static_cast<std::size_t>(from) * kEvents + event) * kServicePhases +
           static_cast<std::size_t>(to);
  }
  std::bitset<kServicePhases * kEvents * kServicePhases> steps_;
  std::bitset<kJobTypes * kResults> jobs_;
};

/// The rows "| phase | event | next | …" of the first table of docs/states.md.
struct Edge {
  ServicePhase from{};
  std::string event;
  ServicePhase to{};
};
std::vector<Edge> edges_of(std::string_view states_document);

/// Where step() is told (coverage_probe.cpp); null: nowhere.
void set_coverage(Coverage* coverage);
Coverage* coverage();

}  // namespace onset::sim
