#include "init/generated_files.h"

#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "os/files.h"

namespace onset {
namespace {

constexpr std::string_view kFolder = "/run/systemd/generator";
constexpr std::string_view kEarlyFolder = "/run/systemd/generator.early";

/// 0, or the errno.
int write_one(RealFiles& files, const GeneratedFile& file, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  if (const SysResult made = files.make_directories(folder); !made) return made.error().err;
  if (file.link_to.empty()) {
    const SysResult written = files.write_file(path, file.text, 0644);
    return written ? 0 : written.error().err;
  }
  if (symlink(file.link_to.c_str(), path.c_str()) == 0 || errno == EEXIST) return 0;
  return errno;
}

}  // namespace

std::vector<std::string> write_generated(const std::vector<GeneratedFile>& generated) {
  RealFiles files;
  std::vector<std::string> losses;
  for (const GeneratedFile& file : generated) {
    const std::string path = format("{}/{}", file.early ? kEarlyFolder : kFolder, file.path);
    if (const int err = write_one(files, file, path); err != 0) {
      losses.push_back(format("{} can't be made: {}", path, errno_text(err)));
    }
  }
  return losses;
}

}  // namespace onset
