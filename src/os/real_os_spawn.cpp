// The launching half of RealOs: spawn(), what a launch reports, and what goes
// when an activation ends.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
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

}  // namespace

Result<Launch> RealOs::spawn(const LaunchRequest& request) {
  thaw_if_frozen(request.id);
  auto built = builder_->build(request);
  if (!built) return Failure{built.error()};
  // A late child goes on reading it: it has a place of its own.
  auto plan = std::make_unique<LaunchPlan>(std::move(*built));
  if (cgroups_ && plan->failed == LaunchStep::None) {
    if (auto done = place_in_cgroup(*plan, request); !done) return Failure{done.error()};
  }
  auto started = launcher_->start(*plan, late_launches_);
  if (!started) return Failure{started.error()};
  table_.spawned(started->pid, request.id, request.invocation, plan->arguments.front());
  if (const auto unit = units_.find(request.id.value); unit != units_.end()) {
    unit->second.told = false;
  }

  const Launch launch{started->pid, started->exec_done};
  if (started->report) return wait_for_report(std::move(*started), std::move(plan));
  if (plan->report.notes != 0) report_notes(*plan, plan->report.notes);
  if (plan->report.step != LaunchStep::None) report_failure(*plan, plan->report);
  return launch;
}

/// How it went comes through the pipe, or with the process's end.
Launch RealOs::wait_for_report(StartedProcess started, std::unique_ptr<LaunchPlan> plan) {
  Launch launch{started.pid, false};
  if (auto done = poll(started.report, Source::Launch); !done) {
    log_.log(Say::Level::Warning, plan->unit, to_string(done.error()));
    launch.exec_done = true;  // its exit will tell
  }
  if (started.stack) ++late_launches_;
  const int fd = started.report.get();
  launches_[fd] = PendingLaunch{std::move(started), std::move(plan)};
  return launch;
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
    launches_.erase(at);
    return;
  }
  end_launch(at, listener);
}

/// The child has executed or ended.
void RealOs::end_launch(std::unordered_map<int, PendingLaunch>::iterator at, OsListener& listener) {
  const PendingLaunch launch = std::move(at->second);
  launches_.erase(at);
  if (launch.process.stack) --late_launches_;
  const LaunchPlan& plan = *launch.plan;
  if (plan.shares_memory) {
    if (plan.report.notes != 0) report_notes(plan, plan.report.notes);
    if (plan.report.step != LaunchStep::None) return report_failure(plan, plan.report);
  }
  if (table_.is_top(launch.process.pid)) listener.exec_done(launch.process.pid);
}

/// Of a child that was waited for: what its launch has to tell comes before its end.
void RealOs::settle_launch(pid_t pid, OsListener& listener) {
  for (auto at = launches_.begin(); at != launches_.end(); ++at) {
    if (at->second.process.pid != pid) continue;
    const int fd = at->first;
    drain_launch(fd, listener);
    // Still there: somebody else holds the child's end of the pipe.
    if (const auto left = launches_.find(fd); left != launches_.end()) end_launch(left, listener);
    return;
  }
}

void RealOs::report_failure(const LaunchPlan& plan, const ChildReport& report) {
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
  log_.log(plan.ignore_failure ? Say::Level::Debug : Say::Level::Error, plan.unit,
           format("{} (step {}, status {})", text, step.name, step.status));
}

void RealOs::report_notes(const LaunchPlan& plan, std::uint8_t notes) {
  if ((notes & static_cast<unsigned>(LaunchNote::OomAdjust)) != 0) {
    log_.log(
        Say::Level::Info, plan.unit,
        format("OOMScoreAdjust={} could not be set here, going on without", plan.oom_score_adj));
  }
  if ((notes & static_cast<unsigned>(LaunchNote::Nice)) != 0) {
    log_.log(
        Say::Level::Info, plan.unit,
        format("Nice={} could not be set here, the nearest level allowed is taken", plan.nice));
  }
  if ((notes & static_cast<unsigned>(LaunchNote::Limits)) != 0) {
    log_.log(Say::Level::Info, plan.unit,
             "a limit could not be raised as asked, the highest allowed is taken");
  }
}

bool RealOs::remove_group(const std::string& group, const Unit& unit) {
  return unit.type == UnitType::Slice ? cgroups_->remove_one(group) : cgroups_->remove(group);
}

void RealOs::release(UnitId id, const Unit& unit, bool remove_directories) {
  thaw_if_frozen(id);
  watch_path(id, {});
  bus_->unwatch(id.value);
  const auto at = units_.find(id.value);
  if (at != units_.end() && at->second.empty_watch >= 0) watch_empty(id, false);
  // A group with processes that were left running stays the unit's.
  const std::string group = group_of(id, unit);
  if (group.empty() || remove_group(group, unit)) {
    unit_by_cgroup_.erase(group);
    units_.erase(id.value);
  }
  check_empty_.erase(id.value);
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
    unit_by_cgroup_.erase(at->second.cgroup);
  }
  if (const std::string group = group_of(id, unit); !group.empty()) (void)remove_group(group, unit);
  units_.erase(id.value);
  check_empty_.erase(id.value);
  table_.forget(id);
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
        (void)close_all_descriptors(-1);
        const Removal rest = remove_tree(base, entry.path, UINT32_MAX);
        ::_exit(rest.error == 0 ? 0 : 1);
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
