#include "os/watchdog.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/unique_fd.h"

namespace onset {
namespace {

constexpr const char* kDefaultDevice = "/dev/watchdog0";
/// Where the device tells none.
constexpr Duration kUnknownTimeout = std::chrono::seconds(10);

/// Never less than what was asked for, and never nothing.
int whole_seconds(Duration span) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(span).count();
  return static_cast<int>(std::clamp<std::int64_t>(seconds, 1, INT_MAX));
}

class KernelWatchdog final : public WatchdogDevice {
 public:
  explicit KernelWatchdog(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<Duration> set_timeout(Duration timeout) override {
    int seconds = whole_seconds(timeout);
    if (ioctl(fd_.get(), WDIOC_SETTIMEOUT, &seconds) < 0)
      return Failure{SysError{"WDIOC_SETTIMEOUT", errno}};
    return Duration(std::chrono::seconds(seconds));
  }
  Result<Duration> timeout() override {
    int seconds = 0;
    if (ioctl(fd_.get(), WDIOC_GETTIMEOUT, &seconds) < 0)
      return Failure{SysError{"WDIOC_GETTIMEOUT", errno}};
    return Duration(std::chrono::seconds(seconds));
  }
  SysResult set_pretimeout(Duration before) override {
    int seconds = whole_seconds(before);
    if (ioctl(fd_.get(), WDIOC_SETPRETIMEOUT, &seconds) < 0)
      return Failure{SysError{"WDIOC_SETPRETIMEOUT", errno}};
    return {};
  }
  SysResult ping() override {
    if (ioctl(fd_.get(), WDIOC_KEEPALIVE, 0) < 0)
      return Failure{SysError{"WDIOC_KEEPALIVE", errno}};
    return {};
  }
  void disarm() override {
    int off = WDIOS_DISABLECARD;
    (void)ioctl(fd_.get(), WDIOC_SETOPTIONS, &off);
    (void)!write(fd_.get(), "V", 1);
  }

 private:
  UniqueFd fd_;
};

}  // namespace

Result<std::unique_ptr<WatchdogDevice>> open_watchdog(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Failure{SysError{"open", errno}};
  return std::unique_ptr<WatchdogDevice>(std::make_unique<KernelWatchdog>(std::move(fd)));
}

SysResult Watchdog::begin(const std::string& path) {
  if (device_ != nullptr && path == path_) return {};
  if (device_ != nullptr) std::exchange(device_, nullptr)->disarm();
  auto device = open_(path);
  if (!device) return Failure{device.error()};
  path_ = path;
  device_ = std::move(*device);
  return {};
}

SysResult Watchdog::set(const std::string& path, Duration timeout, Duration pretimeout,
                        MonoTime now) {
  if (timeout == Duration::zero()) {
    if (device_ != nullptr) std::exchange(device_, nullptr)->disarm();
    return {};
  }
  if (auto done = begin(path.empty() ? kDefaultDevice : path); !done) return done;
  SysResult result;
  Result<Duration> taken = Failure{SysError{"", 0}};
  if (timeout != kInfinity) {
    taken = device_->set_timeout(timeout);
    if (!taken) result = Failure{taken.error()};
  }
  if (!taken) taken = device_->timeout();
  timeout_ = taken && *taken > Duration::zero() ? *taken : kUnknownTimeout;
  if (pretimeout > Duration::zero() && pretimeout < timeout_) {
    const SysResult pre = device_->set_pretimeout(pretimeout);
    if (result && !pre) result = pre;
  }
  ping(now);
  return result;
}

void Watchdog::ping(MonoTime now) {
  if (device_ == nullptr) return;
  (void)device_->ping();
  due_ = now + timeout_ / 2;
}

}  // namespace onset
