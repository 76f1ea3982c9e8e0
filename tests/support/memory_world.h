#pragma once
// A manager for tests of memory that runs out: reading files is not the engine's, so there is
// always memory for it unless a test says otherwise.

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <new>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/manager.h"
#include "support/failing_new.h"
#include "support/fake_os.h"
#include "support/unit_table.h"

namespace onset::test {

inline std::string service(std::string_view more = "", std::string_view unit = "") {
  return "[Unit]\nDefaultDependencies=no\n" + std::string(unit) + "[Service]\nExecStart=/bin/x\n" +
         std::string(more);
}

class UnfailingFiles final : public UnitSource {
 public:
  explicit UnfailingFiles(UnitTable::Rows rows) : table_(std::move(rows)) {}
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override {
    CHECK_FALSE(is_dropped);
    const UnfailingNew ours;
    asked.emplace_back(name);
    if (too_large.contains(std::string(name))) throw std::bad_alloc();
    return table_.load(name, diagnostics);
  }
  bool refresh() override {
    CHECK_FALSE(is_dropped);
    return false;
  }
  [[nodiscard]] long times_asked(std::string_view name) const {
    return std::ranges::count(asked, name);
  }

  std::set<std::string> too_large;  ///< there is no memory for these
  std::vector<std::string> asked;
  bool is_dropped = false;  ///< the caller of reload() has taken it back

 private:
  UnitTable table_;
};

struct MemoryWorld {
  explicit MemoryWorld(UnitTable::Rows rows, const ManagerConfig& config = {})
      : files(std::move(rows)), manager(os, files, config) {}

  bool start(std::string_view name) {
    return manager.request(name, JobType::Start, JobMode::Replace, now).ok();
  }
  /// The newest process of the unit ends.
  void exit(std::string_view name) { end(os.pid_of(name)); }
  void end(pid_t pid) {
    os.vanish(pid);
    manager.process_exited(pid, {ExitKind::Exited, 0}, now);
  }
  void pass(Duration d) {
    const MonoTime until = now.mono + d;
    while (manager.next_deadline() <= until) {
      now.mono = std::max(manager.next_deadline(), now.mono);
      manager.elapse(now);
    }
    now.mono = until;
  }
  [[nodiscard]] UnitId id(std::string_view name) const { return manager.graph().find(name); }
  [[nodiscard]] std::string sub(std::string_view name) const {
    return id(name).valid() ? std::string(manager.sub_state(id(name))) : "unknown";
  }

  FakeOs os;
  UnfailingFiles files;
  Manager manager;
  Timestamp now{MonoTime{1000000}, WallTime{1700000000000000}};
};

/// Memory for so many allocations. False: it ended in bad_alloc, as the loop of PID 1 sees it.
inline bool tell(const std::function<void()>& act, unsigned left, bool& ran_out,
                 unsigned failures = UINT_MAX) {
  bool is_told = true;
  const FailingNew failing(left, failures);
  try {
    act();
  } catch (const std::bad_alloc&) {
    is_told = false;
  }
  ran_out = FailingNew::count() > 0;
  return is_told;
}

}  // namespace onset::test
