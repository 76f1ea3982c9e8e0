#pragma once
// systemd.kill(5).

#include <cstdint>
#include <optional>

namespace onset {

enum class KillMode : std::uint8_t { ControlGroup, Process, Mixed, None };

struct KillConfig {
  KillMode mode = KillMode::ControlGroup;
  int kill_signal = 15;
  std::optional<int> restart_kill_signal;  ///< unset: kill_signal
  int final_kill_signal = 9;
  int watchdog_signal = 6;
  bool send_sighup = false;
  bool send_sigkill = true;
};

}  // namespace onset
