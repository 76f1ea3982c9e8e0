#pragma once
// The kinds of dependency between two units, and the inverse of each
// (systemd.unit(5), "MAPPING OF UNIT PROPERTIES TO THEIR INVERSES").
// What each kind does is decided in graph/atoms.

#include <cstdint>

namespace onset {

/// Bit positions: an edge of the graph holds a set of kinds.
enum class DependencyKind : std::uint8_t {
  Requires,
  Requisite,
  Wants,
  BindsTo,
  PartOf,
  Upholds,
  RequiredBy,
  RequisiteOf,
  WantedBy,
  BoundBy,
  ConsistsOf,
  UpheldBy,
  Conflicts,
  ConflictedBy,
  Before,
  After,
  OnSuccess,
  OnSuccessOf,
  OnFailure,
  OnFailureOf,
  Triggers,
  TriggeredBy,
  PropagatesReloadTo,
  ReloadPropagatedFrom,
  PropagatesStopTo,
  StopPropagatedFrom,
  JoinsNamespaceOf,  ///< its own inverse
  InSlice,
  SliceOf,
  References,  ///< beside any other kind: this end is the one that asks for the edge
  ReferencedBy,
};
inline constexpr unsigned kDependencyKinds = 31;

}  // namespace onset
