#pragma once
// The unit files of a world.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/builder.h"
#include "sim/world_plan.h"
#include "support/memory_files.h"
#include "unit/loader.h"

namespace onset::sim {

/// Units of a plan through the real loader, and behind them those of the binary. What has
/// been read is kept as long as the files are the same: reading is most of what a world costs.
class SimUnits final : public UnitSource {
 public:
  explicit SimUnits(const WorldPlan& plan);
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override;
  bool refresh() override { return false; }
  /// As after a change on disk and daemon-reload. The files that were or are the unit's, as
  /// below the folder of units: drop-ins and links that its text names are others'.
  std::vector<std::string> set(const std::string& name, std::string_view text);
  /// "service": whether there is a drop-in of all services, the binary's too.
  [[nodiscard]] bool has_dropin_of(std::string_view type) const;

 private:
  struct Reading {
    std::unique_ptr<Unit> unit;
    Diagnostics diagnostics;
  };
  using Readings = std::map<std::string, Reading, std::less<>>;

  [[nodiscard]] bool is_builtin_alone(std::string_view name) const;
  static Readings& readings_of_builtin();

  test::MemoryFiles files_;
  void write(const std::string& name, const std::string& file, std::string_view text);

  std::map<std::string, std::vector<std::string>, std::less<>> paths_;  ///< by the plan's unit
  std::unique_ptr<UnitLoader> loader_;
  Readings readings_;
};

}  // namespace onset::sim
