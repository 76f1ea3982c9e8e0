#pragma once
// Many texts for two judges, and what they do not agree on: one text is told, the shortest.

#include <rapidcheck.h>

#include <cstdint>
#include <string>

#include "base/format.h"
#include "base/text.h"

namespace onset::test {

/// Draws what is no counterexample of its own: RapidCheck makes nothing smaller and tells none of
/// it, as it is too much and asking for its meaning too slow.
class Drawer {
 public:
  Drawer()
      : random_(*rc::gen::noShrink(
            rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()))) {}
  template <class T>
  T operator()(const rc::Gen<T>& gen) {
    return gen(random_.split(), rc::kNominalSize).value();
  }

 private:
  rc::Random random_;
};

class Differences {
 public:
  void compare(const std::string& text, const std::string& onset, const std::string& systemd) {
    if (onset == systemd) return;
    ++count_;
    if (!shortest_.empty() && text.size() >= size_) return;
    size_ = text.size();
    shortest_ = format("\"{}\" is \"{}\" to onset, \"{}\" to systemd", c_escape(text),
                       c_escape(onset), c_escape(systemd));
  }
  void expect_none() const {
    if (count_ > 0) RC_FAIL(format("{} (the shortest of {})", shortest_, count_));
  }

 private:
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  std::string shortest_;
};

}  // namespace onset::test
