#pragma once
// Memory for more, before what can't be undone: putting it there then allocates nothing, but for
// the nodes of a map.

#include <cstddef>
#include <vector>

namespace onset {

template <class T>
void make_room(std::vector<T>& list) {
  if (list.size() == list.capacity()) list.reserve(2 * list.size() + 4);
}

/// Of an unordered map.
template <class Map>
void make_room(Map& map, std::size_t more = 1) {
  if (map.size() + more >= map.bucket_count()) map.reserve(2 * map.size() + more + 3);
}

}  // namespace onset
