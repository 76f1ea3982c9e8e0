#include "init/soft_reboot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "os/files.h"
#include "os/switch_root.h"

namespace onset {
namespace {

constexpr std::size_t kArgumentsMax = std::size_t{1} << 20;

std::vector<std::string> own_arguments() {
  std::vector<std::string> words;
  RealFiles files;
  if (const auto text = files.read("/proc/self/cmdline", kArgumentsMax)) {
    for (const std::string_view word : split(*text, '\0')) words.emplace_back(word);
    if (!words.empty()) words.pop_back();  // behind the last NUL
  }
  if (words.empty()) words.emplace_back("/sbin/init");
  return words;
}

/// Once: of what a switch that failed has asked for nothing is left.
std::string take_next_init() {
  RealFiles files;
  const auto path = files.read(kNextInit, PATH_MAX);
  (void)unlink(kNextInit);
  return path ? *path : std::string();
}

bool has_next_root() {
  struct stat st {};
  return stat(kNextRoot, &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

void begin_anew(char** environment, Console& console) {
  const std::vector<std::string> words = own_arguments();
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string init = take_next_init();
  if (has_next_root()) {
    if (auto done = switch_root(kNextRoot); !done) {
      console.line(3, kNextRoot, format("can't become the root: {}", to_string(done.error())));
    } else if (!init.empty()) {
      arguments[0] = const_cast<char*>(init.c_str());
      (void)execve(init.c_str(), arguments.data(), environment);
      console.line(3, init, errno_text(errno));
    } else {
      for (const char* program : kInitPrograms)
        (void)execve(program, arguments.data(), environment);
      console.line(3, "/sbin/init", errno_text(errno));
    }
  }
  // Its file may have been replaced since: the new one begins.
  if (arguments[0][0] == '/') (void)execve(arguments[0], arguments.data(), environment);
  (void)execve("/proc/self/exe", arguments.data(), environment);
  console.line(3, "/proc/self/exe", errno_text(errno));
}

}  // namespace onset
