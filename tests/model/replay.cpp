// Replays traces of the model of the job engine (jobs.pml) into the real manager, on the
// fake kernel and a simulated clock: after each event both must look the same.
//
//   model-replay b:Requires=a c:BindsTo=b … <TRACES
//
// The arguments are the dependencies of a.service, b.service and c.service. A trace is what
// the model prints:
//
//   EVENT main_fails a              what happens
//   REFUSED                         the request was
//   END a start failed              a job that has ended by it, and how
//   STATE failed 001 - - 0 …        after it, per unit: sub state; whether its main and its
//                                   reload process live and whether something has failed; its
//                                   job, that job's state, irreversible; then shutdown, ended
//   WORLD                           from here on a new one
//
// The exit status is 1 where they differ, with the trace up to there; 2 for what is no trace, or
// has no event.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "base/format.h"
#include "support/engine_world.h"
#include "unit/builtin.h"

namespace onset::test {
namespace {

constexpr std::array<std::string_view, 3> kUnits{"a.service", "b.service", "c.service"};

/// What the manual says a sub state counts as.
std::string_view active_of(std::string_view sub) {
  if (sub == "dead") return "inactive";
  if (sub == "start") return "activating";
  if (sub == "running") return "active";
  if (sub == "reload") return "reloading";
  if (sub == "failed") return "failed";
  return "deactivating";
}

class Replay {
 public:
  explicit Replay(EngineWorld::Files files) : files_(std::move(files)) { begin(); }

  /// False: the engine is not where the model is.
  bool line(const std::string& text);
  [[nodiscard]] bool is_no_trace() const { return is_no_trace_; }
  [[nodiscard]] unsigned long events() const { return events_; }
  void summarize() const;

 private:
  struct Unit {
    std::string sub, processes, job, job_state, irreversible;
  };

  void begin();
  void act(const std::string& event, unsigned unit);
  void end(std::string_view unit, ExecRole role, ExitStatus status);
  [[nodiscard]] pid_t process(std::string_view unit, ExecRole role) const;
  void pass_time();
  bool compare(std::istringstream& words);
  [[nodiscard]] std::string observe(std::string_view unit) const;
  [[nodiscard]] std::vector<std::string> ends_of(const std::vector<std::string>& all,
                                                 std::string_view unit) const;
  bool differs(std::string_view what, std::string_view expected, std::string_view found) const;

