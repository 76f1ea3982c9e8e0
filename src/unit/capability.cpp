// The kernel's capabilities by their numbers.
#include "unit/capability.h"

#include <array>

#include "base/text.h"
#include "unit/words.h"

namespace onset {

namespace {

constexpr std::array<std::string_view, kCapabilities> kNames = {
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
};

constexpr std::uint64_t bit(int capability) noexcept {
  return std::uint64_t{1} << capability;
}

}  // namespace

std::optional<int> capability_from_text(std::string_view text) noexcept {
  if (const std::optional<std::int64_t> number = parse_number_i64(text)) {
    if (*number < 0 || *number > 62) return std::nullopt;
    return static_cast<int>(*number);
  }
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (equals_ignoring_case(kNames[i], text)) return static_cast<int>(i);
  return std::nullopt;
}

std::string_view capability_name(int capability) noexcept {
  if (capability < 0 || capability >= kCapabilities) return {};
  return kNames[static_cast<std::size_t>(capability)];
}

CapabilityList parse_capability_set(std::string_view value) {
  CapabilityList list;
  if (value.starts_with('~')) {
    list.invert = true;
    value.remove_prefix(1);
  }
  WordReader words(value, WordFlags::Unquote);
  for (;;) {
    const auto word = words.next();
    if (!word) list.unknown.push_back(word.error());
    if (!word || !*word) return list;
    if (const std::optional<int> capability = capability_from_text(**word))
      list.set |= bit(*capability);
    else
      list.unknown.push_back(**word);
  }
}

std::uint64_t merge_capability_set(std::optional<std::uint64_t> current, std::uint64_t initial,
                                   const CapabilityList& value) noexcept {
  // What is still as it was initially counts as unset, even if it was written out.
  if (value.set == 0 || !current || *current == initial)
    return value.invert ? ~value.set & kAllCapabilities : value.set;
  return value.invert ? *current & ~value.set : *current | value.set;
}

std::string format_capability_set(std::uint64_t set) {
  std::string out;
  for (int c = 0; c < kCapabilities; ++c) {
    if ((set & bit(c)) == 0) continue;
    if (!out.empty()) out += ' ';
    out += capability_name(c);
  }
  return out;
}

}  // namespace onset
