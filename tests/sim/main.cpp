// onset-sim: worlds by their seeds, until so many have been or so much time has gone.
//   onset-sim [--seeds N] [--seconds S] [--seed FIRST] [--steps N] [--replay FILE]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sim/run.h"

namespace {

using namespace onset::sim;
using Clock = std::chrono::steady_clock;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
  bool keeps_going = false;
  std::string replay;
};

int usage() {
  std::fprintf(stderr,
               "onset-sim [--seeds N] [--seconds S] [--steps N] [--seed FIRST] [--keep-going]\n"
               "onset-sim --replay FILE\n");
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--keep-going") {
      options.keeps_going = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* value = argv[++i];
    if (name == "--seeds") {
      options.seeds = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      options.first = std::strtoull(value, nullptr, 10);
    } else if (name == "--steps") {
      options.steps = std::strtoull(value, nullptr, 10);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value, nullptr);
    } else if (name == "--replay") {
      options.replay = value;
    } else {
      return false;
    }
  }
  return true;
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

void report(std::uint64_t seed, const Violation& violation) {
  std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(seed),
              std::string(violation.name).c_str(), violation.text.c_str());
  Recording recording;
  (void)run_world(seed, &recording);
  const Recording small = shrink(std::move(recording), violation);
  const std::string path = "sim-" + std::to_string(seed) + ".world";
  std::ofstream(path) << to_text(small);
  std::printf("%s", to_text(small).c_str());
  std::printf("kept in %s, again with --replay\n", path.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return usage();
  if (!options.replay.empty()) return replay_file(options.replay);
  if (options.seeds == 0 && options.seconds == 0 && options.steps == 0) options.seeds = 1000;
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::uint64_t worlds = 0;
  std::uint64_t steps = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = options.first;; ++seed) {
    if (options.seeds != 0 && worlds >= options.seeds) break;
    if (options.steps != 0 && steps >= options.steps) break;
    if (options.seconds != 0 && passed() >= options.seconds) break;
    const Outcome outcome = run_world(seed);
    ++worlds;
    steps += outcome.steps;
    if (!outcome.violation) continue;
    ++failed;
    report(seed, *outcome.violation);
    if (!options.keeps_going) break;
  }
  std::printf("%llu worlds, %llu steps, %.0f steps a second, %llu failed\n",
              static_cast<unsigned long long>(worlds), static_cast<unsigned long long>(steps),
              static_cast<double>(steps) / passed(), static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
