#include "sim/describe.h"

#include "base/format.h"
#include "base/text.h"
#include "engine/manager.h"
#include "sim/sim_os.h"
#include "unit/enum_words.h"
#include "unit/signals.h"

namespace onset::sim {
namespace {

std::string_view words(Who who) {
  switch (who) {
    case Who::Main:
      return "the main process";
    case Who::Control:
      return "the control process";
    case Who::Rest:
      return "another process";
    case Who::Alien:
      return "a process that is no child";
    case Who::Foreign:
      return "a process of another unit";
  }
  return {};
}

std::string_view words(Temper temper) {
  switch (temper) {
    case Temper::Obeys:
      return "ends by the signal";
    case Temper::Exits:
      return "exits by itself when it is asked to end";
    case Temper::Ignores:
      return "ignores all but SIGKILL";
    case Temper::Unkillable:
      return "can't be killed";
  }
  return {};
}

std::string words(const ExitStatus& status) {
  if (status.kind == ExitKind::Exited) return format("exits with status {}", status.value);
  return format("{} by {}", status.kind == ExitKind::Dumped ? "dumps core" : "is killed",
                signal_name_long(status.value));
}

std::string_view bus_words(std::int64_t number) {
  constexpr std::string_view kWords[] = {"has no owner", "is owned by the main process",
                                         "is owned by another process",
                                         "can't be asked for, the bus is gone"};
  return kWords[static_cast<std::size_t>(number) % std::size(kWords)];
}

std::string file_words(const SimEvent& e) {
  if (e.text == "-") return "file is gone";
  return e.text.empty() ? "file is as before" : "file is another now";
}

std::string launch_words(const SimEvent& e) {
  return format("what is launched next {}{}", words(static_cast<Temper>(e.number)),
                e.second != 0 ? ", its execve takes a while" : "");
}

std::string memory_words(const SimEvent& e) {
  return format("in the next {} calls memory runs out after {} allocations, {}", e.second, e.unit,
                e.number == 0 ? "for all that follow" : format("for {}", e.number));
}

std::string seconds_of(std::int64_t us) {
  return format("{} s", static_cast<double>(us) / 1e6);
}

}  // namespace

std::string describe(const SimEvent& e, const WorldPlan& plan) {
  const std::string_view unit =
      e.unit < plan.units.size() ? plan.units[e.unit].name : std::string_view("?");
  switch (e.what) {
    case What::Request:
      return format("{}: {} is asked for, mode {}", unit, to_string(static_cast<JobType>(e.number)),
                    to_string(static_cast<JobMode>(e.second)));
    case What::Cancel:
      return format("job {} of those that are queued is cancelled", e.number);
    case What::Kill:
      return format("{}: kill sends {} to {}", unit, signal_name_long(static_cast<int>(e.number)),
                    e.who == Who::Main || e.who == Who::Control ? words(e.who) : "all");
    case What::ResetFailed:
      return format("{}: reset-failed", unit);
    case What::Exit:
      return format("{}: {} {}{}", unit, words(e.who), words(e.status),
                    e.number == 1 ? ", that the unit is empty is told before" : "");
    case What::ExecDone:
      return format("{}: execve is done", unit);
    case What::Empty:
      return format("{}: is told to be empty", unit);
    case What::Notify:
      return format("{}: {} says {}", unit, words(e.who), c_escape(e.text));
    case What::Pass:
      return format("{} pass", seconds_of(e.number));
    case What::PassLate:
      return format("{} pass without a look at deadlines", seconds_of(e.number));
    case What::ToDeadline:
      return "time passes as far as the next deadline";
    case What::JumpClock:
      return format("the wall clock jumps by {}", seconds_of(e.number));
    case What::Fork:
      return format("{}: forks one that {}", unit, words(static_cast<Temper>(e.number)));
    case What::Trouble:
      return format("{}: the next {} launches fail: {}", unit, e.number,
                    errno_text(static_cast<int>(e.second)));
    case What::Temper:
      return format("{}: {}", unit, launch_words(e));
    case What::PidFile:
      return format("{}: the PID file names {}", unit, words(e.who));
    case What::Bus:
      return format("{}: the bus name {}", unit, bus_words(e.number));
    case What::Oom:
      return format("{}: the OOM killer was here", unit);
    case What::Flag:
      return format("the test of /flag/{} turns over", static_cast<std::size_t>(e.number) % kFlags);
    case What::Reload:
      return format("{}: daemon-reload, its {}{}", unit, file_words(e),
                    e.number != 0 ? ", and so are the manager's defaults" : "");
    case What::File:
      return format("{}: its {}, and nobody says so yet", unit, file_words(e));
    case What::ShutDown:
      return format("shutdown: {}", to_string(static_cast<Objective>(e.number)));
    case What::NoMemory:
      return memory_words(e);
    case What::ResetAll:
      return "reset-failed of all units";
    case What::Problem:
      return format("{}: a launch says {}", unit, c_escape(e.text));
  }
  return {};
}

}  // namespace onset::sim
