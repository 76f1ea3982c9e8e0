// The manager as a whole, its events, and Varlink's own interface.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "control/json_object.h"
#include "control/manager_interface.h"
#include "control/properties.h"
#include "control/unit_view.h"
#include "unit/manager_settings.h"
#include "unit/values.h"

namespace onset {

namespace {

using json = Json;

constexpr std::size_t kMaxSubscribers = 64;
constexpr std::size_t kMaxDiagnostics = 1000;
constexpr std::size_t kMaxMessage = 1024;

std::optional<Objective> objective_of(std::string_view how) {
  if (how == "exit") return Objective::Exit;
  if (how == "poweroff") return Objective::Poweroff;
  if (how == "reboot") return Objective::Reboot;
  if (how == "halt") return Objective::Halt;
  if (how == "kexec") return Objective::Kexec;
  if (how == "soft-reboot") return Objective::SoftReboot;
  return std::nullopt;
}

}  // namespace

std::string_view service_interface_text() {
  return R"(# What every Varlink service answers: who it is and what it offers.
interface org.varlink.service

method GetInfo() -> (
  vendor: string,
  product: string,
  version: string,
  url: string,
  interfaces: []string
)

# The text of an interface file.
method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound (interface: string)

error MethodNotFound (method: string)

error MethodNotImplemented (method: string)

# Missing, of another type, out of range, or unknown to the method.
error InvalidParameter (parameter: string)

error PermissionDenied ()

# The method answers with more replies than one, and the call did not ask so.
error ExpectedMore ()
)";
}

void ManagerInterface::reload(Call& call) {
  if (reject(call)) return;
  const ReloadStep step = backend_.reload(call.now);
  if (step.found) return tell_reload(call.id, *step.found);
  pending_.emplace(call.id, ReloadWait{.number = step.number, .ended = false, .found = nullptr});
}

void ManagerInterface::tell_reload(CallId id, const Diagnostics& found) {
  json list = json::array();
  for (const Diagnostic& d : found) {
    if (list.size() >= kMaxDiagnostics) break;
    list.push_back(view_diagnostic(d));
  }
  reply(id, json_object({{"diagnostics", std::move(list)}}));
}

void ManagerInterface::reloaded(unsigned number, const std::shared_ptr<const Diagnostics>& found) {
  for (auto& [id, call] : pending_) {
    auto* const wait = std::get_if<ReloadWait>(&call);
    if (wait == nullptr || wait->ended || wait->number > number) continue;
    wait->ended = true;
    wait->found = found;
    sink_->wake(id);
  }
}

ManagerInterface::Advance ManagerInterface::advance(CallId id, ReloadWait& wait) {
  if (!wait.ended) return Advance::Wait;
  if (!wait.found) throw_out_of_memory();
  tell_reload(id, *wait.found);
  return Advance::Done;
}

void ManagerInterface::get_system_state(Call& call) {
  const bool wait = call.parameters.flag("wait");
  if (reject(call)) return;
  const SystemState state = manager_.system_state();
  const bool starts = state == SystemState::Initializing || state == SystemState::Starting;
  if (!wait || !starts || call.more)
    reply(call.id, json_object({{"state", to_string(state)}}), wait && starts);
  if (!wait || !starts) return;
  pending_.emplace(call.id, StateWait{});
  state_waiters_.push_back(call.id);
}

void ManagerInterface::shut_down(Call& call) {
  const auto objective = objective_of(call.parameters.text("how"));
  const auto status = call.parameters.optional_number("exit_status", 0, 255);
  const bool force = call.parameters.flag("force");
  const std::string message = call.parameters.optional_text("message").value_or("");
  if (message.size() > kMaxMessage) call.parameters.refuse("message");
  if (!objective) call.parameters.refuse("how");
  if (status && objective != Objective::Exit) call.parameters.refuse("exit_status");
  if (reject(call)) return;
  const ShutdownRequest request{*objective, static_cast<int>(status.value_or(0)), force, message};
  auto begun = backend_.shut_down(request, call.now);
  if (!begun) {
    refuse(call.id, refusal_of(begun.error(), {}, RefusalKind::NotSupported));
    return;
  }
  reply(call.id, json::object());
}

void ManagerInterface::schedule_shutdown(Call& call) {
  constexpr Duration kLongest = std::chrono::hours(24 * 366);
  const auto objective = objective_of(call.parameters.text("how"));
  const auto after = call.parameters.number("after_usec", 0, kLongest.count());
  const bool wall = !call.parameters.flag("no_wall");
  const std::string message = call.parameters.optional_text("message").value_or("");
  if (message.size() > kMaxMessage) call.parameters.refuse("message");
  if (!objective || *objective == Objective::Exit) call.parameters.refuse("how");
  if (reject(call)) return;
  auto planned = backend_.plan_shutdown({*objective, Duration(after), wall, message}, call.now);
  if (!planned) {
    refuse(call.id, refusal_of(planned.error(), {}, RefusalKind::NotSupported));
    return;
  }
  reply(call.id, json_object({{"realtime_usec", planned->us}}));
}

