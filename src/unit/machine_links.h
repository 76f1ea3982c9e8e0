#pragma once
// What of its own units a machine starts, and what its configuration adds to them: the work of
// systemd's links below sysinit.target.wants, of systemd-debug-generator(8), of
// systemd-rc-local-generator(8), and of systemd-fstab-generator(8) as far as the root is
// concerned. Pure: what is to be in the folders of generators comes back as data.
//
// They are links and not lines of sysinit.target, since a container has the same targets and
// none of this to do.

#include <string>
#include <string_view>
#include <vector>

#include "unit/kernel_command_line.h"

namespace onset {

struct MachineFacts {
  const KernelRequest& kernel;
  std::string_view command_line;
  std::string_view fstab;
  std::string_view default_unit;
  bool in_initrd = false;
  bool has_rc_local = false;  ///< /etc/rc.local can be run
};

struct GeneratedFile {
  bool early = false;   ///< below generator.early, before the administrator's files
  std::string path;     ///< below that folder
  std::string link_to;  ///< empty: a file with `text`
  std::string text;
};

std::vector<GeneratedFile> machine_links(const MachineFacts& facts);

}  // namespace onset
