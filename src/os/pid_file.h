#pragma once
// PIDFile= (systemd.service(5)) and what makes one believable (fault C11).
//
// The path is walked name by name. It is questionable if some step leads from
// what one user owns to what another, unprivileged one owns, as then that user
// chose where it ends. A number in a questionable file counts only if the
// process is known to be the unit's own.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace onset {

struct PidFileText {
  pid_t pid = 0;
  uid_t owner = 0;
  bool questionable = false;
};

/// Opens without blocking and reads the first line. The error is a sentence;
/// empty means that there is no file (yet), or that it is still empty.
Result<PidFileText, std::string> read_pid_file_text(std::string_view path);

}  // namespace onset
