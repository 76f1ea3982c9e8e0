#include "init/control_backend.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "base/version.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr std::size_t kCommandLineMax = 400;
constexpr std::size_t kProcFileMax = 64 * 1024;

/// As a shell would have to be given the word, so that one can be told from two.
std::string quoted(std::string_view word) {
  constexpr std::string_view kEscaped = "\"\\`$";
  if (!word.empty() && word.find_first_of("\"\\`$*?['()<>|&;! \t\n\r") == word.npos) {
    return std::string(word);
  }
  std::string out = "\"";
  for (char c : word) {
    if (kEscaped.find(c) != kEscaped.npos) out += '\\';
    out += c;
  }
  return out + '"';
}

/// The words of /proc/PID/cmdline on one line. Without a NUL in it the process has
/// named itself, and that is no word.
std::string quoted_line(std::string_view words) {
  if (words.find('\0') == words.npos) return std::string(words);
  std::string line;
  for (std::string_view word : split(words.substr(0, kCommandLineMax), '\0')) {
    if (!line.empty()) line += ' ';
    line += quoted(word);
  }
  return line;
}

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

ProcessBackend::ProcessBackend(BackendContext context)
    : context_(std::move(context)) {}

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
    presets_ = read_presets(*context_.files, context_.loader.root, context_.loader.user_manager,
                            ignored);
  }
  return {std::string(to_string(state)), presets_->ask(unit.id).enable ? "enabled" : "disabled"};
}

bool ProcessBackend::needs_reload(const Unit& unit) {
  return (*context_.units)->loader().has_changed(unit);
}

Result<Diagnostics, RequestError> ProcessBackend::reload(Timestamp now) {
  auto fresh = std::make_unique<LoadedFiles>(*context_.files, context_.loader);
  Diagnostics diagnostics;
  context_.reread_configuration(diagnostics);
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
  if (auto text = context_.files->read(format("/proc/{}/cmdline", pid), kProcFileMax);
      text && !text->empty()) {
    while (!text->empty() && text->back() == '\0') text->pop_back();
    std::string line = text->empty() ? std::string() : quoted_line(*text);
    if (line.size() > kCommandLineMax) line.resize(kCommandLineMax);
    if (!line.empty()) return line;
  }
  auto name = context_.files->read(format("/proc/{}/comm", pid), kProcFileMax);
  if (!name) return {};
  while (!name->empty() && name->back() == '\n') name->pop_back();
  return format("[{}]", *name);
}

/// proc(5): the fourth word of stat is the parent, behind a name that may hold any
/// character; cgroup v2 is the line of hierarchy 0.
ProcessPlace ProcessBackend::place(pid_t pid) {
  ProcessPlace place;
  if (const auto stat = context_.files->read(format("/proc/{}/stat", pid), kProcFileMax)) {
    const std::string_view behind = std::string_view(*stat).substr(
        std::min(stat->rfind(')') + 1, stat->size()));
    const auto words = split_whitespace(behind);
    if (words.size() > 1) place.parent = static_cast<pid_t>(parse_uint<unsigned>(words[1]).value_or(0));
  }
  constexpr std::string_view kUnified = "0::";
  if (const auto text = context_.files->read(format("/proc/{}/cgroup", pid), kProcFileMax)) {
    for (std::string_view line : split(*text, '\n')) {
      if (line.starts_with(kUnified)) place.group = line.substr(kUnified.size());
    }
  }
  return place;
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

Result<void, RequestError> ProcessBackend::shut_down(const ShutdownRequest& request,
                                                     Timestamp now) {
  if (!request.message.empty()) {
    context_.os->log(Say::Level::Notice, {},
                     format("the system is going down: {}", request.message));
  }
  context_.manager->shut_down(request.objective, request.exit_status, now);
  if (request.force) context_.manager->shut_down(request.objective, request.exit_status, now);
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
  p["LogLevel"] = log_level_name(context_.configuration->log_level());
  p["ShowStatus"] = context_.configuration->show_status() ? "yes" : "no";
  p["Environment"] = join(context_.os->base_environment().assignments(), " ");
  put_inherited_limits(p);
  p["ProcessBackend"] = context_.os->backend();
  p["ControlGroup"] = context_.os->root_group();
  return p;
}

}  // namespace onset
