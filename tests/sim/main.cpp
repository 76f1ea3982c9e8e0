// onset-sim: worlds by their seeds, until so many have been or so much time has gone.
// The last line counts them; the exit status is 1 where one failed, or where an edge of
// docs/states.md was to be reached and was not.
#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/format.h"
#include "sim/coverage_report.h"
#include "sim/run.h"
#include "sim/workers.h"

namespace {

using namespace onset::sim;
using Clock = std::chrono::steady_clock;

constexpr char kUsage[] =
    "onset-sim [--seeds N] [--seconds S] [--steps N] [--seed FIRST] [--jobs N]\n"
    "          [--keep-going] [--no-shrink] [--require-all-edges] [--patience S]\n"
    "          [--trap abort|loop:SEED:EVENT]\n"
    "onset-sim --replay FILE\n";

/// All of the text is a number, and none below 0.
template <class Number>
bool read(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && at == end && number >= 0;
}

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
      if (!read(value, options.seeds)) return false;
    } else if (name == "--seed") {
      if (!read(value, options.first)) return false;
    } else if (name == "--steps") {
      if (!read(value, options.steps)) return false;
    } else if (name == "--jobs") {
      if (!read(value, options.jobs)) return false;
    } else if (name == "--seconds") {
      if (!read(value, options.seconds)) return false;
    } else if (name == "--patience") {
      if (!read(value, options.patience)) return false;
    } else if (name == "--trap") {
      if (!set_trap(value)) return false;
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
  (void)file.peek();  // a folder can be opened
  if (file.bad() || !file.is_open()) {
    std::fprintf(stderr, "%s can't be read: %s\n", path.c_str(), onset::errno_text(errno).c_str());
    return 2;
  }
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

}  // namespace

int main(int argc, char** argv) {
  // What a failing allocation is given back is as large as the heap says: in every process alike.
  mallopt(M_MMAP_MAX, 0);
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  if (!options.replay.empty()) return replay_file(options.replay);
  if (options.seeds == 0 && options.seconds == 0 && options.steps == 0) options.seeds = 1000;
  const auto begin = Clock::now();
  const Tally tally = run_worlds(options);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const bool has_all_edges =
      print(tally.coverage, options.requires_all_edges ? Names::Shown : Names::Hidden);
  std::printf("%llu looks at neighbours, %.1f %% of them excused\n",
              static_cast<unsigned long long>(tally.coverage.looks()),
              100.0 * static_cast<double>(tally.coverage.excused()) /
                  static_cast<double>(std::max<std::uint64_t>(tally.coverage.looks(), 1)));
  std::printf(
      "%llu worlds, %llu steps, %.0f steps a second, %llu failed\n",
      static_cast<unsigned long long>(tally.worlds), static_cast<unsigned long long>(tally.steps),
      static_cast<double>(tally.steps) / seconds, static_cast<unsigned long long>(tally.failed));
  return tally.worlds > 0 && tally.failed == 0 && (has_all_edges || !options.requires_all_edges)
             ? 0
             : 1;
}
