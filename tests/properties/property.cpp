#include "properties/property.h"

#include <cstdlib>
#include <sstream>

namespace onset::test {
namespace {

/// What is drawn where nobody asks for something else, lest a suite fail by chance.
constexpr char kDrawnAlways[] = "seed=1";

}  // namespace

rc::detail::TestParams parameters(int runs) {
  constexpr int kDefaultRuns = 100;        // RapidCheck's own, to which RC_PARAMS refers
  ::setenv("RC_PARAMS", kDrawnAlways, 0);  // before RapidCheck reads it, once
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = std::max(1, params.maxSuccess * runs / kDefaultRuns);
  params.maxDiscardRatio = 100;
  return params;
}

void judge(const rc::detail::TestResult& result, const rc::detail::TestParams& params) {
  if (result.is<rc::detail::SuccessResult>()) {
    SUCCEED();
    return;
  }
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  // To Catch a comma parts names.
  std::string name = Catch::getResultCapture().getCurrentTestName();
  for (std::size_t at = 0; (at = name.find(',', at)) != name.npos; at += 2) name.insert(at, "\\");
  text << "\nagain: RC_PARAMS=\"seed=" << params.seed << "\" property_tests \"" << name << '"';
  FAIL_CHECK(text.str());
}

}  // namespace onset::test
