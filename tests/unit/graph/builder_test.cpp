#include "graph/builder.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "support/unit_table.h"

using namespace onset;
using namespace onset::test;

namespace {

struct World {
  explicit World(UnitTable::Rows rows) : table(complete(std::move(rows))) {}
  static UnitTable::Rows complete(UnitTable::Rows rows) {
    for (auto& [name, text] : rows) text = unit_text(name, text, true);
    return rows;
  }
  UnitTable table;
  UnitGraph graph;
  Diagnostics diagnostics;
  UnitId load(std::string_view name) {
    return ensure_loaded(graph, table, name, false, diagnostics);
  }
  [[nodiscard]] LoadState state(std::string_view name) const {
    const UnitId id = graph.find(name);
    return id.valid() ? graph.unit(id).load_state : LoadState::Stub;
  }
  [[nodiscard]] bool has(std::string_view from, DependencyKind kind, std::string_view to) const {
    const UnitId a = graph.find(from);
    const UnitId b = graph.find(to);
    return a.valid() && b.valid() && graph.between(a, b).has(kind);
  }
};

const std::string kBare = "DefaultDependencies=no\n";

}  // namespace

TEST_CASE("a unit comes with everything that it names", "[graph][builder]") {
  World w{{{"a.service", kBare + "Requires=b.service\nAfter=c.service\n"},
           {"b.service", kBare + "Wants=d.service\n"},
           {"c.service", kBare},
           {"e.service", kBare}}};
  const UnitId a = w.load("a.service");
  CHECK(w.graph.find("a.service") == a);
  CHECK(w.state("b.service") == LoadState::Loaded);
  CHECK(w.state("c.service") == LoadState::Loaded);
  CHECK(w.state("d.service") == LoadState::NotFound);
  CHECK_FALSE(w.graph.find("e.service").valid());
  CHECK(w.has("a.service", DependencyKind::Requires, "b.service"));
  CHECK(w.has("d.service", DependencyKind::WantedBy, "b.service"));
  CHECK(w.graph.unit(a).config.dependencies.empty());
}

TEST_CASE("what is loaded is not loaded again, and ids stay", "[graph][builder]") {
  World w{{{"a.service", kBare + "Wants=b.service\n"}, {"b.service", kBare + "Wants=a.service\n"}}};
  const UnitId a = w.load("a.service");
  const UnitId b = w.load("b.service");
  const std::size_t asked = w.table.asked.size();
  CHECK(w.load("a.service") == a);
  CHECK(w.load("b.service") == b);
  CHECK(w.table.asked.size() == asked);
  CHECK(std::count(w.table.asked.begin(), w.table.asked.end(), "a.service") == 1);
}

TEST_CASE("an alias is the unit that it names, whichever is met first", "[graph][builder]") {
  for (const char* first : {"a.service", "real.service", "alias.service"}) {
    World w{{{"a.service", kBare + "Requires=alias.service\nAfter=real.service\n"},
             {"real.service", kBare},
             {"alias.service", "-> real.service"}}};
    w.load(first);
    const UnitId a = w.load("a.service");
    const UnitId real = w.load("real.service");
    CHECK(w.load("alias.service") == real);
    CHECK(w.graph.unit(real).id == "real.service");
    CHECK(w.graph.between(a, real).has(DependencyKind::Requires));
    CHECK(w.graph.between(a, real).has(DependencyKind::After));
  }
}

TEST_CASE("reserved ids are filled, by an alias too", "[graph][builder]") {
  World w{{{"a.service", kBare + "Wants=b.service\n"},
           {"b.service", kBare},
           {"old.service", "-> b.service"}}};
  const UnitId old = w.graph.reserve("old.service");
  const UnitId b = w.graph.reserve("b.service");
  const UnitId a = w.graph.reserve("a.service");
  CHECK(w.load("a.service") == a);
  CHECK(w.state("b.service") == LoadState::Loaded);
  CHECK(w.graph.find("b.service") == b);
  CHECK(w.load("old.service") == b);
  CHECK(w.graph.find("old.service") == b);
  CHECK(w.graph.unit(old).load_state == LoadState::Merged);

  World alone{{{"b.service", kBare}, {"old.service", "-> b.service"}}};
  const UnitId kept = alone.graph.reserve("old.service");
  CHECK(alone.load("old.service") == kept);
  CHECK(alone.graph.find("b.service") == kept);
}

TEST_CASE("what is masked or broken is in the graph, without its dependencies",
          "[graph][builder]") {
  World w{{{"a.service", kBare + "Wants=m.service b.service\n"},
           {"m.service", "/dev/null"},
           {"b.service", "Wants=x.service\nNonsense=1\n"}}};
  w.load("a.service");
  CHECK(w.state("m.service") == LoadState::Masked);
  CHECK(w.state("b.service") == LoadState::BadSetting);
  CHECK_FALSE(w.graph.find("x.service").valid());
}

