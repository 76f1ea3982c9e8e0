#pragma once
// The generators that are built in, a row each. Where a program of their name is, init/generators
// says which of the two is run.

#include <string>
#include <vector>

#include "init/generators.h"
#include "init/signal_table.h"
#include "unit/file_source.h"
#include "unit/kernel_command_line.h"

namespace onset {

/// All of it outlives the run.
struct GeneratorSurroundings {
  FileSource& files;
  const KernelRequest& kernel;
  Surroundings surroundings = Surroundings::Machine;
  const std::vector<std::string>& search_path;  ///< of units
  std::string default_unit;
  bool in_initrd = false;
};

/// Those that have something to do here.
std::vector<BuiltinGenerator> builtin_generators(const GeneratorSurroundings& here);

}  // namespace onset
