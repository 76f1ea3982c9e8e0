// An edge is kept at both of its ends, so that either unit sees it. Whether two
// units are linked already is asked at every addition: a unit with few edges is
// scanned, one with many (a target that everything is ordered after) has an
// index while edges are added.
#include "graph/unit_graph.h"

#include <algorithm>
#include <array>
#include <utility>

namespace onset {
namespace {

/// Up to here a scan of eight-byte edges is as fast as a hash.
constexpr std::size_t kScanned = 32;

struct KindRow {
  DependencyKind kind;
  DependencyKind inverse;
  std::string_view name;
  bool own;  ///< the unit itself says it, at least as often as the other end does
};

constexpr auto kKinds = [] {
  using enum DependencyKind;
  return std::array<KindRow, kDependencyKinds>{{
      {Requires, RequiredBy, "Requires", true},
      {Requisite, RequisiteOf, "Requisite", true},
      {Wants, WantedBy, "Wants", true},
      {BindsTo, BoundBy, "BindsTo", true},
      {PartOf, ConsistsOf, "PartOf", true},
      {Upholds, UpheldBy, "Upholds", true},
      {RequiredBy, Requires, "RequiredBy", false},
      {RequisiteOf, Requisite, "RequisiteOf", false},
      {WantedBy, Wants, "WantedBy", false},
      {BoundBy, BindsTo, "BoundBy", false},
      {ConsistsOf, PartOf, "ConsistsOf", false},
      {UpheldBy, Upholds, "UpheldBy", false},
      {Conflicts, ConflictedBy, "Conflicts", true},
      {ConflictedBy, Conflicts, "ConflictedBy", false},
      {Before, After, "Before", true},
      {After, Before, "After", true},
      {OnSuccess, OnSuccessOf, "OnSuccess", true},
      {OnSuccessOf, OnSuccess, "OnSuccessOf", false},
      {OnFailure, OnFailureOf, "OnFailure", true},
      {OnFailureOf, OnFailure, "OnFailureOf", false},
      {Triggers, TriggeredBy, "Triggers", true},
      {TriggeredBy, Triggers, "TriggeredBy", false},
      {PropagatesReloadTo, ReloadPropagatedFrom, "PropagatesReloadTo", true},
      {ReloadPropagatedFrom, PropagatesReloadTo, "ReloadPropagatedFrom", true},
      {PropagatesStopTo, StopPropagatedFrom, "PropagatesStopTo", true},
      {StopPropagatedFrom, PropagatesStopTo, "StopPropagatedFrom", true},
      {JoinsNamespaceOf, JoinsNamespaceOf, "JoinsNamespaceOf", true},
      {InSlice, SliceOf, "Slice", true},
      {SliceOf, InSlice, "SliceOf", false},
      {References, ReferencedBy, "References", false},
      {ReferencedBy, References, "ReferencedBy", false},
  }};
}();

constexpr const KindRow& row(DependencyKind kind) {
  return kKinds[static_cast<unsigned>(kind)];
}

constexpr bool table_holds() {
  for (unsigned i = 0; i < kDependencyKinds; ++i) {
    const KindRow& r = kKinds[i];
    if (static_cast<unsigned>(r.kind) != i || row(r.inverse).inverse != r.kind) return false;
  }
  return true;
}
static_assert(table_holds(), "a row per kind, in the enumeration's order, inverses in pairs");

std::size_t slot_of(UnitId id, std::size_t slots) {
  return (static_cast<std::size_t>(id.value) * 0x9E3779B97F4A7C15ULL >> 20) & (slots - 1);
}

}  // namespace

DependencyKind inverse(DependencyKind kind) {
  return row(kind).inverse;
}
std::string_view to_string(DependencyKind kind) {
  return row(kind).name;
}

// ---- units and names ----------------------------------------------------------

UnitGraph::Node& UnitGraph::add_node() {
  if (grows_) grows_(nodes_.size() + 1);
  return nodes_.emplace_back();
}

UnitId UnitGraph::add(std::unique_ptr<Unit> unit) {
  UnitId id{static_cast<std::uint32_t>(nodes_.size())};
  if (free_.empty()) {
    add_node();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  set_unit(id, std::move(unit));
  return id;
}

void UnitGraph::add_name(std::string_view name, UnitId id) {
  if (names_.try_emplace(std::string(name), id).second) note_alias(id, name);
}

/// A unit knows all of its names, so that they can be taken out with it.
void UnitGraph::note_alias(UnitId id, std::string_view name) {
  Unit* unit = nodes_[id.value].unit.get();
  if (unit == nullptr || unit->id == name ||
      std::ranges::find(unit->aliases, name) != unit->aliases.end())
    return;
  unit->aliases.emplace_back(name);
}

UnitId UnitGraph::reserve(std::string_view name) {
  if (const UnitId known = find(name); known.valid()) return known;
  auto stub = std::make_unique<Unit>();
  stub->id = name;
  stub->type = unit_type_of(name).value_or(UnitType::Service);
  return add(std::move(stub));
}

void UnitGraph::reserve_all_of(const UnitGraph& other) {
  std::vector<UnitId> unused;  // free only at the end: no name of the other graph may get one
  for (const Node& node : other.nodes_) {
    const std::string& name = node.unit->id;
    if (!name.empty() && !find(name).valid()) {
      (void)reserve(name);
      continue;
    }
    // Nobody's, or a merged one's whose name is another's by now.
    auto blank = std::make_unique<Unit>();
    blank->id = name;
    if (name.empty()) {
      unused.push_back(UnitId{static_cast<std::uint32_t>(nodes_.size())});
    } else {
      blank->load_state = LoadState::Merged;
    }
    add_node().unit = std::move(blank);
  }
  free_ = std::move(unused);
}

void UnitGraph::remove(std::span<const UnitId> ids) {
  std::vector<bool> gone(nodes_.size(), false);
  for (const UnitId id : ids) gone[id.value] = true;
  std::vector<bool> done = gone;
  std::vector<std::unique_ptr<Unit>> blanks;
  for (std::size_t i = 0; i < ids.size(); ++i) blanks.push_back(std::make_unique<Unit>());
  if (free_.capacity() < free_.size() + ids.size()) {
    free_.reserve(std::max(free_.size() + ids.size(), 2 * free_.capacity()));
  }
  // From here on nothing is allocated.
  for (const UnitId id : ids) {
    for (const Dependency& d : nodes_[id.value].dependencies) {
      if (done[d.other.value]) continue;
      done[d.other.value] = true;
      Node& other = nodes_[d.other.value];
      std::erase_if(other.dependencies, [&](const Dependency& e) { return gone[e.other.value]; });
      other.index.clear();
    }
  }
  const auto drop_name = [&](const std::string& name, UnitId id) {
    const auto it = names_.find(name);
    if (it != names_.end() && it->second == id) names_.erase(it);
  };
  for (const UnitId id : ids) {
    Node& node = nodes_[id.value];
    drop_name(node.unit->id, id);
    for (const std::string& alias : node.unit->aliases) drop_name(alias, id);
    node = {std::move(blanks.back()), {}, {}, {}};
    blanks.pop_back();
    free_.push_back(id);
  }
}

void UnitGraph::set_unit(UnitId id, std::unique_ptr<Unit> unit) {
  const std::unique_ptr<Unit> before = std::exchange(nodes_[id.value].unit, std::move(unit));
  const Unit& now = *nodes_[id.value].unit;
  names_.try_emplace(now.id, id);
  for (const std::string& alias : now.aliases) names_.try_emplace(alias, id);
  // What the stub was asked for by is a name of the unit too.
  if (before == nullptr) return;
  const auto keep = [&](const std::string& name) {
    if (find(name) == id) note_alias(id, name);
  };
  keep(before->id);
  for (const std::string& alias : before->aliases) keep(alias);
}

void UnitGraph::merge_stub(UnitId stub, UnitId into) {
  Unit& left = *nodes_[stub.value].unit;
  left.load_state = LoadState::Merged;
  const auto repoint = [&](const std::string& name) {
    auto it = names_.find(name);
    if (it == names_.end() || it->second != stub) return;
    it->second = into;
    note_alias(into, name);
  };
  repoint(left.id);
  for (const std::string& alias : left.aliases) repoint(alias);
  // Who asked for the name asked for the unit.
  for (const Dependency& d : std::exchange(nodes_[stub.value].dependencies, {})) {
    Node& other = nodes_[d.other.value];
    const std::size_t at = position_of(other, stub);
    if (at == kNoEdge) continue;
    const DependencySet back = other.dependencies[at].kinds;
    other.dependencies.erase(other.dependencies.begin() + static_cast<std::ptrdiff_t>(at));
    other.index.clear();
    if (d.other == into) continue;
    join(nodes_[into.value], d.other, d.kinds);
    join(other, into, back);
  }
  nodes_[stub.value].index.clear();
}

void UnitGraph::keep_unit(UnitId id, UnitGraph& old) {
  auto stub = std::make_unique<Unit>();
  stub->id = old.unit(id).id;
  stub->type = old.unit(id).type;
  set_unit(id, std::exchange(old.nodes_[id.value].unit, std::move(stub)));
  // Its name may have become another one's alias; it stays its own as long as it runs.
  const std::string& name = unit(id).id;
  if (UnitId& owner = names_.find(name)->second; owner != id) {
    std::erase(nodes_[owner.value].unit->aliases, name);
    owner = id;
  }
  for (const Dependency& d : old.dependencies(id)) {
    if (!d.kinds.has(DependencyKind::References)) continue;
    const UnitId other = reserve(old.unit(d.other).id);
    for (const KindRow& r : kKinds) {
      if (r.own && d.kinds.has(r.kind)) add_dependency(id, r.kind, other);
    }
  }
}

UnitId UnitGraph::find(std::string_view name) const {
  auto it = names_.find(name);
  return it == names_.end() ? UnitId{} : it->second;
}

// ---- edges ----------------------------------------------------------------------

std::size_t UnitGraph::position_of(const Node& node, UnitId other) {
  if (node.index.empty()) {
    for (std::size_t i = 0; i < node.dependencies.size(); ++i) {
      if (node.dependencies[i].other == other) return i;
    }
    return kNoEdge;
  }
  const std::size_t slots = node.index.size();
  for (std::size_t s = slot_of(other, slots); node.index[s] != 0; s = (s + 1) & (slots - 1)) {
    if (node.dependencies[node.index[s] - 1].other == other) return node.index[s] - 1;
  }
  return kNoEdge;
}

void UnitGraph::rebuild_index(Node& node) {
  std::size_t slots = 4 * kScanned;
  while (slots < 2 * node.dependencies.size() + 2) slots *= 2;
  node.index.assign(slots, 0);
  for (std::size_t i = 0; i < node.dependencies.size(); ++i) {
    std::size_t s = slot_of(node.dependencies[i].other, slots);
    while (node.index[s] != 0) s = (s + 1) & (slots - 1);
    node.index[s] = static_cast<std::uint32_t>(i + 1);
  }
}

/// The edge to `other`, made if there is none.
Dependency& UnitGraph::edge(Node& node, UnitId other) {
  if (node.index.empty() && node.dependencies.size() > kScanned) rebuild_index(node);
  if (const std::size_t at = position_of(node, other); at != kNoEdge) return node.dependencies[at];
  node.dependencies.push_back({other, {}});
  if (!node.index.empty()) {
    if (2 * node.dependencies.size() > node.index.size()) {
      rebuild_index(node);
    } else {
      const std::size_t slots = node.index.size();
      std::size_t s = slot_of(other, slots);
      while (node.index[s] != 0) s = (s + 1) & (slots - 1);
      node.index[s] = static_cast<std::uint32_t>(node.dependencies.size());
    }
  }
  return node.dependencies.back();
}

void UnitGraph::add_dependency(UnitId from, DependencyKind kind, UnitId to) {
  if (from == to) return;
  join(nodes_[from.value], to, {kind, DependencyKind::References});
  join(nodes_[to.value], from, {inverse(kind), DependencyKind::ReferencedBy});
}

void UnitGraph::join(Node& node, UnitId other, DependencySet kinds) {
  edge(node, other).kinds.add(kinds);
  node.kinds.add(kinds);
}

void UnitGraph::drop_kind(Node& node, DependencyKind kind, UnitId other) {
  const std::size_t at = position_of(node, other);
  if (at == kNoEdge) return;
  node.dependencies[at].kinds.remove(kind);
  DependencySet left = node.dependencies[at].kinds;
  left.remove(DependencyKind::References);
  left.remove(DependencyKind::ReferencedBy);
  if (!left.empty()) return;
  node.dependencies.erase(node.dependencies.begin() + static_cast<std::ptrdiff_t>(at));
  node.index.clear();
}

void UnitGraph::remove_dependency(UnitId from, DependencyKind kind, UnitId to) {
  if (from == to) return;
  drop_kind(nodes_[from.value], kind, to);
  drop_kind(nodes_[to.value], inverse(kind), from);
}

void UnitGraph::compact() {
  for (Node& node : nodes_) {
    node.index = {};
    node.dependencies.shrink_to_fit();
  }
}

DependencySet UnitGraph::between(UnitId from, UnitId to) const {
  const Node& node = nodes_[from.value];
  const std::size_t at = position_of(node, to);
  return at == kNoEdge ? DependencySet{} : node.dependencies[at].kinds;
}

}  // namespace onset
