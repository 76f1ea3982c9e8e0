// Mounts and swaps: their state machine in the place of a service's, and what the kernel says
// of them. It tells of what has come or gone, so that what stays as it is costs nothing.
#include <algorithm>

#include "engine/manager.h"

namespace onset {

Manager::Processes Manager::processes_of(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  if (is_mount_like(graph_->unit(id))) return {0, rt.mount.control.pid};
  if (graph_->unit(id).socket != nullptr) return {0, rt.socket.control.pid};
  if (graph_->unit(id).automount != nullptr) return {0, rt.automount.control.pid};
  return {rt.service.main.pid, rt.service.control.pid};
}

ServiceResult Manager::result_of(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  if (graph_->unit(id).socket != nullptr) return rt.socket.result;
  if (graph_->unit(id).automount != nullptr) return rt.automount.result;
  if (has_scope_processes(graph_->unit(id))) return rt.scope.result;
  return is_mount_like(graph_->unit(id)) ? rt.mount.result : rt.service.result;
}

/// When its machine has to hear of the time.
MonoTime Manager::deadline_of(UnitId id) const {
  const UnitRuntime& rt = runtime_[id.value];
  if (is_mount_like(graph_->unit(id))) return rt.mount.deadline;
  if (graph_->unit(id).socket != nullptr) return rt.socket.deadline;
  if (graph_->unit(id).automount != nullptr) return rt.automount.deadline;
  if (has_scope_processes(graph_->unit(id))) return rt.scope.deadline;
  return rt.service.deadline;
}

ActiveState Manager::state_of(UnitId id) const {
  const Unit& unit = graph_->unit(id);
  const UnitRuntime& rt = runtime_[id.value];
  if (unit.service != nullptr) return onset::active_state(rt.service.phase, unit.service->type);
  if (is_mount_like(unit)) return onset::active_state(rt.mount.phase);
  if (unit.socket != nullptr) return onset::active_state(rt.socket.phase);
  if (unit.type == UnitType::Device) return onset::active_state(rt.device.phase);
  if (unit.automount != nullptr) return onset::active_state(rt.automount.phase);
  if (has_scope_processes(unit)) return onset::active_state(rt.scope.phase);
  if (rt.plain_failed) return ActiveState::Failed;
  return rt.plain_active ? ActiveState::Active : ActiveState::Inactive;
}

/// With memory that stands by, as take_step().
std::optional<ServiceEvent> Manager::take_mount_step(UnitId id, const MountStep& result,
                                                     bool starts) {
  UnitRuntime& rt = runtime_[id.value];
  // Somebody else has mounted it: an activation like another one.
  if (is_inactive_or_failed(rt.active) &&
      onset::active_state(result.state.phase) == ActiveState::Active) {
    rt.invocation = os_.new_invocation();
    problems_.erase(id.value);
  }
  return take_over(id, &UnitRuntime::mount, result, starts);
}

/// bad_alloc: it has not been taken, and is told again.
void Manager::feed_mount(UnitId id, MountChanged change) {
  if (!is_mount_like(graph_->unit(id))) return;
  if (runtime_[id.value].mount.is_there == (change.is_there ? 1 : 0)) return;
  settle(id);
  std::optional<ServiceEvent> answer;
  {
    const MemoryReserve::Open finish = begin_change(id);
    answer = take_mount_step(
        id, step(graph_->unit(id), runtime_[id.value].mount, change, context(id)), false);
  }
  feed_or_owe(id, std::move(answer));
}

/// A unit that has just come, of what is mounted already.
void Manager::find_mounted(UnitId id) {
  UnitRuntime& rt = runtime_[id.value];
  const Unit& unit = graph_->unit(id);
  if (unit.load_state != LoadState::Loaded || !is_mount_like(unit)) return;
  if (rt.mount.phase != MountPhase::Dead || rt.mount.is_there != 0 || !os_.is_mounted(unit)) return;
  rt.mount.is_there = 1;
  rt.mount.phase = MountPhase::Mounted;
  rt.active = ActiveState::Active;
  note_slots(id);
  rt.state_change = rt.active_enter = rt.inactive_exit = now_;
}

void Manager::mounts_changed(std::span<const MountNews> news, Timestamp now) {
  now_ = now;
  if (!graph_is_torn_ && config_.adopts_mounts) {
    std::vector<std::string> found;
    for (const MountNews& item : news) {
      if (item.is_there) found.push_back(item.unit);
    }
    load_found(std::move(found));
  }
  for (const MountNews& item : news) {
    const UnitId id = graph_->find(item.unit);
    if (id.valid()) feed_mount(id, MountChanged{item.is_there});
  }
  dispatch();
}

}  // namespace onset
