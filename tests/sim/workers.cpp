#include "sim/workers.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "base/format.h"
#include "sim/run.h"
#include "sim/trial.h"

namespace onset::sim {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// What a process shows of itself, in memory that outlives it.
struct Share {
  enum class Is : int { InAWorld, Between };
  std::atomic<Is> is = Is::Between;
  std::atomic<std::uint64_t> seed = 0;
  std::atomic<double> began = 0;
  Tally tally;
};
static_assert(std::is_trivially_copyable_v<Tally>);

void report(std::uint64_t seed, std::string_view name, std::string_view text, bool shrinks) {
  std::printf("%s\n", format("seed {}: {}: {}", seed, name, text).c_str());
  std::fflush(stdout);
  if (!shrinks) return;
  const std::string small = to_text(shrink(record(seed), name));
  const std::string path = format("sim-{}.world", seed);
  std::ofstream(path) << small;
  std::printf("%skept in %s, again with --replay\n", small.c_str(), path.c_str());
  std::fflush(stdout);
}

/// Every `jobs`-th seed from `first` on.
void run_seeds(const Options& options, std::uint64_t first, double began, Share& share) {
  Tally& tally = share.tally;
  set_coverage(&tally.coverage);
  for (std::uint64_t seed = first;; seed += options.jobs) {
    if (options.seeds != 0 && seed >= options.first + options.seeds) break;
    if (options.steps != 0 && tally.steps >= options.steps / options.jobs) break;
    if (options.seconds != 0 && seconds_now() >= began + options.seconds) break;
    share.seed = seed;
    share.began = seconds_now();
    share.is = Share::Is::InAWorld;
    const Outcome outcome = run_world(seed);
    share.is = Share::Is::Between;
    ++tally.worlds;
    tally.steps += outcome.steps;
    if (!outcome.violation) continue;
    ++tally.failed;
    report(seed, outcome.violation->name, outcome.violation->text, options.shrinks);
    if (!options.keeps_going) break;
  }
}

class Worker {
 public:
  Worker(const Options& options, double began) : options_(options), began_(began) {
    void* const memory =
        mmap(nullptr, sizeof(Share), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    share_ = new (memory) Share;
  }

  void start(std::uint64_t first) {
    std::fflush(stdout);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    run_seeds(options_, first, began_, *share_);
    std::exit(0);  // not _exit(): what the compiler has added to look at a program tells at its end
  }
  [[nodiscard]] bool is_running() const { return pid_ > 0; }
  [[nodiscard]] const Tally& tally() const { return share_->tally; }

  /// Whether it goes on as it should; if not it is started anew, or over.
  void look() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
      lost("died", WIFSIGNALED(status) ? format("by {}", strsignal(WTERMSIG(status)))
                                       : format("with status {}", WEXITSTATUS(status)));
    } else if (share_->is == Share::Is::InAWorld &&
               seconds_now() >= share_->began + options_.patience) {
      (void)::kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = 0;
      lost("no end", format("after {} s", options_.patience));
    }
  }

 private:
  void lost(std::string_view how, const std::string& text) {
    ++share_->tally.failed;
    const std::uint64_t seed = share_->seed;
    if (share_->is != Share::Is::InAWorld) {
      std::printf("%s\n", format("between worlds: a process {}, {}", how, text).c_str());
      return;
    }
    share_->is = Share::Is::Between;
    ++share_->tally.worlds;
    report(seed, how, text, options_.shrinks);
    if (options_.keeps_going) start(seed + options_.jobs);
  }

  const Options& options_;
  double began_;
  Share* share_ = nullptr;
  pid_t pid_ = 0;
};

}  // namespace

Tally run_worlds(const Options& options) {
  sigset_t child_ends;
  sigemptyset(&child_ends);
  sigaddset(&child_ends, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ends, nullptr);
  const double began = seconds_now();
  std::vector<Worker> workers;
  for (std::uint64_t j = 0; j < options.jobs; ++j) {
    workers.emplace_back(options, began);
    workers.back().start(options.first + j);
  }
  const auto is_any_running = [&] { return std::ranges::any_of(workers, &Worker::is_running); };
  while (is_any_running()) {
    constexpr timespec kBetweenLooks{0, 200000000};  // at what no signal tells of: no end
    (void)sigtimedwait(&child_ends, nullptr, &kBetweenLooks);
    for (Worker& worker : workers) {
      if (worker.is_running()) worker.look();
    }
  }
  Tally all;
  for (const Worker& worker : workers) all.add(worker.tally());
  return all;
}

}  // namespace onset::sim
