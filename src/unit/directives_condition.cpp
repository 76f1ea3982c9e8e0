// Condition…= and Assert…= of [Unit]: one row each, from one list of kinds.

#include <array>
#include <utility>

#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

/// What the parameter has to be.
constexpr bool takes_path(ConditionType type) {
  switch (type) {
    case ConditionType::NeedsUpdate:
    case ConditionType::PathExists:
    case ConditionType::PathExistsGlob:
    case ConditionType::PathIsDirectory:
    case ConditionType::PathIsSymbolicLink:
    case ConditionType::PathIsMountPoint:
    case ConditionType::PathIsReadWrite:
    case ConditionType::PathIsEncrypted:
    case ConditionType::DirectoryNotEmpty:
    case ConditionType::FileNotEmpty:
    case ConditionType::FileIsExecutable:
      return true;
    case ConditionType::Architecture:
    case ConditionType::Firmware:
    case ConditionType::Virtualization:
    case ConditionType::Host:
    case ConditionType::KernelCommandLine:
    case ConditionType::KernelVersion:
    case ConditionType::Credential:
    case ConditionType::Environment:
    case ConditionType::Security:
    case ConditionType::Capability:
    case ConditionType::AcPower:
    case ConditionType::FirstBoot:
    case ConditionType::User:
    case ConditionType::Group:
    case ConditionType::ControlGroupController:
    case ConditionType::Memory:
    case ConditionType::Cpus:
    case ConditionType::CpuFeature:
    case ConditionType::OsRelease:
    case ConditionType::MemoryPressure:
    case ConditionType::CpuPressure:
    case ConditionType::IoPressure:
      return false;
  }
  return false;
}

/// Takes a mark off the front. Space behind it belongs to the parameter.
bool take_mark(std::string_view& value, char mark) {
  if (!value.starts_with(mark)) return false;
  value.remove_prefix(1);
  return true;
}

std::string parse_condition(ParseContext& context, std::string_view value, ConditionType type,
                            std::vector<Condition>& list) {
  if (value.empty()) {  // resets every condition of the list, of whichever kind
    list.clear();
    return {};
  }
  Condition condition;
  condition.type = type;
  condition.line = context.line;
  condition.trigger = take_mark(value, '|');
  condition.negate = take_mark(value, '!');
  auto parameter = takes_path(type) ? expand_path(context, value) : expand_value(context, value);
  if (!parameter) return std::move(parameter).error();
  condition.parameter = std::move(*parameter);
  list.push_back(std::move(condition));
  return {};
}

template <ConditionType Type, bool Assert>
std::string parse_one(ParseContext& context, std::string_view value) {
  UnitConfig& config = context.unit.config;
  return parse_condition(context, value, Type, Assert ? config.asserts : config.conditions);
}

std::string show_conditions(const std::vector<Condition>& list, ConditionType type) {
  std::string text;
  for (const Condition& c : list) {
    if (c.type != type) continue;
    if (!text.empty()) text += ' ';
    text += format("{}{}{}", c.trigger ? "|" : "", c.negate ? "!" : "", c.parameter);
  }
  return text;
}

template <ConditionType Type, bool Assert>
std::string show_one(const Unit& unit) {
  return show_conditions(Assert ? unit.config.asserts : unit.config.conditions, Type);
}

template <ConditionType Type>
constexpr std::array<Directive, 2> pair(std::string_view condition, std::string_view assertion,
                                        std::string_view help) {
  return {honoured(Section::Unit, condition, {parse_one<Type, false>, show_one<Type, false>}, help),
          honoured(Section::Unit, assertion, {parse_one<Type, true>, show_one<Type, true>}, help)};
}

template <std::size_t... N>
constexpr auto flat(const std::array<Directive, 2> (&pairs)[sizeof...(N)],
                    std::index_sequence<N...>) {
  std::array<Directive, 2 * sizeof...(N)> rows;
  std::size_t at = 0;
  for (const auto& p : pairs) {
    rows[at++] = p[0];
    rows[at++] = p[1];
  }
  return rows;
}

