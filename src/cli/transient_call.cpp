#include "cli/transient_call.h"

#include <array>

#include "base/format.h"
#include "base/text.h"
#include "cli/render.h"
#include "unit/directives.h"

namespace onset {
namespace {

constexpr std::string_view kHelp =
    "systemd-run [OPTIONS…] COMMAND [ARGUMENTS…]\n\nRun the specified command in a transient scope "
    "or service.\n\n"
    "  -h --help                       Show this help\n"
    "     --version                    Show package version\n"
    "     --user                       Run as user unit\n"
    "     --system                     Run as system unit (the default)\n"
    "     --scope                      Run this as scope rather than service\n"
    "  -u --unit=UNIT                  Run under the specified unit name\n"
    "  -p --property=NAME=VALUE        Set service or scope unit property\n"
    "     --description=TEXT           Description for unit\n"
    "     --slice=SLICE                Run in the specified slice\n"
    "     --no-block                   Do not wait until operation finished\n"
    "  -r --remain-after-exit          Leave service around until explicitly stopped\n"
    "     --wait                       Wait until service stopped again\n"
    "     --send-sighup                Send SIGHUP when terminating\n"
    "     --service-type=TYPE          Service type\n"
    "     --uid=USER                   Run as system user\n"
    "     --gid=GROUP                  Run as system group\n"
    "     --nice=NICE                  Nice level\n"
    "     --working-directory=PATH     Set working directory\n"
    "  -d --same-dir                   Inherit working directory from caller\n"
    "  -E --setenv=NAME[=VALUE]        Set environment variable\n"
    "  -P --pipe                       Pass STDIN/STDOUT/STDERR directly to service\n"
    "  -q --quiet                      Suppress information messages during runtime\n"
    "  -G --collect                    Unload unit after it ran, even when failed\n";

using Call = TransientCall;

/// One option: where its value goes, or which flag it sets.
struct OptionRow {
  char letter;  ///< 0: none
  std::string_view name;
  bool Call::*flag = nullptr;
  std::string Call::*value = nullptr;
  std::vector<std::string> Call::*values = nullptr;
};
constexpr OptionRow flag(char letter, std::string_view name, bool Call::*member) {
  return {letter, name, member, nullptr, nullptr};
}
constexpr OptionRow value(char letter, std::string_view name, std::string Call::*member) {
  return {letter, name, nullptr, member, nullptr};
}
constexpr OptionRow values(char letter, std::string_view name,
                           std::vector<std::string> Call::*member) {
  return {letter, name, nullptr, nullptr, member};
}

constexpr OptionRow kOptions[] = {
    flag('h', "help", &Call::help),
    flag(0, "version", &Call::version),
    flag(0, "user", &Call::user),
    flag(0, "scope", &Call::scope),
    flag(0, "no-block", &Call::no_block),
    flag(0, "wait", &Call::wait),
    flag('P', "pipe", &Call::pipe),
    flag('q', "quiet", &Call::quiet),
    flag('G', "collect", &Call::collect),
    flag('r', "remain-after-exit", &Call::remain_after_exit),
    flag(0, "send-sighup", &Call::send_sighup),
    flag('d', "same-dir", &Call::same_directory),
    value('u', "unit", &Call::unit),
    value(0, "description", &Call::description),
    value(0, "slice", &Call::slice),
    value(0, "service-type", &Call::service_type),
    value(0, "uid", &Call::uid),
    value(0, "gid", &Call::gid),
    value(0, "nice", &Call::nice),
    value(0, "working-directory", &Call::working_directory),
    values('E', "setenv", &Call::environment),
    values('p', "property", &Call::properties),
};

/// Known to systemd-run; of timers, paths and sockets there are no transient units yet.
constexpr std::string_view kNotYet[] = {"pty",
                                        "shell",
                                        "slice-inherit",
                                        "on-active",
                                        "on-boot",
                                        "on-startup",
                                        "on-unit-active",
                                        "on-unit-inactive",
                                        "on-calendar",
                                        "on-clock-change",
                                        "on-timezone-change",
                                        "timer-property",
                                        "path-property",
                                        "socket-property",
                                        "host",
                                        "machine"};

std::string not_yet(std::string_view option) {
  return format("--{} is not supported yet.", option);
}

class Reader {
 public:
  explicit Reader(std::span<const std::string> words) : words_(words) {}

