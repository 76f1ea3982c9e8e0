#pragma once
// Everything that the child of a launch does, worked out by PID 1 beforehand:
// after the clone nothing is allocated, looked up or decided.
//
// The texts own their memory here; argv, envp and the other pointer tables
// point into them and are made last (seal()), after which the texts stay put.

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "os/launch_step.h"
#include "unit/exec_config.h"

namespace onset {

/// Stands in an argument or the environment where the child writes its own process
/// id. As long as any id, and nothing that a unit file or a variable would hold.
inline constexpr std::string_view kPidPlace = "\x01self-pid\x01";

/// Where one of the descriptors 0, 1, 2 comes from.
struct StreamPlan {
  enum class How : std::uint8_t {
    Source,    ///< a copy of `fd`, one of PID 1's, 3 or higher
    CopyOf,    ///< a copy of descriptor `fd`, set up before: 0 or 1
    File,      ///< the child opens `path`; a socket there is connected to
    Terminal,  ///< the child opens the terminal `path`
  };
  How how = How::Source;
  int fd = -1;
  std::string path;
  int flags = 0;
  mode_t mode = 0;
};

/// How a terminal becomes the controlling one, and what is done to it before.
struct TerminalPlan {
  enum class Claim : std::uint8_t { No, Wait, Force, Fail };
  Claim claim = Claim::No;
  bool reset = false;
  bool hang_up = false;
  bool disallocate = false;
  std::string path;
};

/// A directory whose whole tree must change owner before the process runs.
struct ChownPlan {
  LaunchStep step{};
  UniqueFd directory;
  std::string path;
};

/// What the child could not do and went on without; told to PID 1 as bits.
enum class LaunchNote : std::uint8_t { OomAdjust = 1, Nice = 2, Limits = 4 };

/// What comes back from the child: through shared memory on the fast path,
/// through a pipe on the slow one.
struct ChildReport {
  LaunchStep step = LaunchStep::None;
  std::uint8_t notes = 0;
  std::int32_t error = 0;
};

struct LaunchPlan {
  /// The plan itself already failed (no such user, …): the child only exits
  /// with the step's status, so that the failure arrives as systemd's would.
  LaunchStep failed = LaunchStep::None;
  int failed_errno = 0;
  std::string failed_text;  ///< the reason in words; empty: errno's

  std::string unit;
  bool ignore_failure = false;  ///< "-": said more quietly

  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::vector<std::string> candidates;  ///< paths to execute, first that exists wins
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<const char*> paths;
  std::vector<char*> pid_slots;  ///< the child puts its pid in place of kPidPlace, the last first

  /// Descriptors of PID 1 that the process has as 3, 4, …; the child moves them.
  std::vector<int> passed;
  bool passed_block = true;  ///< set to wait, or not to (NonBlocking=)

  std::array<StreamPlan, 3> streams;
  TerminalPlan terminal;
  std::vector<UniqueFd> owned;  ///< kept open until the child has run

  bool new_session = true;
  std::uint64_t signals_to_default = 0;  ///< bit n: signal n + 1; those that PID 1 ignores
  bool ignore_sigpipe = true;
  mode_t umask = 0022;
  bool set_nice = false;
  int nice = 0;
  bool set_scheduler = false;
  int scheduler = 0;  ///< SCHED_…, with SCHED_RESET_ON_FORK
  int scheduler_priority = 0;
  std::vector<unsigned long> cpu_mask;  ///< empty: left alone
  int numa_policy = -1;                 ///< MPOL_…; -1: left alone
  std::vector<unsigned long> numa_mask;
  bool set_io_priority = false;
  int io_priority = 0;  ///< as ioprio_set(2) has it
  bool set_timer_slack = false;
  std::uint64_t timer_slack_ns = 0;
  std::string oom_score_adj;  ///< empty: left alone
  std::vector<Limit> limits;

  std::string root;               ///< empty: no chroot
  std::string working_directory;  ///< absolute, inside the root
  bool working_directory_optional = false;
  std::vector<ChownPlan> chowns;

  bool set_groups = false;
  std::vector<gid_t> groups;
  bool set_gid = false;
  gid_t gid = 0;
  bool set_uid = false;
  uid_t uid = 0;
  std::uint64_t bounding_drop = 0;
  bool clear_inheritable = false;
  std::uint64_t ambient = 0;
  bool set_securebits = false;
  int securebits = 0;
  bool no_new_privileges = false;

  uid_t directory_owner = 0;  ///< of chowns
  gid_t directory_group = 0;

  UniqueFd cgroup;                ///< directory, for CLONE_INTO_CGROUP
  UniqueFd cgroup_procs;          ///< for kernels without it
  bool own_memory_limit = false;  ///< the group may be short of memory on its own

  bool shares_memory = false;  ///< the child runs on PID 1's memory; set by the launcher
  int report_pipe = -1;        ///< the child's end, close-on-exec; set by the launcher
  ChildReport report;

  /// True for what must not be done on PID 1's memory: such a plan runs in a
  /// process with its own.
  ///   - what may wait (a terminal, a file that may be a FIFO, a tree to change)
  ///   - another user, who must not be able to reach that memory
  ///   - OOMScoreAdjust=, which the kernel sets for all who share memory
  ///   - a group with a limit of its own: there the OOM killer would take the child
  ///     for the culprit, and with it all who share its memory
  [[nodiscard]] bool needs_own_process() const noexcept;
  /// Makes the pointer tables. Call once, when the texts are complete.
  void seal();
};

}  // namespace onset
