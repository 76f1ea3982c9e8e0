#include "init/generator_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>

#include "base/format.h"
#include "base/text.h"
#include "init/generator_programs.h"
#include "loop/clock.h"
#include "unit/values.h"

namespace onset {
namespace {

/// For the child to tell what it has killed.
constexpr Duration kGrace = std::chrono::seconds(5);
/// The report's records begin with what they are, and end with a NUL.
constexpr char kVariable = 'e';
constexpr char kLoss = 'w';
constexpr char kEnd = '.';
constexpr std::size_t kReportMax = std::size_t{4} << 20U;
constexpr int kDescriptorsMax = 65536;

/// Else what PID 1 closes would stay open for as long as a generator takes.
void close_all_but(int kept) {
  bool closed =
      kept > 3 ? syscall(SYS_close_range, 3U, static_cast<unsigned>(kept) - 1, 0U) == 0 : true;
  if (closed) closed = syscall(SYS_close_range, static_cast<unsigned>(kept) + 1, ~0U, 0U) == 0;
  if (closed) return;
  const long limit = std::min<long>(sysconf(_SC_OPEN_MAX), kDescriptorsMax);
  for (int fd = 3; fd < limit; ++fd) {
    if (fd != kept) close(fd);
  }
}

/// As every program begins, but for SIGCHLD, which is waited for.
void reset_signals() {
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) (void)sigaction(number, &usual, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  (void)sigprocmask(SIG_SETMASK, &set, nullptr);
}

void add_record(std::string& text, char kind, std::string_view what) {
  text += kind;
  text += what;
  text += '\0';
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

[[noreturn]] void be_the_child(const GeneratorPlan& plan, int report_fd) {
  (void)prctl(PR_SET_NAME, "onset-generate");
  (void)setsid();
  (void)umask(0022);
  close_all_but(report_fd);
  reset_signals();
  try {
    const GeneratorReport report = run_generators(plan);
    std::string text;
    for (const std::string& variable : report.environment) add_record(text, kVariable, variable);
    for (const std::string& loss : report.losses) add_record(text, kLoss, loss);
    add_record(text, kEnd, {});
    write_all(report_fd, text);
  } catch (const std::bad_alloc&) {
    // The report has no end, which is told.
  }
  _exit(0);
}

}  // namespace

Result<std::unique_ptr<GeneratorRun>> GeneratorRun::start(const GeneratorPlan& plan) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) < 0) return Failure{SysError{"pipe2", errno}};
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  if (fcntl(reading.get(), F_SETFL, O_NONBLOCK) < 0) return Failure{SysError{"fcntl", errno}};
  std::unique_ptr<GeneratorRun> run(
      new GeneratorRun(std::move(reading), 0, generator_deadline(plan.patience) + kGrace));
  const pid_t pid = fork();
  if (pid < 0) return Failure{SysError{"fork", errno}};
  if (pid == 0) be_the_child(plan, writing.get());
  run->pid_ = pid;
  return run;
}

/// It is nobody's any more, and ends when its programs do.
GeneratorRun::~GeneratorRun() = default;

bool GeneratorRun::read() {
  char piece[4096];
  for (;;) {
    const ssize_t n = ::read(pipe_.get(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      closed_ = true;
      return true;
    }
    if (text_.size() < kReportMax) text_.append(piece, static_cast<std::size_t>(n));
  }
}

GeneratorReport GeneratorRun::finish() {
  GeneratorReport report;
  for (const std::string_view record : split(text_, '\0')) {
    if (record.empty()) continue;
    const std::string_view what = record.substr(1);
    if (record.front() == kEnd) complete_ = true;
    if (record.front() == kLoss) report.losses.emplace_back(what);
    if (record.front() == kVariable && environment_assignment_is_valid(what)) {
      report.environment.emplace_back(what);
    }
  }
  if (!complete_) report.losses.emplace_back("the generators have not come to their end");
  // Whoever has not closed it is there, and its number is its own.
  if (!closed_) (void)kill(-pid_, SIGKILL);
  pipe_.reset();
  return report;
}

GeneratorReport GeneratorRun::wait() {
  for (;;) {
    if (read()) break;
    const std::int64_t left = deadline_.us - read_clock().mono.us;
    if (left <= 0) break;
    constexpr std::int64_t kSecond = 1'000'000;
    const timespec patience{static_cast<time_t>(left / kSecond),
                            static_cast<long>(left % kSecond * 1000)};
    pollfd ready{pipe_.get(), POLLIN, 0};
    (void)ppoll(&ready, 1, &patience, nullptr);
  }
  return finish();
}

}  // namespace onset
