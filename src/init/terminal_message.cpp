#include "init/terminal_message.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace onset {

void write_to_terminal(const std::string& path, std::string_view text) {
  const UniqueFd terminal(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!terminal || isatty(terminal.get()) != 1) return;
  (void)!write(terminal.get(), text.data(), text.size());
}

}  // namespace onset
