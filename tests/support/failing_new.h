#pragma once
// operator new of the test programs, which can be told to fail.

#include <climits>
#include <cstddef>

namespace onset::test {

/// While it lives, the allocation after `left` more throws bad_alloc, and `failures` more
/// after it. As the real one does it asks std::get_new_handler() first; what that gives back
/// to the heap is there for allocations to come.
class FailingNew {
 public:
  explicit FailingNew(unsigned left, unsigned failures = UINT_MAX);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  /// How many allocations have failed, those that a handler could help counted too.
  [[nodiscard]] static unsigned count();
  /// What operator new has given out and not got back, at any time.
  [[nodiscard]] static std::size_t alive();
};

/// While it lives no allocation fails: for what belongs to the test, not to the tested.
class UnfailingNew {
 public:
  UnfailingNew();
  ~UnfailingNew();
  UnfailingNew(const UnfailingNew&) = delete;
  UnfailingNew& operator=(const UnfailingNew&) = delete;

 private:
  bool was_on_;
};

}  // namespace onset::test
