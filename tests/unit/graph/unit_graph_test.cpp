#include <array>

#include "graph/unit_graph.h"

#include <catch2/catch.hpp>

#include <string>

using namespace onset;

namespace {

std::unique_ptr<Unit> unit(std::string id, LoadState state = LoadState::Loaded) {
  auto u = std::make_unique<Unit>();
  u->id = std::move(id);
  u->load_state = state;
  return u;
}

UnitId add(UnitGraph& graph, std::string id) {
  return graph.add(unit(std::move(id)));
}

}  // namespace

TEST_CASE("the inverse of an inverse is the kind itself, and names are told apart",
          "[graph][unit_graph]") {
  for (unsigned k = 0; k < kDependencyKinds; ++k) {
    const auto kind = static_cast<DependencyKind>(k);
    CHECK(inverse(inverse(kind)) == kind);
    for (unsigned other = 0; other < k; ++other) {
      CHECK(to_string(kind) != to_string(static_cast<DependencyKind>(other)));
    }
  }
  CHECK(inverse(DependencyKind::Requires) == DependencyKind::RequiredBy);
  CHECK(inverse(DependencyKind::PartOf) == DependencyKind::ConsistsOf);
  CHECK(inverse(DependencyKind::Requisite) == DependencyKind::RequisiteOf);
  CHECK(inverse(DependencyKind::After) == DependencyKind::Before);
  CHECK(inverse(DependencyKind::JoinsNamespaceOf) == DependencyKind::JoinsNamespaceOf);
  CHECK(to_string(DependencyKind::PropagatesStopTo) == "PropagatesStopTo");
}

TEST_CASE("kinds between two units share one edge, seen from both ends", "[graph][unit_graph]") {
  UnitGraph graph;
  const UnitId a = add(graph, "a.service");
  const UnitId b = add(graph, "b.service");
  graph.add_dependency(a, DependencyKind::Requires, b);
  graph.add_dependency(a, DependencyKind::After, b);
  graph.add_dependency(b, DependencyKind::Wants, a);
  REQUIRE(graph.dependencies(a).size() == 1);
  REQUIRE(graph.dependencies(b).size() == 1);
  CHECK(graph.between(a, b).has(DependencyKind::Requires));
  CHECK(graph.between(a, b).has(DependencyKind::After));
  CHECK(graph.between(a, b).has(DependencyKind::WantedBy));
  CHECK(graph.between(b, a).has(DependencyKind::RequiredBy));
  CHECK(graph.between(b, a).has(DependencyKind::Before));
  static_assert(sizeof(Dependency) == 8);

  graph.remove_dependency(a, DependencyKind::Requires, b);
  CHECK_FALSE(graph.between(a, b).has(DependencyKind::Requires));
  CHECK_FALSE(graph.between(b, a).has(DependencyKind::RequiredBy));
  graph.remove_dependency(a, DependencyKind::After, b);
  graph.remove_dependency(b, DependencyKind::Wants, a);
  CHECK(graph.dependencies(a).empty());
  CHECK(graph.dependencies(b).empty());
}

TEST_CASE("a unit does not depend on itself", "[graph][unit_graph]") {
  UnitGraph graph;
  const UnitId a = add(graph, "a.service");
  graph.add_dependency(a, DependencyKind::After, a);
  CHECK(graph.dependencies(a).empty());
  CHECK(graph.between(a, a).empty());
}

TEST_CASE("every name of a unit leads to it, and a taken name stays", "[graph][unit_graph]") {
  UnitGraph graph;
  auto u = unit("a.service");
  u->aliases = {"b.service"};
  const UnitId a = graph.add(std::move(u));
  const UnitId c = add(graph, "c.service");
  graph.add_name("b.service", c);
  CHECK(graph.find("a.service") == a);
  CHECK(graph.find("b.service") == a);
  CHECK(graph.find("c.service") == c);
  CHECK_FALSE(graph.find("d.service").valid());
}

TEST_CASE("a reserved name keeps its id when its unit comes", "[graph][unit_graph]") {
  UnitGraph graph;
  const UnitId a = graph.reserve("a.target");
  CHECK(graph.reserve("a.target") == a);
  CHECK(graph.unit(a).load_state == LoadState::Stub);
  CHECK(graph.unit(a).type == UnitType::Target);
  graph.set_unit(a, unit("a.target"));
  CHECK(graph.find("a.target") == a);
  CHECK(graph.unit(a).load_state == LoadState::Loaded);
}

TEST_CASE("a unit may have the kinds that its edges have", "[graph][unit_graph]") {
  UnitGraph graph;
  const UnitId a = add(graph, "a.service");
  const UnitId b = add(graph, "b.service");
  CHECK_FALSE(graph.may_have(a, {DependencyKind::BindsTo, DependencyKind::After}));
  graph.add_dependency(a, DependencyKind::BindsTo, b);
  CHECK(graph.may_have(a, {DependencyKind::BindsTo, DependencyKind::After}));
  CHECK_FALSE(graph.may_have(a, {DependencyKind::After}));
  CHECK(graph.may_have(b, {DependencyKind::BoundBy}));
  CHECK_FALSE(graph.may_have(b, {DependencyKind::BindsTo}));

  UnitGraph fresh;
  for (const char* name : {"a.service", "b.service"}) fresh.reserve(name);
  fresh.keep_unit(a, graph);
  CHECK(fresh.may_have(a, {DependencyKind::BindsTo}));
  CHECK(fresh.may_have(b, {DependencyKind::BoundBy}));
  fresh.remove({{a}});
  CHECK_FALSE(fresh.may_have(fresh.reserve("c.service"), {DependencyKind::BindsTo}));
}

