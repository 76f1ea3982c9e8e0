#include "init/getty_generator.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/unique_fd.h"
#include "unit/getty_units.h"

namespace onset {
namespace {

constexpr std::size_t kConsolesMax = 4096;

/// Listed, but with nothing behind it: a serial port that the machine has not.
bool is_terminal(std::string_view name) {
  const UniqueFd fd(open(format("/dev/{}", name).c_str(),
                         O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  return fd && isatty(fd.get()) == 1;
}

}  // namespace

std::vector<std::string> generate_gettys(FileSource& files, const std::string& folder) {
  std::vector<std::string> losses;
  const auto consoles = files.read("/sys/class/tty/console/active", kConsolesMax);
  if (!consoles) return losses;
  const auto units = gettys_of_consoles(*consoles, is_terminal);
  if (units.empty()) return losses;
  const std::string wants = folder + "/getty.target.wants";
  for (const std::string& made : {folder, wants}) {
    if (mkdir(made.c_str(), 0755) < 0 && errno != EEXIST) {
      losses.push_back(format("{} can't be made: {}", made, errno_text(errno)));
      return losses;
    }
  }
  for (const std::string& unit : units) {
    // Where the link leads does not matter: its name is what is wanted.
    const std::string link = format("{}/{}", wants, unit);
    if (symlink(("../" + unit).c_str(), link.c_str()) < 0 && errno != EEXIST) {
      losses.push_back(format("{} can't be made: {}", link, errno_text(errno)));
    }
  }
  return losses;
}

}  // namespace onset
