#pragma once
// All loaded units and the edges between them. Units are known by a dense id;
// names are looked up once. Immutable between loads: a reload builds a new
// graph beside the old one and swaps.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
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
  constexpr void add(DependencyKind k) { bits_ |= 1U << static_cast<unsigned>(k); }
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
std::string_view to_string(DependencyKind kind);

class UnitGraph {
 public:
  /// Adds a unit with its names; returns its id. A name that is taken is left.
  UnitId add(std::unique_ptr<Unit> unit);
  void add_name(std::string_view name, UnitId id);
  /// Replaces a stub (a unit that was only referred to) by what was loaded.
  void set_unit(UnitId id, std::unique_ptr<Unit> unit);

  /// Adds the kind and its inverse. Self-edges are ignored.
  void add_dependency(UnitId from, DependencyKind kind, UnitId to);
  /// Drops one kind and its inverse (used to break a cycle).
  void remove_dependency(UnitId from, DependencyKind kind, UnitId to);

  [[nodiscard]] UnitId find(std::string_view name) const;
  [[nodiscard]] const Unit& unit(UnitId id) const { return *nodes_[id.value].unit; }
  [[nodiscard]] std::span<const Dependency> dependencies(UnitId id) const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// The kinds from one unit to another.
  [[nodiscard]] DependencySet between(UnitId from, UnitId to) const;

 private:
  struct Node {
    std::unique_ptr<Unit> unit;
    std::vector<Dependency> dependencies;  ///< in the order in which they were added
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::vector<Node> nodes_;
  std::unordered_map<std::string, UnitId, NameHash, std::equal_to<>> names_;
};

}  // namespace onset
