#pragma once
// Where somebody may want to log in: systemd-getty-generator(8). The consoles that the kernel
// writes to get a serial-getty@.service, a screen gets getty@tty1.service.

#include <string>
#include <vector>

#include "unit/file_source.h"

namespace onset {

/// Links the units of unit/getty_units into FOLDER/getty.target.wants, where the loader finds
/// them; what was wrong.
std::vector<std::string> generate_gettys(FileSource& files, const std::string& folder);

}  // namespace onset
