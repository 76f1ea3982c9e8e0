#pragma once
// The words that unit files and `show` use for the enumerators of the unit
// language. One table a type, in the order of its enumerators.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unit/condition.h"
#include "unit/emergency_action.h"
#include "unit/exec_config.h"
#include "unit/kill_config.h"
#include "unit/resource_config.h"
#include "unit/service_config.h"
#include "unit/unit.h"

namespace onset {

/// Specialised for each enumeration that has words.
template <class E>
struct EnumWords;

template <>
struct EnumWords<LoadState> {
  static constexpr std::array<std::string_view, 7> words = {
      "stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"};
};
template <>
struct EnumWords<JobMode> {
  static constexpr std::array<std::string_view, 7> words = {"fail",
                                                            "replace",
                                                            "replace-irreversibly",
                                                            "isolate",
                                                            "flush",
                                                            "ignore-dependencies",
                                                            "ignore-requirements"};
};
template <>
struct EnumWords<CollectMode> {
  static constexpr std::array<std::string_view, 2> words = {"inactive", "inactive-or-failed"};
};
template <>
struct EnumWords<EmergencyAction> {
  static constexpr std::array<std::string_view, 16> words = {
      "none",       "reboot",         "reboot-force",       "reboot-immediate",
      "poweroff",   "poweroff-force", "poweroff-immediate", "exit",
      "exit-force", "halt",           "halt-force",         "halt-immediate",
      "kexec",      "kexec-force",    "soft-reboot",        "soft-reboot-force"};
};
template <>
struct EnumWords<ServiceType> {
  static constexpr std::array<std::string_view, 8> words = {
      "simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"};
};
template <>
struct EnumWords<ServiceRestart> {
  static constexpr std::array<std::string_view, 7> words = {
      "no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"};
};
template <>
struct EnumWords<NotifyAccess> {
  static constexpr std::array<std::string_view, 4> words = {"none", "main", "exec", "all"};
};
template <>
struct EnumWords<ExitType> {
  static constexpr std::array<std::string_view, 2> words = {"main", "cgroup"};
};
template <>
struct EnumWords<OomPolicy> {
  static constexpr std::array<std::string_view, 3> words = {"continue", "stop", "kill"};
};
template <>
struct EnumWords<DevicePolicy> {
  static constexpr std::array<std::string_view, 3> words = {"auto", "closed", "strict"};
};
template <>
struct EnumWords<BpfHook> {
  static constexpr std::array<std::string_view, 18> words = {
      "ingress",  "egress",   "sock_create", "sock_ops",   "device",     "bind4",
      "bind6",    "connect4", "connect6",    "post_bind4", "post_bind6", "sendmsg4",
      "sendmsg6", "sysctl",   "recvmsg4",    "recvmsg6",   "getsockopt", "setsockopt"};
};
template <>
struct EnumWords<ManagedOom> {
  static constexpr std::array<std::string_view, 2> words = {"auto", "kill"};
};
template <>
struct EnumWords<OomPreference> {
  static constexpr std::array<std::string_view, 3> words = {"none", "avoid", "omit"};
};
template <>
struct EnumWords<PressureWatch> {
  static constexpr std::array<std::string_view, 4> words = {"off", "on", "auto", "skip"};
};
template <>
struct EnumWords<TimeoutFailureMode> {
  static constexpr std::array<std::string_view, 3> words = {"terminate", "abort", "kill"};
};
template <>
struct EnumWords<KillMode> {
  static constexpr std::array<std::string_view, 4> words = {"control-group", "process", "mixed",
                                                            "none"};
};
template <>
struct EnumWords<ExecInput> {
  static constexpr std::array<std::string_view, 8> words = {"null", "tty",  "tty-force", "tty-fail",
                                                            "data", "file", "socket",    "fd"};
};
template <>
struct EnumWords<ExecOutput> {
  static constexpr std::array<std::string_view, 12> words = {
      "inherit",      "null",   "tty", "journal", "kmsg",   "journal+console",
      "kmsg+console", "socket", "fd",  "file",    "append", "truncate"};
};
template <>
struct EnumWords<Preserve> {
  static constexpr std::array<std::string_view, 3> words = {"no", "yes", "restart"};
};
template <>
struct EnumWords<SocketProtocol> {
  static constexpr std::array<std::string_view, 3> words = {"", "udplite", "sctp"};
};
template <>
struct EnumWords<BindIpv6> {
  static constexpr std::array<std::string_view, 3> words = {"default", "both", "ipv6-only"};
};
template <>
struct EnumWords<Timestamping> {
  static constexpr std::array<std::string_view, 3> words = {"off", "us", "ns"};
};
/// As Condition…= and Assert…= end.
template <>
struct EnumWords<ConditionType> {
  static constexpr std::array<std::string_view, 33> words = {"Architecture",
                                                             "Firmware",
                                                             "Virtualization",
                                                             "Host",
                                                             "KernelCommandLine",
                                                             "KernelVersion",
                                                             "Credential",
                                                             "Environment",
                                                             "Security",
                                                             "Capability",
                                                             "ACPower",
                                                             "NeedsUpdate",
                                                             "FirstBoot",
                                                             "PathExists",
                                                             "PathExistsGlob",
                                                             "PathIsDirectory",
                                                             "PathIsSymbolicLink",
                                                             "PathIsMountPoint",
                                                             "PathIsReadWrite",
                                                             "PathIsEncrypted",
                                                             "DirectoryNotEmpty",
                                                             "FileNotEmpty",
                                                             "FileIsExecutable",
                                                             "User",
                                                             "Group",
                                                             "ControlGroupController",
                                                             "Memory",
                                                             "CPUs",
                                                             "CPUFeature",
                                                             "OSRelease",
                                                             "MemoryPressure",
                                                             "CPUPressure",
                                                             "IOPressure"};
};

template <class E>
concept HasWords = requires {
  EnumWords<E>::words.size();
};

/// Empty for a value outside the enumeration.
template <HasWords E>
constexpr std::string_view to_string(E value) {
  const auto at = static_cast<std::size_t>(value);
  return at < EnumWords<E>::words.size() ? EnumWords<E>::words[at] : std::string_view{};
}

template <HasWords E>
constexpr std::optional<E> from_string(std::string_view word) {
  for (std::size_t i = 0; i < EnumWords<E>::words.size(); ++i) {
    if (EnumWords<E>::words[i] == word) return static_cast<E>(i);
  }
  return std::nullopt;
}

/// "one of simple, exec, …": what was expected.
std::string expected_words(const std::string_view* words, std::size_t count);
template <HasWords E>
std::string expected_words() {
  return expected_words(EnumWords<E>::words.data(), EnumWords<E>::words.size());
}

static_assert(to_string(ServiceType::Idle) == "idle");
static_assert(to_string(BpfHook::SetSockOpt) == "setsockopt");
static_assert(to_string(EmergencyAction::SoftRebootForce) == "soft-reboot-force");
static_assert(to_string(ConditionType::IoPressure) == "IOPressure");
static_assert(to_string(ExecOutput::FileTruncate) == "truncate");
static_assert(to_string(JobMode::IgnoreRequirements) == "ignore-requirements");

}  // namespace onset
