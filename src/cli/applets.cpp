#include "cli/applets.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/render.h"
#include "unit/name.h"

namespace onset {

namespace {

constexpr std::string_view kEscape = "systemd-escape";
constexpr std::string_view kDetectVirt = "systemd-detect-virt";

constexpr std::string_view kEscapeHelp =
    "systemd-escape [OPTIONS…] NAME…\n\nEscape strings for usage in unit names.\n\n"
    "  -h --help               Show this help\n"
    "     --version            Show package version\n"
    "     --suffix=SUFFIX      Unit suffix to append to escaped strings\n"
    "     --template=TEMPLATE  Insert strings as instance into template\n"
    "     --instance           With --unescape, show just the instance part\n"
    "  -u --unescape           Unescape strings\n"
    "  -m --mangle             Mangle strings\n"
    "  -p --path               When escaping/unescaping assume the string is a path\n";
constexpr std::string_view kDetectVirtHelp =
    "systemd-detect-virt [OPTIONS…]\n\nDetect execution in a virtualized environment.\n\n"
    "  -h --help               Show this help\n"
    "     --version            Show package version\n"
    "  -c --container          Only detect whether we are run in a container\n"
    "  -v --vm                 Only detect whether we are run in a VM\n"
    "  -r --chroot             Detect whether we are run in a chroot() environment\n"
    "  -q --quiet              Don't output anything, just set return value\n";

int fail(CliContext& context, std::string_view line) {
  context.err.write(format("{}\n", line));
  return 1;
}

/// The word behind "--suffix=", or the one that follows.
bool take_value(std::span<const std::string> words, std::size_t& i, std::string_view option,
                std::optional<std::string>& value) {
  const std::string_view word = words[i];
  if (word.size() > option.size() && word.starts_with(option) && word[option.size()] == '=') {
    value = word.substr(option.size() + 1);
    return true;
  }
  if (word != option || i + 1 == words.size()) return false;
  value = words[++i];
  return true;
}

// ---- systemd-escape ---------------------------------------------------------

struct EscapeCall {
  std::optional<std::string> suffix;
  std::optional<std::string> unit_template;
  bool unescapes = false;
  bool mangles = false;
  bool is_path = false;
  bool instance_only = false;
  std::vector<std::string> names;
};

/// The error is a line for people.
Result<EscapeCall, std::string> parse_escape(std::span<const std::string> words) {
  EscapeCall call;
  bool options_end = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (options_end || !word.starts_with('-') || word == "-") {
      call.names.push_back(word);
    } else if (word == "--") {
      options_end = true;
    } else if (word == "-u" || word == "--unescape") {
      call.unescapes = true;
    } else if (word == "-m" || word == "--mangle") {
      call.mangles = true;
    } else if (word == "-p" || word == "--path") {
      call.is_path = true;
    } else if (word == "--instance") {
      call.instance_only = true;
    } else if (!take_value(words, i, "--suffix", call.suffix) &&
               !take_value(words, i, "--template", call.unit_template)) {
      return Failure{format("{}: unrecognized option '{}'", kEscape, printable(word))};
    }
  }
  if (call.names.empty()) return Failure{std::string("Not enough arguments.")};
  if (call.unit_template && call.suffix) {
    return Failure{std::string("--suffix= and --template= may not be combined.")};
  }
  if ((call.unit_template || call.suffix) && call.mangles) {
    return Failure{std::string("--suffix= and --template= are not compatible with --mangle.")};
  }
  if (call.suffix && call.unescapes) {
    return Failure{std::string("--suffix is not compatible with --unescape.")};
  }
  if (call.unit_template && !is_template(*call.unit_template)) {
    return Failure{format("Template name {} is not valid.", printable(*call.unit_template))};
  }
  return call;
}

Result<std::string, std::string> unescape_one(const EscapeCall& call, const std::string& name) {
  std::string text = name;
  if (call.unit_template || call.instance_only) {
    if (call.unit_template && template_of(name) != call.unit_template) {
      return Failure{format("Unit {} does not match specified template {}.", printable(name),
                            *call.unit_template)};
    }
    text = unit_instance(name);
    if (text.empty()) {
      return Failure{format("Unit {} is missing the instance name.", printable(name))};
    }
  }
  const auto plain = call.is_path ? unit_unescape_path(text) : unit_unescape(text);
  if (!plain) return Failure{format("Failed to unescape string {}.", printable(text))};
  return *plain;
}

Result<std::string, std::string> escape_one(const EscapeCall& call, const std::string& name) {
  if (call.unescapes) return unescape_one(call, name);
  if (call.mangles) {
    auto mangled = mangle(name);
    if (!mangled) return Failure{format("Failed to mangle name {}.", printable(name))};
    return *mangled;
  }
  const auto escaped =
      call.is_path ? unit_escape_path(name) : std::optional<std::string>(unit_escape(name));
  if (!escaped) return Failure{format("Failed to escape string {}.", printable(name))};
  if (call.unit_template) {
    auto unit = instantiate(*call.unit_template, *escaped);
    if (!unit) return Failure{format("Failed to replace instance with {}.", *escaped)};
    return *unit;
  }
  return call.suffix ? format("{}.{}", *escaped, *call.suffix) : *escaped;
}

int run_escape(CliContext& context, std::span<const std::string> words) {
  const auto call = parse_escape(words);
  if (!call) return fail(context, call.error());
  std::string line;
  for (const std::string& name : call->names) {
    const auto text = escape_one(*call, name);
    if (!text) return fail(context, text.error());
    if (!line.empty()) line += ' ';
    line += *text;
  }
  context.out.write(line + '\n');
  return 0;
}

// ---- systemd-detect-virt ----------------------------------------------------

int run_detect_virt(CliContext& context, std::span<const std::string> words) {
  bool is_quiet = false;
  std::string_view asked;
  for (const std::string& word : words.subspan(1)) {
    if (word == "-q" || word == "--quiet") {
      is_quiet = true;
    } else if (word == "-c" || word == "--container") {
      asked = "container";
    } else if (word == "-v" || word == "--vm") {
      asked = "vm";
    } else if (word == "-r" || word == "--chroot") {
      asked = "chroot";
    } else {
      return fail(context, format("{}: unrecognized option '{}'", kDetectVirt, printable(word)));
    }
  }
  if (asked == "chroot") return context.is_chroot ? 0 : 1;
  std::string found;
  if (asked != "vm") found = context.container;
  if (found.empty() && asked != "container") found = context.virtual_machine;
  if (!is_quiet) context.out.write((found.empty() ? "none" : found) + "\n");
  return found.empty() ? 1 : 0;
}

}  // namespace

bool is_small_applet(std::string_view program) noexcept {
  return program == kEscape || program == kDetectVirt;
}

int run_small_applet(CliContext& context, std::span<const std::string> arguments) {
  const bool escapes = arguments.front() == kEscape;
  for (const std::string& word : arguments.subspan(1)) {
    if (word == "--") break;
    if (word == "-h" || word == "--help") {
      context.out.write(escapes ? kEscapeHelp : kDetectVirtHelp);
      return 0;
    }
    if (word == "--version") {
      context.out.write(version_text());
      return 0;
    }
  }
  return escapes ? run_escape(context, arguments) : run_detect_virt(context, arguments);
}

}  // namespace onset
