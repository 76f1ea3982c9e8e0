#include "init/machine_programs.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "os/files.h"

namespace onset {
namespace {

constexpr int kUsage = 2;
constexpr int kNotRun = 127;

struct Verb {
  std::string_view name;
  int (*run)(const std::vector<std::string>&);
};
constexpr Verb kVerbs[] = {
    {"fsck", check_file_system},       {"remount-fs", remount_file_systems},
    {"sysctl", apply_sysctl},          {"modules-load", load_modules},
    {"random-seed", keep_random_seed}, {"machine-id-commit", commit_machine_id},
    {"mount-root", mount_root},        {"switch-root", switch_to_root},
    {"update-done", mark_updated},     {"update-utmp", update_utmp},
    {"sulogin-shell", give_shell},     {"makefs", make_file_system},
    {"growfs", grow_file_system},      {"sysroot-fstab", read_sysroot_fstab},
};

}  // namespace

int run_machine_program(const std::vector<std::string>& words) {
  for (const Verb& verb : kVerbs) {
    if (!words.empty() && words.front() == verb.name) {
      return verb.run({words.begin() + 1, words.end()});
    }
  }
  std::string known;
  for (const Verb& verb : kVerbs) known += format(" {}", verb.name);
  complain(format("expected one of:{}", known));
  return kUsage;
}

void complain(std::string_view text) {
  const std::string line = format("{}\n", text);
  (void)!write(STDERR_FILENO, line.data(), line.size());
}

std::string text_of(const std::string& path) {
  constexpr std::size_t kFileMax = std::size_t{1} << 20;
  const auto text = RealFiles().read(path, kFileMax);
  return text ? *text : std::string();
}

std::string node_of(const std::string& path) {
  struct stat st {};
  if (stat(path.c_str(), &st) < 0) return {};
  const std::string uevent =
      text_of(format("/sys/dev/block/{}:{}/uevent", major(st.st_dev), minor(st.st_dev)));
  for (const std::string_view line : split(uevent, '\n')) {
    constexpr std::string_view kName = "DEVNAME=";
    if (line.starts_with(kName)) return format("/dev/{}", line.substr(kName.size()));
  }
  return {};
}

std::string find_program(std::string_view name) {
  for (const char* folder : {"/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    std::string path = format("{}/{}", folder, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

int run_program(const std::string& path, const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int err = posix_spawn(&pid, path.c_str(), nullptr, nullptr, words.data(), environ);
  if (err != 0) {
    complain(format("{}: {}", path, errno_text(err)));
    return kNotRun;
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno == EINTR) continue;
    complain(format("{}: {}", path, errno_text(errno)));
    return kNotRun;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace onset
