#include "os/conditions.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "os/conditions_machine.h"
#include "os/cpu_features.h"
#include "os/host_facts.h"
#include "os/virtualization.h"
#include "support/memory_files.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

struct World {
  RealFiles files;
  Accounts accounts{files};
  std::vector<std::string> environment{"SET=value", "EMPTY="};
  HostFacts host = read_host_facts(false, {}, files, accounts);
  ConditionTester tester{{host, environment, files, accounts, false}};

  /// 1, 0, or -1 for an error.
  int test(ConditionType type, const std::string& parameter) {
    auto answer = tester.test(Condition{type, false, false, parameter, 0});
    return answer ? static_cast<int>(*answer) : -1;
  }
};

struct Named {
  ConditionType type;
  const char* name;
};
constexpr Named kNames[] = {
    {ConditionType::Architecture, "ConditionArchitecture"},
    {ConditionType::Firmware, "ConditionFirmware"},
    {ConditionType::Virtualization, "ConditionVirtualization"},
    {ConditionType::Host, "ConditionHost"},
    {ConditionType::KernelCommandLine, "ConditionKernelCommandLine"},
    {ConditionType::KernelVersion, "ConditionKernelVersion"},
    {ConditionType::Credential, "ConditionCredential"},
    {ConditionType::Security, "ConditionSecurity"},
    {ConditionType::Capability, "ConditionCapability"},
    {ConditionType::AcPower, "ConditionACPower"},
    {ConditionType::NeedsUpdate, "ConditionNeedsUpdate"},
    {ConditionType::FirstBoot, "ConditionFirstBoot"},
    {ConditionType::PathExists, "ConditionPathExists"},
    {ConditionType::PathExistsGlob, "ConditionPathExistsGlob"},
    {ConditionType::PathIsDirectory, "ConditionPathIsDirectory"},
    {ConditionType::PathIsSymbolicLink, "ConditionPathIsSymbolicLink"},
    {ConditionType::PathIsMountPoint, "ConditionPathIsMountPoint"},
    {ConditionType::PathIsReadWrite, "ConditionPathIsReadWrite"},
    {ConditionType::PathIsEncrypted, "ConditionPathIsEncrypted"},
    {ConditionType::DirectoryNotEmpty, "ConditionDirectoryNotEmpty"},
    {ConditionType::FileNotEmpty, "ConditionFileNotEmpty"},
    {ConditionType::FileIsExecutable, "ConditionFileIsExecutable"},
    {ConditionType::User, "ConditionUser"},
    {ConditionType::Group, "ConditionGroup"},
    {ConditionType::ControlGroupController, "ConditionControlGroupController"},
    {ConditionType::Memory, "ConditionMemory"},
    {ConditionType::Cpus, "ConditionCPUs"},
    {ConditionType::CpuFeature, "ConditionCPUFeature"},
    {ConditionType::OsRelease, "ConditionOSRelease"},
    {ConditionType::MemoryPressure, "ConditionMemoryPressure"},
    {ConditionType::CpuPressure, "ConditionCPUPressure"},
    {ConditionType::IoPressure, "ConditionIOPressure"},
};

