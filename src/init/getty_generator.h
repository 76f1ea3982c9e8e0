#pragma once
// Where somebody may want to log in: systemd-getty-generator(8). The consoles that the kernel
// writes to get a serial-getty@.service, a screen gets getty@tty1.service.

#include <string>
#include <vector>

#include "unit/file_source.h"

namespace onset {

/// The units that getty.target should want on this machine.
std::vector<std::string> gettys_of_consoles(FileSource& files);

/// Links them into FOLDER/getty.target.wants, where the loader finds them; what was wrong.
std::vector<std::string> generate_gettys(FileSource& files, const std::string& folder);

}  // namespace onset
