#pragma once
// Name → Unit: finds the fragment and the drop-ins on the search path, reads
// them with the one table of directives, and completes what the files leave
// open. systemd.unit(5), UNIT FILE LOAD PATH and below.
//
//   name → alias chain → fragment (instance, else template; else built in)
//        → drop-ins (type.d, dash-truncated prefixes, template, instance),
//          sorted by file name, first directory wins
//        → assignments → members → .wants/.requires/.upholds folders
//        → what is implied by the type (NotifyAccess=, Type=, default KillMode …)

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "unit/builtin.h"
#include "unit/file_source.h"
#include "unit/specifiers.h"
#include "unit/unit.h"

namespace onset {

class UnitIndex;

struct LoaderConfig {
  std::vector<std::string> search_path;  ///< first wins; without `root`
  std::string root;                      ///< prefix of every path that is read; empty: "/"
  std::span<const BuiltinUnit> builtin;  ///< after the search path
  HostFacts host;
  bool user_manager = false;
  /// Of a name that no file has: true, and the unit's own settings are there. Unset: none is.
  std::function<bool(Unit&)> find;
  /// Devices have units: who names a device, a mount for one, waits for it.
  bool has_devices = false;
  bool strict_permissions = false;  ///< C8: refuse what others may write
  /// Of what is no fault of the file's text: settings that are not honoured yet,
  /// files that others may write. `verify` takes Note, and then each setting has
  /// a line of its own; for a log they are one line a file.
  Severity advice = Severity::Warning;
};

/// The system's search path, or a user's.
std::vector<std::string> default_search_path(bool user_manager, const HostFacts& host);

/// Where the files of units lie that are made while the system runs; a user's without
/// $XDG_RUNTIME_DIR: nowhere.
std::string transient_folder(bool user_manager, const HostFacts& host);

/// Finds and reads units. Holds the listing of the search path, taken when it is
/// made and by refresh(): a reload makes a new loader.
class UnitLoader {
 public:
  UnitLoader(FileSource& files, LoaderConfig config);
  ~UnitLoader();

  /// Never fails: what could not be loaded is a Unit whose load_state says so.
  /// Everything worth saying about its files is appended to `diagnostics`.
  /// An alias gives the unit that it names (Unit::id differs from `name`).
  /// Severity: Error, the unit is refused; Warning, a line was left out, or
  /// advice; Note, taken, but worth a word.
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics);

  /// A single file outside the search path, for `verify`; its drop-ins beside it count.
  std::unique_ptr<Unit> load_file(std::string_view path, Diagnostics& diagnostics);

  /// Its [Install] section alone, from the fragment and the drop-ins. A template
  /// will do. Empty if there is nothing to read.
  InstallConfig load_install(std::string_view name, Diagnostics& diagnostics);

  /// All unit file names of the search path and the binary, sorted: templates too.
  std::vector<std::string> all_names();

  /// The path of the fragment, empty if there is none; "/dev/null" when masked.
  std::string fragment_of(std::string_view name);
  /// The paths of its drop-ins as they lie there now, a template's too; masks left out.
  std::vector<std::string> dropins_of(std::string_view name);

  /// Lists the search path again if a directory of it has changed since; whether
  /// it has. What was loaded before stays as it is.
  bool refresh();
  /// Lets refresh() list it in any case: two changes can be too close to be told by their time.
  void expect_change();
  /// How often the search path has been listed.
  [[nodiscard]] unsigned listings() const;
  /// Whether a file of a unit that was loaded is another one now, or has gone, or
  /// a drop-in has come or gone: what "daemon-reload" would make good.
  bool has_changed(const Unit& unit);

  const LoaderConfig& config() const;
  UnitIndex& index();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onset
