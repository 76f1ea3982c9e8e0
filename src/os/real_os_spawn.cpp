// The launching half of RealOs: spawn(), what a launch reports, and what goes
// when an activation ends.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/make_room.h"
#include "base/out_of_memory.h"
#include "base/text.h"
#include "os/directories.h"
#include "os/launch_child.h"
#include "os/real_os.h"
#include "os/service_directories.h"

namespace onset {
namespace {

/// A tree larger than this is removed by a process of its own.
constexpr unsigned kRemovalBudget = 4096;

/// What the step was about.
std::string_view subject(const LaunchPlan& plan, LaunchStep step) {
  switch (step) {
    case LaunchStep::Exec:
      return plan.candidates.size() == 1 ? plan.candidates.front() : plan.arguments.front();
    case LaunchStep::Chdir:
      return plan.working_directory;
    case LaunchStep::Chroot:
      return plan.root;
    case LaunchStep::Stdin:
      return plan.streams[0].path;
    case LaunchStep::Stdout:
      return plan.streams[1].path;
    case LaunchStep::Stderr:
      return plan.streams[2].path;
    case LaunchStep::None:
    case LaunchStep::Cgroup:
    case LaunchStep::SetSid:
    case LaunchStep::OomAdjust:
    case LaunchStep::Nice:
    case LaunchStep::Scheduler:
    case LaunchStep::CpuAffinity:
    case LaunchStep::NumaPolicy:
    case LaunchStep::IoPriority:
    case LaunchStep::TimerSlack:
    case LaunchStep::Limits:
    case LaunchStep::Group:
    case LaunchStep::Capabilities:
    case LaunchStep::SecureBits:
    case LaunchStep::User:
    case LaunchStep::Fds:
    case LaunchStep::NoNewPrivileges:
    case LaunchStep::SignalMask:
    case LaunchStep::RuntimeDirectory:
    case LaunchStep::StateDirectory:
    case LaunchStep::CacheDirectory:
    case LaunchStep::LogsDirectory:
    case LaunchStep::ConfigurationDirectory:
    case LaunchStep::Memory:
      return {};
  }
  return {};
}

std::string failure_text(const LaunchPlan& plan, const ChildReport& report) {
  const LaunchStepInfo& step = describe(report.step);
  std::string text;
  if (plan.failed == report.step && !plan.failed_text.empty()) {
    text = plan.failed_text;
  } else {
    text = step.sentence;
    if (const auto what = subject(plan, report.step); !what.empty()) {
      text += ' ';
      text += c_escape(what);
    }
    text += ": ";
    text += errno_text(report.error);
  }
  return format("{} (step {}, status {})", text, step.name, step.status);
}

/// In a process of its own, into which nothing must let PID 1's loop return.
bool remove_whole_tree(std::string_view base, std::string_view relative) noexcept {
  bool is_removed = false;
  return if_memory_suffices(
             [&] { is_removed = remove_tree(base, relative, UINT32_MAX).error == 0; }) &&
         is_removed;
}

/// Of a child that is there already, whatever memory there is: the line is lost, not the child.
template <class Speak>
void say_if_possible(Speak speak) {
  (void)if_memory_suffices(speak);
}

}  // namespace

Result<Launch> RealOs::spawn(const LaunchRequest& request) {
  thaw_if_frozen(request.id);
  auto passed = request.unit->automount != nullptr
                    ? automounts_.passed_to(request)
                    : Result<PassedSockets>(sockets_.passed_to(request));
  if (!passed) return Failure{passed.error()};
  auto built = builder_->build(request, *passed);
  if (!built) return Failure{built.error()};
  // A late child goes on reading it: it has a place of its own.
  Launches made;
  made[-1].plan = std::make_unique<LaunchPlan>(std::move(*built));
  LaunchPlan& plan = *made[-1].plan;
  if (cgroups_ && plan.failed == LaunchStep::None) {
    if (auto done = place_in_cgroup(plan, request); !done) return Failure{done.error()};
  }
  if (!cgroups_) note_no_cgroups(request.id, *request.unit);
  make_room(launches_);
  table_.expect(request.id, request.invocation, plan.arguments.front());
  auto started = launcher_->start(plan, late_launches_);
  if (!started) return Failure{started.error()};
  // It is there: from here on nothing wants memory but what is said.
  table_.spawned(started->pid, request.id);
  if (const auto unit = units_.find(request.id.value); unit != units_.end()) {
    unit->second.told = false;
  }

  const Launch launch{started->pid, started->exec_done};
  if (started->report) return wait_for_report(std::move(*started), made.extract(-1));
  if (plan.report.notes != 0) report_notes(plan, plan.report.notes);
  if (plan.report.step != LaunchStep::None) report_failure(plan, plan.report);
  return launch;
}

/// How it went comes through the pipe, or with the process's end.
Launch RealOs::wait_for_report(StartedProcess started, Launches::node_type launch) {
  Launch result{started.pid, false};
  if (auto done = poll(started.report, Source::Launch); !done) {
    say_if_possible([&] {
      log_.log(Say::Level::Warning, launch.mapped().plan->unit, to_string(done.error()));
    });
    result.exec_done = true;  // its exit will tell
  }
  if (started.stack) ++late_launches_;
  launch.key() = started.report.get();
  launch.mapped().process = std::move(started);
  launches_.insert(std::move(launch));
  return result;
}

void RealOs::drain_launch(int fd, OsListener& listener) {
  const auto at = launches_.find(fd);
  if (at == launches_.end()) return;
  for (;;) {
    ChildReport report;
    const ssize_t n = ::read(fd, &report, sizeof report);
    if (n < 0 && errno == EAGAIN) return;
    if (n != static_cast<ssize_t>(sizeof report)) break;
    if (report.notes != 0) report_notes(*at->second.plan, report.notes);
    if (report.step == LaunchStep::None) continue;
    report_failure(*at->second.plan, report);
    return drop_launch(fd);
  }
  end_launch(fd, at->second, listener);
}

/// The child has executed or ended. It is dropped when that was told: where nobody could hear
/// it for want of memory, the pipe's end goes on telling.
void RealOs::end_launch(int fd, const PendingLaunch& launch, OsListener& listener) {
  const LaunchPlan& plan = *launch.plan;
  if (plan.shares_memory && plan.report.notes != 0) report_notes(plan, plan.report.notes);
  if (plan.shares_memory && plan.report.step != LaunchStep::None) {
    report_failure(plan, plan.report);
  } else if (table_.is_top(launch.process.pid)) {
    listener.exec_done(launch.process.pid);
  }
  drop_launch(fd);
}

void RealOs::drop_launch(int fd) {
  const auto at = launches_.find(fd);
  unpoll(at->second.process.report);
  if (at->second.process.stack) --late_launches_;
  launches_.erase(at);
}

/// Of a child that was waited for: what its launch has to tell comes before its end.
void RealOs::settle_launch(pid_t pid, OsListener& listener) {
  for (auto at = launches_.begin(); at != launches_.end(); ++at) {
    if (at->second.process.pid != pid) continue;
    const int fd = at->first;
    drain_launch(fd, listener);
    // Still there: somebody else holds the child's end of the pipe.
    if (const auto left = launches_.find(fd); left != launches_.end()) {
      end_launch(fd, left->second, listener);
    }
    return;
  }
}

void RealOs::report_failure(const LaunchPlan& plan, const ChildReport& report) {
  say_if_possible([&] {
    log_.log(plan.ignore_failure ? Say::Level::Debug : Say::Level::Error, plan.unit,
             failure_text(plan, report));
  });
}

void RealOs::report_notes(const LaunchPlan& plan, std::uint8_t notes) {
  const auto has = [notes](LaunchNote note) { return (notes & static_cast<unsigned>(note)) != 0; };
  const auto say = [&](std::string_view text) { log_.log(Say::Level::Info, plan.unit, text); };
  say_if_possible([&] {
    if (has(LaunchNote::OomAdjust)) {
      say(format("OOMScoreAdjust={} could not be set here, going on without", plan.oom_score_adj));
    }
    if (has(LaunchNote::Nice)) {
      say(format("Nice={} could not be set here, the nearest level allowed is taken", plan.nice));
    }
    if (has(LaunchNote::Limits)) {
      say("a limit could not be raised as asked, the highest allowed is taken");
    }
  });
}

bool RealOs::remove_group(const std::string& group, const Unit& unit) {
  unwatch_managed_oom(group);
  const bool is_removed =
      unit.type == UnitType::Slice ? cgroups_->remove_one(group) : cgroups_->remove(group);
  if (is_removed) groups_.erase(group);
  return is_removed;
}

void RealOs::release(UnitId id, const Unit& unit, bool remove_directories) {
  thaw_if_frozen(id);
  watch_path(id, {});
  bus_->unwatch(id.value);
  const auto at = units_.find(id.value);
  if (at != units_.end() && at->second.empty_watch >= 0) watch_empty(id, false);
  if (at != units_.end()) unwatch_events(at->second);
  // A group with processes that were left running stays the unit's.
  const std::string group = group_of(id, unit);
  if (!group.empty()) keep_usage(id, unit, group);
  if (group.empty() || remove_group(group, unit)) {
    unit_by_cgroup_.erase(group);
    units_.erase(id.value);
  }
  check_empty_.erase(id.value);
  checking_.erase(id.value);
  table_.forget(id);
  if (remove_directories) remove_runtime_directories(unit);
}

void RealOs::forget(UnitId id, const Unit& unit) {
  thaw_if_frozen(id);
  watch_path(id, {});
  bus_->unwatch(id.value);
  const auto at = units_.find(id.value);
  if (at != units_.end()) {
    if (at->second.empty_watch >= 0) watch_empty(id, false);
    unwatch_events(at->second);
    unit_by_cgroup_.erase(at->second.cgroup);
  }
  if (const std::string group = group_of(id, unit); !group.empty()) (void)remove_group(group, unit);
  if (unit.is_transient && !unit.fragment_path.empty()) remove_file(unit.fragment_path);
  held_.erase(id.value);
  not_enforced_.erase(id.value);
  last_usages_.erase(id.value);
  units_.erase(id.value);
  check_empty_.erase(id.value);
  checking_.erase(id.value);
  table_.forget(id);
  (void)watch_sockets(id, false);
  sockets_.forget(id);
  drop_automount(id);
}

void RealOs::remove_runtime_directories(const Unit& unit) {
  if (!unit.exec) return;
  const auto& set = unit.exec->directories[static_cast<unsigned>(ExecDirectory::Runtime)];
  if (!set) return;
  const std::string& base = directory_base(ExecDirectory::Runtime, settings_.host);
  for (const DirectoryEntry& entry : set->entries) {
    for (const std::string& link : entry.links) (void)remove_tree(base, link, 1);
    const Removal removal = remove_tree(base, entry.path, kRemovalBudget);
    if (removal.error != 0) {
      log_.log(Say::Level::Warning, unit.id,
               format("cannot remove {}/{}: {}", base, entry.path, errno_text(removal.error)));
    } else if (!removal.complete) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        (void)close_all_descriptors(3, -1);
        ::_exit(remove_whole_tree(base, entry.path) ? 0 : 1);
      }
      if (pid < 0) {
        log_.log(Say::Level::Warning, unit.id,
                 format("{}/{} is too large to be removed at once, and fork: {}", base, entry.path,
                        errno_text(errno)));
      }
    }
  }
}

}  // namespace onset
