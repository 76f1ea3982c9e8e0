#pragma once
// What the control interface asks of the machine, answered by the fake kernel of an
// EngineWorld and by what the test sets.

#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/backend.h"
#include "support/engine_world.h"
#include "unit/environment.h"

namespace onset::test {

class FakeBackend final : public ControlBackend {
 public:
  explicit FakeBackend(EngineWorld& world) : world_(world) {}

  bool has_unit_file(std::string_view name) override { return files.contains(std::string(name)); }
  void forget_files() override { looked = false; }
  UnitFileFacts file_facts(const Unit&) override {
    if (!looked) ++looks;
    looked = true;
    return {"static", "enabled"};
  }
  bool needs_reload(const Unit& unit) override { return unit.id == stale; }
  ReloadStep reload(Timestamp now) override {
    if (generators > 0) return {std::nullopt, generators};
    Diagnostics diagnostics{{Severity::Warning, "/etc/a.service", 3, "Unknown key 'X'"}};
    world_.manager.reload(world_.table, now, diagnostics);
    return {diagnostics, 0};
  }
  Result<void, std::string> make_transient(const std::string& name,
                                           const std::string& text) override {
    if (files.contains(name)) return Failure{std::string()};
    if (is_full) return Failure{std::string("write: No space left on device")};
    files.insert(name);
    world_.table.set_transient(name, text);
    return {};
  }
  void drop_transient(const std::string& name) override { files.erase(name); }
  SysResult hold_processes(UnitId id, const std::vector<pid_t>& pids) override {
    if (hold_error != 0) return Failure{SysError{"adopt", hold_error}};
    world_.os.held[world_.manager.graph().unit(id).id] = static_cast<unsigned>(pids.size());
    return {};
  }
  bool is_full = false;
  int hold_error = 0;
  std::string default_target() override { return "multi-user.target"; }
  std::vector<pid_t> processes(UnitId id) override {
    return crowd.empty() ? world_.os.processes(id) : crowd;
  }
  std::string command_line(pid_t pid) override {
    return "/bin/fake \x1b[31m" + std::to_string(pid);
  }
  ProcessPlace place(pid_t pid) override { return {places[pid], 1}; }
  UnitId unit_of_pid(pid_t pid) override {
    return pid == 4242 ? world_.manager.graph().find("a.service") : UnitId{};
  }
  std::string control_group(UnitId id) override {
    return "/system.slice/" + world_.manager.graph().unit(id).id;
  }
  std::vector<std::string> starvation(UnitId) override { return {}; }
  std::vector<std::string> not_enforced(UnitId) override { return unenforced; }
  UnitUsage usage(UnitId) override {
    UnitUsage usage;
    usage.memory = 1024;
    usage.tasks = 3;
    return usage;
  }
  SysResult freeze(UnitId id, bool frozen) override {
    if (!can_freeze) return Failure{SysError{"cgroup.freeze", ENOTSUP}};
    if (frozen) frozen_units.insert(id.value);
    if (!frozen) frozen_units.erase(id.value);
    return {};
  }
  bool is_frozen(UnitId id) override { return frozen_units.contains(id.value); }
  std::vector<std::string> unenforced;
  bool can_freeze = true;
  unsigned generators = 0;  ///< run, and a reload has this number
  std::set<std::uint32_t> frozen_units;
  Result<void, RequestError> shut_down(const ShutdownRequest& request, Timestamp now) override {
    if (request.objective == Objective::Kexec) {
      return Failure{RequestError{RequestErrorKind::NotSupported, {}, "no kernel is loaded"}};
    }
    forced = request.force;
    message = request.message;
    world_.manager.shut_down(request.objective, request.exit_status, now);
    return {};
  }
  Result<WallTime, RequestError> plan_shutdown(const PlannedShutdown& plan,
                                               Timestamp now) override {
    if (plan.objective == Objective::Kexec) {
      return Failure{RequestError{RequestErrorKind::NotSupported, {}, "no kernel is loaded"}};
    }
    planned = Planned{plan.objective, WallTime{now.wall.us + plan.after.count()}};
    announces = plan.announces;
    message = plan.message;
    return planned->at;
  }
  bool cancel_shutdown(bool wall, const std::string& why, Timestamp) override {
    announces = wall;
    message = why;
    return std::exchange(planned, std::nullopt).has_value();
  }
  std::optional<Planned> planned_shutdown() override { return planned; }
  std::vector<std::string> environment() override { return variables.assignments(); }
  Result<void, RequestError> change_environment(const std::vector<std::string>& unset,
                                                const std::vector<std::string>& set) override {
    if (set.size() > 3) return Failure{RequestError{RequestErrorKind::Invalid, {}, "full"}};
    variables.unset(unset);
    for (const std::string& assignment : set) variables.set_assignment(assignment);
    return {};
  }
  void set_log_level(int level) override { log_level = level; }
  bool set_log_target(std::string_view target) override {
    log_target = target;
    return target == "kmsg";
  }
  std::string version() override { return "0.1.0"; }
  std::vector<std::string> features() override { return {"cgroup"}; }
  std::map<std::string, std::string> properties() override {
    return {{"Virtualization", "docker"}};
  }

  std::set<std::string> files;
  Environment variables{{"PATH=/bin"}};
  int log_level = 6;
  std::string log_target;
  std::string stale;
  bool forced = false;
  bool announces = false;
  std::optional<Planned> planned;
  std::string message;  ///< of the shutdown
  bool looked = false;  ///< into the folders, since forget_files()
  unsigned looks = 0;
  std::vector<pid_t> crowd;             ///< the processes of each unit, if not the real ones
  std::map<pid_t, std::string> places;  ///< cgroups of processes

 private:
  EngineWorld& world_;
};

}  // namespace onset::test
