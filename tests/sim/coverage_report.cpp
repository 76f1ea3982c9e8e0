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

#include "base/format.h"

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
bool print_requests(const Coverage& coverage, Names names) {
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
      if (names == Names::Hidden) continue;
      std::printf("not asked for: %s in %s\n", std::string(kJobNames[type]).c_str(),
                  std::string(to_string(phase)).c_str());
    }
  }
  std::printf("%zu of %u job types in phases\n", coverage.requests(), kJobTypes * kServicePhases);
  const auto all = [](const auto& counts) { return std::ranges::find(counts, 0U) == counts.end(); };
  return missed == 0 && all(coverage.types()) && all(coverage.restarts()) &&
         all(coverage.kill_modes());
}

template <class Rows>
auto without(Rows rows, const Rows& others) {
  std::erase_if(rows,
                [&](const auto& row) { return std::ranges::find(others, row) != others.end(); });
  return rows;
}

bool print_plain(const Coverage& coverage, std::string_view document, Names names) {
  const auto rows = without(plain_rows_of(document), plain_rows_not_reached(document));
  std::size_t reached = 0;
  for (const PlainRow& row : rows) {
    if (coverage.has(row)) {
      ++reached;
    } else if (names == Names::Shown) {
      std::printf("%s\n", format("not reached: {}, {}, {}, {}, {}", row.unit, row.state, row.job,
                                 row.next, row.result)
                              .c_str());
    }
  }
  std::printf("%zu of %zu rows of units without processes\n", reached, rows.size());
  return !rows.empty() && reached == rows.size();
}

std::size_t print_edges(const Coverage& coverage, const std::vector<Edge>& edges, Names names) {
  std::size_t reached = 0;
  for (const Edge& e : edges) {
    if (coverage.has(e.from, e.event, e.to)) {
      ++reached;
    } else if (names == Names::Shown) {
      std::printf(
          "%s\n",
          format("not reached: {}, {}, {}", to_string(e.from), e.event, to_string(e.to)).c_str());
    }
  }
  return reached;
}

/// How much of docs/states.md has been there; what has not, by name. Whether all has.
bool print_edges(const Coverage& coverage, std::string_view document, Names names) {
  const auto edges = edges_of(document);
  const auto ways = without(ways_of(document), ways_not_taken(document));
  const std::size_t edges_reached = print_edges(coverage, edges, names);
  const std::size_t ways_reached = print_edges(coverage, ways, names);
  std::printf(
      "%zu of %u phases, %zu of %zu edges and %zu of %zu ways of docs/states.md, "
      "%zu transitions in all, %zu kinds of job ends\n",
      coverage.phases(), kServicePhases, edges_reached, edges.size(), ways_reached, ways.size(),
      coverage.transitions(), coverage.job_ends());
  return !edges.empty() && edges_reached == edges.size() && !ways.empty() &&
         ways_reached == ways.size() && coverage.phases() == kServicePhases;
}

}  // namespace

bool print(const Coverage& coverage, Names names) {
  std::ifstream file(ONSET_STATES_DOCUMENT);
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  const bool has_all_requests = print_requests(coverage, names);
  const bool has_all_plain = print_plain(coverage, document, names);
  return print_edges(coverage, document, names) && has_all_requests && has_all_plain;
}

}  // namespace onset::sim
