#pragma once
// All loaded units and the edges between them. Units are known by a dense id;
// names are looked up once. Immutable between loads: a reload builds a new
// graph beside the old one and swaps.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "unit/dependency.h"
#include "unit/unit.h"

namespace onset {

/// Index of a unit in its graph.
struct UnitId {
  std::uint32_t value = UINT32_MAX;
  bool operator==(const UnitId&) const = default;
  [[nodiscard]] bool valid() const noexcept { return value != UINT32_MAX; }
};

/// A set of DependencyKind.
class DependencySet {
 public:
  constexpr DependencySet() = default;
  constexpr explicit DependencySet(std::uint32_t bits) : bits_(bits) {}
  constexpr DependencySet(std::initializer_list<DependencyKind> kinds) {
    for (const DependencyKind kind : kinds) add(kind);
  }
  constexpr void add(DependencyKind k) { bits_ |= 1U << static_cast<unsigned>(k); }
  constexpr void add(DependencySet others) { bits_ |= others.bits_; }
  constexpr void remove(DependencyKind k) { bits_ &= ~(1U << static_cast<unsigned>(k)); }
  [[nodiscard]] constexpr bool has(DependencyKind k) const {
    return (bits_ >> static_cast<unsigned>(k)) & 1U;
  }
  [[nodiscard]] constexpr bool any(DependencySet other) const { return (bits_ & other.bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr std::uint32_t bits() const { return bits_; }

 private:
  std::uint32_t bits_ = 0;
};

/// One edge from a unit to another: every kind between the two, in this direction.
struct Dependency {
  UnitId other;
  DependencySet kinds;
};

/// The kind that the other unit gets: After for Before, RequiredBy for Requires.
DependencyKind inverse(DependencyKind kind);
/// The property's name: "Requires", "After", …
std::string_view to_string(DependencyKind kind);

class UnitGraph {
 public:
  /// Called before a unit is added, with how many there will be: for who keeps something of
  /// each. Where it ends in bad_alloc, nothing is added.
  void set_growth(std::function<void(std::size_t)> grows) { grows_ = std::move(grows); }
  /// Adds a unit with its names; returns its id. A name that is taken is left.
  UnitId add(std::unique_ptr<Unit> unit);
  void add_name(std::string_view name, UnitId id);
  /// The id of a name; one that nobody has gets a stub (LoadState::Stub).
  UnitId reserve(std::string_view name);
  /// For an empty graph: every name that the other one has gets a stub of the same
  /// id, so that what is kept by id outlives a reload.
  void reserve_all_of(const UnitGraph& other);
  /// Takes units out, with their names and edges. Their ids are free (is_free())
  /// until units that are loaded later get them. Without memory nothing is taken out.
  void remove(std::span<const UnitId> ids);
  /// Replaces a stub (a unit that was only referred to) by what was loaded.
  void set_unit(UnitId id, std::unique_ptr<Unit> unit);
  /// The unit of `stub` turned out to be another one: its names are `into`'s from
  /// now on, and what is left under its id is LoadState::Merged, without names.
  void merge_stub(UnitId stub, UnitId into);
  /// Takes the unit of the same id out of an older graph, with the dependencies
  /// that it had of its own, where this graph has nothing loaded under the id. A
  /// stub is left behind.
  void keep_unit(UnitId id, UnitGraph& old);

  /// Adds the kind and its inverse, and that `from` refers to `to`. Self-edges are
  /// ignored. Cheap however many edges the two have.
  void add_dependency(UnitId from, DependencyKind kind, UnitId to);
  /// Drops one kind and its inverse; with the last one also who referred to whom.
  void remove_dependency(UnitId from, DependencyKind kind, UnitId to);
  /// Gives back the memory that adding needs. Called once a load is complete.
  void compact();

  [[nodiscard]] UnitId find(std::string_view name) const;
  [[nodiscard]] const Unit& unit(UnitId id) const { return *nodes_[id.value].unit; }
  /// In the order in which they were added. Valid until the next change.
  [[nodiscard]] std::span<const Dependency> dependencies(UnitId id) const {
    return nodes_[id.value].dependencies;
  }
  /// Whether it may have one of these kinds: of a unit with thousands it costs nothing to know that
  /// it has none.
  [[nodiscard]] bool may_have(UnitId id, DependencySet kinds) const {
    return nodes_[id.value].kinds.any(kinds);
  }
  /// One more than the highest id there is.
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// No unit has this id now.
  [[nodiscard]] bool is_free(UnitId id) const { return unit(id).id.empty(); }
  /// The kinds from one unit to another.
  [[nodiscard]] DependencySet between(UnitId from, UnitId to) const;

 private:
  struct Node {
    std::unique_ptr<Unit> unit;
    std::vector<Dependency> dependencies;
    DependencySet kinds;  ///< of these, and of some that were
    /// Open addressing over `dependencies`, by the other's id: position + 1, or 0.
    /// Only of a unit with many edges, only while edges are added.
    std::vector<std::uint32_t> index;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  static constexpr std::size_t kNoEdge = SIZE_MAX;
  Node& add_node();
  void note_alias(UnitId id, std::string_view name);
  [[nodiscard]] static std::size_t position_of(const Node& node, UnitId other);
  static Dependency& edge(Node& node, UnitId other);
  static void join(Node& node, UnitId other, DependencySet kinds);
  static void rebuild_index(Node& node);
  static void drop_kind(Node& node, DependencyKind kind, UnitId other);

  std::function<void(std::size_t)> grows_;
  std::vector<Node> nodes_;
  std::vector<UnitId> free_;
  std::unordered_map<std::string, UnitId, NameHash, std::equal_to<>> names_;
};

}  // namespace onset
