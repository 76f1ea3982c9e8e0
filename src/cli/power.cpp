#include "cli/power.h"

#include <array>

#include "base/format.h"
#include "base/text.h"

namespace onset {

namespace {

enum class Effect : unsigned char {
  Halt,
  Poweroff,
  Reboot,
  HaltOrPoweroff,  ///< shutdown -h
  Force,
  Nothing,
  Help,
  Version,
  LogOnly,
  Cancel,
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
    PowerOption{"--no-wall", Effect::Nothing},
    PowerOption{"-i", Effect::Nothing},
};

constexpr std::array kShutdownOptions = {
    PowerOption{"--help", Effect::Help},       PowerOption{"--version", Effect::Version},
    PowerOption{"-H", Effect::Halt},           PowerOption{"--halt", Effect::Halt},
    PowerOption{"-P", Effect::Poweroff},       PowerOption{"--poweroff", Effect::Poweroff},
    PowerOption{"-r", Effect::Reboot},         PowerOption{"--reboot", Effect::Reboot},
    PowerOption{"-h", Effect::HaltOrPoweroff}, PowerOption{"-k", Effect::LogOnly},
    PowerOption{"-c", Effect::Cancel},         PowerOption{"--no-wall", Effect::Nothing},
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
      call.force = true;
      return false;
    case Effect::Nothing:
      return false;
    case Effect::Help:
      call.help = true;
      return true;
    case Effect::Version:
      call.version = true;
      return true;
    case Effect::LogOnly:  // a record or a message alone: there is neither here
      call.verb = {};
      return true;
    case Effect::Cancel:
      return Failure{std::string("no shutdown is scheduled: only \"now\" is supported yet")};
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

}  // namespace

bool is_power_name(std::string_view program) noexcept {
  return program == "poweroff" || program == "reboot" || program == "halt" || program == "shutdown";
}

Result<PowerCall, std::string> parse_power(std::span<const std::string> arguments) {
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
  if (!is_shutdown && !words.empty()) {
    return Failure{format("too many arguments: '{}'", c_escape(words.front()))};
  }
  // shutdown's first word is the time; without one it is a minute from now.
  if (is_shutdown && (words.empty() || (words.front() != "now" && words.front() != "+0"))) {
    return Failure{format("only \"{} now\" is supported yet, not a time to come", program)};
  }
  return call;
}

std::string power_help(std::string_view program) {
  if (program == "shutdown") {
    return "shutdown [OPTIONS…] now\n\nStop all units and power off.\n\n"
           "  -P --poweroff  Power off (also -h)\n"
           "  -H --halt      Halt\n"
           "  -r --reboot    Reboot\n";
  }
  return format(
      "{} [OPTIONS…]\n\nStop all units and {}.\n\n"
      "     --halt      Halt\n"
      "  -p --poweroff  Power off\n"
      "     --reboot    Reboot\n"
      "  -f --force     Do not stop units in order\n",
      program, program);
}

}  // namespace onset
