#pragma once
// The kernel of a simulated world: processes in a table, small and fast. It does
// as it is told; what goes wrong, and when a process ends, the schedule decides.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/os.h"

namespace onset::sim {

/// What a process does about a signal that asks it to end.
enum class Temper : std::uint8_t {
  Obeys,       ///< ends by it
  Exits,       ///< ends with status 0
  Ignores,     ///< SIGKILL alone ends it
  Unkillable,  ///< in uninterruptible sleep: nothing does
};

struct Process {
  pid_t pid = 0;
  UnitId unit;  ///< not valid: no unit's
  ExecRole role{};
  bool spawned = false;   ///< by the engine; false: forked by another one
  bool is_alien = false;  ///< no child of PID 1
  bool exec_done = true;
  Temper temper = Temper::Obeys;
  bool is_left = false;     ///< by a unit that has gone down since, or has another main process
  bool was_killed = false;  ///< SIGKILL was sent to it
  int doom = 0;             ///< the signal that it is about to die of, 0: none; -1: exits by itself
};

/// The tests of conditions are flags: ConditionPathExists=/flag/3.
inline constexpr unsigned kFlags = 8;

class SimOs final : public Os {
 public:
  Result<Launch> spawn(const LaunchRequest& request) override;
  KillReport kill(const KillRequest& request) override;
  bool has_processes(UnitId id) override { return count(id) > 0; }
  std::vector<pid_t> processes(UnitId id) override;
  void watch_empty(UnitId id, bool on) override;
  void release(UnitId id, const Unit& unit, bool remove_runtime_directories) override;
  void forget(UnitId id, const Unit& unit) override;
  void apply_resources(const UnitGraph&, UnitId, bool) override {}
  PidFileReading read_pid_file(UnitId id, const Unit& unit, std::string_view path) override;
  pid_t guess_main_pid(UnitId id, pid_t control_pid) override;
  void remove_file(std::string_view path) override;
  void watch_path(UnitId id, std::string_view path) override;
  void watch_bus_name(UnitId id, std::string_view name) override;
  bool watch_alien(UnitId id, pid_t pid) override;
  bool is_alive(pid_t pid) override { return find(pid) != nullptr; }
  bool is_mounted(const Unit&) override { return false; }
  SysResult take_automount(UnitId) override { return {}; }
  void answer_automount(UnitId, AutomountAsks, int) override {}
  void drop_automount(UnitId) override {}
  SysResult adopt_processes(const UnitGraph&, UnitId, bool) override {
    return Failure{SysError{"adopt", 3}};
  }
  Result<void, std::string> open_sockets(UnitId, const Unit&) override { return {}; }
  SysResult watch_sockets(UnitId, bool) override { return {}; }
  void flush_sockets(UnitId) override {}
  void close_sockets(UnitId, const Unit&) override {}
  Result<AcceptedConnection> accept_connection(UnitId, std::uint32_t) override {
    return Failure{SysError{"accept", 11}};
  }
  void give_connection(UnitId, UnitId) override {}
  void drop_connection(UnitId) override {}
  DeviceFound device_found(const Unit&) override { return {}; }
  std::string device_syspath(const Unit&) const override { return {}; }
  Result<bool> test(const Condition& condition, const Unit& unit) override;
  InvocationId new_invocation() override;
  void log(Say::Level level, std::string_view unit, std::string_view text) override;

  // ---- the world's side -----------------------------------------------------
  /// What the next spawns meet, by unit; index: UnitId::value.
  struct Trouble {
    unsigned spawns = 0;  ///< so many fail
    int error = 0;
    bool late_exec = false;
    Temper temper = Temper::Obeys;
  };
  Trouble& trouble(UnitId id);

  [[nodiscard]] const std::vector<Process>& alive() const { return alive_; }
  /// Commands that were to be run, also those that could not be.
  [[nodiscard]] unsigned launches(UnitId id, ExecRole role) const;
  void forget_launches(UnitId id);
  void forget_launches(UnitId id, ExecRole role);
  Process* find(pid_t pid);
  [[nodiscard]] unsigned count(UnitId id) const;
  [[nodiscard]] bool watches_empty(UnitId id) const;
  [[nodiscard]] bool watches_path(UnitId id) const;
  [[nodiscard]] bool watches_bus(UnitId id) const;
  Process& add(UnitId unit);
  /// One of its processes can: none that SIGKILL was sent to.
  [[nodiscard]] bool can_fork(UnitId id) const;
  /// Gone without a word to the engine.
  Process take(pid_t pid);
  /// The unit has gone down: what it has not ended stays behind.
  void leave_behind(UnitId id);
  void set_pid_file(std::string path, PidFileReading reading);

  std::array<bool, kFlags> flags{};
  bool writes_log = false;                ///< to stdout, for a replay
  bool has_read_again = false;            ///< all files, by itself
  std::vector<std::string> left_out;      ///< units whose stop a transaction has gone without
  std::vector<std::string> not_reloaded;  ///< likewise a reload
  std::vector<std::string> refused;       ///< units whose change asked for what could not be queued
  std::vector<std::string> overdue;       ///< units that trigger no more for ten seconds
  bool has_left_out = false;              ///< a transaction has gone without some job
  std::string unneeded;                   ///< the unit that is about to be stopped as that
  std::string misdirected;                ///< a signal that KillMode= keeps from a process
  bool is_asked_to_kill = false;          ///< by "systemctl kill", which KillMode= is not for
  std::string complaint;                  ///< a request that makes no sense; empty: none

 private:
  void check_kill(const KillRequest& request);
  struct PerUnit {
    unsigned processes = 0;
    bool watches_empty = false;
    bool watches_path = false;
    bool watches_bus = false;
    Trouble trouble;
    std::array<unsigned, kExecRoles> launches{};
  };
  PerUnit& of(UnitId id);

  std::vector<Process> alive_;
  std::vector<PerUnit> units_;
  struct PidFile {
    std::string path;
    PidFileReading reading;
  };
  std::vector<PidFile> pid_files_;
  pid_t next_pid_ = 100;
  std::uint64_t next_invocation_ = 1;
};

}  // namespace onset::sim
