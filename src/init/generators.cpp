#include "init/generators.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "init/generator_programs.h"
#include "os/directories.h"
#include "unit/environment.h"

namespace onset {
namespace {

/// Of what is left from the run before.
constexpr unsigned kEntriesMax = 100'000;

std::vector<std::string> path_of(std::string_view override_path, bool user_manager,
                                 std::string_view kind) {
  std::vector<std::string> folders;
  if (!override_path.empty()) {
    for (const std::string_view folder : split(override_path, ':')) {
      if (path_is_absolute(folder)) folders.emplace_back(folder);
    }
    return folders;
  }
  const std::string_view scope = user_manager ? "user" : "system";
  for (const char* base : {"/run/systemd", "/etc/systemd", "/usr/local/lib/systemd",
                           "/usr/lib/systemd", "/lib/systemd"}) {
    folders.push_back(format("{}/{}-{}", base, scope, kind));
  }
  return folders;
}

/// What is done here by other means, or not at all.
constexpr std::array<std::string_view, 6> kNotRun{
    "systemd-debug-generator",    "systemd-fstab-generator",
    "systemd-getty-generator",    "systemd-gpt-auto-generator",
    "systemd-rc-local-generator", "systemd-hibernate-resume-generator"};

/// A vendor's program does not stand in for what is built in: it expects its own init.
bool is_vendors(std::string_view folder) {
  return folder.starts_with("/usr/lib/") || folder.starts_with("/lib/");
}

bool is_masked(const FileStatus& status) {
  return status.is_null_device || (status.kind == FileKind::Regular && status.size == 0);
}

class Run {
 public:
  explicit Run(const GeneratorPlan& plan) : plan_(plan) {}

  GeneratorReport operator()() {
    const MonoTime deadline = generator_deadline(plan_.patience);
    Environment environment(plan_.environment);
    Environment said;
    for (const std::string& program : plan_.environment_programs) {
      const auto text =
          program_output(program, environment.assignments(), deadline, report_.losses);
      for (const std::string& assignment : parse_environment_file(text).assignments) {
        environment.set_assignment(assignment);
        said.set_assignment(assignment);
      }
    }
    report_.environment = said.assignments();
    if (!plan_.writes_units || !empty_folders() || plan_.is_idle() || !make_folders()) {
      return take();
    }
    for (const BuiltinGenerator& builtin : plan_.builtins) {
      for (std::string& loss : builtin.run(plan_.folders)) {
        report_.losses.push_back(std::move(loss));
      }
    }
    run_programs(plan_.programs, plan_.folders, environment.assignments(), deadline,
                 report_.losses);
    for (const std::string* folder : all()) (void)rmdir(folder->c_str());
    return take();
  }

 private:
  [[nodiscard]] std::array<const std::string*, 3> all() const {
    return {&plan_.folders.normal, &plan_.folders.early, &plan_.folders.late};
  }

  GeneratorReport take() { return std::move(report_); }

  /// The folder above, and the name.
  static std::pair<std::string, std::string> parts(const std::string& folder) {
    const std::size_t slash = folder.rfind('/');
    return {folder.substr(0, slash), folder.substr(slash + 1)};
  }

  bool empty_folders() {
    for (const std::string* folder : all()) {
      const auto [base, name] = parts(*folder);
      const Removal removal = remove_tree(base, name, kEntriesMax);
      if (removal.error != 0) return give_up(*folder, removal.error);
    }
    return true;
  }

  bool make_folders() {
    for (const std::string* folder : all()) {
      const auto [base, name] = parts(*folder);
      if (const auto made = make_directory({base, name}); !made) {
        return give_up(*folder, made.error().err);
      }
    }
    return true;
  }

  bool give_up(const std::string& folder, int err) {
    report_.losses.push_back(
        format("{} can't be made anew, no units are generated: {}", folder, errno_text(err)));
    return false;
  }

  const GeneratorPlan& plan_;
  GeneratorReport report_;
};

}  // namespace

GeneratorFolders generator_folders(bool user_manager, const HostFacts& host) {
  const std::string base = (user_manager ? host.runtime_dir : "/run") + "/systemd/generator";
  return {base, base + ".early", base + ".late"};
}

std::vector<std::string> generator_path(bool user_manager, std::string_view override_path) {
  return path_of(override_path, user_manager, "generators");
}

std::vector<std::string> environment_generator_path(bool user_manager,
                                                    std::string_view override_path) {
  return path_of(override_path, user_manager, "environment-generators");
}

std::vector<std::string> find_generators(FileSource& files, const std::vector<std::string>& folders,
                                         std::vector<BuiltinGenerator>* builtins) {
  std::set<std::string> decided;
  std::vector<std::pair<std::string, std::string>> found;  // name, path
  const auto take_out = [&](const std::string& name) {
    return builtins != nullptr &&
           std::erase_if(*builtins, [&](const BuiltinGenerator& b) { return b.name == name; }) > 0;
  };
  const auto is_builtin = [&](const std::string& name) {
    return builtins != nullptr && std::ranges::any_of(*builtins, [&](const BuiltinGenerator& b) {
             return b.name == name;
           });
  };
  for (const std::string& folder : folders) {
    const auto items = files.list(folder);
    if (!items) continue;
    for (const DirectoryItem& item : *items) {
      const std::string path = format("{}/{}", folder, item.name);
      if (item.name.starts_with('.') || item.name.ends_with('~') || decided.contains(item.name)) {
        continue;
      }
      const auto status = files.stat(path);
      if (!status) continue;
      if (is_masked(*status)) {
        decided.insert(item.name);
        (void)take_out(item.name);
        continue;
      }
      if (status->kind != FileKind::Regular || (status->mode & 0111U) == 0) continue;
      const bool is_known = std::ranges::find(kNotRun, item.name) != kNotRun.end();
      if (is_vendors(folder) && (is_known || is_builtin(item.name))) continue;
      (void)take_out(item.name);
      decided.insert(item.name);
      found.emplace_back(item.name, path);
    }
  }
  std::ranges::sort(found);
  std::vector<std::string> programs;
  programs.reserve(found.size());
  for (auto& [name, path] : found) programs.push_back(std::move(path));
  return programs;
}

GeneratorReport run_generators(const GeneratorPlan& plan) {
  return Run(plan)();
}

}  // namespace onset
