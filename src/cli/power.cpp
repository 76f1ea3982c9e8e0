#include "cli/power.h"

#include <array>
#include <ctime>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::uint32_t kMostMinutes = 366 * 24 * 60;

enum class Effect : unsigned char {
  Halt,
  Poweroff,
  Reboot,
  HaltOrPoweroff,  ///< shutdown -h
  Force,
  NoWall,
  WallOnly,
  Nothing,
  Help,
  Version,
  LogOnly,
  Cancel,
  Show,
};

struct PowerOption {
  std::string_view name;  ///< "--halt", "-f"
  Effect effect;
};

constexpr std::array kHaltOptions = {
    PowerOption{"--help", Effect::Help},
    PowerOption{"--version", Effect::Version},
    PowerOption{"--halt", Effect::Halt},
    PowerOption{"-p", Effect::Poweroff},
    PowerOption{"--poweroff", Effect::Poweroff},
    PowerOption{"--reboot", Effect::Reboot},
    PowerOption{"-f", Effect::Force},
    PowerOption{"--force", Effect::Force},
    PowerOption{"-w", Effect::LogOnly},
    PowerOption{"--wtmp-only", Effect::LogOnly},
    PowerOption{"-d", Effect::Nothing},
    PowerOption{"--no-wtmp", Effect::Nothing},
    PowerOption{"-n", Effect::Nothing},
    PowerOption{"--no-sync", Effect::Nothing},
    PowerOption{"--no-wall", Effect::NoWall},
    PowerOption{"-i", Effect::Nothing},
};

constexpr std::array kShutdownOptions = {
    PowerOption{"--help", Effect::Help},       PowerOption{"--version", Effect::Version},
    PowerOption{"-H", Effect::Halt},           PowerOption{"--halt", Effect::Halt},
    PowerOption{"--show", Effect::Show},       PowerOption{"-K", Effect::Nothing},
    PowerOption{"-P", Effect::Poweroff},       PowerOption{"--poweroff", Effect::Poweroff},
    PowerOption{"-r", Effect::Reboot},         PowerOption{"--reboot", Effect::Reboot},
    PowerOption{"-h", Effect::HaltOrPoweroff}, PowerOption{"-k", Effect::WallOnly},
    PowerOption{"-c", Effect::Cancel},         PowerOption{"--no-wall", Effect::NoWall},
    PowerOption{"-a", Effect::Nothing},        PowerOption{"-f", Effect::Nothing},
    PowerOption{"-F", Effect::Nothing},        PowerOption{"-n", Effect::Nothing},
    PowerOption{"-t", Effect::Nothing},
};

std::span<const PowerOption> options_of(std::string_view program) {
  if (program == "shutdown") return kShutdownOptions;
  return kHaltOptions;
}

/// Whether nothing is left to look at.
Result<bool, std::string> apply(PowerCall& call, Effect effect) {
  switch (effect) {
    case Effect::Halt:
      call.verb = "halt";
      return false;
    case Effect::Poweroff:
    case Effect::HaltOrPoweroff:
      call.verb = "poweroff";
      return false;
    case Effect::Reboot:
      call.verb = "reboot";
      return false;
    case Effect::Force:
      ++call.force;
      return false;
    case Effect::NoWall:
      call.no_wall = true;
      return false;
    case Effect::WallOnly:
      call.wall_only = true;
      return false;
    case Effect::Nothing:
      return false;
    case Effect::Help:
      call.help = true;
      return true;
    case Effect::Version:
      call.version = true;
      return true;
    case Effect::LogOnly:  // a record alone: none is kept here
      call.verb = {};
      return true;
    case Effect::Cancel:
      call.cancel = true;
      return false;
    case Effect::Show:
      call.show = true;
      return true;
  }
  return false;
}

/// -hP is -h -P.
std::vector<std::string> single_options(std::string_view word) {
  if (word.starts_with("--")) return {std::string(word)};
  std::vector<std::string> singles;
  for (char letter : word.substr(1)) singles.push_back(format("-{}", letter));
  return singles;
}

