#pragma once
// Programs that write units before units are read: systemd.generator(7), and the variables that
// services are started with: systemd.environment-generator(7). Some are built in.
//
// They run at boot and at daemon-reload, in a process of their own that forks them all at once
// (init/generator_run), so that neither a program nor a file system can hold PID 1 up; the
// environment's one after the other, each with what those before it have said. What one of them
// does wrong is told, and the rest goes on.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "unit/file_source.h"
#include "unit/specifiers.h"

namespace onset {

/// What units are written into: before all others, after the administrator's, after all.
struct GeneratorFolders {
  std::string normal;
  std::string early;
  std::string late;
};

/// /run/systemd/generator and its kin; a user's are below $XDG_RUNTIME_DIR.
GeneratorFolders generator_folders(bool user_manager, const HostFacts& host);

/// One that needs no program. Where systemd has one for the same, it has its name: an executable of that name in /etc or
/// /run stands in for it, a link to /dev/null masks it, the vendor's is not run.
struct BuiltinGenerator {
  std::string_view name;
  /// What was wrong, a line each.
  std::function<std::vector<std::string>(const GeneratorFolders&)> run;
};

/// All that a run needs to know.
struct GeneratorPlan {
  std::vector<std::string> environment_programs;  ///< in their order
  std::vector<std::string> programs;
  std::vector<BuiltinGenerator> builtins;
  GeneratorFolders folders;
  std::vector<std::string> environment;  ///< of the programs, NAME=VALUE
  Duration patience{};                   ///< with all of them together
  bool writes_units = true;              ///< false: nobody reads the folders, they are left alone

  [[nodiscard]] bool is_idle() const { return programs.empty() && builtins.empty(); }
  [[nodiscard]] bool has_programs() const {
    return !programs.empty() || !environment_programs.empty();
  }
};

struct GeneratorReport {
  std::vector<std::string> environment;  ///< NAME=VALUE: what the environment's ones have said
  std::vector<std::string> losses;       ///< lines for the log
};

/// Where programs are looked for: the first that has a name counts. `override_path` is
/// SYSTEMD_GENERATOR_PATH (colon-joined), or empty.
std::vector<std::string> generator_path(bool user_manager, std::string_view override_path);
std::vector<std::string> environment_generator_path(bool user_manager,
                                                    std::string_view override_path);

/// By name. An empty file or a link to /dev/null masks the others of its name; what is not
/// executable is passed over. Built-ins that are masked or replaced are taken out.
std::vector<std::string> find_generators(FileSource& files, const std::vector<std::string>& folders,
                                         std::vector<BuiltinGenerator>* builtins);

/// Empties the output folders, runs everything, and takes away what stayed empty. Not to be called
/// where it may not wait, but for a plan without programs.
GeneratorReport run_generators(const GeneratorPlan& plan);

}  // namespace onset
