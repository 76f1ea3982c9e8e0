#pragma once
// enable, disable, preset, mask, … : the [Install] section and the links that
// come of it (systemctl(1), "Unit File Commands"). Pure: looks through a
// FileSource, answers with what is to be changed; apply_changes() does it.
//
//   name or path → unit file (over aliases) → [Install] of file and drop-ins
//     → links in the configuration directory: Alias=, .wants, .requires, .upholds
//     → and those of the units in Also=
//   disable: every link in that directory that leads to the unit goes, and
//     every link that leads to such a link

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit/file_source.h"
#include "unit/loader.h"
#include "unit/preset.h"

namespace onset {

enum class UnitFileState : std::uint8_t {
  Enabled,
  EnabledRuntime,
  Linked,
  LinkedRuntime,
  Alias,
  Masked,
  MaskedRuntime,
  Static,
  Disabled,
  Indirect,
  Generated,
  Transient,
  Bad,
  NotFound,
};
std::string_view to_string(UnitFileState state);
/// Exit status 0 of is-enabled.
bool counts_as_enabled(UnitFileState state);

/// One change, or a word about one that is not made. Paths are without the root.
struct InstallChange {
  enum class Kind : std::uint8_t { Create, Remove, RemoveFolder, Note, Failure };
  Kind kind{};
  std::string path;
  std::string target;   ///< of Create
  std::string message;  ///< of Note and Failure
};
/// As systemctl says it: "Created symlink A → B.", "Removed "A"."
std::string to_string(const InstallChange& change, std::string_view root = {});

struct InstallOutcome {
  std::vector<InstallChange> changes;  ///< in the order in which they are to be made
  bool has_install_info = false;       ///< enable: any of the units has an [Install] section
  [[nodiscard]] bool failed() const;
};

/// Makes the links and takes them away, and empty folders with them. Stops at the
/// first that fails.
SysResult apply_changes(const InstallOutcome& outcome, FileChanger& changer,
                        std::string_view root = {});

/// What systemctl prints when a unit without [Install] is enabled.
extern const std::string_view kNoInstallInfo;

enum class PresetMode : std::uint8_t { Full, EnableOnly, DisableOnly };

struct InstallOptions {
  bool runtime = false;  ///< /run instead of /etc
  bool force = false;    ///< replace links that stand in the way
  PresetMode preset_mode = PresetMode::Full;
};

struct UnitFileInfo {
  std::string name;
  UnitFileState state{};
  std::optional<bool> preset;  ///< none: presets say nothing about such a state
};

/// For one operation: what is found is remembered, changes are not looked for
/// again. Names are valid unit names (systemctl's mangling is the caller's);
/// enable and link take absolute paths as well.
class UnitInstaller {
 public:
  UnitInstaller(FileSource& files, LoaderConfig config, InstallOptions options = {});

  InstallOutcome enable(const std::vector<std::string>& names);
  InstallOutcome disable(const std::vector<std::string>& names);
  InstallOutcome reenable(const std::vector<std::string>& names);
  InstallOutcome preset(const std::vector<std::string>& names);
  InstallOutcome preset_all();
  InstallOutcome mask(const std::vector<std::string>& names);
  InstallOutcome unmask(const std::vector<std::string>& names);
  InstallOutcome link(const std::vector<std::string>& paths);
  /// Drop-ins of the administrator's go, and so does a file or a mask of theirs that
  /// stands before a vendor's.
  InstallOutcome revert(const std::vector<std::string>& names);
  /// `kind` is Wants or Requires.
  InstallOutcome add_dependency(const std::string& target, const std::vector<std::string>& names,
                                DependencyKind kind);
  InstallOutcome set_default(const std::string& target);
  /// The name of the unit that default.target stands for; empty: there is none.
  std::string get_default();

  UnitFileState state(std::string_view name);
  /// Sorted by type, then name.
  std::vector<UnitFileInfo> list();

