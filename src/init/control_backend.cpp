#include "init/control_backend.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/format.h"
#include "base/process_text.h"
#include "base/text.h"
#include "base/version.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr std::size_t kCommandLineMax = 400;
constexpr std::size_t kProcFileMax = 64 * 1024;

/// What services inherit where nothing is set: the engine puts over it what is.
void put_inherited_limits(std::map<std::string, std::string>& p) {
  for (const ManagerDirective& d : manager_directives()) {
    if (d.resource < 0) continue;
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource_t>(d.resource), &limit) < 0) continue;
    p[std::string(d.name)] = format_limit(limit.rlim_max);
    p[format("{}Soft", d.name)] = format_limit(limit.rlim_cur);
  }
}

}  // namespace

ProcessBackend::ProcessBackend(BackendContext context) : context_(std::move(context)) {}

// ---- files ------------------------------------------------------------------------

bool ProcessBackend::has_unit_file(std::string_view name) {
  UnitLoader& loader = (*context_.units)->loader();
  if (!loader.fragment_of(name).empty()) return true;
  return loader.refresh() && !loader.fragment_of(name).empty();
}

void ProcessBackend::forget_files() {
  installer_.reset();
  presets_.reset();
}

UnitFileFacts ProcessBackend::file_facts(const Unit& unit) {
  if (!installer_) installer_.emplace(*context_.files, context_.loader);
  const UnitFileState state = installer_->state(unit.id);
  if (state == UnitFileState::NotFound) return {};
  if (!presets_) {
    Diagnostics ignored;  // said by preset and its kin, not at every status
    presets_ =
        read_presets(*context_.files, context_.loader.root, context_.loader.user_manager, ignored);
  }
  return {std::string(to_string(state)), presets_->ask(unit.id).enable ? "enabled" : "disabled"};
}

bool ProcessBackend::needs_reload(const Unit& unit) {
  return (*context_.units)->loader().has_changed(unit);
}

Result<void, std::string> ProcessBackend::make_transient(const std::string& name,
                                                         const std::string& text) {
  UnitLoader& loader = (*context_.units)->loader();
  const std::string folder = transient_folder(context_.loader.user_manager, context_.loader.host);
  if (folder.empty()) return Failure{std::string("there is no folder for it: $XDG_RUNTIME_DIR")};
  loader.expect_change();
  (void)loader.refresh();
  // One that lies there and is not loaded was left by a call that memory ran out for.
  const std::string found = loader.fragment_of(name);
  if (!found.empty() && found != format("{}/{}", folder, name)) return Failure{std::string()};
  auto done = context_.files->make_directories(folder);
  if (done) done = context_.files->write_file(format("{}/{}", folder, name), text, 0644);
  if (!done) return Failure{format("{}/{}: {}", folder, name, to_string(done.error()))};
  loader.expect_change();
  return {};
}

void ProcessBackend::drop_transient(const std::string& name) {
  const std::string folder = transient_folder(context_.loader.user_manager, context_.loader.host);
  (void)context_.files->remove(format("{}/{}", folder, name));
  (*context_.units)->loader().expect_change();
}

Diagnostics ProcessBackend::read_again(Timestamp now) {
  auto fresh = std::make_unique<LoadedFiles>(*context_.files, context_.loader);
  Diagnostics diagnostics;
  context_.reread_configuration(diagnostics);
  context_.manager->reload(*fresh, now, diagnostics);
  *context_.units = std::move(fresh);
  return diagnostics;
}

std::string ProcessBackend::default_target() {
  const UnitId id = context_.manager->load(context_.default_unit);
  return id.valid() ? context_.manager->graph().unit(id).id : context_.default_unit;
}

// ---- processes ----------------------------------------------------------------------

std::string ProcessBackend::command_line(pid_t pid) {
  if (auto text = context_.files->read(format("/proc/{}/cmdline", pid), kProcFileMax)) {
    std::string line = command_line_text(*text, kCommandLineMax);
    if (!line.empty()) return line;
  }
  auto name = context_.files->read(format("/proc/{}/comm", pid), kProcFileMax);
  if (!name) return {};
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return format("[{}]", *name);
}

ProcessPlace ProcessBackend::place(pid_t pid) {
  ProcessPlace place;
  if (const auto stat = context_.files->read(format("/proc/{}/stat", pid), kProcFileMax)) {
    if (const auto status = parse_process_stat(*stat)) place.parent = status->parent;
  }
  if (const auto text = context_.files->read(format("/proc/{}/cgroup", pid), kProcFileMax)) {
    place.group = unified_cgroup(*text).value_or("");
  }
  return place;
}

std::string ProcessBackend::control_group(UnitId id) {
  return context_.os->control_group(id, context_.manager->graph().unit(id));
}

UnitUsage ProcessBackend::usage(UnitId id) {
  const CgroupUsage used = context_.os->usage(id, context_.manager->graph().unit(id));
  return {used.memory,
          used.cpu_nsec,
          used.tasks,
          used.memory_peak,
          used.io_read_bytes,
          used.io_read_operations,
          used.io_write_bytes,
          used.io_write_operations,
          used.ip_ingress_bytes,
          used.ip_ingress_packets,
          used.ip_egress_bytes,
          used.ip_egress_packets,
          used.tasks_refused};
}

