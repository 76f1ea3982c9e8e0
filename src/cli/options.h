#pragma once
// The options of systemctl(1) that onset takes: one table for parser, help and
// completion. getopt_long parses, so that options may stand behind the verb too.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/render.h"

namespace onset {

enum class JsonStyle : unsigned char { Off, Short, Pretty };
enum class DependencySide : unsigned char { Forward, Reverse, After, Before };

struct Options {
  bool help = false;
  bool version = false;
  bool user = false;
  bool no_block = false;
  bool wait = false;
  bool now = false;
  bool all = false;
  bool quiet = false;
  bool full = false;
  bool value = false;
  bool plain = false;
  bool runtime = false;
  bool no_reload = false;
  bool no_warn = false;
  bool dry_run = false;
  bool no_wall = false;
  bool show_types = false;
  bool with_dependencies = false;
  bool use_stdin = false;  ///< edit: the new text comes from standard input
  unsigned force = 0;      ///< how often it was given
  JsonStyle json = JsonStyle::Off;
  JsonStyle output = JsonStyle::Off;  ///< --output=, of lists alone: of status it is the journal's
  DependencySide side = DependencySide::Forward;
  bool after = false;  ///< list-jobs takes both
  bool before = false;
  TimeStyle time_style = TimeStyle::Pretty;
  std::string print;                   ///< what an option's "help" lists: print it, and be done
  std::string drop_in;                 ///< edit: the file's name; empty: override.conf
  std::string root;                    ///< empty: not given
  std::string job_mode;                ///< empty: the verb's own
  std::string kill_whom;               ///< "all", "main", "control"; empty: not given
  std::optional<bool> legend;          ///< see has_legend()
  std::string message;                 ///< why the system ends, for logs and terminals
  std::string reboot_argument;         ///< for the firmware
  std::optional<Duration> ends_after;  ///< the system ends so much later
  std::optional<int> signal;
  std::string preset_mode = "full";
  std::optional<unsigned> lines;
  std::string order;                         ///< top: what is sorted by; empty: cpu
  Duration delay = std::chrono::seconds(1);  ///< top: between two looks
  Duration fuzz{0};                          ///< critical-chain: siblings so much earlier
  std::optional<unsigned> iterations;        ///< top; 0: until it is ended
  std::vector<std::string> types;
  std::vector<std::string> states;
  std::vector<std::string> properties;
  std::vector<std::string> what;       ///< clean: "cache", "runtime", …
  std::vector<std::string> arguments;  ///< what is no option: the verb in front

  /// Headers and hints: --quiet leaves them out as well, unless they are asked for.
  [[nodiscard]] bool has_legend() const { return legend.value_or(!quiet); }
};

enum class Takes : unsigned char { Nothing, Value, MaybeValue };

struct OptionRow {
  const char* name;
  char letter;  ///< 0: none
  Takes takes;
  bool Options::*flag;  ///< set to true, or null
  /// Otherwise; the answer is what is wrong with the value, empty if nothing is.
  /// Null as well: there is nothing here that it could change (onset(1) lists
  /// these), or it is refused.
  std::string (*set)(Options&, std::string_view value);
  const char* placeholder;        ///< of the value, for help
  const char* help;               ///< null: another name of one that is shown, or refused
  const char* refusal = nullptr;  ///< why it can't be had, and what to do instead
};

std::span<const OptionRow> option_table() noexcept;

/// `arguments[0]` is the program's name. The error is what systemctl would print.
Result<Options, std::string> parse_options(std::span<const std::string> arguments);

}  // namespace onset
