#pragma once
// Who waits for whom, and the rings in it: a ring never ends by itself, it is a deadlock.

#include <map>
#include <vector>

namespace onset {

class WaitGraph {
 public:
  /// `waiter` goes on only once `holder` does. Twice the same is once.
  void add(int waiter, int holder);

  /// For each set of nodes that wait for each other the shortest ring in it, beginning with
  /// its lowest number; in the order of these.
  [[nodiscard]] std::vector<std::vector<int>> rings() const;

 private:
  /// The shortest way from the node back to it; empty: none.
  [[nodiscard]] std::vector<int> ring_through(int node) const;

  std::map<int, std::vector<int>> holders_;
};

}  // namespace onset
