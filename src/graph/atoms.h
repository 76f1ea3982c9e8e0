#pragma once
// What each kind of dependency does, taken apart: an atom is one behaviour, a
// kind is the set of its atoms (systemd.unit(5), [UNIT] SECTION OPTIONS). The
// transaction and the engine ask for atoms; nothing else knows what, say,
// BindsTo= means.
//
//   for (const Dependency& d : graph.dependencies(id))
//     if (d.kinds.any(kinds_with(Atom::PropagateStop))) …
//
// An atom is read from the unit that holds the edge towards the other unit:
// RequiredBy= has PropagateStop, since when this unit is stopped the units that
// require it are stopped too.

#include <cstdint>

#include "graph/unit_graph.h"

namespace onset {

enum class Atom : std::uint8_t {
  // In a transaction: a start of this unit…
  PullInStart,         ///< starts the other; must be possible, or this one is not started
  PullInStartIgnored,  ///< starts the other if that is possible
  PullInVerify,        ///< fails unless the other is active
  PullInStop,          ///< stops the other; must be possible
  PullInStopIgnored,   ///< stops the other if that is possible
  // In a transaction: an explicit stop, restart or reload of this unit…
  PropagateStop,     ///< stops the other
  PropagateRestart,  ///< restarts the other if it runs
  PropagateReload,   ///< reloads the other if it runs
  // A job of this unit that fails…
  PropagateStartFailure,            ///< start or verify: the other's start fails as well
  PropagateStopFailure,             ///< stop: the other's start fails (it waited for the stop)
  PropagateInactiveStartAsFailure,  ///< a start that left this unit inactive counts as failed
  // This unit changed without a job…
  RetroactiveStartReplace,  ///< came up: the other is started, replacing queued jobs
  RetroactiveStartFail,     ///< came up: the other is started unless a queued job forbids it
  RetroactiveStopOnStart,   ///< came up: the other is stopped
  RetroactiveStopOnStop,    ///< went down: the other is stopped
  // While units run…
  CannotBeActiveWithout,  ///< this unit is stopped when the other is found inactive
  PinsStopWhenUnneeded,   ///< the other, while active, keeps a StopWhenUnneeded= unit
  StartedSteadilyBy,      ///< the other, while active, has this unit started again and again
  ReviewWhenDown,         ///< a change of this unit may change what is decided for the other
  // A unit's end…
  TriggerOnSuccess,  ///< inactive: starts the other
  TriggerOnFailure,  ///< failed: starts the other
  // Order of jobs.
  Before,
  After,
  // A target with default dependencies is ordered after the other.
  TargetOrdering,
};
inline constexpr unsigned kAtoms = 24;

/// A set of Atom.
class Atoms {
 public:
  constexpr Atoms() = default;
  template <class... A>
  constexpr explicit Atoms(A... atoms) : bits_((0U | ... | (1U << static_cast<unsigned>(atoms)))) {}
  [[nodiscard]] constexpr bool has(Atom a) const {
    return (bits_ >> static_cast<unsigned>(a)) & 1U;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr Atoms operator|(Atoms other) const {
    Atoms sum;
    sum.bits_ = bits_ | other.bits_;
    return sum;
  }
  bool operator==(const Atoms&) const = default;

 private:
  std::uint32_t bits_ = 0;
};

/// The table.
constexpr Atoms atoms(DependencyKind kind) {
  using enum DependencyKind;
  // What a Requires= of somebody else means for the unit that is required.
  constexpr Atoms required{Atom::PropagateStop, Atom::PropagateRestart, Atom::PropagateStartFailure,
                           Atom::PinsStopWhenUnneeded};
  switch (kind) {
    case Requires:
      return Atoms{Atom::PullInStart, Atom::RetroactiveStartReplace, Atom::ReviewWhenDown,
                   Atom::TargetOrdering};
    case Requisite:
      return Atoms{Atom::PullInVerify, Atom::ReviewWhenDown, Atom::TargetOrdering};
    case Wants:
      return Atoms{Atom::PullInStartIgnored, Atom::RetroactiveStartFail, Atom::ReviewWhenDown,
                   Atom::TargetOrdering};
    case BindsTo:
      return Atoms{Atom::PullInStart, Atom::RetroactiveStartReplace, Atom::CannotBeActiveWithout,
                   Atom::ReviewWhenDown, Atom::TargetOrdering};
    case PartOf:
      return Atoms{Atom::TargetOrdering};
    case Upholds:
      return Atoms{Atom::PullInStartIgnored, Atom::RetroactiveStartReplace, Atom::ReviewWhenDown,
                   Atom::TargetOrdering};
    case RequiredBy:
      return required;
    case RequisiteOf:
      return required | Atoms{Atom::PropagateInactiveStartAsFailure};
    case WantedBy:
      return Atoms{Atom::PinsStopWhenUnneeded};
    case BoundBy:
      return required | Atoms{Atom::RetroactiveStopOnStop, Atom::ReviewWhenDown};
    case ConsistsOf:
      return Atoms{Atom::PropagateStop, Atom::PropagateRestart};
    case UpheldBy:
      return Atoms{Atom::PinsStopWhenUnneeded, Atom::StartedSteadilyBy};
    case Conflicts:
      return Atoms{Atom::PullInStop, Atom::RetroactiveStopOnStart};
    case ConflictedBy:
      return Atoms{Atom::PullInStopIgnored, Atom::RetroactiveStopOnStart,
                   Atom::PropagateStopFailure};
    case DependencyKind::Before:
      return Atoms{Atom::Before};
    case DependencyKind::After:
      return Atoms{Atom::After};
    case OnSuccess:
      return Atoms{Atom::TriggerOnSuccess};
    case OnFailure:
      return Atoms{Atom::TriggerOnFailure};
    case PropagatesReloadTo:
      return Atoms{Atom::PropagateReload};
    case PropagatesStopTo:
      return Atoms{Atom::PropagateStop, Atom::RetroactiveStopOnStop};
    // These are read by their names, not for what they do to jobs.
    case OnSuccessOf:
    case OnFailureOf:
    case Triggers:
    case TriggeredBy:
    case ReloadPropagatedFrom:
    case StopPropagatedFrom:
    case JoinsNamespaceOf:
    case InSlice:
    case SliceOf:
    case References:
    case ReferencedBy:
      return Atoms{};
  }
  return Atoms{};
}

/// All kinds that have the atom: `d.kinds.any(kinds_with(Atom::PullInStart))`.
constexpr DependencySet kinds_with(Atom atom) {
  DependencySet kinds;
  for (unsigned k = 0; k < kDependencyKinds; ++k) {
    const auto kind = static_cast<DependencyKind>(k);
    if (atoms(kind).has(atom)) kinds.add(kind);
  }
  return kinds;
}

}  // namespace onset
