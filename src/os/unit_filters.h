#pragma once
// ResourceConfig → the programs that guard a unit's group. What devices there are is
// looked up here, so that bpf_filters stays pure.

#include <string_view>
#include <vector>

#include "os/bpf_attach.h"
#include "os/bpf_program.h"
#include "unit/resource_config.h"

namespace onset {

struct UnitFilter {
  BpfHook hook{};
  std::string_view setting;  ///< for people
  BpfProgram program;        ///< or, if there is none,
  std::string path;          ///< the place of a pinned one
};

/// The settings of the unit that ask for a program.
std::vector<std::string_view> guards_of(const ResourceConfig& config);

/// `allow` and `deny`: the addresses of the unit's own lists and of its slices'; a slice
/// has no program for them itself (systemd.resource-control(5), IPAddressAllow=).
std::vector<UnitFilter> filters_of(const ResourceConfig& config,
                                   const std::vector<AddressPrefix>& allow,
                                   const std::vector<AddressPrefix>& deny);

}  // namespace onset
