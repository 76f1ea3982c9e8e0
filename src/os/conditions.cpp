// Each type of condition has one function; this file has the dispatch and those
// that look at files. conditions_machine.cpp asks the machine about itself.

#include "os/conditions.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "os/conditions_machine.h"
#include "os/files.h"
#include "os/kernel.h"

namespace onset {
namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool any_matches(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found);
  const bool any = result == 0 && found.gl_pathc > 0;
  ::globfree(&found);
  return any;
}

bool has_type(const std::string& path, FileKind kind, FileSource& files, bool follow) {
  const auto status = follow ? files.stat(path) : files.lstat(path);
  return status && status->kind == kind;
}

/// By the kernel's own word where it gives it, else by the device of the parent.
bool is_mount_point(const std::string& path) {
  struct statx here {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &here) !=
      0) {
    return false;
  }
#ifdef STATX_ATTR_MOUNT_ROOT
  if ((here.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (here.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
#endif
  struct stat own {};
  struct stat above {};
  if (::stat(path.c_str(), &own) != 0) return false;
  if (::stat((path + "/..").c_str(), &above) != 0) return false;
  return own.st_dev != above.st_dev || own.st_ino == above.st_ino;
}

bool is_writable_system(const std::string& path) {
  struct statvfs system {};
  return ::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) == 0;
}

/// The block device below a path, through dm and partitions, is a dm-crypt one.
bool is_encrypted(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return false;
  std::string device = format("/sys/dev/block/{}:{}", major(st.st_dev), minor(st.st_dev));
  for (unsigned depth = 0; depth < 8; ++depth) {
    auto uuid = read_kernel_file((device + "/dm/uuid").c_str(), 4096);
    if (uuid && uuid->starts_with("CRYPT-")) return true;
    RealFiles files;
    auto below = files.list(device + "/slaves");
    if (!below || below->size() != 1) return false;
    device += "/slaves/" + below->front().name;
  }
  return false;
}

bool is_full_directory(const std::string& path, FileSource& files) {
  auto items = files.list(path);
  return items && !items->empty();
}

bool is_full_file(const std::string& path, FileSource& files) {
  const auto status = files.stat(path);
  return status && status->kind == FileKind::Regular && status->size > 0;
}

bool is_executable(const std::string& path, FileSource& files) {
  const auto status = files.stat(path);
  return status && status->kind == FileKind::Regular && status->executable;
}

}  // namespace

ConditionTester::ConditionTester(ConditionContext context) : context_(context) {}
ConditionTester::~ConditionTester() = default;

Result<bool> ConditionTester::test(const Condition& condition) {
  const std::string& value = condition.parameter;
  FileSource& files = context_.files;
  switch (condition.type) {
    case ConditionType::Architecture:
      return test_architecture(value);
    case ConditionType::Firmware:
      return test_firmware(value, files);
    case ConditionType::Virtualization:
      return test_virtualization(value, context_);
    case ConditionType::Host:
      return test_host(value, context_);
    case ConditionType::KernelCommandLine:
      return test_kernel_command_line(value, context_);
    case ConditionType::KernelVersion:
      return test_kernel_version(value);
    case ConditionType::Credential:
      return test_credential(value, context_);
    case ConditionType::Environment:
      return test_environment(value, context_);
    case ConditionType::Security:
      return test_security(value, files);
    case ConditionType::Capability:
      return test_capability(value);
    case ConditionType::AcPower:
      return test_ac_power(value, files);
    case ConditionType::NeedsUpdate:
      return test_needs_update(value, context_);
    case ConditionType::FirstBoot:
      return test_first_boot(value, context_);
    case ConditionType::PathExists:
      return exists(value);
    case ConditionType::PathExistsGlob:
      return any_matches(value);
    case ConditionType::PathIsDirectory:
      return has_type(value, FileKind::Directory, files, true);
    case ConditionType::PathIsSymbolicLink:
      return has_type(value, FileKind::Symlink, files, false);
    case ConditionType::PathIsMountPoint:
      return is_mount_point(value);
    case ConditionType::PathIsReadWrite:
      return is_writable_system(value);
    case ConditionType::PathIsEncrypted:
      return is_encrypted(value);
    case ConditionType::DirectoryNotEmpty:
      return is_full_directory(value, files);
    case ConditionType::FileNotEmpty:
      return is_full_file(value, files);
    case ConditionType::FileIsExecutable:
      return is_executable(value, files);
    case ConditionType::User:
      return test_user(value, context_);
    case ConditionType::Group:
      return test_group(value, context_);
    case ConditionType::ControlGroupController:
      return test_cgroup_controller(value, files);
    case ConditionType::Memory:
      return test_memory(value, files);
    case ConditionType::Cpus:
      return test_cpus(value);
    case ConditionType::CpuFeature:
      return test_cpu_feature(value);
    case ConditionType::OsRelease:
      return test_os_release(value, files);
    case ConditionType::MemoryPressure:
      return test_pressure("memory", value, files, context_.user_manager);
    case ConditionType::CpuPressure:
      return test_pressure("cpu", value, files, context_.user_manager);
    case ConditionType::IoPressure:
      return test_pressure("io", value, files, context_.user_manager);
  }
  return false;
}

}  // namespace onset
