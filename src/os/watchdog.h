#pragma once
// The hardware watchdog, systemd-system.conf(5), RuntimeWatchdogSec= and its kin: a device that
// restarts the machine where it is not told in time that somebody is there
// (Documentation/watchdog/watchdog-api.rst of the kernel).

#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace onset {

/// One that is open. Opening it starts it.
class WatchdogDevice {
 public:
  virtual ~WatchdogDevice() = default;
  /// In whole seconds; the one that it took instead.
  virtual Result<Duration> set_timeout(Duration timeout) = 0;
  virtual Result<Duration> timeout() = 0;
  /// How long before its timeout the kernel is told.
  virtual SysResult set_pretimeout(Duration before) = 0;
  virtual SysResult ping() = 0;
  /// It is stopped when it is closed, if it can be. Else it restarts the machine.
  virtual void disarm() = 0;
};

/// The kernel's.
Result<std::unique_ptr<WatchdogDevice>> open_watchdog(const std::string& path);

class Watchdog {
 public:
  using Open = Result<std::unique_ptr<WatchdogDevice>> (*)(const std::string& path);
  explicit Watchdog(Open open) : open_(open) {}

  /// From now on with this timeout; zero: off, kInfinity: with its own. An empty `path` is
  /// /dev/watchdog0. Where it can't have that timeout it keeps its own, and the error tells;
  /// without a device nothing is watched. ENOENT: there is none.
  SysResult set(const std::string& path, Duration timeout, Duration pretimeout, MonoTime now);
  /// Once in half of its timeout; never where it is off.
  [[nodiscard]] MonoTime next_deadline() const { return device_ ? due_ : kNever; }
  void ping(MonoTime now);
  [[nodiscard]] bool is_on() const { return device_ != nullptr; }
  /// That it has now.
  [[nodiscard]] Duration timeout() const { return device_ ? timeout_ : Duration::zero(); }

 private:
  SysResult begin(const std::string& path);

  Open open_;
  std::unique_ptr<WatchdogDevice> device_;
  std::string path_;
  Duration timeout_{};
  MonoTime due_ = kNever;
};

}  // namespace onset