  /// What was wrong with unit and preset files on the way.
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  struct InstallUnit {
    std::string name;
    std::string path;  ///< what links point to
    bool is_masked = false;
    bool is_outside = false;  ///< not in the search path
    InstallConfig install;
  };
  /// One that could not be found, in systemctl's words but for the verb.
  struct Problem {
    std::string text;
    bool is_masked = false;
    std::string path;
  };
  /// The units of one operation with those of their Also=, each once.
  struct Batch {
    std::vector<InstallUnit> units;
    std::set<std::string> seen;
    std::vector<std::string> missing;  ///< of Also=
  };

  // install.cpp
  Result<InstallUnit, Problem> discover(const std::string& name);
  Result<InstallUnit, Problem> discover_path(const std::string& path);
  void add_with_also(Batch& batch, InstallUnit unit, InstallOutcome& outcome,
                     std::string_view verb);
  void apply_batch(const Batch& batch, InstallOutcome& outcome, std::string_view verb);
  void mark_and_remove(const std::vector<std::string>& names, InstallOutcome& outcome,
                       std::string_view verb);
  void remove_links_to(std::set<std::string> marked, InstallOutcome& outcome);
  bool remove_links_once(std::set<std::string>& marked, InstallOutcome& outcome);
  struct PresetPlan {
    Batch plus;
    std::vector<std::string> minus;
  };
  bool plan_preset(const std::string& name, PresetPlan& plan, InstallOutcome& outcome);
  InstallOutcome run_preset(const std::vector<std::string>& names, bool all);
  std::string name_of(const std::string& name_or_path) const;

  // install_links.cpp
  void make_links(const InstallUnit& unit, InstallOutcome& outcome, std::string_view verb);
  void make_aliases(const InstallUnit& unit, InstallOutcome& outcome, std::string_view verb);
  void make_dependencies(const InstallUnit& unit, const std::vector<std::string>& dependents,
                         std::string_view suffix, InstallOutcome& outcome, std::string_view verb);
  bool make_link(const std::string& target, const std::string& path, bool force,
                 InstallOutcome& outcome, std::string_view verb);
  Result<std::string, std::string> expand(const InstallUnit& unit, std::string_view text) const;
  std::optional<std::string> link_at(const std::string& path);
  bool exists(const std::string& path);
  void remove(const std::string& path, InstallOutcome& outcome);

  // install_revert.cpp
  void revert_dropins(const std::string& name, InstallOutcome& outcome);
  void revert_file(const std::string& name, InstallOutcome& outcome);

  // install_state.cpp
  enum class Match : std::uint8_t { KnownNames, AnyName };
  struct Enablement {
    bool found = false;
    bool same_name = false;  ///< a link of the unit's own name: linked, not enabled
  };
  UnitFileState state_of(std::string_view name, const InstallUnit& unit);
  std::optional<UnitFileState> links_state(const InstallUnit& unit, Match match);
  /// A link in one of the search path's directories, or in a .wants folder of it.
  struct SearchedLink {
    std::size_t directory;
    std::string name;
    std::string target;  ///< absolute
    bool is_top;         ///< in the directory itself
  };
  Enablement find_links(const InstallUnit& unit, std::size_t directory, Match match);
  void find_links_to(std::string_view last, const InstallUnit& unit, std::size_t directory,
                     Match match, Enablement& found) const;
  void index_links();
  void index_links_of(const std::string& folder, std::size_t directory, bool is_top);
  [[nodiscard]] bool is_runtime_path(std::string_view path) const;
  [[nodiscard]] bool is_config_path(std::string_view path) const;

  [[nodiscard]] std::string shown(std::string_view path) const { return root_ + std::string(path); }
  [[nodiscard]] const std::string& config_directory() const {
    return options_.runtime ? runtime_directory_ : persistent_directory_;
  }

  FileSource& files_;
  InstallOptions options_;
  UnitLoader loader_;
  UnitIndex& index_;
  std::string root_;
  std::string persistent_directory_;
  std::string runtime_directory_;
  /// What this operation has changed so far: a target, or none for a link that went.
  std::map<std::string, std::optional<std::string>> pending_;
  /// By the last component of their targets; none before a state is asked for.
  std::optional<std::map<std::string, std::vector<SearchedLink>>> searched_links_;
  std::optional<PresetRules> presets_;
  Diagnostics diagnostics_;
};

}  // namespace onset