Result<bool, std::string> take_option(PowerCall& call, std::span<const PowerOption> known,
                                      std::string_view word) {
  for (const std::string& single : single_options(word)) {
    const PowerOption* found = nullptr;
    for (const PowerOption& option : known) {
      if (option.name == single) found = &option;
    }
    if (found == nullptr) return Failure{format("unknown option '{}'", c_escape(single))};
    auto done = apply(call, found->effect);
    if (!done || *done) return done;
  }
  return false;
}

/// "hh:mm", the next one from `now` on.
std::optional<Duration> time_of_day(std::string_view word, WallTime now) {
  const std::size_t colon = word.find(':');
  if (colon == word.npos) return std::nullopt;
  const auto hour = parse_uint<unsigned>(word.substr(0, colon));
  const auto minute = parse_uint<unsigned>(word.substr(colon + 1));
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  const time_t seconds = now.us / kSecond;
  tm parts{};
  if (::localtime_r(&seconds, &parts) == nullptr) return std::nullopt;
  parts.tm_hour = static_cast<int>(*hour);
  parts.tm_min = static_cast<int>(*minute);
  parts.tm_sec = 0;
  parts.tm_isdst = -1;
  time_t then = ::mktime(&parts);
  if (then <= seconds) {
    parts.tm_mday += 1;
    parts.tm_isdst = -1;
    then = ::mktime(&parts);
  }
  if (then <= seconds) return std::nullopt;
  return Duration(then * kSecond - now.us);
}

/// shutdown(8): "now", "+m" in minutes, "hh:mm".
std::optional<Duration> parse_time(std::string_view word, WallTime now) {
  if (word == "now") return Duration::zero();
  if (!word.starts_with('+')) return time_of_day(word, now);
  const auto minutes = parse_uint<std::uint32_t>(word.substr(1));
  if (!minutes || *minutes > kMostMinutes) return std::nullopt;
  return std::chrono::minutes(*minutes);
}

/// What is no option, of those that take no time: a reboot's argument.
Result<PowerCall, std::string> take_words(PowerCall call, std::vector<std::string>& words) {
  const std::size_t most = call.verb == "reboot" ? 1 : 0;
  if (words.size() > most) {
    return Failure{format("too many arguments: '{}'", c_escape(words[most]))};
  }
  if (!words.empty()) call.argument = std::move(words.front());
  return call;
}

}  // namespace

bool is_power_name(std::string_view program) noexcept {
  return program == "poweroff" || program == "reboot" || program == "halt" || program == "shutdown";
}

Result<PowerCall, std::string> parse_power(std::span<const std::string> arguments, WallTime now) {
  const std::string_view program = arguments.front();
  const bool is_shutdown = program == "shutdown";
  PowerCall call;
  call.verb = "poweroff";
  if (program == "reboot") call.verb = "reboot";
  if (program == "halt") call.verb = "halt";
  std::vector<std::string> words;
  bool only_words = false;
  for (const std::string& argument : arguments.subspan(1)) {
    if (!only_words && argument == "--") {
      only_words = true;
    } else if (!only_words && argument.size() > 1 && argument.starts_with('-')) {
      auto done = take_option(call, options_of(program), argument);
      if (!done) return Failure{done.error()};
      if (*done) return call;
    } else {
      words.push_back(argument);
    }
  }
  if (!is_shutdown) return take_words(std::move(call), words);
  // shutdown's first word is the time, but where nothing is to come.
  const bool has_time = !call.cancel && !words.empty();
  if (!call.cancel && !call.wall_only) {
    const auto after = parse_time(has_time ? std::string_view(words.front()) : "+1", now);
    if (!after)
      return Failure{format("Failed to parse time specification: {}", c_escape(words.front()))};
    if (*after > Duration::zero()) call.after = *after;
  }
  for (std::size_t i = has_time ? 1 : 0; i < words.size(); ++i) {
    call.message += format("{}{}", call.message.empty() ? "" : " ", words[i]);
  }
  return call;
}

