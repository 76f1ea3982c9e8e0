#include "unit/initrd_root.h"

#include <sys/mount.h>

#include "base/format.h"
#include "base/text.h"
#include "unit/device_tag.h"
#include "unit/kernel_command_line.h"
#include "unit/name.h"
#include "unit/values.h"

namespace onset {
namespace {

/// systemd-system.conf(5), DefaultDeviceTimeoutSec=.
constexpr Duration kDeviceTimeout = std::chrono::seconds(90);

struct Flag {
  std::string_view word;
  unsigned long flag;
};
constexpr Flag kFlags[] = {
    {"defaults", 0},           {"nosuid", MS_NOSUID},           {"nodev", MS_NODEV},
    {"noexec", MS_NOEXEC},     {"noatime", MS_NOATIME},         {"nodiratime", MS_NODIRATIME},
    {"relatime", MS_RELATIME}, {"strictatime", MS_STRICTATIME}, {"lazytime", MS_LAZYTIME},
    {"sync", MS_SYNCHRONOUS},  {"dirsync", MS_DIRSYNC},
};

bool take_flag(InitrdRoot& root, std::string_view word) {
  if (word == "ro" || word == "rw") {
    root.writable = word == "rw";
    return true;
  }
  for (const Flag& f : kFlags) {
    if (f.word != word) continue;
    root.flags |= f.flag;
    return true;
  }
  return false;
}

void take_flags(InitrdRoot& root, std::string_view flags) {
  constexpr std::string_view kTimeout = "x-systemd.device-timeout=";
  for (const std::string_view flag : split(flags, ',')) {
    if (flag.starts_with(kTimeout)) {
      if (const auto span = parse_span(flag.substr(kTimeout.size()))) root.timeout = *span;
    }
    if (flag.empty() || flag.starts_with("x-") || take_flag(root, flag)) continue;
    root.options += format("{}{}", root.options.empty() ? "" : ",", flag);
  }
}

}  // namespace

InitrdRoot initrd_root(std::string_view command_line) {
  InitrdRoot root;
  root.timeout = kDeviceTimeout;
  for (const KernelArgument& word : split_kernel_command_line(command_line)) {
    if (word.text == "rw") root.writable = true;
    if (word.text == "ro") root.writable = false;
    if (!word.value) continue;
    if (word.name == "root") root.device = *word.value;
    if (word.name == "rootfstype") root.type = *word.value;
    if (word.name == "rootflags") take_flags(root, *word.value);
  }
  return root;
}

std::string device_path(std::string_view device) {
  const std::string path = device_of_tag(device);
  return path.starts_with("/dev/") ? path_simplify(path) : std::string();
}

std::optional<ExtIdentity> ext_identity(std::string_view superblock) {
  constexpr std::size_t kMagic = 0x38;
  constexpr std::size_t kUuid = 0x68;
  constexpr std::size_t kLabel = 0x78;
  constexpr std::size_t kBytes = 16;
  if (superblock.size() < kLabel + kBytes || superblock.substr(kMagic, 2) != "\x53\xef") {
    return std::nullopt;
  }
  ExtIdentity identity;
  for (std::size_t i = 0; i < kBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) identity.uuid += '-';
    identity.uuid += format("{:02x}", static_cast<unsigned char>(superblock[kUuid + i]));
  }
  const std::string_view label = superblock.substr(kLabel, kBytes);
  identity.label = label.substr(0, label.find('\0'));
  return identity;
}

bool is_named(const ExtIdentity& identity, std::string_view device) {
  if (device.starts_with("UUID=")) return equals_ignoring_case(device.substr(5), identity.uuid);
  return device.starts_with("LABEL=") && device.substr(6) == identity.label;
}

}  // namespace onset
