#include "os/host_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "os/kernel.h"
#include "unit/environment.h"
#include "unit/machine_identity.h"

namespace onset {
namespace {

constexpr std::size_t kFactLimit = 65536;

struct ArchitectureName {
  std::string_view machine;
  std::string_view name;
};
constexpr std::array<ArchitectureName, 29> kArchitectures{{
    {"x86_64", "x86-64"},
    {"i686", "x86"},
    {"i586", "x86"},
    {"i486", "x86"},
    {"i386", "x86"},
    {"ppc64le", "ppc64-le"},
    {"ppc64", "ppc64"},
    {"ppcle", "ppc-le"},
    {"ppc", "ppc"},
    {"ia64", "ia64"},
    {"parisc64", "parisc64"},
    {"parisc", "parisc"},
    {"s390x", "s390x"},
    {"s390", "s390"},
    {"sparc64", "sparc64"},
    {"sparc", "sparc"},
    {"mips64", "mips64"},
    {"mips", "mips"},
    {"alpha", "alpha"},
    {"aarch64_be", "arm64-be"},
    {"aarch64", "arm64"},
    {"armv8l", "arm"},
    {"sh64", "sh64"},
    {"m68k", "m68k"},
    {"tilegx", "tilegx"},
    {"crisv32", "cris"},
    {"riscv64", "riscv64"},
    {"riscv32", "riscv32"},
    {"loongarch64", "loongarch64"},
}};

/// A 128-bit id as 32 lower-case digits; dashes are dropped. Empty if it is none.
std::string plain_id(std::string_view text) {
  std::string id;
  for (const char c : without_line_end(text)) {
    if (c == '-') continue;
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!((lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f'))) return {};
    id += lower;
  }
  return id.size() == 32 ? id : std::string();
}

std::string read_id(FileSource& files, std::string_view path) {
  auto text = files.read(path, kFactLimit);
  return text ? plain_id(*text) : std::string();
}

void read_os_release(HostFacts& facts, FileSource& files) {
  auto text = files.read("/etc/os-release", kFactLimit);
  if (!text) text = files.read("/usr/lib/os-release", kFactLimit);
  if (!text) return;
  const Environment release(parse_environment_file(*text).assignments);
  const auto take = [&](std::string_view name, std::string& to) {
    if (const auto value = release.get(name)) to = *value;
  };
  take("ID", facts.os_id);
  take("VERSION_ID", facts.os_version_id);
  take("BUILD_ID", facts.os_build_id);
  take("VARIANT_ID", facts.os_variant_id);
  take("IMAGE_ID", facts.os_image_id);
  take("IMAGE_VERSION", facts.os_image_version);
}

void read_account(HostFacts& facts, const Environment& own, Accounts& accounts, bool user_manager) {
  facts.uid = ::geteuid();
  facts.gid = ::getegid();
  facts.user_name = accounts.user_name(facts.uid).value_or(format("{}", facts.uid));
  facts.group_name = accounts.group_name(facts.gid).value_or(format("{}", facts.gid));
  if (auto account = accounts.user(format("{}", facts.uid))) {
    facts.home = account->home;
    facts.shell = account->shell;
  } else {
    facts.home.clear();
    facts.shell.clear();
  }
  if (user_manager) {
    if (const auto home = own.get("HOME")) facts.home = *home;
    if (const auto shell = own.get("SHELL")) facts.shell = *shell;
  }
  if (facts.home.empty()) facts.home = facts.uid == 0 ? "/root" : "/";
  if (facts.shell.empty()) facts.shell = "/bin/sh";
}

void set_user_folders(HostFacts& facts, const Environment& own) {
  const auto folder = [&](std::string_view name, std::string otherwise) {
    const auto value = own.get(name);
    return value && value->starts_with('/') ? std::string(*value) : std::move(otherwise);
  };
  facts.runtime_dir = folder("XDG_RUNTIME_DIR", format("/run/user/{}", facts.uid));
  facts.config_dir = folder("XDG_CONFIG_HOME", facts.home + "/.config");
  facts.cache_dir = folder("XDG_CACHE_HOME", facts.home + "/.cache");
  facts.state_dir = facts.config_dir;
  facts.logs_dir = facts.config_dir + "/log";
}

std::uint64_t number_in(FileSource& files, std::string_view path, std::uint64_t otherwise) {
  const auto text = files.read(path, kFactLimit);
  const auto number = text ? parse_uint<std::uint64_t>(trim(*text)) : std::nullopt;
  return number.value_or(otherwise);
}

/// Percentages are of these. A container's own group may allow less than the machine has.
void read_capacity(HostFacts& facts, FileSource& files) {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && size > 0) {
    facts.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
    facts.memory_bytes =
        std::min(facts.memory_bytes, number_in(files, "/sys/fs/cgroup/memory.max", UINT64_MAX));
  }
  facts.tasks_max = std::min({number_in(files, "/proc/sys/kernel/pid_max", 32768),
                              number_in(files, "/proc/sys/kernel/threads-max", UINT64_MAX),
                              number_in(files, "/sys/fs/cgroup/pids.max", UINT64_MAX)});
}

}  // namespace

std::string_view systemd_architecture(std::string_view machine) {
  for (const ArchitectureName& row : kArchitectures) {
    if (row.machine == machine) return row.name;
  }
  if (machine.starts_with("arm")) return machine.ends_with('b') ? "arm-be" : "arm";
  if (machine.starts_with("sh")) return "sh";
  return machine;
}

HostFacts read_host_facts(bool user_manager, const std::vector<std::string>& environment,
                          FileSource& files, Accounts& accounts) {
  HostFacts facts;
  const Environment own(environment);
  utsname names{};
  if (::uname(&names) == 0) {
    facts.hostname = names.nodename;
    facts.kernel_release = names.release;
    facts.architecture = systemd_architecture(names.machine);
  }
  if (facts.hostname.empty() || facts.hostname == "(none)") {
    auto text = files.read("/etc/hostname", kFactLimit);
    facts.hostname = text ? std::string(without_line_end(*text)) : "localhost";
  }
  facts.short_hostname = facts.hostname.substr(0, facts.hostname.find('.'));
  facts.pretty_hostname = facts.short_hostname;
  if (auto info = files.read("/etc/machine-info", kFactLimit)) {
    const Environment machine(parse_environment_file(*info).assignments);
    if (const auto pretty = machine.get("PRETTY_HOSTNAME"); pretty && !pretty->empty()) {
      facts.pretty_hostname = *pretty;
    }
  }
  facts.machine_id = read_id(files, kMachineIdFile);
  if (facts.machine_id.empty()) facts.machine_id = read_id(files, kTransientMachineIdFile);
  facts.boot_id = read_id(files, "/proc/sys/kernel/random/boot_id");
  read_os_release(facts, files);
  read_capacity(facts, files);
  read_account(facts, own, accounts, user_manager);
  if (user_manager) set_user_folders(facts, own);
  for (const std::string_view name : {"TMPDIR", "TEMP", "TMP"}) {
    const auto folder = own.get(name);
    if (!folder || !folder->starts_with('/')) continue;
    facts.tmp_dir = *folder;
    facts.var_tmp_dir = *folder;
    break;
  }
  return facts;
}

}  // namespace onset
