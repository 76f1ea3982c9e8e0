#include "init/busybox_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "base/unique_fd.h"

namespace onset {
namespace {

struct Row {
  int signal;
  std::string_view command;  ///< with the line's end that /proc has
  SignalRequest request;
};
constexpr Row kRows[] = {
    {SIGUSR1, "halt\n", SignalRequest::Halt},
    {SIGUSR2, "poweroff\n", SignalRequest::Poweroff},
    {SIGTERM, "reboot\n", SignalRequest::Reboot},
};

}  // namespace

SignalRequest request_of_busybox(int signal, pid_t sender) noexcept {
  for (const Row& row : kRows) {
    if (row.signal != signal || sender <= 0) continue;
    std::array<char, 32> path{};
    (void)std::snprintf(path.data(), path.size(), "/proc/%d/comm", sender);
    const UniqueFd fd(open(path.data(), O_RDONLY | O_CLOEXEC));
    std::array<char, 32> name{};
    const ssize_t n = fd ? read(fd.get(), name.data(), name.size()) : -1;
    if (n > 0 && std::string_view(name.data(), static_cast<std::size_t>(n)) == row.command)
      return row.request;
  }
  return SignalRequest::None;
}

}  // namespace onset
