#pragma once
// fstab(5) → mount and swap units: systemd-fstab-generator(8), and FSTAB of systemd.mount(5) and
// systemd.swap(5). Pure: what is to be in the generators' folder comes back as data.
//
// An entry becomes a unit of its own and a link that has it started: required by its target
// (local-fs.target, remote-fs.target, swap.target), with "nofail" only wanted by it, with
// "noauto" neither. The root has a unit already; what its line says is the remount's.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/machine_links.h"

namespace onset {

struct FstabFacts {
  std::string_view text;
  std::string_view file = "/etc/fstab";
  bool use_swap = true;  ///< systemd.swap= of the kernel's command line
  /// The table of the root below /sysroot, in an initrd: of its entries /usr and those with
  /// x-initrd.mount are mounted there, for initrd-fs.target.
  bool is_of_sysroot = false;
  /// Where a mount point really is, links resolved: a unit's is no link.
  std::function<std::string(const std::string& path)> resolve;
  /// Whether there is a fsck.TYPE.
  std::function<bool(std::string_view type)> has_fsck;
};

/// Unit files, drop-ins and links. A line that is left out is in `diagnostics`.
std::vector<GeneratedFile> fstab_units(const FstabFacts& facts, Diagnostics& diagnostics);

}  // namespace onset
