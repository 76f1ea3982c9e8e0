#pragma once
// A write that ends in time on a descriptor whose open file is others' too, so that
// it can't be made non-blocking, and that can't be opened anew: a pipe or terminal
// of another user, or without /proc.
//
// Being asked before (poll(2)) such a file may say that there is room, and then have
// less than is written, or none any more. What ends the write is a timer whose signal
// interrupts it (signal(7), "Interruption of system calls"): for pipes and terminals
// that holds, whoever else writes to them.

#include <string_view>

#include "base/time.h"
#include "base/unique_fd.h"

namespace onset {

/// How many bytes were written: fewer than there are if there was no room for them
/// within `limit`; negative: an errno. Uses ITIMER_REAL and SIGALRM, which nobody else
/// here does; SIGALRM's mask and handler are as before afterwards.
long write_within(Duration limit, BorrowedFd fd, std::string_view bytes) noexcept;

}  // namespace onset
