#pragma once
// How a unit's processes are run, systemd.exec(5). Sparse: what a unit does
// not set is an empty optional or an empty vector and costs no heap.

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace onset {

enum class ExecInput : std::uint8_t { Null, Tty, TtyForce, TtyFail, Data, File, Socket, Fd };
enum class ExecOutput : std::uint8_t {
  Inherit,
  Null,
  Tty,
  Journal,
  Kmsg,
  JournalConsole,
  KmsgConsole,
  Socket,
  Fd,
  File,
  FileAppend,
  FileTruncate,
};

struct StdStream {
  ExecInput input = ExecInput::Null;        ///< of StandardInput= alone
  ExecOutput output = ExecOutput::Inherit;  ///< of StandardOutput=, StandardError=
  std::string path;                         ///< of file:, append:, truncate:
  std::string fd_name;                      ///< of fd:
};

/// RuntimeDirectory= and its four siblings.
enum class ExecDirectory : std::uint8_t { Runtime, State, Cache, Logs, Configuration };
inline constexpr unsigned kExecDirectories = 5;

enum class Preserve : std::uint8_t { No, Yes, Restart };

struct DirectoryEntry {
  std::string path;                ///< relative, normalised
  std::vector<std::string> links;  ///< "path:link": symlinks to it, relative
};

struct DirectorySet {
  std::vector<DirectoryEntry> entries;
  std::uint32_t mode = 0755;
};

struct Limit {
  int resource = 0;  ///< RLIMIT_…
  rlim_t soft = RLIM_INFINITY;
  rlim_t hard = RLIM_INFINITY;
};

struct EnvironmentFile {
  std::string path;  ///< may be a glob, as the manual allows
  bool optional = false;
};

struct ExecConfig {
  std::string user;  ///< name or number; empty: not set
  std::string group;
  std::vector<std::string> supplementary_groups;
  bool dynamic_user = false;  ///< honoured where the user exists, else nothing is run

  std::string working_directory;  ///< "~": the user's home; empty: "/"
  bool working_directory_optional = false;
  std::string root_directory;

  std::vector<std::string> environment;  ///< NAME=VALUE
  std::vector<EnvironmentFile> environment_files;
  std::vector<std::string> pass_environment;
  std::vector<std::string> unset_environment;
  std::string exec_search_path;  ///< ExecSearchPath=, colon-joined

  std::optional<std::uint32_t> umask;
  std::optional<int> nice;
  std::optional<int> oom_score_adjust;
  std::vector<Limit> limits;

  std::optional<StdStream> standard_input;
  std::optional<StdStream> standard_output;
  std::optional<StdStream> standard_error;
  std::string standard_input_data;
  std::string tty_path;  ///< empty: /dev/console
  bool tty_reset = false;
  bool tty_vhangup = false;
  bool tty_vt_disallocate = false;
  bool ignore_sigpipe = true;
  std::string syslog_identifier;

  std::array<std::optional<DirectorySet>, kExecDirectories> directories;
  Preserve runtime_directory_preserve = Preserve::No;

  std::string pam_name;  ///< not honoured yet; rules out some KillMode=

  std::optional<std::uint64_t> capability_bounding_set;  ///< bit n: capability n
  std::optional<std::uint64_t> ambient_capabilities;
  std::optional<int> secure_bits;
  bool no_new_privileges = false;
};

}  // namespace onset
