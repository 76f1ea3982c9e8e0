// Memory that runs out while units are loaded, many of them, or all again.
#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>

#include "engine/manager.h"
#include "support/failing_new.h"
#include "support/fake_os.h"
#include "support/unit_table.h"

using namespace onset;
using namespace onset::test;
using std::chrono::milliseconds;

namespace {

std::string service(std::string_view more = "") {
  return "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/x\n" + std::string(more);
}

/// Reading files is not the engine's.
class Files final : public UnitSource {
 public:
  explicit Files(UnitTable::Rows rows) : table_(std::move(rows)) {}
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics) override {
    CHECK_FALSE(is_dropped);
    const UnfailingNew ours;
    return table_.load(name, diagnostics);
  }
  bool refresh() override {
    CHECK_FALSE(is_dropped);
    return false;
  }

  bool is_dropped = false;  ///< the caller of reload() has taken it back

 private:
  UnitTable table_;
};

struct World {
  explicit World(UnitTable::Rows rows, const ManagerConfig& config = {})
      : files(std::move(rows)), manager(os, files, config) {}

  bool start(std::string_view name) {
    return manager.request(name, JobType::Start, JobMode::Replace, now).ok();
  }
  void pass(Duration d) {
    const MonoTime end = now.mono + d;
    while (manager.next_deadline() <= end) {
      now.mono = std::max(manager.next_deadline(), now.mono);
      manager.elapse(now);
    }
    now.mono = end;
  }
  [[nodiscard]] UnitId id(std::string_view name) const { return manager.graph().find(name); }
  [[nodiscard]] std::string sub(std::string_view name) const {
    return id(name).valid() ? std::string(manager.sub_state(id(name))) : "unknown";
  }

  FakeOs os;
  Files files;
  Manager manager;
  Timestamp now{MonoTime{1000000}, WallTime{1700000000000000}};
};

/// False: it ended in bad_alloc, as the loop of PID 1 sees it.
bool tell(const std::function<void()>& act, unsigned left, bool& ran_out,
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

}  // namespace

TEST_CASE("P1: the files of a daemon-reload that memory runs out in are used or given back",
          "[engine][memory][P1]") {
  for (const unsigned failures : {1U, UINT_MAX}) {
    bool ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      World w{{{"a.service", service()}}};
      REQUIRE(w.start("a.service"));
      Files fresh{{{"a.service", service("Nonsense=1\n")}, {"b.service", service()}}};
      Diagnostics diagnostics;
      fresh.is_dropped =
          !tell([&] { w.manager.reload(fresh, w.now, diagnostics); }, left, ran_out, failures);
      w.pass(milliseconds(500));
      CHECK_FALSE(w.manager.is_behind());
      (void)w.start("b.service");
      CHECK(w.sub("b.service") == (fresh.is_dropped ? "dead" : "running"));
      if (!fresh.is_dropped) CHECK(w.manager.load_diagnostics().size() == 1);
      w.manager.collect();
    }
  }
}

TEST_CASE("P1: memory that runs out while a thousand units load leaves each with a runtime",
          "[engine][memory][P1]") {
  constexpr unsigned kUnits = 1000;
  std::string wants = "[Unit]\nDefaultDependencies=no\n";
  for (unsigned i = 0; i < kUnits; ++i) wants += "Wants=a@" + std::to_string(i) + ".service\n";
  const UnitTable::Rows rows{{"all.target", wants}, {"a@.service", service()}};
  bool ran_out = true;
  for (unsigned left = 0; ran_out; left += 1499) {
    CAPTURE(left);
    World w{rows};
    (void)tell([&] { w.manager.load("all.target"); }, left, ran_out);
    for (std::uint32_t i = 0; i < w.manager.graph().size(); ++i) {
      REQUIRE(w.manager.active_state(UnitId{i}) != ActiveState::Failed);
    }
    w.pass(milliseconds(500));
    REQUIRE(w.start("all.target"));
    CHECK(w.os.alive.size() == kUnits);
  }
}

TEST_CASE("P1: what exists as long as PID 1 is active wherever memory runs out while it is loaded",
          "[engine][memory][P1]") {
  const auto name = GENERATE(as<std::string>(), "-.slice", "init.scope");
  const UnitTable::Rows rows{{"a.service", service()}};
  const auto check = [&](World& w) {
    const UnitId id = w.id(name);
    if (id.valid()) CHECK(w.manager.active_state(id) == ActiveState::Active);
  };
  for (const unsigned failures : {1U, UINT_MAX}) {
    bool ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      World w{rows};
      (void)tell([&] { w.manager.load(name); }, left, ran_out, failures);
      check(w);
      w.pass(milliseconds(500));
      check(w);
    }
    ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      World w{rows};
      REQUIRE(w.manager.load(name).valid());
      Files fresh{rows};
      Diagnostics diagnostics;
      (void)tell([&] { w.manager.reload(fresh, w.now, diagnostics); }, left, ran_out, failures);
      check(w);
      w.pass(milliseconds(500));
      check(w);
      (void)w.manager.load(name);
      check(w);
      CHECK(w.id(name).valid());
    }
  }
}
