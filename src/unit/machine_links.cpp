#include "unit/machine_links.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/fstab.h"
#include "unit/initrd_root.h"
#include "unit/name.h"
#include "unit/values.h"

namespace onset {
namespace {

struct Want {
  std::string_view target;
  std::string_view unit;
  bool in_initrd = false;  ///< there too
};
constexpr Want kWants[] = {
    {"sysinit.target", "systemd-modules-load.service", true},
    {"sysinit.target", "systemd-sysctl.service", true},
    {"sysinit.target", "kmod-static-nodes.service", true},
    {"sysinit.target", "systemd-tmpfiles-setup-dev.service", true},
    {"sysinit.target", "systemd-tmpfiles-setup.service", true},
    {"sysinit.target", "systemd-sysusers.service", true},
    {"sysinit.target", "systemd-random-seed.service"},
    {"sysinit.target", "systemd-machine-id-commit.service"},
    {"sysinit.target", "systemd-update-done.service"},
    {"sysinit.target", "systemd-update-utmp.service"},
    {"sysinit.target", "dev-hugepages.mount"},
    {"sysinit.target", "dev-mqueue.mount"},
    {"sysinit.target", "sys-fs-fuse-connections.mount"},
    {"sysinit.target", "sys-kernel-config.mount"},
    {"sysinit.target", "sys-kernel-debug.mount"},
    {"sysinit.target", "sys-kernel-tracing.mount"},
    {"multi-user.target", "systemd-user-sessions.service"},
    {"multi-user.target", "onset-boot-times.service"},
};

class Links {
 public:
  void want(std::string_view target, std::string_view unit, bool early = false) {
    // Where the link leads does not matter: its name is what is wanted.
    files_.push_back({early, format("{}.wants/{}", target, unit), format("../{}", unit), {}});
  }
  void require(std::string_view by, std::string_view unit) {
    files_.push_back({false, format("{}.requires/{}", by, unit), format("../{}", unit), {}});
  }
  void mask(std::string_view unit) { files_.push_back({true, std::string(unit), "/dev/null", {}}); }
  void write(std::string path, std::string text, bool early = true) {
    files_.push_back({early, std::move(path), {}, std::move(text)});
  }
  std::vector<GeneratedFile> take() { return std::move(files_); }

 private:
  std::vector<GeneratedFile> files_;
};

/// The root as fstab has it, or as the kernel's command line wants it where fstab says nothing.
void add_root(Links& links, const MachineFacts& facts) {
  bool remounts = root_is_to_be_writable(facts.command_line).value_or(false);
  for (const FstabEntry& entry : early_entries(facts.fstab)) {
    remounts = true;
    if (entry.where == "/" && entry.pass > 0) {
      links.want("local-fs.target", "systemd-fsck-root.service");
      // What could not be mended is not written to.
      links.require("systemd-remount-fs.service", "systemd-fsck-root.service");
    }
  }
  if (remounts) links.want("local-fs.target", "systemd-remount-fs.service");
}

/// What root= asks for, in an initrd. A mount unit would need the device's, and thus udev.
void add_initrd_root(Links& links, const MachineFacts& facts) {
  constexpr std::string_view kUnit = "initrd-root-mount.service";
  const InitrdRoot root = initrd_root(facts.command_line);
  if (root.device.empty()) return;
  // "%" begins a specifier in a description.
  std::string name;
  for (const char c : c_escape(root.device))
    name += c == '%' ? std::string("%%") : std::string(1, c);
  links.write(std::string(kUnit),
              format("[Unit]\nDescription=Root File System {}\nDefaultDependencies=no\n"
                     "After=sysinit.target\nBefore=initrd-root-fs.target\n"
                     "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                     "ExecStart=@/proc/1/exe onset machine mount-root\nTimeoutStartSec={}\n",
                     name, format_span(root.timeout)),
              false);
  links.require("initrd-root-fs.target", kUnit);
}

/// systemd-debug-generator(8).
void add_debugging(Links& links, const MachineFacts& facts) {
  for (const std::string& unit : facts.kernel.masks) {
    if (unit_name_is_valid(unit)) links.mask(unit);
  }
  for (const std::string& unit : facts.kernel.wants) {
    if (unit_name_is_valid(unit)) links.want(facts.default_unit, unit, true);
  }
  if (!facts.kernel.debug_shell) return;
  links.want("sysinit.target", "debug-shell.service", true);
  if (facts.kernel.debug_shell->empty()) return;
  links.write("debug-shell.service.d/50-tty.conf",
              format("[Unit]\nConditionPathExists=\nConditionPathExists=/dev/{0}\n"
                     "[Service]\nTTYPath=/dev/{0}\n",
                     *facts.kernel.debug_shell));
}

}  // namespace

std::vector<GeneratedFile> machine_links(const MachineFacts& facts) {
  Links links;
  for (const Want& want : kWants) {
    if (!facts.in_initrd || want.in_initrd) links.want(want.target, want.unit);
  }
  if (facts.in_initrd) {
    add_initrd_root(links, facts);
  } else {
    add_root(links, facts);
  }
  if (facts.has_rc_local) links.want("multi-user.target", "rc-local.service");
  add_debugging(links, facts);
  return links.take();
}

}  // namespace onset
