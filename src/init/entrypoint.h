#pragma once
// `onset [OPTION…] -- COMMAND [ARG…]`: PID 1 of a container, or a subreaper, for
// one command. It starts the command, forwards signals, reaps every orphan and
// exits as the command did.
//
// Exit code: the command's; 128+n when signal n ended it; 127 when the command
// does not exist (ENOENT), 126 when it can't be executed for any other reason,
// among them no process left for it (EAGAIN); 2 for a wrong command line. -e turns
// single codes into 0. A script without an interpreter line is run by /bin/sh, as
// execvp(3) does.
//
// The command finds what onset was given: environment, descriptors, signal mask
// and dispositions. Its own are a process group, which is the foreground one if
// onset's was; LISTEN_PID, if it named onset; and with -p a parent-death signal.
//
// Signals: all but those that a fault raises (FPE, ILL, SEGV, BUS, ABRT, TRAP,
// SYS) and SIGCHLD are forwarded, queued values included, to the command or with
// -g to its group. TSTP, TTIN and TTOU stop onset too, after the command. On a
// terminal onset stops when the command stops, so that the shell above sees it.
//
// With -w signals after the command's end go to what is left of its group.

#include "init/entrypoint_options.h"

namespace onset {

inline constexpr const char* kEntrypointUsage =
    "usage: onset [-gsvw] [-e CODE] [-p SIGNAL] [-r OLD:NEW] -- COMMAND [ARG...]\n";

/// Runs an Accepted call, or says what is wrong with a Refused one, and exits.
/// Allocates nothing. `env` is the environment for the command; the entry
/// LISTEN_PID= may be replaced in it.
[[noreturn]] void run_entrypoint(const EntrypointCall& call, char** env) noexcept;

}  // namespace onset
