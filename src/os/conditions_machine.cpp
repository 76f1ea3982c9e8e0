#include "os/conditions_machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "os/comparison.h"
#include "os/host_facts.h"
#include "os/kernel.h"
#include "os/machine_text.h"
#include "os/self.h"
#include "os/virtualization.h"
#include "unit/capability.h"
#include "unit/environment.h"
#include "unit/glob.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {
namespace {

constexpr std::size_t kLimit = 1U << 20U;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string read_text(FileSource& files, std::string_view path) {
  auto text = files.read(path, kLimit);
  return text ? std::string(without_line_end(*text)) : std::string();
}

Failure<SysError> invalid(const char* what) {
  return Failure{SysError{what, EINVAL}};
}

utsname names_of_machine() {
  utsname names{};
  (void)::uname(&names);
  return names;
}

constexpr std::string_view native_architecture() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__i386__)
  return "x86";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#else
  return "";
#endif
}

/// The command line of the kernel; in a container, of PID 1.
std::string boot_command_line(const ConditionContext& context) {
  if (detect_container(context.environment, context.files).empty()) {
    return read_text(context.files, "/proc/cmdline");
  }
  std::string text = read_text(context.files, "/proc/1/cmdline");
  std::ranges::replace(text, '\0', ' ');
  return text;
}

}  // namespace

Result<bool> test_architecture(const std::string& value) {
  const utsname names = names_of_machine();
  const std::string_view here = systemd_architecture(names.machine);
  return here == (value == "native" ? native_architecture() : std::string_view(value));
}

namespace {

/// "field operator value" of smbios-field(…).
Result<bool> test_smbios(std::string_view text, FileSource& files) {
  const auto end = text.find_first_of("!$=<> ");
  if (end == std::string_view::npos || end == 0) return invalid("smbios-field");
  const std::string field(text.substr(0, end));
  if (!filename_is_valid(field)) return invalid("smbios-field");
  std::string_view rest = trim(text.substr(end));
  const std::size_t before = rest.size();
  const Operator op = take_operator(rest, Operator::Equal);
  if (rest.size() == before) return invalid("smbios-field");
  std::string_view wanted = trim(rest);
  if (wanted.size() >= 2 && (wanted.front() == '"' || wanted.front() == '\'') &&
      wanted.back() == wanted.front()) {
    wanted = wanted.substr(1, wanted.size() - 2);
  }
  auto have = files.read("/sys/class/dmi/id/" + field, kLimit);
  if (!have) return false;
  return version_holds(op, without_line_end(*have), wanted);
}

bool device_tree_is_compatible(std::string_view wanted, FileSource& files) {
  auto text = files.read("/proc/device-tree/compatible", kLimit);
  return text && is_compatible(*text, wanted);
}

}  // namespace

Result<bool> test_firmware(const std::string& value, FileSource& files) {
  if (value == "uefi") return exists("/sys/firmware/efi");
  if (value == "device-tree") {
    return exists("/sys/firmware/devicetree") || exists("/proc/device-tree");
  }
  const std::string_view text = value;
  const auto inside = [&](std::string_view word) -> std::string_view {
    return text.substr(word.size(), text.size() - word.size() - 1);
  };
  static constexpr std::string_view kCompatible = "device-tree-compatible(";
  static constexpr std::string_view kSmbios = "smbios-field(";
  if (text.starts_with(kCompatible) && text.ends_with(')')) {
    return device_tree_is_compatible(inside(kCompatible), files);
  }
  if (text.starts_with(kSmbios) && text.ends_with(')')) return test_smbios(inside(kSmbios), files);
  return invalid("ConditionFirmware");
}

