// onset-sim: worlds by their seeds, until so many have been or so much time has gone.
// The last line counts them; the exit status is 1 where one failed, or where an edge of
// docs/states.md was to be reached and was not.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sim/coverage.h"
#include "sim/run.h"

namespace {

using namespace onset::sim;
using Clock = std::chrono::steady_clock;

constexpr char kUsage[] =
    "onset-sim [--seeds N] [--seconds S] [--steps N] [--seed FIRST] [--jobs N]\n"
    "          [--keep-going] [--no-shrink] [--require-all-edges]\n"
    "onset-sim --replay FILE\n";

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  std::uint64_t jobs = 1;
  double seconds = 0;
  bool keeps_going = false;
  bool shrinks = true;
  bool requires_all_edges = false;
  std::string replay;
};

/// What one process has seen; goes through a pipe as it is.
struct Tally {
  std::uint64_t worlds = 0;
  std::uint64_t steps = 0;
  std::uint64_t failed = 0;
  Coverage coverage;

  void add(const Tally& other) {
    worlds += other.worlds;
    steps += other.steps;
    failed += other.failed;
    coverage.add(other.coverage);
  }
};
static_assert(std::is_trivially_copyable_v<Tally>);

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--keep-going") {
      options.keeps_going = true;
    } else if (name == "--no-shrink") {
      options.shrinks = false;
    } else if (name == "--require-all-edges") {
      options.requires_all_edges = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (const char* value = argv[++i]; name == "--seeds") {
      options.seeds = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      options.first = std::strtoull(value, nullptr, 10);
    } else if (name == "--steps") {
      options.steps = std::strtoull(value, nullptr, 10);
    } else if (name == "--jobs") {
      options.jobs = std::strtoull(value, nullptr, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--replay") {
      options.replay = value;
    } else {
      return false;
    }
  }
  return options.jobs > 0;
}

int replay_file(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto recording = parse_recording(text);
  if (!recording) {
    std::fprintf(stderr, "%s is no recording of a world\n", path.c_str());
    return 2;
  }
  const Outcome outcome = replay(*recording, true);
  if (!outcome.violation) {
    std::printf("nothing is broken\n");
    return 0;
  }
  std::printf("%s: %s\n", std::string(outcome.violation->name).c_str(),
              outcome.violation->text.c_str());
  return 1;
}

void report(std::uint64_t seed, const Violation& violation, bool shrinks) {
  std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(seed),
              std::string(violation.name).c_str(), violation.text.c_str());
  if (shrinks) {
    Recording recording;
    (void)run_world(seed, &recording);
    const std::string small = to_text(shrink(std::move(recording), violation));
    const std::string path = "sim-" + std::to_string(seed) + ".world";
    std::ofstream(path) << small;
    std::printf("%skept in %s, again with --replay\n", small.c_str(), path.c_str());
  }
  std::fflush(stdout);
}

/// Every `stride`-th seed from `first` on.
Tally run_worlds(const Options& options, std::uint64_t first, std::uint64_t stride) {
  Tally tally;
  set_coverage(&tally.coverage);
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  for (std::uint64_t seed = first;; seed += stride) {
    if (options.seeds != 0 && seed >= options.first + options.seeds) break;
    if (options.steps != 0 && tally.steps >= options.steps / stride) break;
    if (options.seconds != 0 && passed() >= options.seconds) break;
    const Outcome outcome = run_world(seed);
    ++tally.worlds;
    tally.steps += outcome.steps;
    if (!outcome.violation) continue;
    ++tally.failed;
    report(seed, *outcome.violation, options.shrinks);
    if (!options.keeps_going) break;
  }
  return tally;
}

