#pragma once
// Units from a table of names and texts, for tests of the graph and the engine,
// read by the real loader:
//
//   UnitTable units{{{"a.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/a\n"},
//                    {"b.service", "-> a.service"},     an alias
//                    {"c.service", "/dev/null"}}};      a mask
//
// What is not in the table is not found. A unit that the loader has anything to
// say about is a bad setting, so that a test can't rely on what is not read.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "support/memory_files.h"
#include "unit/loader.h"

namespace onset::test {

/// The text of a unit from the lines that a test is about: of [Unit], and after
/// a line "[Service]" of that. A service runs /bin/true.
std::string unit_text(std::string_view name, std::string_view settings, bool defaults);

class UnitTable final : public UnitSource {
 public:
  using Rows = std::vector<std::pair<std::string, std::string>>;
  explicit UnitTable(Rows rows);

  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override;
  /// Adds or replaces a row.
  void set(const std::string& name, std::string text);
  /// The same of a unit that is made while the system runs.
  void set_transient(const std::string& name, std::string text);
  bool refresh() override { return std::exchange(changed_, false); }

  /// Every name that was asked for, in order.
  std::vector<std::string> asked;

 private:
  bool changed_ = false;
  MemoryFiles files_;
  std::unique_ptr<UnitLoader> loader_;
};

}  // namespace onset::test
