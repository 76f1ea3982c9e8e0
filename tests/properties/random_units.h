#pragma once
// Random graphs of units as files, and the same files in other orders: of units, of lines, of
// what stands in the fragment and what in drop-ins.

#include <rapidcheck.h>

#include <string>
#include <utility>
#include <vector>

#include "support/unit_table.h"

namespace onset::test {

struct DrawnEdge {
  std::string from;
  std::string kind;
  std::string to;
};

struct DrawnUnits {
  std::vector<std::string> names;  ///< the first one is t.target, which pulls others in
  std::vector<DrawnEdge> edges;
};
std::ostream& operator<<(std::ostream& out, const DrawnUnits& units);

struct DrawnShape {
  bool acyclic = true;      ///< After= and Before= go one way
  bool conflicts = false;   ///< with Conflicts=
  bool only_wants = false;  ///< nothing is required
};
/// Up to nine services and what is between them. Names say nothing of the order.
rc::Gen<DrawnUnits> units(DrawnShape shape = {});

/// A draw of an order for `count` things, by swaps from the one they have.
std::vector<std::size_t> permutation(std::size_t count);
template <class T>
std::vector<T> permuted(const std::vector<T>& things) {
  std::vector<T> other;
  for (const std::size_t at : permutation(things.size())) other.push_back(things[at]);
  return other;
}

/// The units' files as they come; `services` are the lines of [Service].
UnitTable::Rows files(const DrawnUnits& units, const std::string& service = {});
/// Some lines in drop-ins, all in another order; what they say is the same.
UnitTable::Rows other_files(const DrawnUnits& units, const std::string& service = {});

}  // namespace onset::test
