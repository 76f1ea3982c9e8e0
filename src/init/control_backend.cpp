#include "init/control_backend.h"

#include <algorithm>

#include "base/format.h"
#include "base/version.h"
#include "loop/clock.h"
#include "unit/install.h"
#include "unit/preset.h"

namespace onset {
namespace {

constexpr std::size_t kCommandLineMax = 400;
constexpr std::size_t kProcFileMax = 64 * 1024;

}  // namespace

ProcessBackend::ProcessBackend(BackendContext context)
    : context_(std::move(context)), loaded_at_ns_(read_clock().wall.us * 1000) {}

// ---- files ------------------------------------------------------------------------

bool ProcessBackend::has_unit_file(std::string_view name) {
  return !(*context_.units)->loader().fragment_of(name).empty();
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
  const auto changed = [&](const std::string& path) {
    if (path.empty() || path.front() != '/') return false;
    const auto status = context_.files->stat(path);
    return !status || status->mtime_ns > loaded_at_ns_;
  };
  return changed(unit.fragment_path) ||
         std::any_of(unit.dropin_paths.begin(), unit.dropin_paths.end(), changed);
}

Result<Diagnostics, RequestError> ProcessBackend::reload(Timestamp now) {
  loaded_at_ns_ = now.wall.us * 1000;
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

UnitUsage ProcessBackend::usage(UnitId id) {
  UnitUsage usage;
  usage.tasks = context_.os->processes(id).size();
  return usage;
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
  return p;
}

}  // namespace onset
