// Units without processes: the table of docs/states.md, made by running the manager.
#include <catch2/catch.hpp>

#include <cstdio>
#include <memory>

#include "base/format.h"
#include "engine/manager.h"
#include "support/fake_os.h"
#include "unit/name.h"

namespace onset::test {
namespace {

constexpr std::string_view kBegin = "<!-- made by plain_states_test: begin -->\n";
constexpr std::string_view kEnd = "<!-- made by plain_states_test: end -->";

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
  bool is_mounted = true;
};
constexpr std::array kRows{Row{"target", UnitType::Target, "a.target"},
                           Row{"slice", UnitType::Slice, "a.slice"},
                           Row{"`-.slice`", UnitType::Slice, "-.slice"},
                           Row{"scope", UnitType::Scope, "a.scope"},
                           Row{"mount", UnitType::Mount, "a.mount"},
                           Row{"mount, not mounted", UnitType::Mount, "a.mount", false},
                           Row{"socket", UnitType::Socket, "a.socket"},
                           Row{"device", UnitType::Device, "a.device"},
                           Row{"automount", UnitType::Automount, "a.automount"},
                           Row{"swap", UnitType::Swap, "a.swap"},
                           Row{"timer", UnitType::Timer, "a.timer"},
                           Row{"path", UnitType::Path, "a.path"}};

std::string table() {
  std::string out = "| unit | state | job | next | result |\n|---|---|---|---|---|\n";
  const Timestamp now{MonoTime{1000000}, WallTime{1700000000000000}};
  for (const Row& row : kRows) {
    FakeOs os;
    if (!row.is_mounted) os.false_conditions.insert("/a");
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

std::string document_path() {
  return ONSET_ORACLE_DIR "/../../docs/states.md";
}

std::string read_document() {
  std::string text;
  std::FILE* f = std::fopen(document_path().c_str(), "r");
  REQUIRE(f != nullptr);
  char buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, f)) > 0;)
    text.append(buffer, n);
  std::fclose(f);
  return text;
}

TEST_CASE("docs/states.md shows the units without processes as they are", "[engine][plain]") {
  const std::string text = read_document();
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  INFO("if the change is meant: engine_tests \"docs/states.md gets its plain units anew\"");
  CHECK(text.substr(begin + kBegin.size(), end - begin - kBegin.size()) == "\n" + table() + "\n");
}

TEST_CASE("docs/states.md gets its plain units anew", "[.][write]") {
  std::string text = read_document();
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  REQUIRE(end != std::string::npos);
  text.replace(begin + kBegin.size(), end - begin - kBegin.size(), "\n" + table() + "\n");
  std::FILE* f = std::fopen(document_path().c_str(), "w");
  REQUIRE(f != nullptr);
  std::fwrite(text.data(), 1, text.size(), f);
  std::fclose(f);
}

TEST_CASE("every type of unit but the service is in that table", "[engine][plain]") {
  for (unsigned i = 0; i < kUnitTypes; ++i) {
    const auto type = static_cast<UnitType>(i);
    CAPTURE(to_string(type));
    CHECK((type == UnitType::Service || std::ranges::find(kRows, type, &Row::type) != kRows.end()));
  }
}

}  // namespace
}  // namespace onset::test
