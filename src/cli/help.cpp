#include "cli/help.h"

#include "base/format.h"
#include "base/version.h"
#include "cli/options.h"
#include "cli/render.h"
#include "cli/verbs.h"

namespace onset {

namespace {

constexpr std::size_t kHelpColumn = 36;

void add_group(std::string& text, VerbGroup group, std::string_view title) {
  text += format("\n{}:\n", title);
  for (const VerbRow& row : verb_table()) {
    if (row.group != group) continue;
    const std::string call = format("  {} {}", row.name, row.parameters);
    text += format("{} {}\n", pad_right(call, kHelpColumn), row.help);
  }
}

std::string option_call(const OptionRow& row) {
  std::string call = row.letter != 0 ? format("  -{}", row.letter) : std::string("    ");
  if (row.name != nullptr) call += format("{} --{}", row.letter != 0 ? "" : " ", row.name);
  switch (row.takes) {
    case Takes::Nothing:
      return call;
    case Takes::Value:
      return call + format("{}{}", row.name != nullptr ? "=" : " ", row.placeholder);
    case Takes::MaybeValue:
      return call + format("[={}]", row.placeholder);
  }
  return call;
}

}  // namespace

std::string help_text(std::string_view program) {
  std::string text =
      format("{} [OPTIONS…] VERB …\n\nAsk the manager, or change unit files.\n", program);
  add_group(text, VerbGroup::Units, "Units");
  add_group(text, VerbGroup::Files, "Unit files");
  add_group(text, VerbGroup::Jobs, "Jobs");
  add_group(text, VerbGroup::Environment, "Environment");
  add_group(text, VerbGroup::Manager, "Manager");
  add_group(text, VerbGroup::System, "System");
  text += "\nOptions:\n";
  for (const OptionRow& row : option_table()) {
    if (row.help == nullptr) continue;
    text += format("{} {}\n", pad_right(option_call(row), kHelpColumn), row.help);
  }
  return text;
}

namespace {

std::string_view word_of(Completes completes) {
  switch (completes) {
    case Completes::Nothing:
      return "nothing";
    case Completes::Units:
      return "units";
    case Completes::UnitFiles:
      return "unit-files";
    case Completes::Targets:
      return "targets";
    case Completes::Jobs:
      return "jobs";
    case Completes::Files:
      return "files";
  }
  return {};
}

}  // namespace

/// For shells: "verbs", a line "NAME COMPLETES" each, or "options", one a line,
/// those that take a value with "=" behind; all that are not refused.
int verb_complete(Command& command) {
  if (command.names.front() == "verbs") {
    for (const VerbRow& row : verb_table()) {
      if (row.group == VerbGroup::Hidden) continue;
      command.out(format("{} {}\n", row.name, word_of(row.completes)));
    }
    return 0;
  }
  if (command.names.front() != "options") return command.fail("Expected verbs or options.");
  for (const OptionRow& row : option_table()) {
    if (row.name == nullptr || row.refusal != nullptr) continue;
    command.out(format("--{}{}\n", row.name, row.takes == Takes::Value ? "=" : ""));
  }
  return 0;
}

/// Scripts look for "systemd NNN (" in systemctl's answer.
std::string version_text() {
  return format("systemd {} (onset {})\n", kSystemdVersion, kVersion);
}

}  // namespace onset
