#pragma once
// What the command line knows of the process that it runs in. Everything comes
// in here, so that each verb can be run against memory and a socket pair.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/process_facts.h"
#include "control/client.h"
#include "unit/builtin.h"
#include "unit/file_source.h"
#include "unit/specifiers.h"

namespace onset {

/// Where text goes: standard output, standard error, or a string.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual void write(std::string_view text) = 0;
};

/// How a running manager is reached.
class ManagerFinder {
 public:
  virtual ~ManagerFinder() = default;
  /// The error is a line for people; `kind` NoManager: none runs.
  virtual Result<ControlClient, ClientError> find() = 0;
};

/// Another program on the terminal: an editor, man(1).
class ProgramRunner {
 public:
  virtual ~ProgramRunner() = default;
  /// Its exit status once it has ended; 128 + signal. The first word is looked for
  /// in $PATH: ENOENT if it is not there.
  virtual Result<int> run(const std::vector<std::string>& argv) = 0;
  /// What takes this process's place.
  struct Successor {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  ///< NAME=VALUE, over what is there
    std::string user;                      ///< these: as it is where they are empty
    std::string group;
    std::string nice;
    std::string working_directory;
  };
  /// Returns where it can't be done: a line for people.
  virtual std::string become(const Successor& successor) = 0;
  /// All of standard input.
  virtual Result<std::string> read_input() = 0;
};

/// What the end of the system needs beside a manager.
class Machine {
 public:
  virtual ~Machine() = default;
  /// Leaves at once, without a manager, as reboot(2): "poweroff", "reboot" or "halt".
  /// Returns if the kernel does not let it.
  virtual SysResult end_now(std::string_view how) = 0;
  /// Never waits: a terminal that takes nothing gets nothing.
  virtual void write_to_terminal(const std::string& path, std::string_view text) = 0;
};

/// A terminal on which something is shown that changes, and the time that passes meanwhile.
class LiveTerminal {
 public:
  struct Answer {
    char key = 0;  ///< 0: the time is over
    MonoTime now;
  };
  virtual ~LiveTerminal() = default;
  /// Keys come one by one and are not shown, until the command ends. False: it is no terminal.
  virtual bool begin() = 0;
  /// The next key; without begin() none comes.
  virtual Answer wait(Duration longest) = 0;
  virtual MonoTime now() = 0;
  /// What was written is to be seen now.
  virtual void flush() = 0;
};

struct CliContext {
  FileSource& files;
  FileChanger& changer;
  ManagerFinder& system_manager;
  ManagerFinder& user_manager;
  TextSink& out;
  TextSink& err;
  HostFacts host;
  std::vector<std::string> search_path;  ///< of the manager that is asked for, if none runs
  std::span<const BuiltinUnit> builtin;
  std::map<std::string, std::string, std::less<>> environment;
  std::string working_directory;
  Timestamp now;          ///< when the command was called
  bool is_tty = false;    ///< standard output is a terminal
  unsigned columns = 80;  ///< of the terminal
  unsigned rows = 25;
  ProgramRunner* programs = nullptr;  ///< null: none can be run
  Machine* machine = nullptr;         ///< null: not to be touched
  ProcessMemory* memory = nullptr;    ///< null: not to be read
  LiveTerminal* keys = nullptr;       ///< null: nobody waits
  int own_pid = 0;
  bool is_chroot = false;  ///< "/" is not the root of PID 1
  /// What it runs in, in systemd-detect-virt's words, for that one alone; empty: none.
  std::string container = {};
  std::string virtual_machine = {};

  /// Empty if unset.
  [[nodiscard]] std::string_view variable(std::string_view name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string_view() : std::string_view(found->second);
  }
};

/// Runs one command: `arguments` with the name it was called by in front
/// ("systemctl", "/sbin/poweroff"). Returns the exit status, systemctl(1).
int run_cli(CliContext& context, std::span<const std::string> arguments);

}  // namespace onset
