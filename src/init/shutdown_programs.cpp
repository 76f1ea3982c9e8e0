#include "init/shutdown_programs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "base/format.h"
#include "init/bounded_child.h"
#include "loop/clock.h"
#include "os/files.h"

namespace onset {
namespace {

constexpr std::array kFolders = {"/usr/lib/systemd/system-shutdown",
                                 "/lib/systemd/system-shutdown"};
constexpr Duration kPatience = std::chrono::seconds(90);
constexpr Duration kQuiet = std::chrono::seconds(5);

struct Program {
  std::string name;
  std::string path;
  pid_t pid = 0;
};

/// Where one folder is the other each is found once.
std::vector<Program> find_programs() {
  RealFiles files;
  std::vector<Program> found;
  for (const char* folder : kFolders) {
    const auto listed = files.list(folder);
    if (!listed) continue;
    for (const DirectoryItem& item : *listed) {
      std::string path = format("{}/{}", folder, item.name);
      const auto status = files.stat(path);
      if (!status || status->kind != FileKind::Regular || !status->executable) continue;
      const auto same = [&](const Program& p) { return p.name == item.name; };
      if (std::ranges::none_of(found, same)) found.push_back({item.name, std::move(path)});
    }
  }
  return found;
}

/// systemd gives them no more of an environment either.
[[noreturn]] void run_program(const Program& program, const std::string& verb) {
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)setsid();
  std::array<char, 64> path{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"};
  char* const arguments[] = {const_cast<char*>(program.path.c_str()),
                             const_cast<char*>(verb.c_str()), nullptr};
  char* const environment[] = {path.data(), nullptr};
  (void)execve(program.path.c_str(), arguments, environment);
  _exit(127);
}

std::string names(const std::vector<Program>& programs) {
  std::string text;
  for (const Program& p : programs) text += (text.empty() ? "" : ", ") + p.name;
  return text;
}

/// Whether all have ended.
bool await_programs(std::vector<Program>& running, MonoTime deadline, Console& console) {
  while (!running.empty()) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 && errno == ECHILD) return true;
    if (info.si_pid == 0) {
      if (read_clock().mono >= deadline) return false;
      await_any_child(deadline);
      continue;
    }
    const auto ended = std::ranges::find(running, info.si_pid, &Program::pid);
    if (ended == running.end()) continue;
    if (info.si_code != CLD_EXITED || info.si_status != 0)
      console.line(4, "", format("{} has failed", ended->path));
    running.erase(ended);
  }
  return true;
}

}  // namespace

void run_shutdown_programs(Objective objective, Console& console) {
  const std::string verb(to_string(objective));
  std::vector<Program> running;
  for (Program& program : find_programs()) {
    program.pid = begin_child([&]() -> int { run_program(program, verb); });
    if (program.pid > 0) {
      running.push_back(std::move(program));
    } else {
      console.line(3, "", format("{} can't be run: no process for it", program.path));
    }
  }
  const MonoTime begin = read_clock().mono;
  if (await_programs(running, begin + kQuiet, console)) return;
  console.line(5, "",
               format("waiting for {}, {} s at most", names(running), kPatience.count() / 1000000));
  if (await_programs(running, begin + kPatience, console)) return;
  console.line(4, "", format("{} has not come to an end, going on without it", names(running)));
  for (const Program& p : running) (void)kill(-p.pid, SIGKILL);
}

}  // namespace onset