void ManagerInterface::cancel_shutdown(Call& call) {
  const bool wall = !call.parameters.flag("no_wall");
  const std::string message = call.parameters.optional_text("message").value_or("");
  if (message.size() > kMaxMessage) call.parameters.refuse("message");
  if (reject(call)) return;
  reply(call.id, json_object({{"cancelled", backend_.cancel_shutdown(wall, message, call.now)}}));
}

void ManagerInterface::get_scheduled_shutdown(Call& call) {
  if (reject(call)) return;
  const auto planned = backend_.planned_shutdown();
  if (!planned) return reply(call.id, json_object({{"how", nullptr}, {"realtime_usec", nullptr}}));
  reply(call.id,
        json_object({{"how", to_string(planned->objective)}, {"realtime_usec", planned->at.us}}));
}

void ManagerInterface::get_default(Call& call) {
  if (reject(call)) return;
  reply(call.id, json_object({{"unit", backend_.default_target()}}));
}

void ManagerInterface::get_manager_properties(Call& call) {
  if (reject(call)) return;
  reply(call.id, json_object({{"properties", manager_properties(manager_, backend_)}}));
}

void ManagerInterface::get_environment(Call& call) {
  if (reject(call)) return;
  reply(call.id, json_object({{"environment", backend_.environment()}}));
}

void ManagerInterface::change_environment(Call& call) {
  const auto unset = call.parameters.optional_texts("unset").value_or(std::vector<std::string>());
  const auto set = call.parameters.optional_texts("set").value_or(std::vector<std::string>());
  for (const std::string& name : unset) {
    if (environment_name_is_valid(name) || environment_assignment_is_valid(name)) continue;
    call.parameters.refuse("unset");
  }
  for (const std::string& assignment : set) {
    if (!environment_assignment_is_valid(assignment)) call.parameters.refuse("set");
  }
  if (reject(call)) return;
  if (auto done = backend_.change_environment(unset, set); !done) {
    refuse(call.id, {RefusalKind::LimitReached, {}, done.error().message});
    return;
  }
  reply(call.id, json::object());
}

void ManagerInterface::set_logging(Call& call) {
  const auto level = call.parameters.optional_text("level");
  const auto target = call.parameters.optional_text("target");
  const auto number = level ? parse_log_level(*level) : std::nullopt;
  if (level && !number) call.parameters.refuse("level");
  if (reject(call)) return;
  if (target && !backend_.set_log_target(*target)) {
    call.parameters.refuse("target");
    (void)reject(call);
    return;
  }
  if (number) backend_.set_log_level(*number);
  reply(call.id, json::object());
}

void ManagerInterface::subscribe(Call& call) {
  const auto units = call.parameters.optional_texts("units");
  if (reject(call)) return;
  if (subscribers_.size() >= kMaxSubscribers) {
    refuse(call.id, {RefusalKind::LimitReached,
                     {},
                     format("{} clients are subscribed already", kMaxSubscribers)});
    return;
  }
  std::set<std::uint32_t> only;
  for (const std::string& name : units.value_or(std::vector<std::string>())) {
    auto id = look_up(name);
    if (!id) {
      refuse(call.id, id.error());
      return;
    }
    only.insert(id->value);
  }
  pending_.emplace(call.id, Subscription(std::move(only)));
  subscribers_.push_back(call.id);
  reply(call.id,
        json_object(
            {{"event", "subscribed"}, {"unit", nullptr}, {"job", nullptr}, {"result", nullptr}}),
        true);
}

void ManagerInterface::get_version(Call& call) {
  if (reject(call)) return;
  reply(call.id, json_object({{"version", backend_.version()}, {"features", backend_.features()}}));
}

void ManagerInterface::ping(Call& call) {
  if (reject(call)) return;
  reply(call.id, json::object());
}

void ManagerInterface::get_info(Call& call) {
  if (reject(call)) return;
  reply(call.id,
        json_object({{"vendor", "onset"},
                     {"product", "onset"},
                     {"version", backend_.version()},
                     {"url", ""},
                     {"interfaces", json::array({"io.onset.Manager", "org.varlink.service"})}}));
}

void ManagerInterface::get_interface_description(Call& call) {
  const std::string interface = call.parameters.text("interface");
  if (reject(call)) return;
  if (interface == "io.onset.Manager") {
    reply(call.id, json_object({{"description", manager_interface_text()}}));
  } else if (interface == "org.varlink.service") {
    reply(call.id, json_object({{"description", service_interface_text()}}));
  } else {
    sink_->fail(call.id, "org.varlink.service.InterfaceNotFound",
                json_object({{"interface", interface}}));
  }
}

}  // namespace onset
