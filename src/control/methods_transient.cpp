// StartTransient and Abandon: units that are made while the system runs. Their file is loaded as
// any other is, and goes when the unit is unloaded.
#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "control/json_object.h"
#include "control/manager_interface.h"
#include "control/unit_view.h"
#include "unit/enum_words.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;

constexpr std::size_t kTextMax = 256 * 1024;
constexpr std::size_t kProcessesMax = 512;

bool can_be_made(UnitType type) {
  switch (type) {
    case UnitType::Service:
    case UnitType::Scope:
    case UnitType::Slice:
      return true;
    case UnitType::Target:
    case UnitType::Socket:
    case UnitType::Device:
    case UnitType::Mount:
    case UnitType::Automount:
    case UnitType::Swap:
    case UnitType::Timer:
    case UnitType::Path:
      return false;
  }
  return false;
}

bool is_down(const Manager& manager, UnitId id) {
  return is_inactive_or_failed(manager.active_state(id)) &&
         !passes_to_restart(manager.runtime(id).service.phase);
}

std::string why_not_held(const SysError& error, const std::string& name) {
  switch (error.err) {
    case ESRCH:
      return "a process is not there";
    case EPERM:
      return "a process may not be moved: the manager itself, the kernel's, or another user's";
    case EMFILE:
      return "too many processes wait for the start of their scopes";
    case EBUSY:
      return "a process belongs to another unit, and there is no cgroup to move it to";
    default:
      return format("{}: {}", name, to_string(error));
  }
}

}  // namespace

void ManagerInterface::start_transient(Call& call) {
  const std::string name = call.parameters.text("unit");
  const std::string text = call.parameters.text("text");
  const auto numbers = call.parameters.optional_numbers("pids", 2, INT32_MAX);
  const std::string mode_word = call.parameters.optional_text("mode").value_or("fail");
  const bool until_end = call.parameters.flag("until_end");
  const bool wait = call.parameters.flag("wait") || until_end;
  const auto mode = from_string<JobMode>(mode_word);
  if (!mode || *mode == JobMode::Isolate) call.parameters.refuse("mode");
  if (text.size() > kTextMax || text.find('\0') != std::string::npos)
    call.parameters.refuse("text");
  std::vector<pid_t> pids;
  for (const std::int64_t pid : numbers.value_or(std::vector<std::int64_t>{})) {
    pids.push_back(static_cast<pid_t>(pid));
  }
  std::ranges::sort(pids);
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  const bool is_scope = unit_type_of(name) == UnitType::Scope;
  if (pids.size() > kProcessesMax || is_scope == pids.empty()) call.parameters.refuse("pids");
  if (reject(call)) return;

  std::optional<Refusal> refusal = make_transient(name, text, pids);
  TransientWait made;
  if (!refusal) {
    made.outcome = queue_one(name, "start", *mode, call.now);
    refusal = made.outcome.refusal;
  }
  if (refusal) return refuse(call.id, *refusal);
  made.until_end = until_end;
  made.more = call.more;
  const bool waits = wait && (made.outcome.is_pending() || until_end);
  if (!waits || call.more) {
    reply(call.id, json_object({{"job", view_outcome(made.outcome)}, {"ended", nullptr}}), waits);
  }
  if (!waits) return;
  made.is_told = !made.outcome.is_pending();
  const auto kept = pending_.emplace(call.id, std::move(made)).first;
  const auto* waiting = std::get_if<TransientWait>(&kept->second);
  if (waiting->outcome.is_pending()) job_waiters_.emplace(waiting->outcome.job.value, call.id);
  end_waiters_.push_back(call.id);
  sink_->wake(call.id);
}

/// The unit, loaded, with what it takes over held for its start.
std::optional<Refusal> ManagerInterface::make_transient(const std::string& name,
                                                        const std::string& text,
                                                        const std::vector<pid_t>& pids) {
  const auto form = name_form(name);
  if (!form || *form == NameForm::Template) {
    return Refusal{RefusalKind::InvalidName, name, format("\"{}\" is not a unit name", name)};
  }
  if (!can_be_made(*unit_type_of(name))) {
    return Refusal{RefusalKind::NotSupported, name,
                   format("Units of type {} can't be made so.", to_string(*unit_type_of(name)))};
  }
  manager_.collect();  // a client that was told of the end of one may ask for it again at once
  const std::string exists = format("Unit {} was already loaded or has a fragment file.", name);
  if (const UnitId known = manager_.graph().find(name); known.valid()) {
    const LoadState state = manager_.graph().unit(known).load_state;
    if (state != LoadState::Stub && state != LoadState::NotFound) {
      return Refusal{RefusalKind::UnitExists, name, exists};
    }
  }
  if (auto written = backend_.make_transient(name, text); !written) {
    if (written.error().empty()) return Refusal{RefusalKind::UnitExists, name, exists};
    return Refusal{RefusalKind::UnitNotLoadable, name, written.error()};
  }
  auto id = look_up(name);
  if (!id || manager_.graph().unit(*id).load_state != LoadState::Loaded) {
    backend_.drop_transient(name);
    if (!id) return id.error();
    return Refusal{RefusalKind::UnitNotLoadable, name, load_problem(manager_.graph().unit(*id))};
  }
  if (pids.empty()) return std::nullopt;
  if (auto held = backend_.hold_processes(*id, pids); !held) {
    return Refusal{RefusalKind::NoSuchProcess, format("{}", pids.front()),
                   why_not_held(held.error(), name)};
  }
  return std::nullopt;
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, TransientWait& wait) {
  if (wait.outcome.is_pending()) return Advance::Wait;
  const UnitId unit = wait.outcome.unit;
  const bool is_over = !wait.until_end || is_down(manager_, unit);
  if (!is_over && (!wait.more || wait.is_told)) return Advance::Wait;
  wait.is_told = true;
  json ended;
  if (is_over && wait.until_end) ended = view_status(manager_, backend_, unit);
  reply(id, json_object({{"job", view_outcome(wait.outcome)}, {"ended", std::move(ended)}}),
        !is_over);
  return is_over ? Advance::Done : Advance::Wait;
}

void ManagerInterface::abandon(Call& call) {
  const std::string name = call.parameters.text("unit");
  if (reject(call)) return;
  auto id = look_up(name);
  if (!id) return refuse(call.id, id.error());
  const std::string primary = manager_.graph().unit(*id).id;
  if (auto done = manager_.abandon(primary, call.now); !done) {
    return refuse(call.id, refusal_of(done.error(), primary, RefusalKind::NotApplicable));
  }
  reply(call.id, json::object());
}

}  // namespace onset
