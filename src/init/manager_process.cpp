#include "init/manager_process.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <optional>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "init/final_phase.h"
#include "init/memory_wait.h"
#include "init/soft_reboot.h"
#include "os/resident_pages.h"

namespace onset {
namespace {

constexpr Duration kContainerPatience = std::chrono::milliseconds(500);

int syslog_level(Say::Level level) {
  switch (level) {
    case Say::Level::Debug:
      return 7;
    case Say::Level::Info:
      return 6;
    case Say::Level::Notice:
      return 5;
    case Say::Level::Warning:
      return 4;
    case Say::Level::Error:
      return 3;
  }
  return 6;
}

/// What is opened next would take the place of a standard stream that is closed, and
/// be handed to every service as its output.
void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (const int null = open("/dev/null", O_RDWR | O_NOCTTY); null >= 0) {
      if (null != fd) close(null);  // it is not closed after all
      continue;
    }
    int ends[2] = {-1, -1};  // end of file to read, an error to write
    if (pipe2(ends, 0) == 0) close(ends[1]);
  }
}

/// What `reboot ARGUMENT` has left, reboot(2). Wants no memory.
void read_reboot_argument(std::array<char, 256>& argument) {
  const UniqueFd fd(open("/run/systemd/reboot-param", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return;
  const ssize_t n = read(fd.get(), argument.data(), argument.size() - 1);
  std::size_t length = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (length > 0 && argument[length - 1] == '\n') --length;
  argument[length] = '\0';
}

}  // namespace

// ---- one turn ---------------------------------------------------------------------

int ManagerProcess::run() {
  for (const std::string& warning : options_.warnings) console_.line(4, "", warning);
  if (auto ready = come_up(); !ready) {
    console_.line(2, "", format("cannot start: {}", to_string(ready.error())));
    return 1;
  }
  begin();
  while (manager_->objective() == Objective::Run) {
    try {
      turn();
    } catch (const std::bad_alloc&) {
      look_again_later();
    }
  }
  return finish();
}

/// What is due stays due.
void ManagerProcess::look_again_later() {
  console_.line(2, "", "out of memory, a request was dropped");
  wait_for_memory();
}

void ManagerProcess::turn() {
  tell_upwards();
  rest(read_clock().mono);
  MonoTime deadline =
      std::min({manager_->next_deadline(), server_->next_deadline(), display_.deadline(),
                starvation_->next_deadline(), shutdown_timer_.next_deadline(), mounts_->resume_at(),
                watchdog_.next_deadline(), rest_at_});
  if (generators_) deadline = std::min(deadline, generators_->deadline());
  // Some were left for this turn.
  if (children_ended_ || asked_ != SignalRequest::None) deadline = MonoTime{0};
  if (auto waited = loop_->wait(deadline); !waited) {
    console_.line(2, "", to_string(waited.error()));
  }
  if (asked_ != SignalRequest::None) handle_signals();
  if (has_found_ && mounts_->is_behind() && mounts_->resume_at() == kNever) tell_mounts();
  if (has_found_ && devices_ != nullptr && devices_->is_behind()) handle_devices();
  if (children_ended_) reap();
  const Timestamp now = read_clock();
  os_->new_turn();
  if (manager_->next_deadline() <= now.mono) manager_->elapse(now);
  if (server_->next_deadline() <= now.mono) server_->elapse(now);
  if (watchdog_.next_deadline() <= now.mono) watchdog_.ping(now.mono);
  if (shutdown_timer_.next_deadline() <= now.mono) end_as_planned(now);
  if (display_.deadline() <= now.mono) show_slow_jobs(now.mono);
  starvation_->elapse(now.mono,
                      [this](const StarvationChange& change) { tell_starvation(change); });
  if (mounts_->resume_at() <= now.mono) look_at_mounts();
  if (generators_ && generators_->deadline() <= now.mono) finish_reload();
  manager_->collect();
  triggers_->end_turn();
}

void ManagerProcess::tell_starvation(const StarvationChange& change) {
  const std::string text = change.begins
                               ? starvation_text(change.what, change.share)
                               : format("starves for {} no longer", to_string(change.what));
  log(Say::Level::Notice, change.unit, text);
  if (const UnitId id = manager_->graph().find(change.unit); id.valid()) unit_changed(id);
}

void ManagerProcess::unit_killed_for_memory(UnitId id, const std::string& why) {
  const std::string unit = manager_->graph().unit(id).id;
  const std::string text = format("killed by {}", why);
  log(Say::Level::Warning, unit, text);
  manager_->note_problem(id, text);
  manager_->oom_killed(id, read_clock());
}

/// A machine's own; what is below it looks after that of its machine.
void ManagerProcess::watch_hardware(Duration timeout) {
  if (surroundings_ != Surroundings::Machine) return;
  const ManagerSettings& settings = configuration_->settings();
  const SysResult done = watchdog_.set(settings.watchdog_device, timeout,
                                       settings.runtime_watchdog_pre, read_clock().mono);
  // Few machines have one; who has asked for one by name or time is told that it is missing.
  if (done || (done.error().err == ENOENT && settings.runtime_watchdog == Duration::zero())) return;
  console_.line(
      4, "",
      format("the hardware watchdog can't be set as configured: {}", to_string(done.error())));
}

void ManagerProcess::end_as_planned(const Timestamp& now) {
  const auto objective = shutdown_timer_.elapse(now);
  if (!objective) return;
  // What has begun by itself meanwhile stands; to be asked twice would force it.
  if (!manager_->stopping()) manager_->shut_down(*objective, 0, now);
  shutdown_timer_.forget();
}

/// What can wait until those that were started have had the processor: a moment after all has begun
/// that can begin, and a second after the last job.
void ManagerProcess::rest(MonoTime now) {
  constexpr Duration kMoment = std::chrono::milliseconds(100);
  constexpr Duration kQuiet = std::chrono::seconds(1);
  const bool wants_to_settle = !settled_ && !manager_->starting();
  if (manager_->is_behind() || os_->is_launching() || (has_found_ && !wants_to_settle)) {
    rest_at_ = kNever;
  } else if (rest_at_ == kNever) {
    rest_at_ = now + (has_found_ ? kQuiet : kMoment);
  } else if (rest_at_ <= now) {
    rest_at_ = kNever;
    tell_what_is_there();
    if (wants_to_settle) settle();
  }
}

/// What is mounted or plugged in already becomes units: those that a job waits for have asked for
/// themselves as they were loaded. bad_alloc: the rest is told by later turns.
void ManagerProcess::tell_what_is_there() {
  if (std::exchange(has_found_, true)) return;
  tell_devices();
  tell_mounts();
}

/// What comes now is mostly waiting.
void ManagerProcess::settle() {
  settled_ = true;
  (void)malloc_trim(0);
  release_program_pages();
}

/// $NOTIFY_SOCKET of whoever started us: READY=1 once the start has ended.
void ManagerProcess::tell_upwards() {
  if (container_.notify_socket.empty()) return;
  if (!told_ready_ && !manager_->starting()) {
    told_ready_ = true;
    (void)send_notify(container_.notify_socket, "READY=1\nSTATUS=Ready.");
  }
  if (!told_stopping_ && manager_->stopping()) {
    told_stopping_ = true;
    (void)send_notify(container_.notify_socket, "STOPPING=1\nSTATUS=Shutting down.");
  }
}

/// A reboot that hangs ends by the watchdog; a machine that is off or halted stays so.
void ManagerProcess::hand_over_watchdog(FinalPhase& phase) {
  const ManagerSettings& settings = configuration_->settings();
  Duration timeout{0};
  if (phase.objective == Objective::Reboot) timeout = settings.reboot_watchdog;
  if (phase.objective == Objective::Kexec) timeout = settings.kexec_watchdog;
  if (phase.objective == Objective::SoftReboot) timeout = settings.runtime_watchdog;
  watch_hardware(timeout);
  phase.watchdog = &watchdog_;
}

/// Whatever there is no memory for, leave() comes: else a machine would die in place of its
/// poweroff.
int ManagerProcess::finish() noexcept {
  std::optional<MemoryReserve::Open> reserve;
  (void)if_memory_suffices([&] { reserve.emplace(reserve_, 0); });
  (void)if_memory_suffices([&] { tell_upwards(); });
  FinalPhase phase;
  phase.objective = manager_->objective();
  phase.exit_status = manager_->exit_status();
  phase.container = surroundings_ != Surroundings::Machine;
  phase.immediate = manager_->ends_immediately();
  if (phase.container) phase.patience = kContainerPatience;
  if (phase.objective == Objective::Reboot) read_reboot_argument(phase.reboot_argument);
  (void)if_memory_suffices([&] { hand_over_watchdog(phase); });
  (void)if_memory_suffices([&] { server_->close_all(); });
  if (!control_path_.empty()) (void)unlink(control_path_.c_str());
  if (!notify_path_.empty()) (void)unlink(notify_path_.c_str());
  if (!container_.notify_socket.empty()) {
    (void)if_memory_suffices([&] {
      (void)send_notify(container_.notify_socket, format("EXIT_STATUS={}", phase.exit_status));
    });
  }
  const int status = leave(phase, console_);
  if (phase.objective == Objective::SoftReboot) {
    (void)if_memory_suffices([&] { leave_boot_marks(marks_, in_initrd_, files_); });
    (void)if_memory_suffices([&] { begin_anew(initial_environment_, console_); });
  }
  return status;
}

// ---- what is told -------------------------------------------------------------------

void ManagerProcess::log(Say::Level level, std::string_view unit, std::string_view text) {
  console_.line(syslog_level(level), unit, text);
  if (manager_ == nullptr || unit.empty()) return;
  if (level != Say::Level::Warning && level != Say::Level::Error) return;
  manager_->note_problem(manager_->graph().find(unit), text);
}

int run_manager(const InitOptions& options, char** environment) {
  fill_standard_streams();
  return std::make_unique<ManagerProcess>(options, environment)->run();
}

}  // namespace onset
