#pragma once
// One call of a verb: what it was given and where it may look and write.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/context.h"
#include "cli/manager_link.h"
#include "cli/options.h"
#include "cli/render.h"
#include "control/json.h"

namespace onset {

struct Command {
  CliContext& context;
  const Options& options;
  ManagerLink& manager;
  std::string_view program;  ///< "systemctl", "onset": for hints
  std::string_view verb;
  std::vector<std::string> names;  ///< what follows the verb

  void out(std::string_view text) const { context.out.write(text); }
  /// One line on standard error.
  void err(std::string_view line) const;
  /// Prints the line, gives 1.
  int fail(std::string_view line) const;
  /// "Failed to VERB: …" where no manager is; otherwise `what` and the reason.
  int fail(std::string_view what, const CallProblem& problem) const;

  [[nodiscard]] Palette palette() const;
  /// The width to cut to; 0: do not.
  [[nodiscard]] std::size_t width() const;
  /// With --json=; false: not asked for.
  bool print_json(const Json& value) const;
};

/// The arguments as complete unit names; globs become the loaded units that they
/// match. The error is a line for people.
Result<std::vector<std::string>, std::string> unit_names(Command& command,
                                                         std::string_view suffix = ".service");

/// The loaded units that --type=, --state= and --all leave.
Result<std::vector<std::string>, std::string> listed_units(Command& command);

/// The complete unit name of one argument; nothing if it has none. Characters that no
/// name may have are escaped, and that is told.
std::optional<std::string> complete_name(const Command& command, const std::string& given,
                                         std::string_view suffix, bool allow_globs = false);

/// Whether there is no point in asking a manager: a chroot, or $SYSTEMD_OFFLINE.
bool is_offline(const CliContext& context);

}  // namespace onset
