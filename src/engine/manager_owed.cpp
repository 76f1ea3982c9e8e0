// What has to be told to a unit and could not be, for want of memory. Kernel and machine
// say a thing once: a process ends once, a launch is answered once. So each of these goes
// through owed_, which has room for it, and leaves it once the unit has taken it. The next
// event of the unit, or dispatch(), tries again.
//
// What is asked for by a job, a deadline or a review is not kept: its job, its deadline or
// its review still is. So is the end of a state that lasts no time: it has a deadline.
#include <algorithm>
#include <cerrno>
#include <type_traits>
#include <variant>

#include "base/make_room.h"
#include "base/out_of_memory.h"
#include "engine/manager.h"

namespace onset {
namespace {

template <class T, class Variant>
constexpr bool kIsOneOf = false;
template <class T, class... Ts>
constexpr bool kIsOneOf<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);

}  // namespace

/// The event, if it comes once.
std::optional<Manager::Once> Manager::once(const ServiceEvent& event) {
  return std::visit(
      [](const auto& e) -> std::optional<Once> {
        if constexpr (kIsOneOf<std::decay_t<decltype(e)>, Once>) return Once{e};
        return std::nullopt;
      },
      event);
}

std::vector<Manager::Owed>::iterator Manager::first_owed(UnitId id) {
  return std::ranges::find(owed_, id, &Owed::unit);
}

/// For so many units, and every process that is known or may be after the next step.
void Manager::make_room_for_owed(std::size_t units) {
  const std::size_t processes = pids_.size() + kNewProcesses;
  const std::size_t most =
      owed_.size() + kOwedOfProcess * processes + kOwedOfUnit * std::max(units, runtime_.size());
  if (owed_.capacity() < most) owed_.reserve(most + most / 2);
}

/// Before a change of the unit begins: an entry more in a list or a table may be more than
/// stands by, where that has to grow in one block.
void Manager::make_room_for_change(UnitId id) {
  const std::size_t neighbours = graph_->dependencies(id).size();
  make_room_for_owed(0);
  make_room(pids_, kNewProcesses);
  make_room(command_records_);
  make_room(pending_spawns_);
  make_room(problems_, 1 + neighbours);
  make_room(review_counts_);
  make_room(trigger_counts_);
  make_room(idle_waiters_);
}

/// What it tells, and a little for each neighbour, which may fail for the unit's own reason.
std::size_t Manager::room_for(UnitId id) const {
  const auto reason = problems_.find(id.value);
  const std::size_t of_reason = reason == problems_.end() ? 0 : reason->second.size();
  return kRoomOfChange + graph_->dependencies(id).size() * (kRoomOfNeighbour + of_reason) +
         refused_.size() * sizeof(UnitId);
}

/// For so many jobs or units that change at once.
std::size_t Manager::room_for_jobs(std::size_t jobs) const {
  return kRoomOfChange + jobs * kRoomOfJob + refused_.size() * sizeof(UnitId);
}

/// Of the unit or its job, in so many steps. bad_alloc: nothing has changed; else what has
/// begun can be finished.
MemoryReserve::Open Manager::begin_change(UnitId id, std::size_t steps) {
  make_room_for_change(id);
  // Not while the change goes on: it would take what stands by for that.
  (void)if_memory_suffices([&] { const MemoryReserve::Open ready(launch_reserve_, 0); });
  return {reserve_, steps * room_for(id)};
}

/// What may be done in the course of a change, or be one of its own.
MemoryReserve::Open Manager::part_of_change(UnitId id) {
  if (!reserve_.is_open()) return begin_change(id);
  return {reserve_, MemoryReserve::kPart};
}

/// Of what may be told without end the last counts, in the place of the first.
void Manager::owe(UnitId id, const Once& event) {
  const auto is_same = [&](const Owed& owed) {
    if (owed.unit != id || owed.event.index() != event.index()) return false;
    if (const auto* change = std::get_if<BusNameChanged>(&event))
      return change->bus_gone == std::get<BusNameChanged>(owed.event).bus_gone;
    return std::holds_alternative<UnitEmpty>(event) || std::holds_alternative<OomKilled>(event) ||
           std::holds_alternative<PidFileChanged>(event);
  };
  if (const auto told = std::ranges::find_if(owed_, is_same); told != owed_.end()) {
    told->event = event;
  } else {
    owed_.push_back({event, id});
  }
}

