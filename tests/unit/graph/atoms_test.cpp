// The table against the manual: systemd.unit(5), [UNIT] SECTION OPTIONS.
#include "graph/atoms.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

constexpr DependencySet set(std::initializer_list<DependencyKind> kinds) {
  DependencySet s;
  for (DependencyKind k : kinds) s.add(k);
  return s;
}

}  // namespace

TEST_CASE("each atom is in the kinds whose manual entry describes it", "[graph][atoms]") {
  using enum DependencyKind;
  const struct {
    Atom atom;
    DependencySet kinds;
  } rows[] = {
      {Atom::PullInStart, set({Requires, BindsTo})},
      {Atom::PullInStartIgnored, set({Wants, Upholds})},
      {Atom::PullInVerify, set({Requisite})},
      {Atom::PullInStop, set({Conflicts})},
      {Atom::PullInStopIgnored, set({ConflictedBy})},
      {Atom::PropagateStop, set({RequiredBy, RequisiteOf, BoundBy, ConsistsOf, PropagatesStopTo})},
      {Atom::PropagateRestart, set({RequiredBy, RequisiteOf, BoundBy, ConsistsOf})},
      {Atom::PropagateReload, set({PropagatesReloadTo})},
      {Atom::PropagateStartFailure, set({RequiredBy, RequisiteOf, BoundBy})},
      {Atom::PropagateStopFailure, set({ConflictedBy})},
      {Atom::PropagateInactiveStartAsFailure, set({RequisiteOf})},
      {Atom::RetroactiveStartReplace, set({Requires, BindsTo, Upholds})},
      {Atom::RetroactiveStartFail, set({Wants})},
      {Atom::RetroactiveStopOnStart, set({Conflicts, ConflictedBy})},
      {Atom::RetroactiveStopOnStop, set({BoundBy, PropagatesStopTo})},
      {Atom::CannotBeActiveWithout, set({BindsTo})},
      {Atom::PinsStopWhenUnneeded, set({RequiredBy, RequisiteOf, BoundBy, WantedBy, UpheldBy})},
      {Atom::StartedSteadilyBy, set({UpheldBy})},
      {Atom::ReviewWhenDown, set({Requires, Requisite, Wants, BindsTo, Upholds, BoundBy})},
      {Atom::TriggerOnSuccess, set({OnSuccess})},
      {Atom::TriggerOnFailure, set({OnFailure})},
      {Atom::Before, set({Before})},
      {Atom::After, set({After})},
      {Atom::TargetOrdering, set({Requires, Requisite, Wants, BindsTo, PartOf, Upholds})},
  };
  CHECK(std::size(rows) == kAtoms);
  for (const auto& row : rows) {
    INFO("atom " << static_cast<int>(row.atom));
    CHECK(kinds_with(row.atom).bits() == row.kinds.bits());
  }
}
