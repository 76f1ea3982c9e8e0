#pragma once
// systemd-run(1): what was asked for, and the unit file that comes of it. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unit/name.h"
#include "unit/specifiers.h"

namespace onset {

struct TransientCall {
  bool help = false;
  bool version = false;
  bool user = false;
  bool scope = false;
  bool no_block = false;
  bool wait = false;
  bool pipe = false;
  bool quiet = false;
  bool collect = false;
  bool remain_after_exit = false;
  bool send_sighup = false;
  bool same_directory = false;
  std::string unit;  ///< as given; empty: any name
  std::string description;
  std::string slice;
  std::string service_type;
  std::string uid;
  std::string gid;
  std::string nice;
  std::string working_directory;
  std::vector<std::string> environment;  ///< NAME=VALUE, or NAME: of the caller's own
  std::vector<std::string> properties;   ///< NAME=VALUE
  std::vector<std::string> command;
};

/// `words[0]` is the program. The error is a line for people.
Result<TransientCall, std::string> parse_transient(std::span<const std::string> words);

/// How the unit file shall be.
struct TransientPlan {
  std::string name;  ///< complete, its type is the unit's
  pid_t caller = 0;  ///< whose standard streams --pipe means
  HostFacts host;    ///< what the specifiers of values stand for
};
/// The unit file. `call.command`, `.environment` and `.working_directory` are complete: the
/// first word is a path. The error is a line for people.
Result<std::string, std::string> transient_text(const TransientCall& call,
                                                const TransientPlan& plan);

/// One word as an Exec…= line has it: nothing in it is a separator, a specifier or an operator.
/// Variables ($NAME) stay, as in systemd.
std::string exec_word(std::string_view word);

std::string_view transient_help();

}  // namespace onset
