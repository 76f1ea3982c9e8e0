#include "unit/verify.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"
#include "unit/unit_index.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

constexpr std::string_view kProgramFolders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                "/usr/bin",        "/sbin",          "/bin"};

constexpr unsigned kLinksMax = 8;

class Verifier {
 public:
  Verifier(FileSource& files, LoaderConfig config, std::vector<std::string> trees,
           Diagnostics& diagnostics)
      : files_(files),
        loader_(files, std::move(config)),
        trees_(std::move(trees)),
        diagnostics_(diagnostics) {}

  void verify(const std::string& path);

 private:
  void check_commands(const Unit& unit);
  void check_command(const Unit& unit, const ExecCommand& command);
  std::string program_problem(const std::string& path);
  std::string program_problem_in(const std::string& tree, std::string path);
  void check_requirements(const Unit& unit);
  void say(Severity severity, const Unit& unit, std::string message) {
    diagnostics_.push_back({severity, unit.fragment_path, 0, std::move(message)});
  }

  FileSource& files_;
  UnitLoader loader_;
  std::vector<std::string> trees_;  ///< the root and what was unpacked
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
  std::set<std::string_view> seen;  // a program is told of once, however often it is run
  for (const auto& commands : unit.service->exec) {
    for (const ExecCommand& command : commands) {
      if (command.ignore_failure || !seen.insert(command.path).second) continue;
      check_command(unit, command);
    }
  }
}

void Verifier::check_command(const Unit& unit, const ExecCommand& command) {
  // Another root is not there to be looked at, another search path is.
  const auto& exec = config_of<ExecConfig>(unit);
  if (!exec.root_directory.empty()) return;
  std::string problem;
  if (path_is_absolute(command.path)) {
    problem = program_problem(command.path);
  } else {
    std::vector<std::string> folders(std::begin(kProgramFolders), std::end(kProgramFolders));
    if (!exec.exec_search_path.empty()) {
      folders.clear();
      for (const auto folder : split(exec.exec_search_path, ':')) folders.emplace_back(folder);
    }
    problem = errno_text(ENOENT);
    for (const std::string& folder : folders) {
      if (program_problem(folder + "/" + command.path).empty()) problem.clear();
    }
  }
  if (problem.empty()) return;
  say(Severity::Error, unit,
      format("{}: the command {} can't be run: {}", unit.id, c_escape(command.path), problem));
}

/// None if any tree has the program; else what is wrong in the first.
std::string Verifier::program_problem(const std::string& path) {
  std::string first;
  for (const std::string& tree : trees_) {
    std::string problem = program_problem_in(tree, path);
    if (problem.empty()) return {};
    if (first.empty()) first = std::move(problem);
  }
  return first;
}

/// Links are followed by hand: within the tree, not out of it.
std::string Verifier::program_problem_in(const std::string& tree, std::string path) {
  for (unsigned links = 0; links < kLinksMax; ++links) {
    const auto link = files_.read_link(tree + path);
    if (!link) break;
    path = absolute_target(path.substr(0, path.rfind('/')), *link);
  }
  const auto status = files_.stat(tree + path);
  if (!status) return errno_text(status.error().err);
  if (status->kind != FileKind::Regular) return "not a regular file";
  return status->executable ? std::string() : errno_text(EACCES);
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

namespace {

/// "/x" of "/x/usr/lib/systemd/system"; none if the folder is no such one.
std::optional<std::string> tree_of(std::string_view folder,
                                   const std::vector<std::string>& search_path) {
  for (const std::string& searched : search_path) {
    if (folder.size() > searched.size() && folder.ends_with(searched)) {
      return std::string(folder.substr(0, folder.size() - searched.size()));
    }
  }
  return std::nullopt;
}

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

}  // namespace

int verify_files(FileSource& files, LoaderConfig config, const std::vector<std::string>& paths,
                 Diagnostics& diagnostics) {
  config.advice = Severity::Note;
  std::string root = config.root;
  while (root.ends_with('/')) root.pop_back();
  std::vector<std::string> trees = {root};
  std::vector<std::string> folders;
  for (const std::string& path : paths) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string folder = slash == 0 ? "/" : path_simplify(path.substr(0, slash));
    add_once(folders, folder);
    if (const auto tree = tree_of(folder, config.search_path)) {
      add_once(trees, root + *tree);
      for (const std::string& searched : config.search_path) add_once(folders, *tree + searched);
    }
  }
  config.search_path.insert(config.search_path.begin(), folders.begin(), folders.end());
  const std::size_t told = diagnostics.size();
  Verifier verifier(files, std::move(config), std::move(trees), diagnostics);
  for (const std::string& path : paths) verifier.verify(path);
  const bool is_faulty =
      std::any_of(diagnostics.begin() + static_cast<std::ptrdiff_t>(told), diagnostics.end(),
                  [](const Diagnostic& d) { return d.severity != Severity::Note; });
  return is_faulty ? 1 : 0;
}

}  // namespace onset
