// Each type of condition has one function; this file has their table and those
// that look at files. conditions_machine.cpp asks the machine about itself.

#include "os/conditions.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "os/conditions_machine.h"
#include "os/files.h"
#include "os/kernel.h"
#include "unit/glob.h"

namespace onset {
namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool any_matches(const std::string& pattern, FileSource& files) {
  return std::ranges::any_of(expand_braces(pattern), [&](const std::string& one) {
    const auto paths = glob_paths(one, files);
    return paths && !paths->empty();
  });
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

bool is_directory(const std::string& path, FileSource& files) {
  return has_type(path, FileKind::Directory, files, true);
}

bool is_symbolic_link(const std::string& path, FileSource& files) {
  return has_type(path, FileKind::Symlink, files, false);
}

Result<bool> test_memory_pressure(const std::string& value, const ConditionContext& context) {
  return test_pressure("memory", value, context.files, context.user_manager);
}

Result<bool> test_cpu_pressure(const std::string& value, const ConditionContext& context) {
  return test_pressure("cpu", value, context.files, context.user_manager);
}

Result<bool> test_io_pressure(const std::string& value, const ConditionContext& context) {
  return test_pressure("io", value, context.files, context.user_manager);
}

template <auto Test>
Result<bool> by_value(const std::string& value, const ConditionContext& /*context*/) {
  return Test(value);
}

template <auto Test>
Result<bool> by_files(const std::string& value, const ConditionContext& context) {
  return Test(value, context.files);
}

struct Row {
  ConditionType type;
  Result<bool> (*test)(const std::string& value, const ConditionContext& context);
};

using T = ConditionType;
constexpr Row kRows[] = {
    {T::Architecture, by_value<test_architecture>},
    {T::Firmware, by_files<test_firmware>},
    {T::Virtualization, test_virtualization},
    {T::Host, test_host},
    {T::KernelCommandLine, test_kernel_command_line},
    {T::KernelVersion, by_value<test_kernel_version>},
    {T::Credential, test_credential},
    {T::Environment, test_environment},
    {T::Security, by_files<test_security>},
    {T::Capability, by_value<test_capability>},
    {T::AcPower, by_files<test_ac_power>},
    {T::NeedsUpdate, test_needs_update},
    {T::FirstBoot, test_first_boot},
    {T::PathExists, by_value<exists>},
    {T::PathExistsGlob, by_files<any_matches>},
    {T::PathIsDirectory, by_files<is_directory>},
    {T::PathIsSymbolicLink, by_files<is_symbolic_link>},
    {T::PathIsMountPoint, by_value<is_mount_point>},
    {T::PathIsReadWrite, by_value<is_writable_system>},
    {T::PathIsEncrypted, by_value<is_encrypted>},
    {T::DirectoryNotEmpty, by_files<is_full_directory>},
    {T::FileNotEmpty, by_files<is_full_file>},
    {T::FileIsExecutable, by_files<is_executable>},
    {T::User, test_user},
    {T::Group, test_group},
    {T::ControlGroupController, by_files<test_cgroup_controller>},
    {T::Memory, by_files<test_memory>},
    {T::Cpus, by_value<test_cpus>},
    {T::CpuFeature, by_value<test_cpu_feature>},
    {T::OsRelease, by_files<test_os_release>},
    {T::MemoryPressure, test_memory_pressure},
    {T::CpuPressure, test_cpu_pressure},
    {T::IoPressure, test_io_pressure},
};

constexpr bool in_order() {
  unsigned next = 0;
  for (const Row& row : kRows) {
    if (static_cast<unsigned>(row.type) != next++) return false;
  }
  return next == static_cast<unsigned>(T::IoPressure) + 1;
}
static_assert(in_order(), "a row for every type, in the order of the enumeration");

}  // namespace

ConditionTester::ConditionTester(ConditionContext context) : context_(context) {}
ConditionTester::~ConditionTester() = default;

Result<bool> ConditionTester::test(const Condition& condition) {
  const auto index = static_cast<unsigned>(condition.type);
  if (index >= std::size(kRows)) return false;
  return kRows[index].test(condition.parameter, context_);
}

}  // namespace onset
