#pragma once
// operator new of the test programs, which can be told to fail.

namespace onset::test {

/// While it lives, the allocation after `left` more throws bad_alloc, and each after it.
class FailingNew {
 public:
  explicit FailingNew(unsigned left);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
};

}  // namespace onset::test
