// Breadth first from each node until it comes back to it; nodes of a ring that was found are not
// begun with again. Not recursive: a queue may be as long as it likes.
#include "cli/wait_graph.h"

#include <algorithm>
#include <deque>
#include <set>

namespace onset {

void WaitGraph::add(int waiter, int holder) {
  std::vector<int>& holders = holders_[waiter];
  if (std::ranges::find(holders, holder) == holders.end()) holders.push_back(holder);
}

std::vector<std::vector<int>> WaitGraph::rings() const {
  std::vector<std::vector<int>> found;
  std::set<int> done;
  for (const auto& [node, holders] : holders_) {
    if (done.contains(node)) continue;
    std::vector<int> ring = ring_through(node);
    // Rings that share a node are of one set.
    const bool is_told = std::ranges::any_of(ring, [&](int i) { return done.contains(i); });
    done.insert(ring.begin(), ring.end());
    if (!ring.empty() && !is_told) found.push_back(std::move(ring));
  }
  return found;
}

std::vector<int> WaitGraph::ring_through(int node) const {
  std::map<int, int> from;  // by which node each was reached
  std::deque<int> queue{node};
  while (!queue.empty()) {
    const int here = queue.front();
    queue.pop_front();
    const auto holders = holders_.find(here);
    if (holders == holders_.end()) continue;
    for (const int next : holders->second) {
      if (next != node) {
        if (from.emplace(next, here).second) queue.push_back(next);
        continue;
      }
      std::vector<int> ring{here};
      while (ring.back() != node) ring.push_back(from[ring.back()]);
      std::ranges::reverse(ring);
      return ring;
    }
  }
  return {};
}

}  // namespace onset
