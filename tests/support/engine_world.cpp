#include "support/engine_world.h"

#include <algorithm>

#include "base/format.h"

namespace onset::test {

EngineWorld::EngineWorld(Files files, ManagerConfig config)
    : table(std::move(files)), manager(os, table, std::move(config)) {
  manager.set_listener(this);
}

std::string EngineWorld::request(std::string_view unit, JobType type, JobMode mode) {
  auto job = manager.request(unit, type, mode, now);
  return job ? std::string{} : job.error().message;
}

void EngineWorld::end(std::string_view unit, ExitStatus status) {
  const pid_t pid = os.pid_of(unit);
  const FakeProcess process = os.alive.at(pid);
  os.vanish(pid);
  manager.process_exited(pid, status, now);
  if (os.empty_watched.contains(process.unit) && !os.has_processes(process.unit)) {
    manager.unit_empty(process.unit, now);
  }
}

void EngineWorld::exit(std::string_view unit, int status) {
  end(unit, {ExitKind::Exited, status});
}
void EngineWorld::die(std::string_view unit, int signal) {
  end(unit, {ExitKind::Killed, signal});
}

void EngineWorld::notify(std::string_view unit, std::string_view text) {
  manager.notify(manager.graph().find(unit), NotifySender{os.pid_of(unit), 0}, text, now);
}

void EngineWorld::pass(Duration d) {
  const MonoTime end = now.mono + d;
  while (manager.next_deadline() <= end) {
    const MonoTime next = std::max(manager.next_deadline(), now.mono);
    now.wall.us += next.us - now.mono.us;
    now.mono = next;
    manager.elapse(now);
  }
  now.wall.us += end.us - now.mono.us;
  now.mono = end;
}

std::string EngineWorld::state(std::string_view unit) const {
  const UnitId id = manager.graph().find(unit);
  return id.valid() ? std::string(to_string(manager.active_state(id))) : "unknown";
}

std::string EngineWorld::sub(std::string_view unit) const {
  const UnitId id = manager.graph().find(unit);
  return id.valid() ? std::string(manager.sub_state(id)) : "unknown";
}

bool EngineWorld::has_job(std::string_view unit) const {
  const UnitId id = manager.graph().find(unit);
  return id.valid() && manager.runtime(id).job.value != 0;
}

void EngineWorld::job_done(const Job& job, JobResult result) {
  finished.push_back(format("{} {} {}", manager.graph().unit(job.unit).id, to_string(job.type),
                            to_string(result)));
}

bool EngineWorld::has_finished(std::string_view what) const {
  return std::ranges::find(finished, what) != finished.end();
}

std::string bare_service(std::string_view exec, std::string_view unit, std::string_view more) {
  return format("[Unit]\nDefaultDependencies=no\n{}[Service]\nExecStart={}\n{}", unit, exec, more);
}

}  // namespace onset::test