struct Asked {
  ConditionType type;
  const char* parameter;
};
constexpr Asked kAsked[] = {
    {ConditionType::Architecture, "x86-64"},
    {ConditionType::Architecture, "arm64"},
    {ConditionType::Architecture, "native"},
    {ConditionType::Firmware, "uefi"},
    {ConditionType::Firmware, "device-tree"},
    {ConditionType::Firmware, "smbios-field(sys_vendor $= *)"},
    {ConditionType::Virtualization, "yes"},
    {ConditionType::Virtualization, "no"},
    {ConditionType::Virtualization, "vm"},
    {ConditionType::Virtualization, "container"},
    {ConditionType::Virtualization, "private-users"},
    {ConditionType::Virtualization, "docker"},
    {ConditionType::Virtualization, "kvm"},
    {ConditionType::Host, "*"},
    {ConditionType::Host, "surely-not"},
    {ConditionType::Host, "0123456789abcdef0123456789abcdef"},
    {ConditionType::KernelCommandLine, "quiet"},
    {ConditionType::KernelCommandLine, "console"},
    {ConditionType::KernelCommandLine, "console=ttyS0"},
    {ConditionType::KernelCommandLine, "no-such-word"},
    {ConditionType::KernelVersion, ">=4.0"},
    {ConditionType::KernelVersion, ">= 4.0"},
    {ConditionType::KernelVersion, "<4.0"},
    {ConditionType::KernelVersion, ">4.0 <100"},
    {ConditionType::KernelVersion, "*.*"},
    {ConditionType::KernelVersion, "!$=9.*"},
    {ConditionType::Credential, "none"},
    {ConditionType::Security, "selinux"},
    {ConditionType::Security, "apparmor"},
    {ConditionType::Security, "tomoyo"},
    {ConditionType::Security, "ima"},
    {ConditionType::Security, "smack"},
    {ConditionType::Security, "audit"},
    {ConditionType::Security, "uefi-secureboot"},
    {ConditionType::Security, "tpm2"},
    {ConditionType::Capability, "CAP_CHOWN"},
    {ConditionType::Capability, "CAP_SYS_RESOURCE"},
    {ConditionType::AcPower, "true"},
    {ConditionType::AcPower, "false"},
    {ConditionType::NeedsUpdate, "/etc"},
    {ConditionType::NeedsUpdate, "/var"},
    {ConditionType::FirstBoot, "yes"},
    {ConditionType::FirstBoot, "no"},
    {ConditionType::PathExists, "/etc/passwd"},
    {ConditionType::PathExists, "/nowhere"},
    {ConditionType::PathExistsGlob, "/etc/{pass,gro}*"},
    {ConditionType::PathExistsGlob, "/etc/{nothing,here}*"},
    {ConditionType::PathIsDirectory, "/etc"},
    {ConditionType::PathIsDirectory, "/etc/passwd"},
    {ConditionType::PathIsSymbolicLink, "/proc/self"},
    {ConditionType::PathIsSymbolicLink, "/etc"},
    {ConditionType::PathIsMountPoint, "/proc"},
    {ConditionType::PathIsMountPoint, "/"},
    {ConditionType::PathIsMountPoint, "/etc"},
    {ConditionType::PathIsMountPoint, "/nowhere"},
    {ConditionType::PathIsReadWrite, "/tmp"},
    {ConditionType::PathIsReadWrite, "/nowhere"},
    {ConditionType::PathIsEncrypted, "/"},
    {ConditionType::DirectoryNotEmpty, "/etc"},
    {ConditionType::DirectoryNotEmpty, "/etc/passwd"},
    {ConditionType::FileNotEmpty, "/etc/passwd"},
    {ConditionType::FileNotEmpty, "/etc"},
    {ConditionType::FileIsExecutable, "/bin/sh"},
    {ConditionType::FileIsExecutable, "/etc/passwd"},
    {ConditionType::FileIsExecutable, "/etc"},
    {ConditionType::User, "root"},
    {ConditionType::User, "0"},
    {ConditionType::User, "daemon"},
    {ConditionType::User, "@system"},
    {ConditionType::Group, "root"},
    {ConditionType::Group, "daemon"},
    {ConditionType::Group, "no-such-group"},
    {ConditionType::ControlGroupController, "v1"},
    {ConditionType::ControlGroupController, "v2"},
    {ConditionType::ControlGroupController, "memory pids"},
    {ConditionType::ControlGroupController, "memory unheard-of"},
    {ConditionType::Memory, ">=1M"},
    {ConditionType::Memory, "<1M"},
    {ConditionType::Memory, "1M"},
    {ConditionType::Cpus, ">0"},
    {ConditionType::Cpus, "1"},
    {ConditionType::Cpus, ">1000"},
    {ConditionType::CpuFeature, "fpu"},
    {ConditionType::CpuFeature, "avx2"},
    {ConditionType::CpuFeature, "SSE4_2"},
    {ConditionType::CpuFeature, "sha_ni"},
    {ConditionType::CpuFeature, "constant_tsc"},
    {ConditionType::CpuFeature, "warp_drive"},
    {ConditionType::OsRelease, "ID=debian"},
    {ConditionType::OsRelease, "VERSION_ID>=12"},
    {ConditionType::OsRelease, "VERSION_ID<12"},
    {ConditionType::OsRelease, "ID=debian VERSION_ID>=1"},
    {ConditionType::OsRelease, "NOT_THERE="},
    {ConditionType::OsRelease, "ID$=deb*"},
    {ConditionType::MemoryPressure, "99%"},
    {ConditionType::CpuPressure, "100%/10sec"},
    {ConditionType::IoPressure, "100%/1min"},
};

