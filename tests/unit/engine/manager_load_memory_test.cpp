// Memory that runs out while units are loaded, many of them, or all again.
#include <catch2/catch.hpp>

#include "support/memory_world.h"

using namespace onset;
using namespace onset::test;
using std::chrono::milliseconds;

TEST_CASE("P1: the files of a daemon-reload that memory runs out in are used or given back",
          "[engine][memory][P1]") {
  for (const unsigned failures : {1U, UINT_MAX}) {
    bool ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      MemoryWorld w{{{"a.service", service()}}};
      REQUIRE(w.start("a.service"));
      UnfailingFiles fresh{{{"a.service", service("Nonsense=1\n")}, {"b.service", service()}}};
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
    MemoryWorld w{rows};
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
  const auto check = [&](MemoryWorld& w) {
    const UnitId id = w.id(name);
    if (id.valid()) CHECK(w.manager.active_state(id) == ActiveState::Active);
  };
  for (const unsigned failures : {1U, UINT_MAX}) {
    bool ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      MemoryWorld w{rows};
      (void)tell([&] { w.manager.load(name); }, left, ran_out, failures);
      check(w);
      w.pass(milliseconds(500));
      check(w);
    }
    ran_out = true;
    for (unsigned left = 0; ran_out; ++left) {
      CAPTURE(left, failures);
      MemoryWorld w{rows};
      REQUIRE(w.manager.load(name).valid());
      UnfailingFiles fresh{rows};
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
