#pragma once
// "UUID=…", "LABEL=…", "PARTUUID=…", "PARTLABEL=…" as fstab(5) and root= have them, and the links
// below /dev/disk that udev makes of them. Pure.

#include <string>
#include <string_view>

namespace onset {

/// "UUID=X" → "/dev/disk/by-uuid/X", with what a file's name can't hold as \xNN; quotes around X
/// go. Anything else as it is.
std::string device_of_tag(std::string_view what);
/// The way back, of a path; empty for any other.
std::string tag_of_link(std::string_view path);

}  // namespace onset
