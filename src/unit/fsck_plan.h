#pragma once
// The check of a file system, systemd-fsck@.service(8): what fsck(8) is called with, and what its
// exit status means for the boot. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace onset {

enum class FsckMode : std::uint8_t { Auto, Force, Skip };  // fsck.mode=
enum class FsckRepair : std::uint8_t { Preen, Yes, No };   // fsck.repair=
enum class FsckVerdict : std::uint8_t { Good, Ignored, Failed, RebootWanted };

struct FsckWishes {
  FsckMode mode = FsckMode::Auto;
  FsckRepair repair = FsckRepair::Preen;
};

/// Of the kernel's command line; `fastboot` and `forcefsck` are the old words for two of them.
FsckWishes fsck_wishes(std::string_view command_line, Diagnostics& diagnostics);

struct FsckTarget {
  std::string device;
  bool is_root = false;
};

/// fsck's arguments, its own name in front.
std::vector<std::string> fsck_arguments(const FsckWishes& wishes, const FsckTarget& target);

/// Of fsck's exit status, fsck(8), EXIT STATUS: a sum of bits. Negative: a signal ended it.
FsckVerdict judge_fsck(int status, bool is_root);
/// Its bits in words, for the console.
std::string fsck_words(int status);

}  // namespace onset