Result<bool> test_virtualization(const std::string& value, const ConditionContext& context) {
  if (value == "private-users") return in_user_namespace(context.files);
  const std::string container = detect_container(context.environment, context.files);
  if (value == "container") return !container.empty();
  // The innermost counts: in a container nothing is said of the machine below.
  const std::string vm = container.empty() ? detect_vm(context.files) : std::string();
  if (value == "vm") return !vm.empty();
  const std::string& here = container.empty() ? vm : container;
  if (auto any = parse_bool(value)) return *any == !here.empty();
  return !here.empty() && here == value;
}

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

/// By name whatever the case.
Result<bool> test_host(const std::string& value, const ConditionContext& context) {
  std::string id = lower_case(value);
  std::erase(id, '-');
  if (id.size() == 32 && std::ranges::all_of(id, [](char c) { return hex_value(c) >= 0; })) {
    return id == context.host.machine_id;
  }
  const utsname names = names_of_machine();
  return glob_matches(lower_case(value), lower_case(names.nodename), Backslash::Escapes);
}

Result<bool> test_kernel_command_line(const std::string& value, const ConditionContext& context) {
  return has_kernel_argument(boot_command_line(context), value);
}

Result<bool> test_kernel_version(const std::string& value) {
  auto words = split_words(value, WordFlags::Unquote);
  if (!words) return invalid("ConditionKernelVersion");
  const utsname names = names_of_machine();
  for (std::size_t i = 0; i < words->size(); ++i) {
    std::string_view word = (*words)[i];
    const Operator op = take_operator(word, Operator::GlobMatch);
    word = trim(word);
    if (word.empty()) {  // the operator stood alone: the next word is its value
      if (++i == words->size()) return invalid("ConditionKernelVersion");
      word = (*words)[i];
    }
    if (!version_holds(op, names.release, word)) return false;
  }
  return true;
}

Result<bool> test_credential(const std::string& value, const ConditionContext& context) {
  if (!filename_is_valid(value)) return invalid("ConditionCredential");
  const Environment own(context.environment);
  for (const std::string_view name : {"CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY"}) {
    const auto folder = own.get(name);
    if (folder && folder->starts_with('/') && exists(format("{}/{}", *folder, value))) return true;
  }
  return exists("/run/credentials/@system/" + value);
}

Result<bool> test_environment(const std::string& value, const ConditionContext& context) {
  if (value.find('=') != std::string::npos) {
    return std::ranges::find(context.environment, value) != context.environment.end();
  }
  return Environment(context.environment).get(value).has_value();
}

namespace {

bool has_secure_boot(FileSource& files) {
  auto text =
      files.read("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", 64);
  return text && text->size() == 5 && (*text)[4] == 1;
}

bool has_tpm2(FileSource& files) {
  auto devices = files.list("/sys/class/tpmrm");
  return (devices && !devices->empty()) || exists("/sys/firmware/acpi/tables/TPM2");
}

}  // namespace

Result<bool> test_security(const std::string& value, FileSource& files) {
  if (value == "selinux") return exists("/sys/fs/selinux/enforce");
  if (value == "smack") return exists("/sys/fs/smackfs");
  if (value == "apparmor") {
    const std::string on = read_text(files, "/sys/module/apparmor/parameters/enabled");
    return !on.empty() && parse_bool(on).value_or(false);
  }
  if (value == "tomoyo") return exists("/sys/kernel/security/tomoyo/version");
  if (value == "ima") return exists("/sys/kernel/security/ima/");
  if (value == "audit") {
    // The file is there where the kernel has it and this is not a container of old.
    return exists("/proc/self/loginuid") && exists("/proc/self/sessionid");
  }
  if (value == "uefi-secureboot") return has_secure_boot(files);
  if (value == "tpm2") return has_tpm2(files);
  return false;
}

Result<bool> test_capability(const std::string& value) {
  const auto number = capability_from_text(value);
  if (!number || *number < 0 || *number > 63) return invalid("ConditionCapability");
  return ((read_self_facts().bounding >> static_cast<unsigned>(*number)) & 1U) != 0;
}