std::string name_of(ConditionType type) {
  for (const Named& row : kNames) {
    if (row.type == type) return row.name;
  }
  return "?";
}

/// What systemd-analyze condition says: 1 or 0; an error is no yes there either.
int oracle(const std::string& root, const Asked& asked) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string libraries =
        root + "/lib/systemd:" + root + "/usr/lib/x86_64-linux-gnu/systemd";
    ::setenv("LD_LIBRARY_PATH", libraries.c_str(), 1);
    const std::string tool = root + "/usr/bin/systemd-analyze";
    const std::string text = name_of(asked.type) + "=" + asked.parameter;
    (void)!::freopen("/dev/null", "w", stdout);
    (void)!::freopen("/dev/null", "w", stderr);
    ::execl(tool.c_str(), tool.c_str(), "condition", text.c_str(), nullptr);
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) <= 1);
  return WEXITSTATUS(status) == 0 ? 1 : 0;
}

}  // namespace

TEST_CASE("conditions answer as systemd-analyze condition does on this machine",
          "[os][conditions][oracle]") {
  const char* root = std::getenv("SYSTEMD_ROOT");
  const std::string folder = root != nullptr ? root : "/";
  ONSET_NEEDS(::access((folder + "/usr/bin/systemd-analyze").c_str(), X_OK) == 0,
              "no systemd-analyze; SYSTEMD_ROOT= names a folder with systemd's package unpacked");
  ONSET_NEEDS(is_root(), "as another user systemd-analyze speaks of a user's manager");
  World world;
  for (const Asked& asked : kAsked) {
    INFO(name_of(asked.type) << "=" << asked.parameter);
    CHECK((world.test(asked.type, asked.parameter) == 1 ? 1 : 0) == oracle(folder, asked));
  }
}

TEST_CASE("conditions on files look at what the manual says", "[os][conditions]") {
  World world;
  const ScratchFolder folder;
  write_text(folder / "empty", "");
  write_text(folder / "full", "x");
  ::mkdir((folder / "d").c_str(), 0755);
  REQUIRE(::symlink("full", (folder / "link").c_str()) == 0);
  CHECK(world.test(ConditionType::PathExists, folder / "link") == 1);
  CHECK(world.test(ConditionType::PathIsSymbolicLink, folder / "link") == 1);
  CHECK(world.test(ConditionType::PathIsSymbolicLink, folder / "full") == 0);
  CHECK(world.test(ConditionType::FileNotEmpty, folder / "full") == 1);
  CHECK(world.test(ConditionType::FileNotEmpty, folder / "link") == 1);
  CHECK(world.test(ConditionType::FileNotEmpty, folder / "empty") == 0);
  CHECK(world.test(ConditionType::FileNotEmpty, folder / "d") == 0);
  CHECK(world.test(ConditionType::DirectoryNotEmpty, folder / "d") == 0);
  write_text(folder / "d/x", "");
  CHECK(world.test(ConditionType::DirectoryNotEmpty, folder / "d") == 1);
  CHECK(world.test(ConditionType::FileIsExecutable, folder / "full") == 0);
  ::chmod((folder / "full").c_str(), 0755);
  CHECK(world.test(ConditionType::FileIsExecutable, folder / "full") == 1);
  CHECK(world.test(ConditionType::PathIsDirectory, folder / "d") == 1);
  CHECK(world.test(ConditionType::PathExistsGlob, folder / "{fu,em}*") == 1);
  CHECK(world.test(ConditionType::PathExistsGlob, folder / "{a,b}*") == 0);
}

