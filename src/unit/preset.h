#pragma once
// Preset files: which units are enabled when they are installed
// (systemd.preset(5)). The first rule that matches a name decides; a name that
// none matches is enabled.

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/file_source.h"

namespace onset {

struct PresetAnswer {
  bool enable = true;
  std::vector<std::string> instances;  ///< of a template: those to enable
};

class PresetRules {
 public:
  /// Adds the rules of one file, behind those that are there.
  void add(std::string_view text, const std::string& path, Diagnostics& diagnostics);
  [[nodiscard]] PresetAnswer ask(std::string_view name) const;

 private:
  struct Rule {
    bool enable = true;
    std::string pattern;
    std::vector<std::string> instances;
  };
  std::vector<Rule> rules_;
};

/// All *.preset files of the preset directories, by file name; of equal names
/// the first directory's, and /dev/null hides. Paths are below `root`.
PresetRules read_presets(FileSource& files, const std::string& root, bool user_manager,
                         Diagnostics& diagnostics);

}  // namespace onset
