// EnvironmentFile= and what is made of it. The first record is the file's text, the second a
// value of Environment=, the third one of UnsetEnvironment=.
// Parsers: unit/environment.cpp unit/environment_file.cpp

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "unit/environment.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

std::string printed(const std::vector<std::string>& assignments) {
  std::string text;
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    text += assignment.substr(0, equals) + "=\"";
    for (const char c : assignment.substr(equals + 1)) {
      if (std::string_view("\"\\`$").find(c) != std::string_view::npos) text += '\\';
      text += c;
    }
    text += "\"\n";
  }
  return text;
}

void try_file(std::string_view text) {
  const EnvironmentFileText file = parse_environment_file(text);
  unsigned last = 0;
  for (const EnvironmentFileProblem& problem : file.problems) {
    expect(problem.line >= last && !problem.message.empty(), "problems come by their lines");
    last = problem.line;
  }
  for (const std::string& assignment : file.assignments) {
    expect(environment_assignment_is_valid(assignment), "an assignment is valid", assignment);
  }
  const EnvironmentFileText again = parse_environment_file(printed(file.assignments));
  expect(again.assignments == file.assignments && again.problems.empty(),
         "a printed file is read as itself", printed(file.assignments));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const std::string_view text = take(rest);
  try_file(text);

  HostFacts host;
  const SpecifierScope scope{"a@b.service", "/etc/systemd/system/a@.service", host};
  const EnvironmentAssignments set = parse_environment_assignments(take(rest), scope);
  Environment environment(parse_environment_file(text).assignments);
  const std::size_t before = environment.size();
  for (const std::string& assignment : set.assignments) {
    expect(environment_assignment_is_valid(assignment), "an assignment is valid", assignment);
    expect(environment.set_assignment(assignment), "a valid assignment is taken", assignment);
    const std::size_t equals = assignment.find('=');
    expect(environment.get(assignment.substr(0, equals)) == assignment.substr(equals + 1),
           "the last assignment counts", assignment);
  }
  expect(environment.size() <= before + set.assignments.size() && environment.size() >= before,
         "a name is there once");
  Environment merged;
  merged.merge(environment);
  expect(merged.assignments() == environment.assignments(), "a copy is the same");

  std::vector<std::string> unset;
  while (!rest.empty()) unset.emplace_back(take(rest, ' '));
  environment.unset(unset);
  for (const std::string& name : unset) {
    const bool is_name = !name.empty() && name.find('=') == std::string::npos;
    if (is_name) expect(!environment.get(name), "what is unset is not there", name);
  }
  environment.set("LAST", "1");
  expect(environment.get("LAST") == "1", "what is set is there");
  return 0;
}