  EngineWorld::Files files_;
  std::vector<std::unique_ptr<UnitTable>> files_read_;
  std::unique_ptr<EngineWorld> world_;
  std::vector<std::string> trace_;
  std::vector<std::string> ends_;  ///< as the model has them, since the event
  std::string refusal_;            ///< the engine's
  bool refused_ = false;           ///< the model's
  bool is_no_trace_ = false;
  std::string event_;
  std::map<std::string, std::set<std::string>> met_;  ///< states of the unit, by event
  unsigned long events_ = 0;
  unsigned long worlds_ = 0;
};

void Replay::begin() {
  world_ = std::make_unique<EngineWorld>(files_);
  // In this order: what is due at one moment is so in the order of loading.
  for (const std::string_view unit : kUnits) (void)world_->manager.load(unit);
  trace_.clear();
  ends_.clear();
  ++worlds_;
}

pid_t Replay::process(std::string_view unit, ExecRole role) const {
  for (const auto& [pid, p] : world_->os.alive) {
    if (p.unit_name == unit && p.role == role) return pid;
  }
  return 0;
}

void Replay::end(std::string_view unit, ExecRole role, ExitStatus status) {
  const pid_t pid = process(unit, role);
  if (pid == 0) return;  // the states differ already, and are compared next
  const UnitId id = world_->os.alive.at(pid).unit;
  world_->os.vanish(pid);
  world_->manager.process_exited(pid, status, world_->now);
  if (world_->os.empty_watched.contains(id) && !world_->os.has_processes(id))
    world_->manager.unit_empty(id, world_->now);
}

/// The next deadline comes: whose it is shows in what follows.
void Replay::pass_time() {
  Manager& manager = world_->manager;
  world_->pass(manager.next_deadline() - world_->now.mono);
  // An ExecReload= that has taken too long was killed: where nobody waits for it, it ends now.
  for (const std::string_view name : kUnits) {
    const pid_t pid = process(name, ExecRole::Reload);
    if (pid == 0 || process(name, ExecRole::Start) == 0) continue;
    const std::vector<int>& signals = world_->os.alive.at(pid).signals;
    if (!signals.empty() && signals.front() == 9)
      end(name, ExecRole::Reload, {ExitKind::Killed, 9});
  }
}

void Replay::act(const std::string& event, unsigned unit) {
  EngineWorld& w = *world_;
  const std::string_view name = kUnits[unit];
  refusal_.clear();
  w.finished.clear();
  // So that timers have an order: some time, but none is over yet.
  const Duration left = w.manager.next_deadline() - w.now.mono;
  w.pass(std::min<Duration>(std::chrono::milliseconds(100), left / 2));
  if (event == "request_start") {
    refusal_ = w.request(name, JobType::Start);
  } else if (event == "request_stop") {
    refusal_ = w.request(name, JobType::Stop);
  } else if (event == "request_restart") {
    refusal_ = w.request(name, JobType::Restart);
  } else if (event == "request_reload") {
    refusal_ = w.request(name, JobType::Reload);
  } else if (event == "gets_ready") {
    w.notify(name, "READY=1");
  } else if (event == "main_exits") {
    end(name, ExecRole::Start, {ExitKind::Exited, 0});
  } else if (event == "main_fails") {
    end(name, ExecRole::Start, {ExitKind::Exited, 1});
  } else if (event == "main_killed") {
    end(name, ExecRole::Start, {ExitKind::Killed, 9});
  } else if (event == "reload_exits") {
    end(name, ExecRole::Reload, {ExitKind::Exited, 0});
  } else if (event == "reload_fails") {
    end(name, ExecRole::Reload, {ExitKind::Exited, 1});
  } else if (event == "reload_killed") {
    end(name, ExecRole::Reload, {ExitKind::Killed, 9});
  } else if (event == "times_out") {
    pass_time();
  } else if (event == "reads_files") {
    // The old source is asked no more.
    files_read_.push_back(std::make_unique<UnitTable>(files_));
    Diagnostics diagnostics;
    w.manager.reload(*files_read_.back(), w.now, diagnostics);
    if (files_read_.size() > 1) files_read_.erase(files_read_.begin());
  } else if (event == "shuts_down") {
    w.manager.shut_down(Objective::Poweroff, 0, w.now);
  } else {
    is_no_trace_ = true;
  }
}

/// In the words of the model.
std::string Replay::observe(std::string_view unit) const {
  const Manager& manager = world_->manager;
  const UnitId id = manager.graph().find(unit);
  if (!id.valid()) return "dead 000 - - 0";
  const UnitRuntime& rt = manager.runtime(id);
  const Job* job = manager.job(rt.job);
  const std::string_view state = job == nullptr                    ? "-"
                                 : job->state == JobState::Running ? "running"
                                                                   : "waiting";
  return format("{} {}{}{} {} {} {}", manager.sub_state(id),
                process(unit, ExecRole::Start) != 0 ? 1 : 0,
                process(unit, ExecRole::Reload) != 0 ? 1 : 0,
                rt.service.result != ServiceResult::Success ? 1 : 0,
                job == nullptr ? "-" : to_string(job->type), state,
                job != nullptr && job->irreversible ? 1 : 0);
}

std::vector<std::string> Replay::ends_of(const std::vector<std::string>& all,
                                         std::string_view unit) const {
  std::vector<std::string> found;
  for (const std::string& end : all) {
    if (end.starts_with(format("{} ", unit))) found.push_back(end);
  }
  return found;
}

bool Replay::differs(std::string_view what, std::string_view expected,
                     std::string_view found) const {
  for (const std::string& line : trace_) std::printf("%s\n", line.c_str());
  std::printf("here the model and the engine differ: %s\n  expected  %s\n  found     %s\n",
              std::string(what).c_str(), std::string(expected).c_str(), std::string(found).c_str());
  return false;
}

bool Replay::compare(std::istringstream& words) {
  const Manager& manager = world_->manager;
  const auto word = [&] {
    std::string w;
    words >> w;
    return w;
  };
  for (const std::string_view unit : kUnits) {
    const std::string sub = word();
    std::string expected = sub;
    for (int i = 0; i < 4; ++i) expected += " " + word();
    if (const std::string found = observe(unit); found != expected)
      return differs(unit, expected, found);
    const UnitId id = manager.graph().find(unit);
    const std::string_view active =
        id.valid() ? to_string(manager.active_state(id)) : to_string(ActiveState::Inactive);
    if (active != active_of(sub)) return differs(unit, active_of(sub), active);
    const auto joined = [](const std::vector<std::string>& parts) {
      std::string text;
      for (const std::string& part : parts) text += part + "; ";
      return text;
    };
    const std::string ends = joined(ends_of(ends_, unit));
    const std::string ended = joined(ends_of(world_->finished, unit));
    if (ends != ended) return differs(format("ends of jobs of {}", unit), ends, ended);
  }
  const std::string asked = word();
  const std::string over = word();
  if ((asked == "1") != manager.stopping())
    return differs("shutdown", asked, manager.stopping() ? "1" : "0");
  const bool is_over = manager.objective() != Objective::Run;
  if ((over == "1") != is_over) return differs("the shutdown's end", over, is_over ? "1" : "0");
  if (refused_ != !refusal_.empty())
    return differs("refused", refused_ ? "yes" : "no", refusal_.empty() ? "no" : refusal_);
  is_no_trace_ = is_no_trace_ || !words;
  return true;
}

bool Replay::line(const std::string& text) {
  std::istringstream words(text);
  std::string what;
  words >> what;
  if (what == "WORLD") {
    begin();
    return true;
  }
  trace_.push_back(text);
  std::string first;
  if (what == "EVENT") {
    std::string unit;
    words >> first >> unit;
    if (unit.size() != 1 || unit[0] < 'a' || unit[0] > 'c') {
      is_no_trace_ = true;
      return true;
    }
    const auto place = static_cast<unsigned>(unit[0] - 'a');
    met_[first].insert(world_->sub(kUnits[place]));
    ++events_;
    ends_.clear();
    refused_ = false;
    act(first, place);
    return true;
  }
  if (what == "END") {
    std::string type;
    std::string result;
    words >> first >> type >> result;
    ends_.push_back(format("{}.service {} {}", first, type, result));
    return true;
  }
  if (what == "REFUSED") {
    refused_ = true;
    return true;
  }
  if (what == "STATE") return compare(words);
  is_no_trace_ = true;
  return true;
}

void Replay::summarize() const {
  std::printf("%lu events in %lu worlds\n", events_, worlds_);
  for (const auto& [event, subs] : met_) {
    std::printf("  %s:", event.c_str());
    for (const std::string& sub : subs) std::printf(" %s", sub.c_str());
    std::printf("\n");
  }
}

/// What a shutdown goes through, of the units of the binary.
constexpr std::array<std::string_view, 7> kOfShutdown{"poweroff.target", "systemd-poweroff.service",
                                                      "shutdown.target", "umount.target",
                                                      "final.target",    "system.slice",
                                                      "-.slice"};

EngineWorld::Files unit_files(std::span<char* const> dependencies) {
  EngineWorld::Files files;
  for (const BuiltinUnit& unit : builtin_units(false)) {
    if (std::ranges::find(kOfShutdown, unit.name) != kOfShutdown.end())
      files.emplace_back(unit.name, unit.text);
  }
  // Nobody restarts too often.
  for (const std::string_view unit : kUnits) {
    std::string text =
        "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\nConflicts=shutdown.target\n"
        "Before=shutdown.target\n";
    for (const std::string_view d : dependencies) {
      if (d.size() < 2 || d.substr(0, 2) != format("{}:", unit[0])) continue;
      text += format("{}.service\n", d.substr(2));
    }
    text += "[Service]\nType=notify\nExecStart=/bin/main\nExecReload=/bin/reload\nTimeoutSec=300\n";
    files.emplace_back(unit, text);
  }
  return files;
}

int replay(std::span<char* const> dependencies) {
  Replay replay(unit_files(dependencies));
  char* line = nullptr;
  std::size_t room = 0;
  int status = 0;
  while (status == 0) {
    const ssize_t size = getline(&line, &room, stdin);
    if (size < 0) break;
    const std::string_view text(line, static_cast<std::size_t>(size));
    const bool same = replay.line(std::string(text.substr(0, text.find('\n'))));
    if (replay.is_no_trace()) {
      std::printf("no line of a trace: %s", line);
      status = 2;
    } else if (!same) {
      status = 1;
    }
  }
  std::free(line);
  replay.summarize();
  if (status == 0 && replay.events() == 0) {
    std::printf("nothing has happened: no trace\n");
    status = 2;
  }
  return status;
}

}  // namespace
}  // namespace onset::test

int main(int argc, char** argv) {
  return onset::test::replay(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
