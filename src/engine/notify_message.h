#pragma once
// One datagram of sd_notify(3): lines NAME=VALUE, written by a service that may
// be hostile. Pure text work: who sent it, and whether it may, is the caller's.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/service.h"

namespace onset {

/// What the kernel hands over at most; a longer datagram is dropped whole.
inline constexpr std::size_t kNotifyMax = 4096;
inline constexpr std::size_t kNotifyFdNameMax = 255;

struct ParsedNotify {
  NotifyMessage message;  ///< main_pid is a number above 0, no more is known of it
  std::optional<std::string>
      status;                      ///< STATUS=, one line of valid UTF-8 without control characters
  bool barrier = false;            ///< BARRIER=1, alone: close the one descriptor that came with it
  bool fd_store = false;           ///< FDSTORE=1: keep the descriptors under fd_name
  bool fd_store_remove = false;    ///< FDSTOREREMOVE=1, only with a valid fd_name
  bool fd_poll = true;             ///< FDPOLL=0 clears it
  std::string fd_name = "stored";  ///< FDNAME=
  bool dropped = false;            ///< not a message at all; everything else is unset
  std::string problem;             ///< what was wrong, for the log; fit for a terminal
};

/// Unknown names are no problem. Of a name given twice the first counts. A value
/// that does not parse leaves its field unset and is told in `problem`. An empty
/// or oversized datagram, a NUL in it (but at its end), and BARRIER=1 among
/// other lines drop all of it.
ParsedNotify parse_notify(std::string_view text);

}  // namespace onset
