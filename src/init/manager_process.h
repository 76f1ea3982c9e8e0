#pragma once
// PID 1 at work: the composition root. Owns the loop, the engine, the kernel side
// and the control server, and carries what one of them says to the other.
//
//   signals ─┐
//   notify  ─┤                ┌─→ RealOs ─→ kernel
//   children ├─→ Manager ─────┤
//   control ─┤                └─→ ControlService ─→ clients
//   timers  ─┘
//
// Order within one turn: notifications before exits, so that a process that
// sends its last word and dies is heard.

#include "init/options.h"

namespace onset {

/// Runs the manager until its objective is reached; the process's exit status.
int run_manager(const InitOptions& options, char** environment);

}  // namespace onset