Result<bool> test_needs_update(const std::string& value, const ConditionContext& context) {
  const std::string folder = path_simplify(value);
  if (folder != "/etc" && folder != "/var") return invalid("ConditionNeedsUpdate");
  if (const auto forced =
          kernel_switch(boot_command_line(context), "systemd.condition-needs-update"))
    return *forced;
  if (exists("/etc/initrd-release")) return false;
  if (::access(folder.c_str(), W_OK) != 0 && errno == EROFS) return false;
  const auto usr = context.files.stat("/usr");
  if (!usr) return true;
  const auto stamp = context.files.lstat(folder + "/.updated");
  if (!stamp) return true;
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (usr->mtime_ns / kSecond != stamp->mtime_ns / kSecond) return usr->mtime_ns > stamp->mtime_ns;
  // The stamp of a file system with whole seconds says no more than that; the
  // exact time stands in the file then.
  if (usr->mtime_ns % kSecond == 0 || stamp->mtime_ns % kSecond > 0) {
    return usr->mtime_ns > stamp->mtime_ns;
  }
  auto text = context.files.read(folder + "/.updated", 4096);
  if (!text) return true;
  const Environment record(parse_environment_file(*text).assignments);
  const auto exact = record.get("TIMESTAMP_NSEC");
  const auto number = exact ? parse_uint<std::uint64_t>(*exact) : std::nullopt;
  return !number || static_cast<std::uint64_t>(usr->mtime_ns) > *number;
}

Result<bool> test_first_boot(const std::string& value, const ConditionContext& context) {
  auto wanted = parse_bool(value);
  if (!wanted) return invalid("ConditionFirstBoot");
  if (const auto forced = kernel_switch(boot_command_line(context), "systemd.condition-first-boot"))
    return *forced == *wanted;
  return exists("/run/systemd/first-boot") == *wanted;
}

Result<bool> test_user(const std::string& value, const ConditionContext& context) {
  constexpr uid_t kSystemMax = 999;
  const uid_t own = ::getuid();
  const uid_t effective = ::geteuid();
  if (const auto number = parse_account_number(value))
    return *number == own || *number == effective;
  if (value == "@system") {
    const auto is_system = [](uid_t uid) { return uid <= kSystemMax; };
    return is_system(own) || is_system(effective);
  }
  auto account = context.accounts.user(value);
  return account && (account->uid == own || account->uid == effective);
}

Result<bool> test_group(const std::string& value, const ConditionContext& context) {
  gid_t wanted = 0;
  if (const auto number = parse_account_number(value)) {
    wanted = *number;
  } else {
    auto gid = context.accounts.group(value);
    if (!gid) return false;
    wanted = *gid;
  }
  if (wanted == ::getgid() || wanted == ::getegid()) return true;
  std::array<gid_t, NGROUPS_MAX> groups{};
  const int n = ::getgroups(static_cast<int>(groups.size()), groups.data());
  return n > 0 && std::find(groups.begin(), groups.begin() + n, wanted) != groups.begin() + n;
}

Result<bool> test_os_release(const std::string& value, FileSource& files) {
  auto text = files.read("/etc/os-release", kLimit);
  if (!text) text = files.read("/usr/lib/os-release", kLimit);
  const Environment release(text ? parse_environment_file(*text).assignments
                                 : std::vector<std::string>());
  auto words = split_words(value, WordFlags::Unquote);
  if (!words || words->empty()) return invalid("ConditionOSRelease");
  for (const std::string& pair : *words) {
    const auto end = pair.find_first_of("!$=<>");
    if (end == std::string::npos || end == 0) return invalid("ConditionOSRelease");
    std::string_view rest = std::string_view(pair).substr(end);
    const Operator op = take_operator(rest, Operator::TextEqual);
    if (rest.empty()) return invalid("ConditionOSRelease");
    const std::string_view have = release.get(std::string_view(pair).substr(0, end)).value_or("");
    if (!version_holds(op, have, rest)) return false;
  }
  return true;
}

}  // namespace onset
