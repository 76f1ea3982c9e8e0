// SuccessExitStatus= and its kin: names, numbers and signals.
// Parsers: unit/exit_status.cpp

#include "unit/exit_status.h"
#include "base/format.h"
#include "fuzz/fuzz.h"

using namespace onset;
using namespace onset::fuzz;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  ExitStatusSet set;
  for (const std::string& problem : parse_exit_status(text, set)) {
    expect(!problem.empty(), "a problem says something");
  }
  const std::string shown = to_string(set);
  ExitStatusSet again;
  expect(parse_exit_status(shown, again).empty() && again == set, "a printed set is read as itself",
         shown);
  (void)parse_exit_status(text, again);
  expect(again == set, "a value that is added twice adds nothing", shown);
  unsigned members = 0;
  for (int status = -1; status <= 256; ++status) {
    if (set.has_status(status)) ++members;
  }
  for (int signal = -1; signal <= 65; ++signal) {
    if (set.has_signal(signal)) ++members;
  }
  expect((members == 0) == set.empty(), "an empty set has no members");
  for (const ExitStatusName& name : exit_status_names()) {
    const auto status = exit_status_from_text(name.name);
    expect(status == name.status, "each name is its status", name.name);
  }
  if (const auto status = exit_status_from_text(text)) {
    expect(*status >= 0 && *status <= 255, "a status is 0..255");
    const auto name = exit_status_name(*status);
    expect(name.empty() || exit_status_from_text(name) == status, "a status has its name");
  }
  return 0;
}