std::vector<std::string> ProcessBackend::not_enforced(UnitId id) {
  std::vector<std::string> texts;
  for (const NotEnforced& entry : context_.os->not_enforced(id)) {
    texts.push_back(format("{}= not enforced ({})", entry.setting, entry.reason));
  }
  return texts;
}

std::vector<std::string> ProcessBackend::starvation(UnitId id) {
  return context_.starvation->notes(context_.manager->graph().unit(id).id);
}

SysResult ProcessBackend::freeze(UnitId id, bool frozen) {
  return context_.os->freeze(id, context_.manager->graph().unit(id), frozen);
}

// ---- the system -----------------------------------------------------------------------

std::vector<std::string> ProcessBackend::environment() {
  return context_.os->base_environment().assignments();
}

Result<void, RequestError> ProcessBackend::change_environment(const std::vector<std::string>& unset,
                                                              const std::vector<std::string>& set) {
  if (!context_.configuration->change_environment(unset, set)) {
    return Failure{RequestError{RequestErrorKind::Invalid, {}, "the environment is full"}};
  }
  context_.os->set_defaults(context_.configuration->environment(),
                            context_.configuration->launch_defaults());
  return {};
}

bool ProcessBackend::set_log_target(std::string_view target) {
  const auto wanted = parse_log_target(target);
  if (!wanted) return false;
  *context_.console = Console(*wanted, context_.console->level());
  return true;
}

Result<void, RequestError> ProcessBackend::shut_down(const ShutdownRequest& request,
                                                     Timestamp now) {
  if (request.objective == Objective::SoftReboot && context_.options->user) {
    return Failure{RequestError{
        RequestErrorKind::NotSupported, {}, "a user's manager can't begin anew by itself"}};
  }
  if (!request.message.empty()) {
    context_.os->log(Say::Level::Notice, {},
                     format("the system is going down: {}", request.message));
  }
  context_.manager->shut_down(request.objective, request.exit_status, now);
  context_.shutdown_timer->forget();
  if (request.force) context_.manager->shut_down(request.objective, request.exit_status, now);
  return {};
}

Result<WallTime, RequestError> ProcessBackend::plan_shutdown(const PlannedShutdown& plan,
                                                             Timestamp now) {
  if (context_.options->user) {
    return Failure{RequestError{
        RequestErrorKind::NotSupported, {}, "a user's manager ends at once or not at all"}};
  }
  if (context_.manager->stopping()) {
    return Failure{
        RequestError{RequestErrorKind::ShuttingDown, {}, "the system is going down already"}};
  }
  ScheduledShutdown what;
  what.objective = plan.objective;
  what.due = now.mono + plan.after;
  what.at = WallTime{now.wall.us + plan.after.count()};
  what.announces = plan.announces;
  what.message = plan.message;
  const WallTime at = what.at;
  context_.shutdown_timer->plan(std::move(what), now);
  return at;
}

bool ProcessBackend::cancel_shutdown(bool announces, const std::string& message, Timestamp now) {
  return context_.shutdown_timer->cancel(announces, message, now);
}

std::optional<ControlBackend::Planned> ProcessBackend::planned_shutdown() {
  const ScheduledShutdown* const what = context_.shutdown_timer->planned();
  if (what == nullptr) return std::nullopt;
  return Planned{what->objective, what->at};
}

std::string ProcessBackend::version() {
  return std::string(kVersion);
}

std::vector<std::string> ProcessBackend::features() {
  return {context_.os->backend()};
}

std::map<std::string, std::string> ProcessBackend::properties() {
  std::map<std::string, std::string> p;
  p["Virtualization"] = context_.virtualization;
  p["Architecture"] = context_.loader.host.architecture;
  std::string path;
  for (const std::string& folder : context_.loader.search_path) {
    if (!path.empty()) path += ' ';
    path += folder;
  }
  p["UnitPath"] = path;
  const auto put_time = [&p](const std::string& name, const Timestamp& when) {
    p[name] = format("{}", when.wall.us);
    p[name + "Monotonic"] = format("{}", when.mono.us);
  };
  if (context_.marks->kernel) put_time("KernelTimestamp", *context_.marks->kernel);
  if (context_.marks->initrd) put_time("InitRDTimestamp", *context_.marks->initrd);
  put_time("UserspaceTimestamp", context_.marks->userspace);
  p["LogLevel"] = log_level_name(context_.console->level());
  p["LogTarget"] = log_target_name(context_.console->target());
  p["ShowStatus"] = to_string(context_.configuration->show_status());
  p["Environment"] = join(environment(), " ");
  put_inherited_limits(p);
  p["ProcessBackend"] = context_.os->backend();
  p["ControlGroup"] = context_.os->root_group();
  return p;
}

}  // namespace onset
