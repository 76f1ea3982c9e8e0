#pragma once
// What keeps a unit from going on, put together from what the manager says of it, its processes'
// /proc, the kernel's table of locks, and its cgroup.

#include <optional>
#include <string>
#include <vector>

#include "cli/process_facts.h"
#include "control/json.h"
#include "unit/file_source.h"
#include "unit/pressure.h"

namespace onset {

/// Whoever has what a process of the unit waits for, or waits for what one has.
struct LockHolder {
  pid_t pid = 0;
  std::string name;
  std::string unit;  ///< by its cgroup; empty: none
};

/// A process that waits for a lock of a file.
struct LockWait {
  pid_t waiter = 0;
  std::string kind;  ///< "flock", "POSIX", "OFD", "lease"
  std::string mode;  ///< "write", "read"
  std::string file;  ///< its path, or device and inode
  std::vector<LockHolder> holders;
};

/// One that waits for the next one of its ring, in words without markup; hostile names escaped.
struct DeadlockLink {
  int who = 0;  ///< a process, or in a process of threads a thread
  std::string text;
};
using Deadlock = std::vector<DeadlockLink>;

/// Share of the last ten seconds in which some, or all, of the unit's tasks waited, in hundredths
/// of a percent. PSI, Documentation/accounting/psi.rst.
struct Pressure {
  Scarce what{};
  unsigned some = 0;
  unsigned full = 0;
};

struct Diagnosis {
  std::vector<ProcessFacts> processes;
  std::vector<LockWait> waits;
  std::vector<Deadlock> deadlocks;
  std::vector<LimitUse> limits;  ///< of the unit as a whole
  std::vector<Pressure> pressures;
  std::vector<std::string> events;  ///< "12 times at memory.max", "3 processes killed by …"
};

/// `unit` as GetUnit answers.
Diagnosis diagnose(const Json& unit, FileSource& files, ProcessMemory* memory);

/// How the unit's last commands ended and why it is where it is, a line each.
std::vector<std::string> last_ends(const Json& unit);

}  // namespace onset
