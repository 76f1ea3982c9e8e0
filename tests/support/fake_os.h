#pragma once
// A kernel in memory: records what the engine asks for, fails what it is told
// to fail, ends processes when the test says so. Nothing happens by itself.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/os.h"

namespace onset::test {

struct FakeProcess {
  pid_t pid = 0;
  UnitId unit;
  std::string unit_name;
  ExecRole role{};
  std::string path;
  std::vector<std::string> environment;
  bool as_main = false;
  bool notify_socket = false;
  Duration watchdog{0};
  std::vector<UnitId> sockets;  ///< it was handed those of these units
  bool connection = false;
  std::vector<int> signals;  ///< received, in order
  bool ignores_term = false;
};

struct LogLine {
  Say::Level level{};
  std::string unit;
  std::string text;
};

class FakeOs final : public Os {
 public:
  Result<Launch> spawn(const LaunchRequest& request) override;
  KillReport kill(const KillRequest& request) override;
  bool has_processes(UnitId id) override;
  std::vector<pid_t> processes(UnitId id) override;
  void watch_empty(UnitId id, bool on) override;
  void release(UnitId id, const Unit& unit, bool remove_runtime_directories) override;
  void forget(UnitId id, const Unit& unit) override;
  void apply_resources(const UnitGraph& graph, UnitId id, bool startup) override {
    limited.push_back(graph.unit(id).id + (startup ? " startup" : ""));
  }
  PidFileReading read_pid_file(UnitId id, const Unit& unit, std::string_view path) override;
  pid_t guess_main_pid(UnitId id, pid_t control_pid) override;
  void remove_file(std::string_view path) override;
  void watch_path(UnitId id, std::string_view path) override;
  void watch_bus_name(UnitId id, std::string_view name) override;
  bool watch_alien(UnitId id, pid_t pid) override;
  bool is_alive(pid_t pid) override { return alive.contains(pid); }
  SysResult adopt_processes(const UnitGraph& graph, UnitId id, bool startup) override;
  bool is_mounted(const Unit& unit) override { return mounted.contains(unit.id); }
  Result<void, std::string> open_sockets(UnitId id, const Unit& unit) override;
  SysResult watch_sockets(UnitId id, bool on) override;
  void flush_sockets(UnitId id) override;
  void close_sockets(UnitId id, const Unit& unit) override;
  Result<AcceptedConnection> accept_connection(UnitId id, std::uint32_t count) override;
  void give_connection(UnitId socket, UnitId instance) override;
  void drop_connection(UnitId id) override;
  DeviceFound device_found(const Unit& unit) override {
    return {plugged.contains(unit.id), used.contains(unit.id)};
  }
  std::string device_syspath(const Unit& unit) const override {
    const auto at = plugged.find(unit.id);
    return at != plugged.end() ? at->second : std::string();
  }
  SysResult take_automount(UnitId id) override;
  void answer_automount(UnitId id, AutomountAsks what, int error) override;
  void drop_automount(UnitId id) override;
  Result<bool> test(const Condition& condition, const Unit& unit) override;
  InvocationId new_invocation() override;
  void log(Say::Level level, std::string_view unit, std::string_view text) override;

  // ---- what a test sets and reads -------------------------------------------
  std::map<pid_t, FakeProcess> alive;
  std::vector<FakeProcess> history;  ///< every spawn, in order
  std::vector<LogLine> lines;
  std::vector<std::string> calls;  ///< "spawn a.service /bin/a", "kill a.service 15"
  std::map<std::string, PidFileReading> pid_files;
  std::map<std::string, unsigned> held;        ///< by scope: how many processes it takes over
  std::set<std::string> mounted;               ///< units of mounts and swaps
  std::set<std::uint32_t> open_sockets_of;     ///< socket units whose sockets are open
  std::set<std::uint32_t> watched_sockets;     ///< and are watched
  std::set<std::string> unopenable;            ///< socket units whose sockets can't be opened
  std::vector<AcceptedConnection> connecting;  ///< they wait to be accepted
  std::set<std::uint32_t> served;              ///< instances that have a connection
  std::map<std::string, std::string> plugged;  ///< units of devices, and their paths in sysfs
  std::set<std::string> used;                  ///< units of devices that are mounted
  std::set<std::uint32_t> automounts;          ///< units whose autofs points are heard
  int untakeable = 0;                          ///< the errno of take_automount()
  std::set<std::string> false_conditions;      ///< by parameter
  std::set<UnitId, bool (*)(UnitId, UnitId)> empty_watched{
      [](UnitId a, UnitId b) { return a.value < b.value; }};
  std::set<std::string> bus_watched;
  std::vector<UnitId> forgotten;
  std::vector<std::string> limited;   ///< apply_resources(): "a.slice", "a.slice startup"
  unsigned fail_spawns = 0;           ///< the next n spawns fail
  int spawn_errno = 11;               ///< EAGAIN
  std::set<std::string> unspawnable;  ///< units whose spawn fails with ENOENT
  bool exec_is_late = false;          ///< spawn answers exec_done = false
  pid_t guess = 0;
  std::function<void()> after_spawn;  ///< a process is there, nobody knows of it yet

  /// The newest living process of a unit, 0 if none.
  [[nodiscard]] pid_t pid_of(std::string_view unit) const;
  /// Takes the process out, without telling the engine.
  void vanish(pid_t pid) { alive.erase(pid); }
  [[nodiscard]] bool was_said(std::string_view part) const;

 private:
  pid_t next_pid_ = 100;
  std::uint8_t next_invocation_ = 1;
};

}  // namespace onset::test
