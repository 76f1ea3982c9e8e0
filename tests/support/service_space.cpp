#include "support/service_space.h"

namespace onset::test {

void one_of_each(ServiceWorld& w) {
  for (ExecRole role : {ExecRole::Condition, ExecRole::StartPre, ExecRole::StartPost,
                        ExecRole::Reload, ExecRole::Stop, ExecRole::StopPost}) {
    w.commands(role, {"one"});
  }
}

std::vector<ServiceEvent> answers_to(const ServiceAction& action) {
  if (const Spawn* spawn = std::get_if<Spawn>(&action)) {
    const pid_t pid = spawn->as_main ? kMain : kControl;
    return {Spawned{pid, true}, Spawned{pid, false}, SpawnFailed{SysError{"fork", 11}}};
  }
  if (std::holds_alternative<Kill>(action)) return {KillAnswer{true}, KillAnswer{false}};
  if (std::holds_alternative<FindMainPid>(action)) {
    return {MainPidFound{0, false, true}, MainPidFound{kOther, false, true},
            MainPidFound{kOther, true, false}};
  }
  if (std::holds_alternative<PassThrough>(action)) return {Passed{}};
  return {RestartQueued{}, SpawnFailed{SysError{"queue", 17}}};
}

std::vector<ServiceEvent> ends_in(const ServiceState& state) {
  std::vector<ServiceEvent> ends;
  for (pid_t pid : {state.main.pid, state.control.pid}) {
    if (pid == 0) continue;
    for (ExitStatus status : {ExitStatus{ExitKind::Exited, 0}, ExitStatus{ExitKind::Exited, 255},
                              ExitStatus{ExitKind::Exited, 1}, ExitStatus{ExitKind::Dumped, 6}}) {
      ends.emplace_back(ProcessExited{pid, status});
    }
  }
  return ends;
}

}  // namespace onset::test
