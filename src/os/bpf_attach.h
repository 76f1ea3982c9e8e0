#pragma once
// Programs at work: loaded into the kernel and attached to a group (bpf(2)). A
// program goes with its group; until then its descriptor is what can take it off.

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "os/bpf_filters.h"
#include "os/bpf_program.h"
#include "unit/resource_config.h"

namespace onset {

Result<UniqueFd> load_program(BpfHook hook, const BpfProgram& program);
/// One that somebody has pinned in the BPF file system.
Result<UniqueFd> open_pinned_program(const std::string& path);
/// Beside the programs of groups above and of others: all have to let pass. EINVAL also where
/// the group has this very program already.
SysResult attach_program(BorrowedFd group, BpfHook hook, BorrowedFd program);
void detach_program(BorrowedFd group, BpfHook hook, BorrowedFd program);

/// For counting_program(): an entry for each Traffic.
Result<UniqueFd> make_traffic_map();
Result<TrafficCount> read_traffic(BorrowedFd map, Traffic traffic);

/// Whether this is how a machine says that it has no such filters, or not for us.
bool is_without_filters(int error) noexcept;

}  // namespace onset
