// x-systemd.makefs and x-systemd.growfs of fstab: systemd-makefs@.service(8).

#include <optional>

#include "base/format.h"
#include "init/machine_programs.h"
#include "os/mount_table.h"

namespace onset {
namespace {

constexpr int kNothingFound = 2;  // blkid(8), EXIT STATUS

/// Empty is only what nothing at all is known of. None: it could not be looked at, which is said.
std::optional<bool> is_empty(const std::string& device) {
  const std::string blkid = find_program("blkid");
  if (blkid.empty()) {
    complain(format("there is no blkid to look whether {} is empty", device));
    return std::nullopt;
  }
  const int status = run_program(blkid, {"blkid", "-p", device});
  if (status == 0 || status == kNothingFound) return status == kNothingFound;
  complain(format("blkid of {}: exit status {}", device, status));
  return std::nullopt;
}

int run_found(const std::string& name, std::vector<std::string> arguments) {
  const std::string program = find_program(name);
  if (program.empty()) {
    complain(format("there is no {}", name));
    return 1;
  }
  arguments.insert(arguments.begin(), name);
  return run_program(program, arguments) == 0 ? 0 : 1;
}

/// The file system that is to be seen at a path.
std::string type_at(const std::string& where) {
  for (const MountEntry& mount :
       visible_mounts(parse_mount_table(text_of("/proc/self/mountinfo")))) {
    if (mount.path == where) return mount.type;
  }
  return {};
}

}  // namespace

int make_file_system(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) {
    complain("makefs: expected a type and a device");
    return 1;
  }
  const std::string& type = arguments[0];
  const std::string& device = arguments[1];
  const auto empty = is_empty(device);
  if (!empty) return 1;
  if (!*empty) return 0;
  if (type == "swap") return run_found("mkswap", {device});
  // Nobody is there to be asked whether a whole disk is meant.
  if (type.starts_with("ext")) return run_found(format("mkfs.{}", type), {"-F", device});
  return run_found(format("mkfs.{}", type), {device});
}

int grow_file_system(const std::vector<std::string>& arguments) {
  const std::string where = arguments.empty() ? std::string("/") : arguments.front();
  const std::string type = type_at(where);
  if (type == "ext2" || type == "ext3" || type == "ext4")
    return run_found("resize2fs", {node_of(where)});
  if (type == "xfs") return run_found("xfs_growfs", {where});
  if (type == "btrfs") return run_found("btrfs", {"filesystem", "resize", "max", where});
  complain(type.empty() ? format("{} is no mount point", where)
                        : format("{} can't be grown: it is {}", where, type));
  return 1;
}

}  // namespace onset
