#include "sim/coverage_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onset::sim {
namespace {

constexpr std::array<std::string_view, kJobTypes> kJobNames{
    "start", "verify-active", "stop",       "reload",         "restart",
    "nop",   "try-restart",   "try-reload", "reload-or-start"};

void print_counts(std::string_view what, std::span<const std::uint64_t> counts,
                  std::span<const std::string_view> names) {
  std::printf("%s:", std::string(what).c_str());
  for (std::size_t i = 0; i < names.size(); ++i)
    std::printf(" %s %llu", std::string(names[i]).c_str(),
                static_cast<unsigned long long>(counts[i]));
  std::printf("\n");
}

/// Every job type is asked for in every phase, and every configuration starts. Whether all do.
bool print_requests(const Coverage& coverage) {
  using namespace std::string_view_literals;
  constexpr std::array kTypes{"simple"sv, "exec"sv,   "forking"sv,       "oneshot"sv,
                              "dbus"sv,   "notify"sv, "notify-reload"sv, "idle"sv};
  constexpr std::array kRestartNames{"no"sv,          "on-success"sv,  "on-failure"sv,
                                     "on-abnormal"sv, "on-watchdog"sv, "on-abort"sv,
                                     "always"sv};
  constexpr std::array kModes{"control-group"sv, "process"sv, "mixed"sv, "none"sv};
  static_assert(kTypes.size() == kServiceTypes && kRestartNames.size() == kRestarts &&
                kModes.size() == kKillModes);
  print_counts("starts of Type=", coverage.types(), kTypes);
  print_counts("starts of Restart=", coverage.restarts(), kRestartNames);
  print_counts("starts of KillMode=", coverage.kill_modes(), kModes);
  std::size_t missed = 0;
  for (unsigned type = 0; type < kJobTypes; ++type) {
    for (unsigned p = 0; p < kServicePhases; ++p) {
      const auto phase = static_cast<ServicePhase>(p);
      if (coverage.has(static_cast<JobType>(type), phase)) continue;
      // These two last no time but where memory runs out: not every short run is there.
      const bool is_rare = phase == ServicePhase::DeadBeforeAutoRestart ||
                           phase == ServicePhase::FailedBeforeAutoRestart;
      if (!is_rare) ++missed;
      std::printf("not asked for: %s in %s\n", std::string(kJobNames[type]).c_str(),
                  std::string(to_string(phase)).c_str());
    }
  }
  std::printf("%zu of %u job types in phases\n", coverage.requests(), kJobTypes * kServicePhases);
  const auto all = [](const auto& counts) { return std::ranges::find(counts, 0U) == counts.end(); };
  return missed == 0 && all(coverage.types()) && all(coverage.restarts()) &&
         all(coverage.kill_modes());
}

/// Units without processes come up and go down. Whether all do that can: a scope has no file.
bool print_plain(const Coverage& coverage) {
  std::size_t reached = 0;
  constexpr std::array kTypes{UnitType::Target, UnitType::Slice, UnitType::Mount};
  for (const UnitType type : kTypes) {
    for (const bool up : {true, false}) {
      const ActiveState from = up ? ActiveState::Inactive : ActiveState::Active;
      const ActiveState to = up ? ActiveState::Active : ActiveState::Inactive;
      if (coverage.has_plain(type, from, to)) {
        ++reached;
      } else {
        std::printf("not reached: %s, %s\n", std::string(to_string(type)).c_str(),
                    up ? "start" : "stop");
      }
    }
  }
  std::printf("%zu of %zu edges of units without processes\n", reached, 2 * kTypes.size());
  return reached == 2 * kTypes.size();
}

/// How much of docs/states.md has been there; what has not, by name. Whether all has.
bool print_coverage(const Coverage& coverage) {
  std::ifstream file(ONSET_STATES_DOCUMENT);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::vector<Edge> edges = edges_of(text);
  std::size_t reached = 0;
  for (const Edge& e : edges) {
    if (coverage.has(e.from, e.event, e.to)) {
      ++reached;
    } else {
      std::printf("not reached: %s, %s, %s\n", std::string(to_string(e.from)).c_str(),
                  e.event.c_str(), std::string(to_string(e.to)).c_str());
    }
  }
  std::printf(
      "%zu of %u phases, %zu of %zu edges of docs/states.md, %zu transitions in all, "
      "%zu kinds of job ends\n",
      coverage.phases(), kServicePhases, reached, edges.size(), coverage.transitions(),
      coverage.job_ends());
  return !edges.empty() && reached == edges.size() && coverage.phases() == kServicePhases;
}

}  // namespace

bool print(const Coverage& coverage) {
  const bool has_all_requests = print_requests(coverage);
  const bool has_all_plain = print_plain(coverage);
  return print_coverage(coverage) && has_all_requests && has_all_plain;
}

}  // namespace onset::sim
