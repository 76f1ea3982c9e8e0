#pragma once
// The engine's source of units on this machine: a loader over the real files,
// made anew for every reload.

#include <memory>
#include <string>
#include <utility>

#include "graph/builder.h"
#include "unit/loader.h"

namespace onset {

class LoadedFiles final : public UnitSource {
 public:
  LoadedFiles(FileSource& files, LoaderConfig config) : loader_(files, std::move(config)) {}
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override {
    return loader_.load(name, diagnostics);
  }
  /// The control methods make the loader look as well: what counts is whether it
  /// has listed the search path since the engine asked last.
  bool refresh() override {
    loader_.refresh();
    const unsigned seen = std::exchange(listings_, loader_.listings());
    return seen != listings_;
  }
  [[nodiscard]] UnitLoader& loader() { return loader_; }

 private:
  UnitLoader loader_;
  unsigned listings_ = 1;
};

/// The folders of `path` (colon-joined): the usual ones if it is empty, and a colon
/// at its end adds them.
std::vector<std::string> folders_of_path(const std::string& path, std::vector<std::string> usual);

/// The search path of a manager: `unit_path` (colon-joined) if given, a trailing
/// colon adding the default one, as SYSTEMD_UNIT_PATH has it.
std::vector<std::string> manager_search_path(const std::string& unit_path, bool user_manager,
                                             const HostFacts& host);

}  // namespace onset
