// Devices: nobody starts or stops them, they come and go. What the kernel, or udev, says of them is
// fed here; jobs wait for it.
#include <algorithm>

#include "base/format.h"
#include "engine/manager.h"
#include "unit/values.h"

namespace onset {

/// bad_alloc: it has not been taken, and is told again.
void Manager::feed_device(UnitId id, DeviceChanged change) {
  if (graph_->unit(id).type != UnitType::Device) return;
  const DevicePhase phase = runtime_[id.value].device.phase;
  const DeviceState next = step(runtime_[id.value].device, change);
  if (next.phase == phase) {
    runtime_[id.value].device = next;
    return;
  }
  const MemoryReserve::Open finish = begin_change(id);
  UnitRuntime& rt = runtime_[id.value];
  const ActiveState before = rt.active;
  rt.device = next;
  if (phase == DevicePhase::Dead) {
    rt.invocation = os_.new_invocation();
    problems_.erase(id.value);
  }
  apply_active(id, before);
}

/// A unit that has just come, of a device that is there already. What it wants is started all the
/// same: nothing else will tell of it.
void Manager::find_device(UnitId id) {
  const Unit& unit = graph_->unit(id);
  if (!config_.has_devices || unit.type != UnitType::Device) return;
  UnitRuntime& rt = runtime_[id.value];
  if (unit.load_state != LoadState::Loaded || rt.device.phase != DevicePhase::Dead) return;
  const DeviceFound found = os_.device_found(unit);
  if (!found.is_plugged && (!found.is_used || rt.device.is_used)) return;
  new_devices_.push_back(id);
  has_more_ = true;
  rt.device = step(rt.device, {DeviceSource::Used, found.is_used});
  rt.device = step(rt.device, {DeviceSource::Plugged, found.is_plugged});
  rt.active = onset::active_state(rt.device.phase);
  rt.state_change = rt.inactive_exit = now_;
  if (rt.active == ActiveState::Active) rt.active_enter = now_;
}

void Manager::start_with_device(UnitId id) {
  const MemoryReserve::Open finish = begin_change(id);
  if (runtime_[id.value].device.phase == DevicePhase::Plugged) {
    start_with(id);
  }
  new_devices_.pop_back();
}

/// SYSTEMD_WANTS= of a unit that was there before its device: as if it had been written. Where the
/// device is no surprise, since a job waits for it or it has been there, it is to be started here.
void Manager::add_wants(UnitId id, const std::vector<std::string>& wants) {
  const bool is_expected =
      queue_.of_unit(id) != nullptr || runtime_[id.value].device.phase == DevicePhase::Plugged;
  for (const std::string& name : wants) {
    const UnitId wanted = graph_->find(name);
    if (!wanted.valid() || wanted == id) continue;
    if (graph_->between(id, wanted).has(DependencyKind::Wants)) continue;
    if (is_expected && !stopping()) requests_.push_back({wanted, JobType::Start, JobMode::Fail});
    graph_->add_dependency(id, DependencyKind::Wants, wanted);
  }
}

void Manager::devices_changed(std::span<const DeviceNews> news, Timestamp now) {
  now_ = now;
  if (!config_.has_devices) return;
  if (!graph_is_torn_) {
    std::vector<std::string> found;
    for (const DeviceNews& item : news) {
      if (!item.is_there) continue;
      if (item.loads) found.push_back(item.unit);
      found.insert(found.end(), item.wants.begin(), item.wants.end());
    }
    load_found(std::move(found));
  }
  for (const DeviceNews& item : news) {
    const UnitId id = graph_->find(item.unit);
    if (!id.valid()) continue;
    add_wants(id, item.wants);
    feed_device(id, DeviceChanged{item.by, item.is_there});
  }
  dispatch();
}

/// Whoever needs it tells that in place of a failed dependency.
void Manager::note_late_device(UnitId id) {
  const Unit& unit = graph_->unit(id);
  if (unit.type != UnitType::Device || state_of(id) == ActiveState::Active) return;
  problems_[id.value] =
      format("{} has not come within {}", unit.config.description,
             format_span(std::min(unit.config.job_timeout, job_running_timeout(unit))));
}

std::string Manager::syspath(UnitId id) const {
  const Unit& unit = graph_->unit(id);
  return unit.type == UnitType::Device ? os_.device_syspath(unit) : std::string();
}

std::string Manager::following(UnitId id) const {
  const std::string path = syspath(id);
  const auto name = path.empty() ? std::nullopt : name_from_path(path, ".device");
  return name && *name != graph_->unit(id).id ? *name : std::string();
}

}  // namespace onset
