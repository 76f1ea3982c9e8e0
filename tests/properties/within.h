#pragma once
// Numbers of a whole range from the first run on: RapidCheck begins with the lowest, so that what
// is seldom would not be in its first inputs.

#include <rapidcheck.h>

namespace onset::test {

/// low..high-1; shrinks to the lowest.
template <class T>
rc::Gen<T> within(T low, T high) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(low, high));
}

}  // namespace onset::test