  Result<Call, std::string> read() {
    for (at_ = 1; at_ < words_.size(); ++at_) {
      const std::string_view word = words_[at_];
      if (word == "--") {
        ++at_;
        break;
      }
      if (word.size() < 2 || word.front() != '-') break;
      const std::string wrong = word[1] == '-' ? read_long(word.substr(2)) : read_letters(word);
      if (!wrong.empty()) return Failure{wrong};
    }
    for (; at_ < words_.size(); ++at_) call_.command.push_back(words_[at_]);
    return std::move(call_);
  }

 private:
  std::string unknown(std::string_view option) const {
    return format("{}: unrecognized option '{}'", words_.front(), printable(option));
  }

  std::string read_long(std::string_view option) {
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    if (name == "system") return {};
    for (const std::string_view known : kNotYet) {
      if (known == name) return not_yet(known);
    }
    for (const OptionRow& row : kOptions) {
      if (row.name != name) continue;
      if (row.flag != nullptr) {
        if (equals != std::string_view::npos) return format("--{} takes no value.", name);
        call_.*row.flag = true;
        return {};
      }
      if (equals != std::string_view::npos) return take(row, option.substr(equals + 1));
      return take_next(row);
    }
    return unknown(words_[at_]);
  }

  std::string read_letters(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const char letter = word[i];
      if (letter == 't') return not_yet("pty");
      if (letter == 'S') return not_yet("shell");
      if (letter == 'H') return not_yet("host");
      if (letter == 'M') return not_yet("machine");
      const OptionRow* found = nullptr;
      for (const OptionRow& row : kOptions) {
        if (row.letter == letter) found = &row;
      }
      if (found == nullptr) return unknown(word);
      if (found->flag != nullptr) {
        call_.*found->flag = true;
      } else {
        return i + 1 < word.size() ? take(*found, word.substr(i + 1)) : take_next(*found);
      }
    }
    return {};
  }

  std::string take_next(const OptionRow& row) {
    if (at_ + 1 == words_.size()) return format("--{} needs a value.", row.name);
    return take(row, words_[++at_]);
  }
  std::string take(const OptionRow& row, std::string_view text) {
    if (row.values != nullptr) {
      (call_.*row.values).emplace_back(text);
    } else {
      call_.*row.value = text;
    }
    return {};
  }

  std::span<const std::string> words_;
  std::size_t at_ = 1;
  Call call_;
};

/// What contradicts each other; empty: nothing does.
std::string conflict_of(const Call& call) {
  if (call.command.empty()) return "Command line to execute required.";
  if (call.scope && (call.remain_after_exit || !call.service_type.empty())) {
    return "--remain-after-exit and --service-type= are not supported in --scope mode.";
  }
  if (call.scope && call.pipe) return "--pty/--pipe is not compatible in timer or --scope mode.";
  if (call.pipe && call.no_block) return "--pty/--pipe is not compatible with --no-block.";
  if (call.scope && call.no_block) return "--scope may not be combined with --no-block.";
  if (call.wait && call.no_block) return "--wait may not be combined with --no-block.";
  if (call.wait && call.scope) return "--wait may not be combined with --scope.";
  return {};
}

/// Lines of a unit file by section.
class Text {
 public:
  void put(Section section, std::string_view name, std::string_view value) {
    std::string& text = section == Section::Unit ? unit_ : own_;
    text += format("{}={}\n", name, value);
  }
  [[nodiscard]] std::string take(Section own) const {
    return format("# Made by systemd-run; it goes with the unit.\n[Unit]\n{}\n[{}]\n{}", unit_,
                  to_string(own), own_);
  }

 private:
  std::string unit_;
  std::string own_;
};

std::string without_specifiers(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    doubled += c;
    if (c == '%') doubled += c;
  }
  return doubled;
}

