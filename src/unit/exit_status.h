#pragma once
// Exit statuses by name (systemd.exec(5), PROCESS EXIT CODES) and the sets of
// statuses and signals that SuccessExitStatus= and its kin hold.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

enum class ExitClass : std::uint8_t { Libc, Lsb, Bsd, Systemd };

struct ExitStatusName {
  std::string_view name;
  int status = 0;
  ExitClass origin{};
};

/// The statuses of a child that could not carry out its launch plan.
namespace exit_status {
inline constexpr int kChdir = 200;
inline constexpr int kNice = 201;
inline constexpr int kFds = 202;
inline constexpr int kExec = 203;
inline constexpr int kMemory = 204;
inline constexpr int kLimits = 205;
inline constexpr int kOomAdjust = 206;
inline constexpr int kSignalMask = 207;
inline constexpr int kStdin = 208;
inline constexpr int kStdout = 209;
inline constexpr int kChroot = 210;
inline constexpr int kIoprio = 211;
inline constexpr int kTimerslack = 212;
inline constexpr int kSecurebits = 213;
inline constexpr int kSetscheduler = 214;
inline constexpr int kCpuaffinity = 215;
inline constexpr int kGroup = 216;
inline constexpr int kUser = 217;
inline constexpr int kCapabilities = 218;
inline constexpr int kCgroup = 219;
inline constexpr int kSetsid = 220;
inline constexpr int kConfirm = 221;
inline constexpr int kStderr = 222;
inline constexpr int kPam = 224;
inline constexpr int kNetwork = 225;
inline constexpr int kNamespace = 226;
inline constexpr int kNoNewPrivileges = 227;
inline constexpr int kSeccomp = 228;
inline constexpr int kSelinuxContext = 229;
inline constexpr int kPersonality = 230;
inline constexpr int kApparmor = 231;
inline constexpr int kAddressFamilies = 232;
inline constexpr int kRuntimeDirectory = 233;
inline constexpr int kChown = 235;
inline constexpr int kSmackProcessLabel = 236;
inline constexpr int kKeyring = 237;
inline constexpr int kStateDirectory = 238;
inline constexpr int kCacheDirectory = 239;
inline constexpr int kLogsDirectory = 240;
inline constexpr int kConfigurationDirectory = 241;
inline constexpr int kNumaPolicy = 242;
inline constexpr int kCredentials = 243;
inline constexpr int kBpf = 244;
inline constexpr int kException = 255;
}  // namespace exit_status

std::span<const ExitStatusName> exit_status_names() noexcept;
/// "CHDIR" for 200; empty if the status has no name.
std::string_view exit_status_name(int status) noexcept;
/// A name of the table, exact case, or a number 0..255.
std::optional<int> exit_status_from_text(std::string_view text) noexcept;

/// Exit statuses 0..255 and signals 1..64. Most services have none: what is not set takes
/// no room.
class ExitStatusSet {
 public:
  /// Numbers outside their range are left out.
  void add_status(int status);
  void add_signal(int signal);
  [[nodiscard]] bool empty() const { return codes_.empty(); }
  [[nodiscard]] bool has_status(int status) const { return status <= kLastStatus && has(status); }
  [[nodiscard]] bool has_signal(int signal) const {
    return signal > 0 && has(kLastStatus + signal);
  }
  bool operator==(const ExitStatusSet&) const = default;

  static constexpr int kLastStatus = 255;
  static constexpr int kLastSignal = 64;

 private:
  void add(int code);
  [[nodiscard]] bool has(int code) const;

  std::vector<std::uint16_t> codes_;  ///< in order: a status, or kLastStatus + signal
};

/// Adds the words of a value: status names, numbers (always statuses) and signal
/// names. A word that is none of these is left out and told in the answer, one
/// text each, as systemd goes on with the others. The caller resets on an empty value.
std::vector<std::string> parse_exit_status(std::string_view value, ExitStatusSet& set);
/// "0 1 DATAERR …" as numbers then signal names: "0 65 SIGTERM".
std::string to_string(const ExitStatusSet& set);

}  // namespace onset
