#pragma once
// Unit files, drop-ins and links that onset itself generates at the start of a machine, in the
// folders of systemd.generator(7).

#include <string>
#include <vector>

#include "unit/machine_links.h"

namespace onset {

/// One line for each that could not be made. One that is there already, by somebody else's
/// generator, stays.
std::vector<std::string> write_generated(const std::vector<GeneratedFile>& files);

}  // namespace onset
