#include "init/control_backend.h"

#include <algorithm>

#include "base/format.h"
#include "base/version.h"
#include "unit/install.h"
#include "unit/preset.h"

namespace onset {
namespace {

constexpr std::size_t kCommandLineMax = 400;
constexpr std::size_t kProcFileMax = 64 * 1024;

}  // namespace

ProcessBackend::ProcessBackend(BackendContext context)
    : context_(std::move(context)) {}

// ---- files ------------------------------------------------------------------------

bool ProcessBackend::has_unit_file(std::string_view name) {
  UnitLoader& loader = (*context_.units)->loader();
  if (!loader.fragment_of(name).empty()) return true;
  return loader.refresh() && !loader.fragment_of(name).empty();
}

UnitFileFacts ProcessBackend::file_facts(const Unit& unit) {
  UnitFileFacts facts;
  UnitInstaller installer(*context_.files, context_.loader);
  const UnitFileState state = installer.state(unit.id);
  if (state == UnitFileState::NotFound) return facts;
  facts.state = to_string(state);
  Diagnostics ignored;  // said by preset and its kin, not at every status
  const PresetRules rules =
      read_presets(*context_.files, context_.loader.root, context_.loader.user_manager, ignored);
  facts.preset = rules.ask(unit.id).enable ? "enabled" : "disabled";
  return facts;
}

bool ProcessBackend::needs_reload(const Unit& unit) {
  return (*context_.units)->loader().has_changed(unit);
}

Result<Diagnostics, RequestError> ProcessBackend::reload(Timestamp now) {
  auto fresh = std::make_unique<LoadedFiles>(*context_.files, context_.loader);
  Diagnostics diagnostics;
  context_.manager->reload(*fresh, now, diagnostics);
  *context_.units = std::move(fresh);
  return diagnostics;
}

std::string ProcessBackend::default_target() {
  const UnitId id = context_.manager->load(context_.options->unit);
  return id.valid() ? context_.manager->graph().unit(id).id : context_.options->unit;
}

// ---- processes ----------------------------------------------------------------------

std::string ProcessBackend::command_line(pid_t pid) {
  if (auto text = context_.files->read(format("/proc/{}/cmdline", pid), kProcFileMax); text && !text->empty()) {
    while (!text->empty() && text->back() == '\0') text->pop_back();
    std::replace(text->begin(), text->end(), '\0', ' ');
    if (text->size() > kCommandLineMax) text->resize(kCommandLineMax);
    if (!text->empty()) return *text;
  }
  auto name = context_.files->read(format("/proc/{}/comm", pid), kProcFileMax);
  if (!name) return {};
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return format("[{}]", *name);
}

std::string ProcessBackend::control_group(UnitId id) {
  return context_.os->control_group(id, context_.manager->graph().unit(id));
}

UnitUsage ProcessBackend::usage(UnitId id) {
  const CgroupUsage used = context_.os->usage(id, context_.manager->graph().unit(id));
  return {used.memory, used.cpu_nsec, used.tasks};
}

SysResult ProcessBackend::freeze(UnitId id, bool frozen) {
  return context_.os->freeze(id, context_.manager->graph().unit(id), frozen);
}

// ---- the system -----------------------------------------------------------------------

Result<void, RequestError> ProcessBackend::shut_down(Objective objective, int exit_status, bool force,
                                                     Timestamp now) {
  context_.manager->shut_down(objective, exit_status, now);
  if (force) context_.manager->shut_down(objective, exit_status, now);
  return {};
}

std::string ProcessBackend::version() { return std::string(kVersion); }

std::vector<std::string> ProcessBackend::features() { return {context_.os->backend()}; }

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
  p["LogLevel"] = format("{}", context_.options->log_level);
  p["ShowStatus"] = context_.options->show_status ? "yes" : "no";
  p["ProcessBackend"] = context_.os->backend();
  p["ControlGroup"] = context_.os->root_group();
  return p;
}

}  // namespace onset
