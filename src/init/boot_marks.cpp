#include "init/boot_marks.h"

#include "base/format.h"
#include "base/text.h"

namespace onset {
namespace {

constexpr const char* kLeft = "/run/onset/began";

/// The kernel's own clock began with it.
Timestamp kernel_began(const Timestamp& now) {
  return {MonoTime{0}, WallTime{now.wall.us - now.mono.us}};
}

}  // namespace

void read_boot_marks(BootMarks& marks, bool in_initrd, RealFiles& files) {
  constexpr std::size_t kMax = 128;
  const auto left = files.read(kLeft, kMax);
  if (left) (void)files.remove(kLeft);
  if (!left || in_initrd) {
    marks.kernel = kernel_began(marks.userspace);
    if (in_initrd) marks.initrd = marks.userspace;
    return;
  }
  const auto words = split(trim(*left), ' ');
  if (words.size() != 3 || words[0] != "initrd") return;
  const auto wall = parse_uint<std::uint64_t>(words[1]);
  const auto mono = parse_uint<std::uint64_t>(words[2]);
  if (!wall || !mono || *mono > static_cast<std::uint64_t>(marks.userspace.mono.us)) return;
  marks.kernel = kernel_began(marks.userspace);
  marks.initrd = Timestamp{MonoTime{static_cast<std::int64_t>(*mono)},
                           WallTime{static_cast<std::int64_t>(*wall)}};
}

void leave_boot_marks(const BootMarks& marks, bool in_initrd, RealFiles& files) {
  const std::string text =
      in_initrd ? format("initrd {} {}\n", marks.userspace.wall.us, marks.userspace.mono.us)
                : std::string("soft-reboot\n");
  (void)files.write_file(kLeft, text, 0600);
}

}  // namespace onset
