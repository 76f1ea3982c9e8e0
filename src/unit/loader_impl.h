#pragma once
// The loader's own rooms, nobody else's: loader.cpp follows a name to its files,
// loader_text.cpp turns a file into members, loader_folders.cpp has what lies
// beside it.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/directives.h"
#include "unit/loader.h"
#include "unit/unit_index.h"

namespace onset {

struct UnitLoader::Impl {
  Impl(FileSource& source, LoaderConfig given)
      : config(std::move(given)),
        files(source),
        index(source, config.root, config.search_path, config.builtin, index_diagnostics),
        index_told(index_diagnostics) {
    check_directories();
  }

  LoaderConfig config;
  FileSource& files;
  Diagnostics index_diagnostics;  ///< of the listing; given out with the next unit
  UnitIndex index;
  Diagnostics index_told;  ///< all that the listing had to say: said once
  unsigned listings = 1;

  /// One unit on its way.
  struct Loading {
    Unit& unit;
    Diagnostics& diagnostics;
    std::vector<NotYetUse> not_yet;
    bool install_only = false;  ///< the other sections are skipped
  };

  void check_directories();
  std::string permission_problem(const FileStatus& status) const;
  void fail(Unit& unit, LoadState state, std::string_view path, unsigned line,
            std::string_view why);
  void read_fragment(Loading& loading, const UnitFileEntry& entry);
  std::vector<std::string> dropins_of(const Unit& unit);
  bool has_changed(const Unit& unit);
  void read_dropins(Loading& loading, const std::vector<std::string>& names);
  bool read_file(Loading& loading, const std::string& path, std::string& text, FileStatus& status);
  void apply_text(Loading& loading, std::string_view text, const std::string& path);
  void read_dependency_folders(Loading& loading, const std::vector<std::string>& names);
  void add_folder_dependency(Loading& loading, const std::string& path, DependencyKind kind);
  void tell_not_honoured(Loading& loading);
  void tell_in_one_line(Loading& loading);
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics);
  [[nodiscard]] bool udev_is_installed() const;
  void load_files(Loading& loading, const Resolved& resolved);
  InstallConfig load_install(std::string_view name, Diagnostics& diagnostics);
};

}  // namespace onset
