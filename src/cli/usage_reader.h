#pragma once
// What units use now, read by the command itself: from cgroup v2 where the manager has groups for
// its units, else from the processes that it names. cgroup-v2.rst, proc(5).

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/manager_link.h"
#include "unit/file_source.h"

namespace onset {

/// Sums since the unit's start, and what holds now. What can't be told is not there.
struct UnitUse {
  std::optional<std::uint64_t> cpu_us;
  std::optional<std::uint64_t> memory;  ///< bytes
  bool memory_is_resident = false;      ///< of its processes, some of it counted twice
  std::optional<std::uint64_t> tasks;
  std::optional<std::uint64_t> read;     ///< bytes
  std::optional<std::uint64_t> written;  ///< bytes
  /// PSI: the share of the last ten seconds in which some of its tasks waited, in hundredths of
  /// a percent.
  std::optional<unsigned> cpu_pressure;
  std::optional<unsigned> memory_pressure;
  std::optional<unsigned> io_pressure;
};

/// By unit, slices with them; of a slice what is below it as well.
using Uses = std::map<std::string, UnitUse>;

class UsageReader {
 public:
  UsageReader(ManagerLink& manager, FileSource& files) : manager_(manager), files_(files) {}
  Result<Uses, CallProblem> read();

 private:
  Result<void, CallProblem> find_groups();
  Uses read_groups();
  UnitUse read_group(const std::string& folder);
  Result<Uses, CallProblem> read_processes();
  void add_process(UnitUse& use, std::int64_t pid);

  ManagerLink& manager_;
  FileSource& files_;
  bool is_found_ = false;
  std::string root_;  ///< the folder of the manager's own group; empty: it has none
};

}  // namespace onset
