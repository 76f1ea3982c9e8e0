#include "os/pressure_trigger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace onset {

Result<UniqueFd> open_pressure_trigger(const std::string& path) {
  // Windows of two seconds are those that need no right of their own.
  constexpr std::string_view kTrigger("some 200000 2000000\0", 20);
  UniqueFd fd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return Failure{SysError{"open", errno}};
  if (write(fd.get(), kTrigger.data(), kTrigger.size()) < 0) {
    return Failure{SysError{"write", errno}};
  }
  return fd;
}

}  // namespace onset
