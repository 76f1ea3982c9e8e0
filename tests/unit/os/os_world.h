#pragma once
// A RealOs with a process around it, as init/ is: a loop that waits for events
// with a deadline, a log that is kept, a folder of its own that goes with it.

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/real_os.h"

namespace onset::test {

/// Leaves the case, which Catch2 then counts as passed: tools/run_tests.py takes it out again by
/// what note_skip() tells it.
#define ONSET_NEEDS(condition, why) \
  if (!(condition)) {               \
    WARN("skipped: " why);          \
    ::onset::test::note_skip(why);  \
    SUCCEED("[skipped]");           \
    return;                         \
  }

/// Writes "skipped TAB case TAB why" to $ONSET_RESULT_FD, if there is one.
void note_skip(std::string_view why);

bool is_root();

/// tests/support/probe.c, where every user may execute it.
const char* probe_program();

/// A folder below /tmp that is removed with its content.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// For its life nothing fits on the stack that grows with what is looked at: neither a copy of a
/// long text nor a call for each level of a deep tree.
class SmallStack {
 public:
  SmallStack() {
    ::getrlimit(RLIMIT_STACK, &before_);
    const rlimit small{256U << 10U, before_.rlim_max};
    ::setrlimit(RLIMIT_STACK, &small);
  }
  ~SmallStack() { ::setrlimit(RLIMIT_STACK, &before_); }
  SmallStack(const SmallStack&) = delete;
  SmallStack& operator=(const SmallStack&) = delete;

 private:
  rlimit before_{};
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, std::string_view text);

class KeptLog final : public LogSink {
 public:
  void log(Say::Level level, std::string_view unit, std::string_view text) override;
  [[nodiscard]] bool has(std::string_view part) const;
  [[nodiscard]] std::string all() const;
  std::vector<std::string> lines;
};

class OsWorld final : public OsListener {
 public:
  explicit OsWorld(RealOsConfig config = plain_config());
  ~OsWorld() override;

  static RealOsConfig plain_config();

  /// A service unit by that name; its config is the caller's to fill.
  Unit& unit(std::string_view name);
  UnitId id(std::string_view name) const;
  /// Starts `argv` for the unit.
  Result<Launch> spawn(std::string_view name, std::vector<std::string> argv,
                       ExecRole role = ExecRole::Start);
  /// The same with a finished command.
  Result<Launch> spawn_command(std::string_view name, const ExecCommand& command,
                               ExecRole role = ExecRole::Start);
  /// The same, to its end: the raw status of wait(2); -1: it did not come.
  int run(std::string_view name, std::vector<std::string> argv, ExecRole role = ExecRole::Start);
  /// What the probe wrote when the unit ran it.
  std::string probe(std::string_view name, ExecRole role = ExecRole::Start);

  /// Turns the loop until `done()`, at most 10 s.
  template <class Done>
  bool until(Done done) {
    for (unsigned turns = 0; turns < 10000; ++turns) {
      if (done()) return true;
      if (!turn(10000)) return false;
    }
    return false;
  }
  /// Waits for the raw status of a child.
  int status_of(pid_t pid);
  /// One turn; false if nothing came within the time.
  bool turn(int milliseconds);

  // OsListener
  void unit_oom(UnitId unit) override { ooms.push_back(unit); }
  void unit_killed_for_memory(UnitId unit, const std::string& /*why*/) override {
    ooms.push_back(unit);
  }
  void exec_done(pid_t pid) override { execs.push_back(pid); }
  void unit_empty(UnitId unit) override { empties.push_back(unit); }
  void path_changed(UnitId unit) override { paths.push_back(unit); }
  void alien_exited(pid_t pid) override { aliens.push_back(pid); }
  void automount_asked(UnitId unit, AutomountAsks what, pid_t) override {
    automounts_asked.emplace_back(unit, what);
  }
  void socket_ready(UnitId unit) override { ready_sockets.push_back(unit); }
  void bus_name_changed(UnitId unit, const BusNameChanged& change) override {
    bus.emplace_back(unit, change);
  }

  KeptLog log;
  ScratchFolder folder;
  std::unique_ptr<RealOs> os;
  LaunchRequest request;  ///< its members beyond unit and command are used as they are
  std::vector<pid_t> execs;
  std::vector<UnitId> empties;
  std::vector<UnitId> ooms;
  std::vector<UnitId> paths;
  std::vector<UnitId> ready_sockets;
  std::vector<std::pair<UnitId, AutomountAsks>> automounts_asked;
  std::vector<pid_t> aliens;
  std::vector<std::pair<UnitId, BusNameChanged>> bus;
  std::vector<std::pair<pid_t, int>> exits;

 private:
  void reap();

  UniqueFd signals_;
  std::vector<std::unique_ptr<Unit>> units_;
};

/// The value of a "key: value" line of the probe; "-" if there is none.
std::string probed(const std::string& text, std::string_view key);
/// Whether the probe had this variable with this value.
bool probed_env(const std::string& text, std::string_view assignment);
/// The numbers of its "fd N: …" lines, "0 1 2 ".
std::string descriptors(const std::string& text);

}  // namespace onset::test
