#pragma once
// Worlds by their seeds, shared out to processes. A world is the engine's, and the engine may
// be wrong in any way: what dies or does not come to an end costs its process, not its seed.

#include <cstdint>
#include <string>

#include "sim/coverage.h"

namespace onset::sim {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 0;  ///< 0: no limit; likewise of steps and seconds
  std::uint64_t steps = 0;
  std::uint64_t jobs = 1;
  double seconds = 0;
  double patience = 20;  ///< seconds that a world may take: then it has no end
  bool keeps_going = false;
  bool shrinks = true;
  bool requires_all_edges = false;
  std::string replay;
};

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

/// Prints each world that fails. Of `--jobs` j every process has each j-th seed; one that is
/// lost is followed by another, which goes on with the seeds behind.
Tally run_worlds(const Options& options);

}  // namespace onset::sim
