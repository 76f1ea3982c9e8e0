#include "sim/trial.h"

#include <fcntl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "sim/coverage.h"

namespace onset::sim {
namespace {

// Any other status is that of a process that did not get as far.
constexpr int kFailed = 100;
constexpr int kDidNot = 101;

/// Of processor time, of which a world takes some milliseconds; and if it takes none, of any.
constexpr int kSecondsOfWork = 1;
constexpr unsigned kSeconds = 60;

/// In the child: nothing that it does is told or counted.
void be_a_trial() {
  set_coverage(nullptr);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDERR_FILENO);
  itimerval limit{};
  limit.it_value.tv_sec = kSecondsOfWork;
  setitimer(ITIMER_PROF, &limit, nullptr);
  alarm(kSeconds);
}

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(to, text.data(), text.size());
    if (written <= 0) _exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 65536> part{};
  for (ssize_t size = 0; (size = read(from, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(size));
  return text;
}

}  // namespace

bool fails(const Recording& recording, std::string_view name) {
  const pid_t pid = fork();
  if (pid == 0) {
    be_a_trial();
    const Outcome outcome = replay(recording);
    _exit(outcome.violation && outcome.violation->name == name ? kFailed : kDidNot);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return false;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kDidNot) return false;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kFailed) return true;
  const bool is_out_of_time =
      WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM);
  return name == (is_out_of_time ? "no end" : "died");
}

Recording record(std::uint64_t seed) {
  Recording recording{make_plan(seed), {}};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return recording;
  const pid_t pid = fork();
  if (pid == 0) {
    be_a_trial();
    (void)run_world(seed, [&](const SimEvent& e) { write_all(ends[1], to_text(e) + "\n"); });
    _exit(0);
  }
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  if (pid > 0) waitpid(pid, nullptr, 0);
  for (const std::string_view line : split(text, '\n')) {
    if (auto event = parse_event(line)) recording.events.push_back(std::move(*event));
  }
  return recording;
}

}  // namespace onset::sim
