// Units without processes: the table of docs/states.md, made by running the manager.
#include <catch2/catch.hpp>

#include <memory>

#include "base/format.h"
#include "engine/manager.h"
#include "support/fake_os.h"
#include "support/states_document.h"
#include "unit/name.h"

namespace onset::test {
namespace {

constexpr std::string_view kMaker = "plain_states_test";

/// Every unit is there, and says nothing.
class AnyUnit final : public UnitSource {
 public:
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics&) override {
    auto unit = std::make_unique<Unit>();
    unit->id = name;
    unit->load_state = LoadState::Loaded;
    return unit;
  }
};

class Results final : public ManagerListener {
 public:
  void job_queued(const Job&) override {}
  void job_done(const Job&, JobResult result) override { last = std::string(to_string(result)); }
  void unit_changed(UnitId) override {}
  bool is_pinned(UnitId) const override { return false; }
  std::string last;
};

struct Row {
  std::string_view what;
  UnitType type;
  std::string_view name;
};
constexpr std::array kRows{
    Row{"target", UnitType::Target, "a.target"},  Row{"slice", UnitType::Slice, "a.slice"},
    Row{"`-.slice`", UnitType::Slice, "-.slice"}, Row{"scope", UnitType::Scope, "a.scope"},
    Row{"device", UnitType::Device, "a.device"},  Row{"timer", UnitType::Timer, "a.timer"},
    Row{"path", UnitType::Path, "a.path"}};

std::string table() {
  std::string out = "| unit | state | job | next | result |\n|---|---|---|---|---|\n";
  const Timestamp now{MonoTime{1000000}, WallTime{1700000000000000}};
  for (const Row& row : kRows) {
    FakeOs os;
    AnyUnit units;
    Manager manager(os, units, {});
    Results results;
    manager.set_listener(&results);
    const UnitId id = manager.load(row.name);
    for (const JobType job : {JobType::Start, JobType::Reload, JobType::Stop}) {
      const auto state = [&] { return to_string(manager.active_state(id)); };
      const std::string before(state());
      results.last = "refused";
      (void)manager.request(row.name, job, JobMode::Replace, now);
      out += format("| {} | {} | {} | {} | {} |\n", row.what, before, to_string(job), state(),
                    results.last);
    }
  }
  return out;
}

TEST_CASE("docs/states.md shows the units without processes as they are", "[engine][plain]") {
  INFO("if the change is meant: engine_tests \"docs/states.md gets its plain units anew\"");
  CHECK(shown_in_states(kMaker) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its plain units anew", "[.][write]") {
  write_into_states(kMaker, "\n" + table() + "\n");
}

TEST_CASE("every type of unit without a state machine is in that table", "[engine][plain]") {
  for (unsigned i = 0; i < kUnitTypes; ++i) {
    const auto type = static_cast<UnitType>(i);
    CAPTURE(to_string(type));
    const bool has_machine = type == UnitType::Service || type == UnitType::Socket ||
                             type == UnitType::Automount || type == UnitType::Mount ||
                             type == UnitType::Swap;
    CHECK((has_machine || std::ranges::find(kRows, type, &Row::type) != kRows.end()));
  }
}

}  // namespace
}  // namespace onset::test
