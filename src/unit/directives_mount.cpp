// [Mount], [Swap] and [Automount]: systemd.mount(5), systemd.swap(5), systemd.automount(5).

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

Parsed<int> parse_swap_priority(std::string_view text) {
  auto number = parse_int(text, -1, 32767);
  if (!number) return Failure{std::move(number).error()};
  return static_cast<int>(*number);
}

template <auto Member>
std::string show_mode(const Unit& unit) {
  return format("{:04o}", static_cast<unsigned>(member_of<Member>(unit)));
}
template <auto Member>
constexpr Codec kMode{parse_into<Member, parse_mode>, show_mode<Member>};

using M = MountConfig;
using S = SwapConfig;
using A = AutomountConfig;

constexpr Directive mount(std::string_view name, Codec codec, std::string_view help,
                          std::string_view property = {}) {
  return honoured(Section::Mount, name, codec, help, property);
}
constexpr Directive swap(std::string_view name, Codec codec, std::string_view help,
                         std::string_view property = {}) {
  return honoured(Section::Swap, name, codec, help, property);
}
constexpr Directive automount(std::string_view name, Codec codec, std::string_view help,
                              std::string_view property = {}) {
  return honoured(Section::Automount, name, codec, help, property);
}

constexpr Directive kRows[] = {
    mount("What", kText<&M::what>, "What is mounted: a device, a path, a tag, a remote name."),
    mount("Where", kPath<&M::where>, "Where it is mounted; the unit's name says the same."),
    mount("Type", kText<&M::type>, "Type of the file system."),
    mount("Options", kText<&M::options>, "Mount options, as in fstab(5)."),
    mount("DirectoryMode", kMode<&M::directory_mode>, "Mode of a mount point that is made."),
    mount("SloppyOptions", kBool<&M::sloppy_options>, "Unknown options are let pass."),
    mount("LazyUnmount", kBool<&M::lazy_unmount>, "Detach at once, clean up later."),
    mount("ForceUnmount", kBool<&M::force_unmount>, "Unmount whatever is open."),
    mount("ReadWriteOnly", kBool<&M::read_write_only>, "Fail rather than mount read-only."),
    mount("TimeoutSec", kTimeout<&M::timeout>, "How long mounting and unmounting may take.",
          "TimeoutUSec"),

    swap("What", kPath<&S::what>, "The device or file."),
    swap("Priority", {parse_or_reset<&S::priority, parse_swap_priority>, show_member<&S::priority>},
         "Its priority."),
    swap("Options", kText<&S::options>, "Its options, as in fstab(5)."),
    swap("TimeoutSec", kTimeout<&S::timeout>, "How long swapon and swapoff may take.",
         "TimeoutUSec"),

    automount("Where", kPath<&A::where>,
              "Where the mount point is; the unit's name says the same."),
    automount("ExtraOptions", kText<&A::extra_options>, "Options of the autofs mount."),
    automount("DirectoryMode", kMode<&A::directory_mode>, "Mode of a mount point that is made."),
    automount("TimeoutIdleSec", kSpan<&A::timeout_idle>, "Idle time before it is unmounted.",
              "TimeoutIdleUSec"),
};

}  // namespace

std::span<const Directive> mount_directives() {
  return kRows;
}

}  // namespace onset
