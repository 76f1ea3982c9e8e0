#pragma once
// A property of RapidCheck as a part of a Catch2 case: what it found fails the case, with the
// counterexample, made as small as it gets, and how to see it again.

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "properties/within.h"

namespace onset::test {

inline constexpr int kRuns = 500;

/// What RapidCheck would use, with as many runs, and the same input each time. RC_PARAMS draws
/// another: "max_success=1000" ten times as much, "seed=N" what was drawn with it.
rc::detail::TestParams parameters(int runs);
/// Fails the case unless the result is a success.
void judge(const rc::detail::TestResult& result, const rc::detail::TestParams& params);

/// `testable` is a function that draws its input (from its arguments, or by *gen) and says with
/// RC_ASSERT what is so.
template <class Testable>
void holds(Testable&& testable, int runs = kRuns) {
  const auto params = parameters(runs);
  rc::detail::TestMetadata metadata;
  metadata.id = Catch::getResultCapture().getCurrentTestName();
  metadata.description = metadata.id;
  judge(rc::detail::checkTestable(std::forward<Testable>(testable), metadata, params), params);
}

}  // namespace onset::test