std::string power_help(std::string_view program) {
  if (program == "shutdown") {
    return "shutdown [OPTIONS...] [TIME] [WALL...]\n\nShut down the system.\n\nOptions:\n"
           "     --help      Show this help\n"
           "  -H --halt      Halt the machine\n"
           "  -P --poweroff  Power-off the machine\n"
           "  -r --reboot    Reboot the machine\n"
           "  -h             Equivalent to --poweroff, overridden by --halt\n"
           "  -k             Don't halt/power-off/reboot, just send the message\n"
           "     --no-wall   Don't send wall message before halt/power-off/reboot\n"
           "  -c             Cancel a pending shutdown\n"
           "     --show      Show pending shutdown\n\n"
           "TIME is \"now\", \"+m\" for m minutes from now, or \"hh:mm\"; without it \"+1\".\n";
  }
  const std::string_view what = program == "halt"     ? "Halt"
                                : program == "reboot" ? "Reboot"
                                                      : "Power off";
  return format(
      "{} [OPTIONS...]\n\n{} the system.\n\nOptions:\n"
      "     --help      Show this help\n"
      "     --halt      Halt the machine\n"
      "  -p --poweroff  Switch off the machine\n"
      "     --reboot    Reboot the machine\n"
      "  -f --force     Force immediate halt/power-off/reboot\n"
      "  -w --wtmp-only Don't halt/power-off/reboot, just write wtmp record\n"
      "  -d --no-wtmp   Don't write wtmp record\n"
      "     --no-wall   Don't send wall message before halt/power-off/reboot\n",
      program, what);
}

// ---- telinit ------------------------------------------------------------------

namespace {

struct Runlevel {
  std::string_view word;
  std::string_view verb;
  std::string_view unit;  ///< of isolate
};

constexpr std::array kRunlevels = {
    Runlevel{"0", "poweroff", {}},
    Runlevel{"6", "reboot", {}},
    Runlevel{"1", "rescue", {}},
    Runlevel{"s", "rescue", {}},
    Runlevel{"S", "rescue", {}},
    Runlevel{"2", "isolate", "multi-user.target"},
    Runlevel{"3", "isolate", "multi-user.target"},
    Runlevel{"4", "isolate", "multi-user.target"},
    Runlevel{"5", "isolate", "graphical.target"},
    Runlevel{"q", "daemon-reload", {}},
    Runlevel{"Q", "daemon-reload", {}},
    Runlevel{"u", "daemon-reexec", {}},
    Runlevel{"U", "daemon-reexec", {}},
};

}  // namespace

bool is_telinit_name(std::string_view program) noexcept {
  return program == "telinit" || program == "init";
}

Result<std::vector<std::string>, std::string> parse_telinit(
    std::span<const std::string> arguments) {
  std::vector<std::string> words;
  for (const std::string& argument : arguments.subspan(1)) {
    if (argument != "--no-wall") words.push_back(argument);
  }
  if (words.empty()) return Failure{std::string("required argument missing.")};
  if (words.size() > 1) return Failure{std::string("Too many arguments.")};
  if (words.front() == "--help") return std::vector<std::string>{};
  for (const Runlevel& level : kRunlevels) {
    if (level.word != words.front()) continue;
    std::vector<std::string> call{std::string(level.verb)};
    if (!level.unit.empty()) call.emplace_back(level.unit);
    return call;
  }
  if (words.front().size() != 1) return Failure{std::string("Expected single character argument.")};
  return Failure{format("Unknown command '{}'.", c_escape(words.front()))};
}

std::string telinit_help(std::string_view program) {
  return format(
      "{} [OPTIONS...] COMMAND\n\nSend control commands to the init daemon.\n\nCommands:\n"
      "  0              Power-off the machine\n"
      "  6              Reboot the machine\n"
      "  2, 3, 4, 5     Start runlevelX.target unit\n"
      "  1, s, S        Enter rescue mode\n"
      "  q, Q           Reload init daemon configuration\n"
      "  u, U           Reexecute init daemon\n\n"
      "Options:\n"
      "     --help      Show this help\n"
      "     --no-wall   Don't send wall message before halt/power-off/reboot\n",
      program);
}

}  // namespace onset
