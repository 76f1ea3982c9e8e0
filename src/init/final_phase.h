#pragma once
// After the last job: ends every process that is left, takes a machine's storage apart, then
// leaves. Runs its own short waits, each with a deadline; the event loop is over.
//
// PID 1 itself wants no memory for it. What does, and what may block, is done by a child of it;
// where there can be none, or it takes too long, PID 1 goes on without.

#include <array>

#include "base/time.h"
#include "engine/os.h"
#include "init/console.h"
#include "os/watchdog.h"

namespace onset {

struct FinalPhase {
  Objective objective = Objective::Exit;
  int exit_status = 0;
  bool container = false;                        ///< leave by exit, also for poweroff and halt
  Watchdog* watchdog = nullptr;                  ///< told at each step; null: none
  bool immediate = false;                        ///< nothing but the last step
  Duration patience = std::chrono::seconds(10);  ///< between SIGTERM and SIGKILL
  /// Of a reboot, for the firmware: reboot(2). Empty: none.
  std::array<char, 256> reboot_argument{};
};

/// TERM, CONT, wait, KILL, reap until nothing is left. True if nothing is.
bool end_all_processes(Duration patience, Console& console);

/// Returns the exit status where the end is an exit, or the process is to begin anew. On a
/// machine reboot(2) is called and this returns only if it fails.
int leave(const FinalPhase& phase, Console& console);

}  // namespace onset
