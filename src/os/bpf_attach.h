#pragma once
// Programs at work: loaded into the kernel and attached to a group (bpf(2)). A
// program goes with its group; until then its descriptor is what can take it off.

#include "base/result.h"
#include "base/unique_fd.h"
#include "os/bpf_program.h"

namespace onset {

enum class BpfHook : std::uint8_t { Device, Ingress, Egress, Bind4, Bind6 };

/// Beside the programs of groups above and of others: all have to let pass.
Result<UniqueFd> attach_program(BorrowedFd group, BpfHook hook, const BpfProgram& program);
void detach_program(BorrowedFd group, BpfHook hook, BorrowedFd program);

/// Whether this is how a machine says that it has no such filters, or not for us.
bool is_without_filters(int error) noexcept;

}  // namespace onset
