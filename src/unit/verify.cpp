#include "unit/verify.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {
namespace {

constexpr std::string_view kProgramFolders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                "/usr/bin",        "/sbin",          "/bin"};

class Verifier {
 public:
  Verifier(FileSource& files, LoaderConfig config, Diagnostics& diagnostics)
      : files_(files), loader_(files, std::move(config)), diagnostics_(diagnostics) {}

  void verify(const std::string& path);

 private:
  void check_commands(const Unit& unit);
  void check_command(const Unit& unit, const ExecCommand& command);
  std::string program_problem(const std::string& path);
  void check_requirements(const Unit& unit);
  void say(Severity severity, const Unit& unit, std::string message) {
    diagnostics_.push_back({severity, unit.fragment_path, 0, std::move(message)});
  }

  FileSource& files_;
  UnitLoader loader_;
  Diagnostics& diagnostics_;
};

void Verifier::verify(const std::string& path) {
  const std::size_t told = diagnostics_.size();
  std::string name = path.substr(path.rfind('/') + 1);
  if (!unit_name_is_valid(name)) {
    diagnostics_.push_back({Severity::Error, path, 0, "not a valid unit name"});
    return;
  }
  std::unique_ptr<Unit> unit;
  if (path.find('/') != std::string::npos) {
    unit = loader_.load_file(path, diagnostics_);
  } else {
    if (is_template(name)) name = instantiate(name, "instance").value_or(name);
    unit = loader_.load(name, diagnostics_);
  }
  switch (unit->load_state) {
    case LoadState::Loaded:
      break;
    case LoadState::Masked:
      say(Severity::Error, *unit, unit->load_error);
      return;
    case LoadState::NotFound:
    case LoadState::Error:
    case LoadState::BadSetting:
    case LoadState::Stub:
    case LoadState::Merged: {
      const bool is_told =
          std::any_of(diagnostics_.begin() + static_cast<std::ptrdiff_t>(told), diagnostics_.end(),
                      [](const Diagnostic& d) { return d.severity == Severity::Error; });
      if (!is_told) diagnostics_.push_back({Severity::Error, {}, 0, unit->load_error});
      return;
    }
  }
  check_commands(*unit);
  check_requirements(*unit);
}

void Verifier::check_commands(const Unit& unit) {
  if (!unit.service) return;
  for (const auto& commands : unit.service->exec) {
    for (const ExecCommand& command : commands) check_command(unit, command);
  }
}

void Verifier::check_command(const Unit& unit, const ExecCommand& command) {
  if (command.ignore_failure) return;
  // Another root is not there to be looked at, another search path is.
  if (!unit.exec->root_directory.empty()) return;
  std::string problem;
  if (path_is_absolute(command.path)) {
    problem = program_problem(command.path);
  } else {
    std::vector<std::string> folders(std::begin(kProgramFolders), std::end(kProgramFolders));
    if (!unit.exec->exec_search_path.empty()) {
      folders.clear();
      for (const auto folder : split(unit.exec->exec_search_path, ':'))
        folders.emplace_back(folder);
    }
    problem = errno_text(2);
    for (const std::string& folder : folders) {
      if (program_problem(folder + "/" + command.path).empty()) problem.clear();
    }
  }
  if (problem.empty()) return;
  say(Severity::Error, unit,
      format("{}: the command {} can't be run: {}", unit.id, c_escape(command.path), problem));
}

std::string Verifier::program_problem(const std::string& path) {
  const auto status = files_.stat(loader_.index().with_root(path));
  if (!status) return errno_text(status.error().err);
  if (status->kind != FileKind::Regular) return "not a regular file";
  return status->executable ? std::string() : errno_text(13);
}

/// A unit that can't come up without another one is no good without it.
void Verifier::check_requirements(const Unit& unit) {
  for (const NamedDependency& dependency : unit.config.dependencies) {
    if (dependency.kind != DependencyKind::Requires && dependency.kind != DependencyKind::BindsTo) {
      continue;
    }
    if (dependency.name == unit.id) continue;
    const auto type = unit_type_of(dependency.name);
    // Devices and mounts come and go with the machine.
    if (type == UnitType::Device || type == UnitType::Mount) continue;
    Diagnostics its_own;
    const auto other = loader_.load(dependency.name, its_own);
    if (other->load_state == LoadState::Loaded) continue;
    say(Severity::Error, unit,
        format("{} requires {}, which can't be loaded: {}", unit.id, dependency.name,
               other->load_error));
  }
}

}  // namespace

int verify_files(FileSource& files, LoaderConfig config, const std::vector<std::string>& paths,
                 Diagnostics& diagnostics) {
  config.advice = Severity::Note;
  std::vector<std::string> folders;
  for (const std::string& path : paths) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) continue;
    std::string folder = slash == 0 ? "/" : path_simplify(path.substr(0, slash));
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(std::move(folder));
    }
  }
  config.search_path.insert(config.search_path.begin(), folders.begin(), folders.end());
  const std::size_t told = diagnostics.size();
  Verifier verifier(files, std::move(config), diagnostics);
  for (const std::string& path : paths) verifier.verify(path);
  const bool is_faulty =
      std::any_of(diagnostics.begin() + static_cast<std::ptrdiff_t>(told), diagnostics.end(),
                  [](const Diagnostic& d) { return d.severity != Severity::Note; });
  return is_faulty ? 1 : 0;
}

}  // namespace onset
