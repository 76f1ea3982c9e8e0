#pragma once
// The programs of init/generators, started and waited for. For a process that is there for
// nothing else, or that has none to start: they wait, until their deadline at most.

#include <string>
#include <vector>

#include "base/time.h"
#include "init/generators.h"

namespace onset {

MonoTime generator_deadline(Duration patience);

/// What an environment's generator writes to its standard output, to its end.
std::string program_output(const std::string& program, const std::vector<std::string>& environment,
                           MonoTime deadline, std::vector<std::string>& losses);

/// All at once. Those that do not end are killed, with what they have started in their group,
/// and named.
void run_programs(const std::vector<std::string>& programs, const GeneratorFolders& folders,
                  const std::vector<std::string>& environment, MonoTime deadline,
                  std::vector<std::string>& losses);

}  // namespace onset
