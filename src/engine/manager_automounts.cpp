// Automounts and their mounts: what an automount's machine asks for, and how its mount's state
// comes back to it.
//
//   the pipe of autofs → automount_asked() → Asked → Trigger: a start job of the mount
//   the mount's change or its job's end → a review of the automount → MountUp, MountDown, …
//
// A review looks at what is, so that nothing is lost where it comes twice or late.
#include <algorithm>

#include "base/format.h"
#include "engine/manager.h"

namespace onset {

std::optional<ServiceEvent> Manager::work_on_automount(UnitId id, const AutomountWork& action) {
  switch (action.what) {
    case AutomountWork::What::Take:
      if (const auto taken = os_.take_automount(id); !taken) return SpawnFailed{taken.error()};
      return Spawned{};
    case AutomountWork::What::AnswerAccess:
      os_.answer_automount(id, AutomountAsks::Access, action.error);
      break;
    case AutomountWork::What::AnswerExpiry:
      os_.answer_automount(id, AutomountAsks::Expiry, action.error);
      break;
    case AutomountWork::What::Trigger:
      ask_of_mount(id, JobType::Start);
      break;
    case AutomountWork::What::Expire:
      ask_of_mount(id, JobType::Stop);
      break;
    case AutomountWork::What::Drop:
      os_.drop_automount(id);
      break;
  }
  return std::nullopt;
}

void Manager::ask_of_mount(UnitId id, JobType type) {
  const UnitId mount = mount_of_automount(id);
  if (!mount.valid()) return;
  requests_.push_back({.unit = mount,
                       .type = type,
                       .mode = JobMode::Replace,
                       .of = Request::Of::Automount,
                       .trigger = {},
                       .asker = id});
}

UnitId Manager::mount_of_automount(UnitId id) const {
  for (const Dependency& d : graph_->dependencies(id)) {
    if (d.kinds.has(DependencyKind::Triggers)) return d.other;
  }
  return {};
}

void Manager::automount_asked(UnitId id, AutomountAsks what, pid_t pid, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size() || graph_->unit(id).automount == nullptr) return;
  using What = AutomountNews::What;
  const What news = what == AutomountAsks::Access   ? What::Asked
                    : what == AutomountAsks::Expiry ? What::ExpiryAsked
                                                    : What::Gone;
  feed(id, AutomountNews{news, pid});
  dispatch();
}

/// Without a mount unit nobody could be helped; over what is mounted already nobody would ask.
bool Manager::refuses_to_automount(UnitId id) {
  const UnitId mount = mount_of_automount(id);
  std::string problem;
  if (!mount.valid() || graph_->unit(mount).load_state != LoadState::Loaded) {
    problem = "the mount unit that it starts is not there, refused";
  } else if (runtime_[mount.value].mount.is_there != 0) {
    problem = format("{} is mounted already, refused", graph_->unit(id).automount->where);
  } else {
    return false;
  }
  say(Say::Level::Error, id, problem);
  problems_[id.value] = std::move(problem);
  return true;
}

/// What its mount has come to.
void Manager::review_automount(UnitId id) {
  if (onset::active_state(runtime_[id.value].automount.phase) != ActiveState::Active) return;
  const UnitId mount = mount_of_automount(id);
  if (!mount.valid()) return;
  const UnitRuntime& rt = runtime_[mount.value];
  const bool is_asked =
      std::ranges::any_of(requests_, [mount](const Request& r) { return r.unit == mount; });
  if (rt.job.value != 0 || is_asked) return;
  using What = AutomountNews::What;
  switch (rt.active) {
    case ActiveState::Active:
    case ActiveState::Reloading:
      feed(id, AutomountNews{What::MountUp});
      break;
    case ActiveState::Inactive:
    case ActiveState::Failed:
      feed(id, AutomountNews{rt.start_limit_hit ? What::MountLimited : What::MountDown});
      break;
    case ActiveState::Activating:
    case ActiveState::Deactivating:
    case ActiveState::Maintenance:
      break;
  }
}

}  // namespace onset
