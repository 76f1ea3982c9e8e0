#include "init/generator_programs.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "loop/clock.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr std::size_t kOutputMax = std::size_t{1} << 20U;

struct Program {
  std::string path;
  pid_t pid = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

/// The child of start(): 0 is not returned.
[[noreturn]] void become(const Program& program, char* const* argv, char* const* environment,
                         int output, int failed) {
  (void)setpgid(0, 0);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  (void)dup2(null, STDIN_FILENO);
  (void)dup2(output, STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(program.path.c_str(), argv, environment);
  const int err = errno;
  (void)!write(failed, &err, sizeof err);
  _exit(1);
}

/// In a group of its own; 0, or why it could not be run. `output` 2: none of its own. A plain
/// fork: posix_spawn() fails where a filter answers EPERM to clone3.
int start(Program& program, const std::vector<std::string>& argv,
          const std::vector<std::string>& environment, int output) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = pointers(environment);
  const pid_t pid = fork();
  if (pid < 0) return errno;
  if (pid == 0) become(program, arguments.data(), variables.data(), output, writing.get());
  (void)setpgid(pid, pid);
  writing.reset();
  int err = 0;
  if (read(reading.get(), &err, sizeof err) == static_cast<ssize_t>(sizeof err)) {
    (void)waitpid(pid, nullptr, 0);
    return err;
  }
  program.pid = pid;
  return 0;
}

std::string how_it_failed(int status) {
  if (WIFSIGNALED(status)) return format("was ended by signal {}", WTERMSIG(status));
  return format("ended with status {}", WEXITSTATUS(status));
}

/// True: it has ended, and what was wrong is told.
bool has_ended(Program& program, std::vector<std::string>& losses) {
  int status = 0;
  const pid_t ended = waitpid(program.pid, &status, WNOHANG);
  if (ended == 0) return false;
  if (ended > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    losses.push_back(format("{} {}", program.path, how_it_failed(status)));
  }
  return true;
}

timespec until(MonoTime deadline) {
  const std::int64_t left = std::max<std::int64_t>(0, deadline.us - read_clock().mono.us);
  constexpr std::int64_t kSecond = 1'000'000;
  return {static_cast<time_t>(left / kSecond), static_cast<long>(left % kSecond * 1000)};
}

/// Until a child has ended; false: the deadline has come. SIGCHLD is blocked.
bool wait_for_a_child(MonoTime deadline) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  const timespec left = until(deadline);
  return sigtimedwait(&set, nullptr, &left) >= 0 || errno == EINTR;
}

void wait_for_all(std::vector<Program>& running, MonoTime deadline,
                  std::vector<std::string>& losses) {
  for (;;) {
    std::erase_if(running, [&](Program& p) { return has_ended(p, losses); });
    if (running.empty()) return;
    if (!wait_for_a_child(deadline)) break;
  }
  for (const Program& program : running) {
    losses.push_back(format("{} did not end in time, it is killed", program.path));
    (void)kill(-program.pid, SIGKILL);
    (void)waitpid(program.pid, nullptr, 0);
  }
}

}  // namespace

MonoTime generator_deadline(Duration patience) {
  return read_clock().mono + patience;
}

std::string program_output(const std::string& program, const std::vector<std::string>& environment,
                           MonoTime deadline, std::vector<std::string>& losses) {
  int ends[2] = {-1, -1};
  std::vector<Program> running{{program, 0}};
  int err = pipe2(ends, O_CLOEXEC) < 0 ? errno : 0;
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  if (err == 0) err = start(running.front(), {program}, environment, writing.get());
  writing.reset();
  if (err != 0) {
    losses.push_back(format("{} can't be run: {}", program, errno_text(err)));
    return {};
  }
  std::string text;
  while (text.size() < kOutputMax) {
    pollfd ready{reading.get(), POLLIN, 0};
    const timespec left = until(deadline);
    if (ppoll(&ready, 1, &left, nullptr) <= 0) break;
    char piece[4096];
    const ssize_t n = read(reading.get(), piece, sizeof piece);
    if (n <= 0) break;
    text.append(piece, static_cast<std::size_t>(n));
  }
  wait_for_all(running, deadline, losses);
  return text;
}

void run_programs(const std::vector<std::string>& programs, const GeneratorFolders& folders,
                  const std::vector<std::string>& environment, MonoTime deadline,
                  std::vector<std::string>& losses) {
  std::vector<Program> running;
  for (const std::string& path : programs) {
    Program program{path, 0};
    const int err = start(program, {path, folders.normal, folders.early, folders.late}, environment,
                          STDERR_FILENO);
    if (err != 0) {
      losses.push_back(format("{} can't be run: {}", path, errno_text(err)));
    } else {
      running.push_back(std::move(program));
    }
  }
  wait_for_all(running, deadline, losses);
}

}  // namespace onset