TEST_CASE("conditions on the machine hold for what is surely there", "[os][conditions]") {
  World world;
  CHECK(world.test(ConditionType::Architecture, "native") == 1);
  CHECK(world.test(ConditionType::KernelVersion, ">=3.0 <1000") == 1);
  CHECK(world.test(ConditionType::KernelVersion, ">") == -1);
  CHECK(world.test(ConditionType::Environment, "SET") == 1);
  CHECK(world.test(ConditionType::Environment, "SET=value") == 1);
  CHECK(world.test(ConditionType::Environment, "SET=other") == 0);
  CHECK(world.test(ConditionType::Environment, "EMPTY") == 1);
  CHECK(world.test(ConditionType::Environment, "NONE") == 0);
  CHECK(world.test(ConditionType::Cpus, ">=1") == 1);
  CHECK(world.test(ConditionType::Cpus, "many") == -1);
  CHECK(world.test(ConditionType::Memory, ">1M") == 1);
  CHECK(world.test(ConditionType::User, format("{}", ::getuid())) == 1);
  CHECK(world.test(ConditionType::Group, format("{}", ::getgid())) == 1);
  CHECK(world.test(ConditionType::Capability, "CAP_NONSENSE") == -1);
  CHECK(world.test(ConditionType::Firmware, "steam") == -1);
  CHECK(world.test(ConditionType::Host,
                   world.host.machine_id.empty() ? "*" : world.host.machine_id) == 1);
  CHECK_FALSE(cpu_has_feature("warp_drive"));
}

TEST_CASE("architectures have systemd's words", "[os][host_facts]") {
  CHECK(systemd_architecture("x86_64") == "x86-64");
  CHECK(systemd_architecture("aarch64") == "arm64");
  CHECK(systemd_architecture("i686") == "x86");
  CHECK(systemd_architecture("armv7l") == "arm");
  CHECK(systemd_architecture("ppc64le") == "ppc64-le");
  CHECK(systemd_architecture("riscv64") == "riscv64");
}

TEST_CASE("a user's manager keeps its folders below the home", "[os][host_facts]") {
  RealFiles files;
  Accounts accounts(files);
  const HostFacts facts = read_host_facts(
      true, {"HOME=/home/ann", "XDG_RUNTIME_DIR=/run/user/1000", "XDG_CACHE_HOME=/c", "TMPDIR=/t"},
      files, accounts);
  CHECK(facts.runtime_dir == "/run/user/1000");
  CHECK(facts.config_dir == "/home/ann/.config");
  CHECK(facts.state_dir == "/home/ann/.config");
  CHECK(facts.logs_dir == "/home/ann/.config/log");
  CHECK(facts.cache_dir == "/c");
  CHECK(facts.tmp_dir == "/t");
  const HostFacts system = read_host_facts(false, {}, files, accounts);
  CHECK(system.runtime_dir == "/run");
  CHECK(system.state_dir == "/var/lib");
}

TEST_CASE("pressure on the machine's CPU is what some wait, elsewhere what all do",
          "[os][conditions]") {
  MemoryFiles files;
  constexpr std::string_view kText =
      "some avg10=90.00 avg60=90.00 avg300=90.00 total=1\nfull avg10=1.00 avg60=1.00 avg300=1.00 "
      "total=1\n";
  for (const auto* path :
       {"/proc/pressure/cpu", "/proc/pressure/memory", "/sys/fs/cgroup/a.slice/cpu.pressure"}) {
    files.add(path, kText);
  }
  CHECK_FALSE(*test_pressure("cpu", "50%/1min", files, false));
  CHECK(*test_pressure("memory", "50%/1min", files, false));
  CHECK(*test_pressure("cpu", "a.slice:50%/1min", files, false));
  CHECK(*test_pressure("io", "50%", files, false));
}
