#pragma once
// Memory for one more, before what can't be undone: putting it there then allocates nothing.

#include <vector>

namespace onset {

template <class T>
void make_room(std::vector<T>& list) {
  if (list.size() == list.capacity()) list.reserve(2 * list.size() + 4);
}

/// Of an unordered map: for a node that has been made.
template <class Map>
void make_room(Map& map) {
  if (map.size() + 1 >= map.bucket_count()) map.reserve(2 * map.size() + 4);
}

}  // namespace onset
