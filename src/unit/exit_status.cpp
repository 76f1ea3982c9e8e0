// The table of named exit statuses, and sets built from its words.
#include "unit/exit_status.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/signals.h"
#include "unit/words.h"

namespace onset {

namespace {

using enum ExitClass;
namespace es = exit_status;

constexpr std::array kNames = {
    ExitStatusName{"SUCCESS", 0, Libc},
    ExitStatusName{"FAILURE", 1, Libc},
    ExitStatusName{"INVALIDARGUMENT", 2, Lsb},
    ExitStatusName{"NOTIMPLEMENTED", 3, Lsb},
    ExitStatusName{"NOPERMISSION", 4, Lsb},
    ExitStatusName{"NOTINSTALLED", 5, Lsb},
    ExitStatusName{"NOTCONFIGURED", 6, Lsb},
    ExitStatusName{"NOTRUNNING", 7, Lsb},
    ExitStatusName{"USAGE", 64, Bsd},
    ExitStatusName{"DATAERR", 65, Bsd},
    ExitStatusName{"NOINPUT", 66, Bsd},
    ExitStatusName{"NOUSER", 67, Bsd},
    ExitStatusName{"NOHOST", 68, Bsd},
    ExitStatusName{"UNAVAILABLE", 69, Bsd},
    ExitStatusName{"SOFTWARE", 70, Bsd},
    ExitStatusName{"OSERR", 71, Bsd},
    ExitStatusName{"OSFILE", 72, Bsd},
    ExitStatusName{"CANTCREAT", 73, Bsd},
    ExitStatusName{"IOERR", 74, Bsd},
    ExitStatusName{"TEMPFAIL", 75, Bsd},
    ExitStatusName{"PROTOCOL", 76, Bsd},
    ExitStatusName{"NOPERM", 77, Bsd},
    ExitStatusName{"CONFIG", 78, Bsd},
    ExitStatusName{"CHDIR", es::kChdir, Systemd},
    ExitStatusName{"NICE", es::kNice, Systemd},
    ExitStatusName{"FDS", es::kFds, Systemd},
    ExitStatusName{"EXEC", es::kExec, Systemd},
    ExitStatusName{"MEMORY", es::kMemory, Systemd},
    ExitStatusName{"LIMITS", es::kLimits, Systemd},
    ExitStatusName{"OOM_ADJUST", es::kOomAdjust, Systemd},
    ExitStatusName{"SIGNAL_MASK", es::kSignalMask, Systemd},
    ExitStatusName{"STDIN", es::kStdin, Systemd},
    ExitStatusName{"STDOUT", es::kStdout, Systemd},
    ExitStatusName{"CHROOT", es::kChroot, Systemd},
    ExitStatusName{"IOPRIO", es::kIoprio, Systemd},
    ExitStatusName{"TIMERSLACK", es::kTimerslack, Systemd},
    ExitStatusName{"SECUREBITS", es::kSecurebits, Systemd},
    ExitStatusName{"SETSCHEDULER", es::kSetscheduler, Systemd},
    ExitStatusName{"CPUAFFINITY", es::kCpuaffinity, Systemd},
    ExitStatusName{"GROUP", es::kGroup, Systemd},
    ExitStatusName{"USER", es::kUser, Systemd},
    ExitStatusName{"CAPABILITIES", es::kCapabilities, Systemd},
    ExitStatusName{"CGROUP", es::kCgroup, Systemd},
    ExitStatusName{"SETSID", es::kSetsid, Systemd},
    ExitStatusName{"CONFIRM", es::kConfirm, Systemd},
    ExitStatusName{"STDERR", es::kStderr, Systemd},
    ExitStatusName{"PAM", es::kPam, Systemd},
    ExitStatusName{"NETWORK", es::kNetwork, Systemd},
    ExitStatusName{"NAMESPACE", es::kNamespace, Systemd},
    ExitStatusName{"NO_NEW_PRIVILEGES", es::kNoNewPrivileges, Systemd},
    ExitStatusName{"SECCOMP", es::kSeccomp, Systemd},
    ExitStatusName{"SELINUX_CONTEXT", es::kSelinuxContext, Systemd},
    ExitStatusName{"PERSONALITY", es::kPersonality, Systemd},
    ExitStatusName{"APPARMOR", es::kApparmor, Systemd},
    ExitStatusName{"ADDRESS_FAMILIES", es::kAddressFamilies, Systemd},
    ExitStatusName{"RUNTIME_DIRECTORY", es::kRuntimeDirectory, Systemd},
    ExitStatusName{"CHOWN", es::kChown, Systemd},
    ExitStatusName{"SMACK_PROCESS_LABEL", es::kSmackProcessLabel, Systemd},
    ExitStatusName{"KEYRING", es::kKeyring, Systemd},
    ExitStatusName{"STATE_DIRECTORY", es::kStateDirectory, Systemd},
    ExitStatusName{"CACHE_DIRECTORY", es::kCacheDirectory, Systemd},
    ExitStatusName{"LOGS_DIRECTORY", es::kLogsDirectory, Systemd},
    ExitStatusName{"CONFIGURATION_DIRECTORY", es::kConfigurationDirectory, Systemd},
    ExitStatusName{"NUMA_POLICY", es::kNumaPolicy, Systemd},
    ExitStatusName{"CREDENTIALS", es::kCredentials, Systemd},
    ExitStatusName{"BPF", es::kBpf, Systemd},
    ExitStatusName{"EXCEPTION", es::kException, Systemd},
};

}  // namespace

std::span<const ExitStatusName> exit_status_names() noexcept {
  return kNames;
}

std::string_view exit_status_name(int status) noexcept {
  for (const ExitStatusName& row : kNames)
    if (row.status == status) return row.name;
  return {};
}

std::optional<int> exit_status_from_text(std::string_view text) noexcept {
  for (const ExitStatusName& row : kNames)
    if (row.name == text) return row.status;
  const std::optional<std::uint64_t> number = parse_number_u64(text);
  if (!number || *number > 255) return std::nullopt;
  return static_cast<int>(*number);
}

void ExitStatusSet::add_status(int status) {
  if (status >= 0 && status <= kLastStatus) add(status);
}

void ExitStatusSet::add_signal(int signal) {
  if (signal > 0 && signal <= kLastSignal) add(kLastStatus + signal);
}

void ExitStatusSet::add(int code) {
  const auto value = static_cast<std::uint16_t>(code);
  const auto at = std::ranges::lower_bound(codes_, value);
  if (at == codes_.end() || *at != value) codes_.insert(at, value);
}

bool ExitStatusSet::has(int code) const {
  return std::ranges::binary_search(codes_, code);
}

std::vector<std::string> parse_exit_status(std::string_view value, ExitStatusSet& set) {
  std::vector<std::string> problems;
  WordReader words(value, WordFlags::None);  // a quote is a character like others here
  for (;;) {
    const auto word = words.next();
    if (!word) problems.push_back(word.error());
    if (!word || !*word) return problems;
    if (const std::optional<int> status = exit_status_from_text(**word)) {
      set.add_status(*status);
    } else if (const auto signal = parse_signal(**word)) {
      set.add_signal(*signal);
    } else {
      problems.push_back(format("expected an exit status 0..255, its name or a signal, not \"{}\"",
                                c_escape(**word)));
    }
  }
}

std::string to_string(const ExitStatusSet& set) {
  std::vector<std::string> words;
  for (int s = 0; s <= ExitStatusSet::kLastStatus; ++s) {
    if (set.has_status(s)) words.push_back(format("{}", s));
  }
  for (int s = 1; s <= ExitStatusSet::kLastSignal; ++s) {
    if (set.has_signal(s)) words.push_back(signal_name_long(s));
  }
  return join(words, " ");
}

}  // namespace onset