#define ONSET_CONDITION(type, word, help) \
  pair<ConditionType::type>("Condition" word, "Assert" word, help)

constexpr std::array<Directive, 2> kPairs[] = {
    ONSET_CONDITION(Architecture, "Architecture", "The machine is of this architecture."),
    ONSET_CONDITION(Firmware, "Firmware",
                    "The firmware is of this kind, such as uefi or device-tree."),
    ONSET_CONDITION(Virtualization, "Virtualization",
                    "Running in a VM or container: a boolean, vm, container or its name."),
    ONSET_CONDITION(Host, "Host", "The host name (a pattern) or machine ID."),
    ONSET_CONDITION(KernelCommandLine, "KernelCommandLine",
                    "The kernel command line has this word or assignment."),
    ONSET_CONDITION(KernelVersion, "KernelVersion", "The kernel release, compared or by pattern."),
    ONSET_CONDITION(Credential, "Credential",
                    "A credential of this name was handed to the manager."),
    ONSET_CONDITION(Environment, "Environment", "The manager's environment has this variable."),
    ONSET_CONDITION(Security, "Security",
                    "A security technology is enabled, such as selinux or tpm2."),
    ONSET_CONDITION(Capability, "Capability", "The manager's bounding set has this capability."),
    ONSET_CONDITION(AcPower, "ACPower", "On mains power, or not."),
    ONSET_CONDITION(NeedsUpdate, "NeedsUpdate", "/etc or /var is older than /usr."),
    ONSET_CONDITION(FirstBoot, "FirstBoot", "This is the first boot, or not."),
    ONSET_CONDITION(PathExists, "PathExists", "The path exists."),
    ONSET_CONDITION(PathExistsGlob, "PathExistsGlob", "A path that matches the pattern exists."),
    ONSET_CONDITION(PathIsDirectory, "PathIsDirectory", "The path is a directory."),
    ONSET_CONDITION(PathIsSymbolicLink, "PathIsSymbolicLink", "The path is a symbolic link."),
    ONSET_CONDITION(PathIsMountPoint, "PathIsMountPoint", "The path is a mount point."),
    ONSET_CONDITION(PathIsReadWrite, "PathIsReadWrite", "The path's file system can be written."),
    ONSET_CONDITION(PathIsEncrypted, "PathIsEncrypted", "The path's device is encrypted."),
    ONSET_CONDITION(DirectoryNotEmpty, "DirectoryNotEmpty",
                    "The path is a directory with entries."),
    ONSET_CONDITION(FileNotEmpty, "FileNotEmpty", "The path is a file with content."),
    ONSET_CONDITION(FileIsExecutable, "FileIsExecutable", "The path is an executable file."),
    ONSET_CONDITION(User, "User", "The manager runs as this user; @system: a system user."),
    ONSET_CONDITION(Group, "Group", "The manager runs in this group."),
    ONSET_CONDITION(ControlGroupController, "ControlGroupController",
                    "These cgroup controllers are there; v1, v2: the hierarchy."),
    ONSET_CONDITION(Memory, "Memory", "The machine has this much memory."),
    ONSET_CONDITION(Cpus, "CPUs", "The manager may use this many CPUs."),
    ONSET_CONDITION(CpuFeature, "CPUFeature", "The CPU has this feature."),
    ONSET_CONDITION(OsRelease, "OSRelease", "os-release has this, compared or by pattern."),
    ONSET_CONDITION(MemoryPressure, "MemoryPressure", "Memory pressure is at most this."),
    ONSET_CONDITION(CpuPressure, "CPUPressure", "CPU pressure is at most this."),
    ONSET_CONDITION(IoPressure, "IOPressure", "I/O pressure is at most this."),
};
#undef ONSET_CONDITION

constexpr auto kRows = flat(kPairs, std::make_index_sequence<std::size(kPairs)>{});
static_assert(kRows.size() == 2 * EnumWords<ConditionType>::words.size());

}  // namespace

std::span<const Directive> condition_directives() {
  return kRows;
}

}  // namespace onset