TEST_CASE("a name that is none is refused", "[graph][builder]") {
  /// A source that lets names through that the loader would not.
  struct Careless final : UnitSource {
    std::unique_ptr<Unit> load(std::string_view name, Diagnostics&) override {
      auto unit = std::make_unique<Unit>();
      unit->id = name;
      unit->load_state = LoadState::Loaded;
      unit->fragment_path = "/etc/systemd/system/a.service";
      unit->config.default_dependencies = false;
      for (const char* other : {"nonsense", "../b.service", "t@.service"}) {
        unit->config.dependencies.push_back({DependencyKind::Wants, other});
      }
      return unit;
    }
  } source;
  UnitGraph graph;
  Diagnostics diagnostics;
  for (const char* name : {"nonsense", "../a.service", "t@.service", ""}) {
    CHECK_FALSE(ensure_loaded(graph, source, name, false, diagnostics).valid());
  }
  REQUIRE(ensure_loaded(graph, source, "a.service", false, diagnostics).valid());
  REQUIRE(diagnostics.size() == 3);
  CHECK(to_string(diagnostics[0]) ==
        "/etc/systemd/system/a.service: Wants=nonsense: not the name of a unit, ignoring");
}

TEST_CASE("slices need no file, and their parents come along", "[graph][builder]") {
  World w{{{"a.service", kBare + "[Service]\nSlice=x-y.slice\n"}}};
  w.load("a.service");
  CHECK(w.state("x-y.slice") == LoadState::Loaded);
  CHECK(w.state("x.slice") == LoadState::Loaded);
  CHECK(w.state("-.slice") == LoadState::Loaded);
  CHECK(w.has("a.service", DependencyKind::InSlice, "x-y.slice"));
  CHECK(w.has("x-y.slice", DependencyKind::Requires, "x.slice"));
  CHECK(w.has("x.slice", DependencyKind::SliceOf, "x-y.slice"));
}

TEST_CASE("mounts are required where they exist, and missed in silence", "[graph][builder]") {
  World w{{{"a.service", kBare + "RequiresMountsFor=/srv/data/x\n"},
           {"b.service", kBare + "RequiresMountsFor=/srv/data\n[Service]\nWorkingDirectory=/opt\n"},
           {"srv-data.mount", kBare + "[Mount]\nWhat=none\n"},
           {"opt.mount", "/dev/null"}}};
  w.load("a.service");
  w.load("b.service");
  CHECK(w.has("a.service", DependencyKind::Requires, "srv-data.mount"));
  CHECK(w.has("a.service", DependencyKind::After, "srv-data.mount"));
  CHECK(w.has("b.service", DependencyKind::Requires, "srv-data.mount"));
  CHECK_FALSE(w.graph.find("srv.mount").valid());
  CHECK_FALSE(w.graph.find("srv-data-x.mount").valid());
  CHECK_FALSE(w.has("b.service", DependencyKind::Requires, "opt.mount"));
  for (const Diagnostic& d : w.diagnostics) CHECK(d.severity == Severity::Note);
}

TEST_CASE("a target is ordered after what it pulls in", "[graph][builder]") {
  World w{{{"t.target",
            "Wants=a.service b.service c.service missing.service\nAfter=d.service\n"
            "Requires=u.target\n"},
           {"a.service", ""},
           {"b.service", kBare},
           {"c.service", "After=t.target\n"},
           {"d.service", ""},
           {"u.target", ""}}};
  w.load("t.target");
  CHECK(w.has("t.target", DependencyKind::After, "a.service"));
  CHECK(w.has("t.target", DependencyKind::After, "u.target"));
  CHECK_FALSE(w.has("t.target", DependencyKind::After, "b.service"));
  CHECK_FALSE(w.has("t.target", DependencyKind::After, "c.service"));
  CHECK_FALSE(w.has("t.target", DependencyKind::After, "missing.service"));
  CHECK_FALSE(w.has("t.target", DependencyKind::Wants, "d.service"));
}

TEST_CASE("a target that is only wanted from outside gets no order", "[graph][builder]") {
  World w{{{"a.service", kBare + "Wants=t.target\n"}, {"t.target", ""}}};
  w.load("a.service");
  CHECK_FALSE(w.has("t.target", DependencyKind::After, "a.service"));
  CHECK_FALSE(w.has("a.service", DependencyKind::After, "t.target"));
}

TEST_CASE("Before= on a device has no effect", "[graph][builder]") {
  World w{{{"a.service", kBare + "Before=dev-sda.device\nAfter=dev-sdb.device\n"}}};
  w.load("a.service");
  CHECK_FALSE(w.has("a.service", DependencyKind::Before, "dev-sda.device"));
  CHECK(w.has("a.service", DependencyKind::After, "dev-sdb.device"));
}
