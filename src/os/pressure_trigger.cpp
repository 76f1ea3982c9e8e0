#include "os/pressure_trigger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"

namespace onset {

std::string pressure_limit_text(const PressureLimit& limit) {
  return format("{} {} {}", limit.full ? "full" : "some", limit.share.count(),
                limit.window.count());
}

Result<UniqueFd> open_pressure_trigger(const std::string& path, const PressureLimit& limit) {
  const std::string text = pressure_limit_text(limit);
  UniqueFd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return Failure{SysError{"open", errno}};
  if (write(fd.get(), text.c_str(), text.size() + 1) < 0) {
    return Failure{SysError{"write", errno}};
  }
  return fd;
}

}  // namespace onset
