#pragma once
// What a machine is called and which one it is: hostname(5), machine-id(5). Pure: who reads the
// files and tells the kernel is init/machine_setup.

#include <array>
#include <string>
#include <string_view>

namespace onset {

/// Labels of letters, digits and dashes, parted by single dots; as long as the kernel takes.
bool hostname_is_valid(std::string_view name);
/// The text of /etc/hostname: its first line that is no comment; empty: there is none.
std::string hostname_of_file(std::string_view text);

inline constexpr const char* kMachineIdFile = "/etc/machine-id";
/// Of this boot alone, where /etc can't be written yet.
inline constexpr const char* kTransientMachineIdFile = "/run/machine-id";
inline constexpr std::size_t kMachineIdBytes = 16;

/// 32 hex digits in lower case, not all 0, or nothing. `text` may have the dashes of a UUID, and
/// blanks around it. "uninitialized", of an image that has not booted yet, is none.
std::string plain_machine_id(std::string_view text);
/// Random bytes as a UUID of version 4 without its dashes.
std::string machine_id_of_bytes(std::array<unsigned char, kMachineIdBytes> bytes);

}  // namespace onset
