#pragma once
// A unit from text through the real loader, for tests in sentences.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/memory_files.h"
#include "unit/loader.h"

namespace onset::test {

struct LoadedUnit {
  std::unique_ptr<Unit> unit;
  Diagnostics diagnostics;
  /// "FILE:LINE: message" of all, one a line.
  [[nodiscard]] std::string told() const;
  [[nodiscard]] bool tells(std::string_view part) const;
};

/// A loader over `files` with the system's search path; no units of the binary.
LoaderConfig loader_config();
LoadedUnit load_from(MemoryFiles& files, std::string_view name,
                     LoaderConfig config = loader_config());
/// One file, /etc/systemd/system/NAME.
LoadedUnit load_text(std::string_view name, std::string_view text);
/// The text as [Service] of a.service behind a valid ExecStart=.
LoadedUnit load_service(std::string_view settings);

/// "Kind:name" of the dependencies with that kind, in order.
std::vector<std::string> names_of(const Unit& unit, DependencyKind kind);

}  // namespace onset::test
