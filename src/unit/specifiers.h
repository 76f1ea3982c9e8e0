#pragma once
// %-specifiers, systemd.unit(5) SPECIFIERS. One pass from left to right: what a
// specifier gives is never looked at again, and the output is capped.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace onset {

/// What a manager knows about its machine and itself, read once by whoever
/// makes the loader. An empty machine_id or boot_id makes %m or %b an error.
struct HostFacts {
  std::string hostname;
  std::string short_hostname;   ///< empty: hostname to its first dot
  std::string pretty_hostname;  ///< empty: short_hostname
  std::string machine_id;
  std::string boot_id;
  std::string kernel_release;
  std::string architecture;  ///< systemd's word: "x86-64", "arm64"
  std::string os_id;
  std::string os_version_id;
  std::string os_build_id;
  std::string os_variant_id;
  std::string os_image_id;
  std::string os_image_version;
  std::string user_name = "root";
  uid_t uid = 0;
  std::string group_name = "root";
  gid_t gid = 0;
  std::string home = "/root";
  std::string shell = "/bin/sh";
  std::string runtime_dir = "/run";
  std::string state_dir = "/var/lib";
  std::string cache_dir = "/var/cache";
  std::string logs_dir = "/var/log";
  std::string config_dir = "/etc";
  std::string tmp_dir = "/tmp";
  std::string var_tmp_dir = "/var/tmp";
  std::uint64_t memory_bytes = 0;  ///< that the whole can have; 0: not known
  std::uint64_t tasks_max = 0;     ///< likewise of processes and threads
};

struct SpecifierScope {
  std::string_view unit_name;      ///< with suffix; instances already instantiated
  std::string_view fragment_path;  ///< empty: none
  const HostFacts& host;
};

/// systemd's cap for everything that is not a path or a unit name.
inline constexpr std::size_t kExpansionMax = std::size_t{2} << 20;

/// The text with its specifiers replaced. As with systemd, a "%" before anything
/// but a letter or digit, or at the end, stays as written. The error says which
/// specifier is unknown or has no value here, or that the result is longer than
/// `limit` bytes.
Result<std::string, std::string> expand_specifiers(std::string_view text,
                                                   const SpecifierScope& scope,
                                                   std::size_t limit = kExpansionMax);

}  // namespace onset
