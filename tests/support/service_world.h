#pragma once
// One service, its state machine and a kernel in a few lines, for tests in
// sentences. Every action that is answered is answered at once, time moves when
// the test says so, and a process ends when the test says so.
//
//   ServiceWorld w{ServiceType::Notify};
//   w.start();
//   w.notify("READY=1");
//   w.main_exits(1);
//   REQUIRE(w.phase() == "failed");

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/service.h"
#include "unit/unit.h"

namespace onset::test {

/// "spawn ExecStart 0 main", "kill terminate", "find-main watch", …
std::string to_text(const ServiceAction& action);
/// Whether the machine gets an answer to it before anything else.
bool is_answered(const ServiceAction& action);

class ServiceWorld {
 public:
  /// A service with one ExecStart= command; Type=dbus has a name.
  explicit ServiceWorld(ServiceType type = ServiceType::Simple);

  Unit unit;
  ServiceState state;
  ServiceContext context;
  ServiceConfig& service() { return *unit.service; }
  KillConfig& kill() { return *unit.kill; }
  /// Sets a command list; "-name" ignores failure.
  void commands(ExecRole role, std::initializer_list<std::string_view> list);

  // ---- what happens ------------------------------------------------------------
  void feed(const ServiceEvent& event);
  void start() { feed(StartRequested{}); }
  void stop();
  void reload() { feed(ReloadRequested{}); }
  void main_exits(int status);
  void main_dies(int signal, bool dumped = false);
  void control_exits(int status);
  void control_dies(int signal);
  void notify(std::string_view text);
  /// A process that the machine does not know; and its end.
  pid_t fork();
  void ends(pid_t pid);
  /// Time passes; each deadline on the way is told at its own time.
  void pass(Duration d);

  // ---- how the kernel answers ----------------------------------------------------
  unsigned fail_spawns = 0;   ///< the next n spawns fail
  bool exec_is_late = false;  ///< spawns answer exec_done = false
  pid_t pid_file = 0;         ///< what PIDFile= names, 0: nothing usable
  pid_t guess = 0;            ///< what a guess finds
  bool refuse_restart = false;

  // ---- what is to be seen ----------------------------------------------------------
  [[nodiscard]] std::string_view phase() const { return to_string(state.phase); }
  [[nodiscard]] std::string_view result() const { return to_string(state.result); }
  /// Actions since the last call, Say left out.
  std::vector<std::string> done();
  [[nodiscard]] bool did(std::string_view action) const;
  [[nodiscard]] bool said(std::string_view part) const;
  /// Phases that were entered since the start of the test.
  std::vector<std::string> trail;
  std::optional<bool> reload_done;
  std::set<pid_t> alive;
  [[nodiscard]] MonoTime now() const { return context.now.mono; }

 private:
  std::optional<ServiceEvent> answer(const ServiceAction& action);
  [[nodiscard]] bool anything_to_kill(Kill::What what) const;
  void end(pid_t pid, ExitStatus status);

  pid_t next_pid_ = 100;
  bool watching_empty_ = false;
  std::vector<std::string> done_;
  std::vector<std::string> all_done_;
  std::vector<std::string> said_;
};

}  // namespace onset::test
