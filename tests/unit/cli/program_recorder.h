#pragma once
// Programs that are not run, but written down.

#include <string>
#include <vector>

#include "cli/context.h"

namespace onset::test {

class ProgramRecorder final : public ProgramRunner {
 public:
  Result<int> run(const std::vector<std::string>& argv) override {
    calls.push_back(argv);
    return status;
  }
  Result<std::string> read_input() override { return std::string(); }
  std::string become(const Successor& /*successor*/) override { return "not here"; }
  std::vector<std::vector<std::string>> calls;
  int status = 0;
};

}  // namespace onset::test