/// The seeds are shared out; a process that dies counts as a failed world.
Tally run_in_processes(const Options& options) {
  struct Child {
    pid_t pid = 0;
    int from = -1;
  };
  std::vector<Child> children;
  std::fflush(stdout);
  for (std::uint64_t j = 0; j < options.jobs; ++j) {
    int ends[2];
    if (pipe(ends) != 0) break;
    const pid_t pid = fork();
    if (pid == 0) {
      const Tally tally = run_worlds(options, options.first + j, options.jobs);
      std::fflush(stdout);
      const bool told = write(ends[1], &tally, sizeof tally) == sizeof tally;
      _exit(told ? 0 : 1);
    }
    close(ends[1]);
    children.push_back({pid, ends[0]});
  }
  Tally all;
  for (const Child& child : children) {
    Tally tally;
    if (read(child.from, &tally, sizeof tally) == sizeof tally) {
      all.add(tally);
    } else {
      ++all.failed;
      std::printf("a process died\n");
    }
    close(child.from);
    waitpid(child.pid, nullptr, 0);
  }
  return all;
}

constexpr std::array<std::string_view, onset::kJobTypes> kJobNames{
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
  for (unsigned type = 0; type < onset::kJobTypes; ++type) {
    for (unsigned p = 0; p < onset::kServicePhases; ++p) {
      const auto phase = static_cast<onset::ServicePhase>(p);
      if (coverage.has(static_cast<onset::JobType>(type), phase)) continue;
      // These two last no time but where memory runs out: not every short run is there.
      const bool is_rare = phase == onset::ServicePhase::DeadBeforeAutoRestart ||
                           phase == onset::ServicePhase::FailedBeforeAutoRestart;
      if (!is_rare) ++missed;
      std::printf("not asked for: %s in %s\n", std::string(kJobNames[type]).c_str(),
                  std::string(to_string(phase)).c_str());
    }
  }
  std::printf("%zu of %u job types in phases\n", coverage.requests(),
              onset::kJobTypes * onset::kServicePhases);
  const auto all = [](const auto& counts) { return std::ranges::find(counts, 0U) == counts.end(); };
  return missed == 0 && all(coverage.types()) && all(coverage.restarts()) &&
         all(coverage.kill_modes());
}

/// Units without processes come up and go down. Whether all do that can: a scope has no file.
bool print_plain(const Coverage& coverage) {
  using onset::ActiveState;
  using onset::UnitType;
  std::size_t reached = 0;
  constexpr std::array kTypes{UnitType::Target, UnitType::Slice, UnitType::Mount};
  for (const UnitType type : kTypes) {
    for (const bool up : {true, false}) {
      const ActiveState from = up ? ActiveState::Inactive : ActiveState::Active;
      const ActiveState to = up ? ActiveState::Active : ActiveState::Inactive;
      if (coverage.has_plain(type, from, to)) {
        ++reached;
      } else {
        std::printf("not reached: %s, %s\n", std::string(onset::to_string(type)).c_str(),
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
      coverage.phases(), onset::kServicePhases, reached, edges.size(), coverage.transitions(),
      coverage.job_ends());
  return !edges.empty() && reached == edges.size() && coverage.phases() == onset::kServicePhases;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  if (!options.replay.empty()) return replay_file(options.replay);
  if (options.seeds == 0 && options.seconds == 0 && options.steps == 0) options.seeds = 1000;
  const auto begin = Clock::now();
  const Tally tally =
      options.jobs == 1 ? run_worlds(options, options.first, 1) : run_in_processes(options);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const bool has_all_requests = print_requests(tally.coverage);
  const bool has_all_plain = print_plain(tally.coverage);
  const bool has_all_edges = print_coverage(tally.coverage) && has_all_requests && has_all_plain;
  std::printf(
      "%llu worlds, %llu steps, %.0f steps a second, %llu failed\n",
      static_cast<unsigned long long>(tally.worlds), static_cast<unsigned long long>(tally.steps),
      static_cast<double>(tally.steps) / seconds, static_cast<unsigned long long>(tally.failed));
  return tally.failed == 0 && (has_all_edges || !options.requires_all_edges) ? 0 : 1;
}