TEST_CASE("a kept unit brings its own dependencies, not those of others", "[graph][unit_graph]") {
  UnitGraph old;
  const UnitId a = add(old, "a.service");
  const UnitId b = add(old, "b.service");
  const UnitId c = add(old, "c.service");
  old.add_dependency(a, DependencyKind::Requires, b);
  old.add_dependency(a, DependencyKind::After, b);
  old.add_dependency(c, DependencyKind::Requires, a);

  UnitGraph fresh;
  for (const char* name : {"a.service", "b.service", "c.service"}) fresh.reserve(name);
  fresh.keep_unit(a, old);
  CHECK(fresh.unit(a).load_state == LoadState::Loaded);
  CHECK(fresh.between(a, b).has(DependencyKind::Requires));
  CHECK(fresh.between(a, b).has(DependencyKind::After));
  CHECK(fresh.between(c, a).empty());
  CHECK(old.unit(a).load_state == LoadState::Stub);
}

TEST_CASE("edges of a unit with very many stay unique and in order", "[graph][unit_graph]") {
  UnitGraph graph;
  const UnitId hub = add(graph, "hub.target");
  constexpr std::uint32_t kSpokes = 10000;
  for (std::uint32_t i = 0; i < kSpokes; ++i) add(graph, "s" + std::to_string(i) + ".service");
  for (std::uint32_t i = 1; i <= kSpokes; ++i) {
    graph.add_dependency(hub, DependencyKind::Wants, UnitId{i});
  }
  graph.compact();
  for (std::uint32_t i = kSpokes; i >= 1; --i) {
    graph.add_dependency(UnitId{i}, DependencyKind::Before, hub);
  }
  REQUIRE(graph.dependencies(hub).size() == kSpokes);
  bool in_order = true;
  bool complete = true;
  for (std::uint32_t i = 0; i < kSpokes; ++i) {
    const Dependency& d = graph.dependencies(hub)[i];
    in_order &= d.other == UnitId{i + 1};
    complete &= d.kinds.has(DependencyKind::Wants) && d.kinds.has(DependencyKind::After);
    complete &= graph.between(UnitId{i + 1}, hub).has(DependencyKind::WantedBy);
  }
  CHECK(in_order);
  CHECK(complete);
  graph.remove_dependency(hub, DependencyKind::Wants, UnitId{17});
  graph.remove_dependency(hub, DependencyKind::After, UnitId{17});
  CHECK(graph.between(hub, UnitId{17}).empty());
  CHECK(graph.between(hub, UnitId{18}).has(DependencyKind::Wants));
  CHECK(graph.dependencies(hub).size() == kSpokes - 1);
}

TEST_CASE("removed units leave no name and no edge, and their ids are used again", "[graph]") {
  UnitGraph graph;
  const UnitId a = graph.reserve("a.service");
  const UnitId b = graph.reserve("b.service");
  const UnitId c = graph.reserve("c.service");
  graph.add_name("alias.service", b);
  graph.add_dependency(a, DependencyKind::After, b);
  graph.add_dependency(b, DependencyKind::Requires, c);
  const std::array gone{b};
  graph.remove(gone);
  CHECK(graph.is_free(b));
  CHECK_FALSE(graph.find("b.service").valid());
  CHECK_FALSE(graph.find("alias.service").valid());
  CHECK(graph.dependencies(a).empty());
  CHECK(graph.dependencies(c).empty());
  CHECK(graph.reserve("d.service") == b);
  CHECK(graph.dependencies(b).empty());
  CHECK(graph.size() == 3);
}

TEST_CASE("a graph that takes another one's ids leaves the free ones free", "[graph]") {
  UnitGraph old;
  const UnitId a = old.reserve("a.service");
  const UnitId b = old.reserve("b.service");
  const UnitId c = old.reserve("c.service");
  const std::array gone{a};
  old.remove(gone);
  UnitGraph fresh;
  fresh.reserve_all_of(old);
  CHECK(fresh.is_free(a));
  CHECK(fresh.find("b.service") == b);
  CHECK(fresh.find("c.service") == c);
  CHECK(fresh.reserve("d.service") == a);
}

TEST_CASE("who refers to whom is known at both ends", "[graph]") {
  UnitGraph graph;
  const UnitId a = graph.reserve("a.service");
  const UnitId b = graph.reserve("b.service");
  graph.add_dependency(a, DependencyKind::Before, b);
  CHECK(graph.between(a, b).has(DependencyKind::References));
  CHECK_FALSE(graph.between(a, b).has(DependencyKind::ReferencedBy));
  CHECK(graph.between(b, a).has(DependencyKind::ReferencedBy));
  graph.remove_dependency(a, DependencyKind::Before, b);
  CHECK(graph.between(a, b).empty());
}
