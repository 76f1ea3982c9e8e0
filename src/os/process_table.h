#pragma once
// Which process belongs to which unit where there is no cgroup to ask.
//
// onset is the parent that orphans go to (PID 1, or a subreaper). So every
// process of a unit has, up its line of parents, one direct child of onset: the
// process that was spawned, or an orphan. Only the direct children ("tops") are
// kept, from the moment they are seen until they are reaped, so that a number
// can't be reused in between. An orphan is given to a unit, once, by
//   1. what was seen of it while its parents were alive,
//   2. the INVOCATION_ID in /proc/PID/environ, where that may be read,
//   3. its session or process group, if a spawned process began it,
//   4. the one unit that lost a process in the same batch: its parent was that
//      (by the program's name where there were several).
// What fits nobody by the end of the batch is left alone. Without /proc the tops are the spawned
// ones.
//
// To list onset's children after each exit would make n exits cost n² steps. So a top is
// "childless" while it is known that it has had no child: from its start, or from a survey of
// all processes, until anything in the PID namespace forks (ForkWatch). A unit of childless
// tops is just these, and what a childless top leaves is nothing.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/process_text.h"
#include "base/unique_fd.h"
#include "engine/service_state.h"
#include "graph/unit_graph.h"
#include "os/fork_watch.h"

namespace onset {

class ProcessTable {
 public:
  /// `proc`: where procfs should be; without it only spawned processes are known.
  explicit ProcessTable(const char* proc = "/proc",
                        std::chrono::milliseconds patience = ForkWatch::kPatience);

  [[nodiscard]] bool has_proc() const { return static_cast<bool>(proc_); }
  /// Where cgroups tell whose a process is: only what was spawned is kept, and nothing is
  /// looked for. To be said before the first expect().
  void keep_spawned_only() { spawned_only_ = true; }

  /// A process is about to be spawned for a unit. Takes what memory spawned() would want.
  void expect(UnitId id, const InvocationId& invocation, std::string_view program);
  /// It was. It leads its own session.
  void spawned(pid_t pid, UnitId id) noexcept;
  /// A direct child was waited for; whose it was, invalid if nobody's.
  UnitId reaped(pid_t pid);
  /// The activation is over: later orphans are nobody's. Processes that are
  /// left stay with the unit.
  void forget(UnitId id);
  /// Something may have changed since the children were last listed.
  void new_turn();
  /// The processes reaped from here on are of another batch.
  void end_batch();
  /// Whether a process of a unit was reaped in this batch that may have left orphans.
  [[nodiscard]] bool lost_any() const { return !lost_.empty(); }

  /// Lists onset's children if that was not done in this turn and gives the
  /// new ones to their units.
  void adopt_orphans();
  /// A direct child of some unit that was not reaped yet.
  [[nodiscard]] bool is_top(pid_t pid) const { return top_owner_.contains(pid); }
  /// Sessions and process groups that spawned processes of the unit began.
  [[nodiscard]] std::vector<pid_t> groups(UnitId id) const;
  /// Direct children of the unit; zombies count until they are reaped.
  [[nodiscard]] const std::vector<pid_t>& tops(UnitId id) const;
  /// Whether any process is left. Looks for orphans only if no top is known.
  bool any(UnitId id);
  /// All processes of the unit, tops first. Remembers those below the tops.
  std::vector<pid_t> processes(UnitId id);
  /// Whose a process is, by its line of parents; invalid: nobody's. An orphan that
  /// has ended and was not waited for counts too, but is not taken for a top.
  UnitId unit_of(pid_t pid);
  /// By stat alone; empty if it is gone or there is no /proc.
  [[nodiscard]] std::optional<ProcessStatus> status(pid_t pid) const;

 private:
  static constexpr unsigned kDepthLimit = 4096;  ///< of a line of parents that is followed

  struct Activation {
    std::vector<pid_t> tops;
    std::vector<pid_t> left_groups;  ///< whose leader was spawned and is no longer a top
    InvocationId invocation{};
    std::array<char, 16> program{};  ///< of the last spawned, as `comm` has it
    bool current = false;            ///< false: forgotten, kept for the tops that are left
  };

  struct Top {
    UnitId unit;
    std::uint32_t childless = 0;  ///< the generation of ForkWatch that this is known of; 0: never
    bool leads = false;           ///< the session and group of this number, for this activation
  };

  using Tops = std::unordered_map<pid_t, Top>;

  void add_top(pid_t pid, const Top& top);
  void drop_left_group(pid_t group);
  [[nodiscard]] UnitId owner_of_group(pid_t group) const;
  bool is_just_its_tops(UnitId id);
  [[nodiscard]] bool all_childless(UnitId id, std::uint32_t generation) const;
  bool is_survey_due();
  void survey();
  [[nodiscard]] std::optional<std::vector<pid_t>> others() const;
  [[nodiscard]] std::optional<std::unordered_set<pid_t>> tops_above(
      const std::vector<pid_t>& others) const;
  UnitId known_owner(pid_t pid, const ProcessStatus& status) const;
  UnitId by_loss(const ProcessStatus& status) const;
  void remember(pid_t pid, UnitId id);
  UnitId owner_of_invocation(std::string_view text) const;
  UnitId by_environment(pid_t pid) const;
  std::vector<pid_t> children(pid_t pid) const;
  std::optional<std::string> read(pid_t pid, std::string_view file, std::size_t limit) const;

  UniqueFd proc_;
  pid_t self_ = 0;
  bool spawned_only_ = false;  ///< see keep_spawned_only()
  bool listed_ = false;
  ForkWatch forks_;
  std::optional<bool> hides_;    ///< whether /proc hides processes from onset, once asked
  std::uint64_t looked_at_ = 0;  ///< processes, since the last survey
  std::uint64_t patience_ = 1;   ///< grows while surveys are in vain
  std::uint32_t surveyed_ = 0;   ///< the generation of the last survey
  Tops top_owner_;
  Tops::node_type expected_;  ///< of top_owner_, for the next that is spawned
  std::unordered_map<pid_t, UnitId> left_group_owner_;
  /// By the hash of the text: the name of the one activation that it may be.
  std::unordered_map<std::size_t, UnitId> by_invocation_;
  std::unordered_map<std::uint32_t, Activation> units_;
  struct Seen {
    UnitId unit;
    std::uint64_t started = 0;
  };
  std::unordered_map<pid_t, Seen> below_;  ///< of units, below their tops when last looked at
  /// Direct children that are nobody's; true: for good, their batch is over.
  std::unordered_map<pid_t, bool> strangers_;
  std::vector<UnitId> lost_;  ///< units that lost a process in this batch
};

/// 32 hexadecimal digits, as INVOCATION_ID has them.
std::string invocation_text(const InvocationId& id);

}  // namespace onset
