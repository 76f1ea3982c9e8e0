#include "init/unit_gate.h"

#include "os/confinement.h"

namespace onset {

Result<bool> UnitGate::admits(const PeerCredentials& peer) {
  if (os_.has_proc()) {
    auto is_free = is_as_free_as_self(peer.pid);
    if (!is_free || !*is_free) return is_free;
  }
  UnitId id = manager_.unit_of_pid(peer.pid);
  if (!id.valid()) id = os_.unit_of_process(peer.pid);
  if (!id.valid()) return true;
  const ExecConfig* const exec = manager_.graph().unit(id).exec.get();
  if (exec == nullptr) return true;
  return !exec->no_new_privileges && !exec->capability_bounding_set && exec->root_directory.empty();
}

}  // namespace onset