/// Empty, or what is wrong with it.
std::string put_property(Text& text, Section own, std::string_view assignment, Unit& scratch,
                         const HostFacts& host) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return format("Not an assignment: {}", printable(assignment));
  }
  const std::string_view name = assignment.substr(0, equals);
  const std::string_view value = assignment.substr(equals + 1);
  if (value.find('\n') != std::string_view::npos) return "A value has to be one line.";
  const Section section = find_directive(own, name) != nullptr ? own : Section::Unit;
  const Directive* const row = find_directive(section, name);
  if (row == nullptr) return format("Unknown assignment: {}", printable(assignment));
  if (row->parse != nullptr) {
    if (std::string wrong = complaint_about(*row, value, scratch, host); !wrong.empty())
      return wrong;
  }
  text.put(section, name, value);
  return {};
}

void put_service(Text& text, const Call& call, const TransientPlan& plan) {
  constexpr Section S = Section::Service;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) text.put(S, name, without_specifiers(value));
  };
  put("Type", call.service_type);
  put("User", call.uid);
  put("Group", call.gid);
  put("Nice", call.nice);
  put("WorkingDirectory", call.working_directory);
  if (call.remain_after_exit) put("RemainAfterExit", "yes");
  if (call.pipe) {
    const std::string fds = format("/proc/{}/fd", plan.caller);
    put("StandardInput", format("file:{}/0", fds));
    put("StandardOutput", format("append:{}/1", fds));
    put("StandardError", format("append:{}/2", fds));
  }
  for (const std::string& variable : call.environment) {
    text.put(S, "Environment", exec_word(variable));
  }
  std::string command;
  for (const std::string& word : call.command) {
    if (!command.empty()) command += ' ';
    command += exec_word(word);
  }
  text.put(S, "ExecStart", command);
}

std::string one_line(std::span<const std::string> words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += word;
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return line;
}

}  // namespace

Result<TransientCall, std::string> parse_transient(std::span<const std::string> words) {
  auto call = Reader(words).read();
  if (!call || call->help || call->version) return call;
  if (const std::string conflict = conflict_of(*call); !conflict.empty()) return Failure{conflict};
  return call;
}

std::string exec_word(std::string_view word) {
  constexpr std::string_view kPlain = "/._-=,:@+^$";
  constexpr std::string_view kDigits = "0123456789abcdef";
  bool is_plain = !word.empty();
  for (const char c : word) {
    is_plain = is_plain && (is_alpha(c) || is_digit(c) || kPlain.find(c) != std::string_view::npos);
  }
  if (is_plain) return std::string(word);
  std::string text = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < ' ' || byte >= 127) {
      text += "\\x";
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    } else {
      text += c;
      if (c == '%') text += c;
    }
  }
  return text + '"';
}

Result<std::string, std::string> transient_text(const TransientCall& call,
                                                const TransientPlan& plan) {
  const auto type = unit_type_of(plan.name);
  const auto own = type ? section_of(*type) : std::nullopt;
  if (!own) return Failure{format("Not a unit name: {}", printable(plan.name))};
  Text text;
  const std::string description =
      call.description.empty() ? one_line(call.command) : call.description;
  text.put(Section::Unit, "Description", without_specifiers(one_line({&description, 1})));
  if (call.collect) text.put(Section::Unit, "CollectMode", "inactive-or-failed");
  if (!call.slice.empty()) {
    const auto slice = mangle(call.slice, ".slice");
    if (!slice) return Failure{format("Failed to mangle name '{}'", printable(call.slice))};
    text.put(*own, "Slice", *slice);
  }
  if (call.send_sighup) text.put(*own, "SendSIGHUP", "yes");
  if (!call.scope) put_service(text, call, plan);
  Unit scratch;
  scratch.id = plan.name;
  scratch.type = *type;
  for (const std::string& property : call.properties) {
    if (std::string wrong = put_property(text, *own, property, scratch, plan.host);
        !wrong.empty()) {
      return Failure{std::move(wrong)};
    }
  }
  return text.take(*own);
}

std::string_view transient_help() {
  return kHelp;
}

}  // namespace onset