/// Feeds the event and every answer that follows from it. bad_alloc: of an event that does
/// not come once, which then has not been taken.
void Manager::feed(UnitId id, const ServiceEvent& event) {
  if (!has_machine(id)) return;
  std::optional<ServiceEvent> answer;
  if (const auto told_once = once(event)) {
    owe(id, *told_once);
  } else {
    settle(id);
    answer = feed_one(id, event);
  }
  feed_or_owe(id, std::move(answer));
}

/// Before what does not come once: all that the unit is owed.
void Manager::settle(UnitId id) {
  feed_owed(id);
  while (drop_pending_spawn(id)) feed_owed(id);
}

/// What memory does not suffice for is still owed.
void Manager::feed_or_owe(UnitId id, std::optional<ServiceEvent> answer) {
  try {
    feed_answer(id, std::move(answer));
    feed_owed(id);
  } catch (const std::bad_alloc&) {
    out_of_memory();
  }
}

/// An answer comes before whatever else the unit is owed.
void Manager::feed_answer(UnitId id, std::optional<ServiceEvent> answer) {
  while (answer) {
    if (const auto told_once = once(*answer)) {
      owed_.insert(first_owed(id), {*told_once, id});
      return;
    }
    answer = feed_one(id, *answer);
  }
}

/// All that the unit is owed, in order. bad_alloc: the rest still is.
void Manager::feed_owed(UnitId id) {
  for (auto at = first_owed(id); at != owed_.end(); at = first_owed(id)) {
    if (!std::holds_alternative<Spawned>(at->event) && drop_pending_spawn(id)) continue;
    if (auto* found = std::get_if<MainPidFound>(&at->event);
        found != nullptr && at->is_late && !os_.is_alive(found->pid))
      *found = MainPidFound{0, false, found->certain};  // nobody's yet, its end was not told
    auto answer = std::visit([&](const auto& e) { return feed_one_of(id, e); }, Once{at->event});
    owed_.erase(first_owed(id));  // there may be more room by now, elsewhere
    feed_answer(id, std::move(answer));
  }
}

/// The launch that waits, and when it would be tried again. False: none does.
bool Manager::forget_spawn(UnitId id) {
  if (pending_spawns_.erase(id.value) == 0) return false;
  timers_.set({TimerKey::Kind::Retry, id.value}, kNever);
  return true;
}

/// Another event has come first: the spawn that waits counts as failed. What follows from a
/// failed launch may be a launch that fails, and waits. False: none does.
bool Manager::drop_pending_spawn(UnitId id) {
  if (!forget_spawn(id)) return false;
  owed_.insert(first_owed(id), {SpawnFailed{SysError{"fork", EAGAIN}}, id});
  has_more_ = true;  // whatever becomes of the event that came first
  return true;
}

template <class Event>
std::optional<ServiceEvent> Manager::feed_one_of(UnitId id, const Event& event) {
  if constexpr (std::is_same_v<Event, PidFileChanged>) {
    if (graph_->unit(id).service == nullptr) return std::nullopt;
    const MemoryReserve::Open finish = begin_change(id);
    return find_main_pid(id, FindMainPid{true});
  } else {
    return feed_one(id, event);
  }
}

/// What is left to do is tried again, but not at once: nobody could free memory meanwhile.
void Manager::out_of_memory() {
  constexpr Duration kPause = std::chrono::milliseconds(100);
  has_more_ = true;
  for (Owed& owed : owed_) owed.is_late = true;
  if (holds()) return;
  hold_until_ = now_.mono + kPause;
  try {
    os_.log(Say::Level::Error, "", "out of memory, what is to be done is tried again");
  } catch (const std::bad_alloc&) {
    return;  // so be it
  }
}

}  // namespace onset
