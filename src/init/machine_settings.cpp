// systemd-sysctl.service and systemd-modules-load.service.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/format.h"
#include "base/unique_fd.h"
#include "init/machine_programs.h"
#include "os/files.h"
#include "unit/boot_files.h"

namespace onset {
namespace {

constexpr std::size_t kFileMax = std::size_t{1} << 20;

/// The texts of all files of NAME.d, or of those that are named.
template <class Take>
bool for_each_file(std::string_view name, const std::vector<std::string>& named, Take take) {
  RealFiles files;
  Diagnostics diagnostics;
  const auto paths = named.empty() ? conf_files(files, conf_folders(name), diagnostics) : named;
  bool whole = true;
  for (const std::string& path : paths) {
    const auto text = files.read(path, kFileMax);
    if (text) {
      take(path, *text);
      continue;
    }
    whole = false;
    complain(format("{}: {}", path, errno_text(text.error().err)));
  }
  for (const Diagnostic& d : diagnostics) complain(to_string(d));
  return whole;
}

/// 0, or the errno.
int write_sysctl(const SysctlSetting& setting) {
  const std::string path = "/proc/sys/" + setting.key;
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return errno;
  const std::string text = setting.value + '\n';
  return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}

}  // namespace

/// What this kernel does not have is told and no failure, as in sysctl.d(5).
int apply_sysctl(const std::vector<std::string>& arguments) {
  std::vector<SysctlSetting> settings;
  Diagnostics diagnostics;
  bool good = for_each_file("sysctl.d", arguments, [&](const std::string& path, const auto& text) {
    for (SysctlSetting& s : parse_sysctl(text, path, diagnostics)) settings.push_back(std::move(s));
  });
  RealFiles files;
  const auto plan = plan_sysctl(settings, files, diagnostics);
  for (const Diagnostic& d : diagnostics) complain(to_string(d));
  for (const SysctlSetting& setting : plan) {
    const int err = write_sysctl(setting);
    if (err == 0) continue;
    complain(format("{}:{}: {} can't be set to \"{}\": {}", setting.file, setting.line, setting.key,
                    setting.value, errno_text(err)));
    if (!setting.ignore_failure && err != ENOENT && err != EACCES && err != EPERM && err != EROFS) {
      good = false;
    }
  }
  return good ? 0 : 1;
}

int load_modules(const std::vector<std::string>& arguments) {
  RealFiles files;
  const auto line = files.read("/proc/cmdline", kFileMax);
  const bool in_initrd = access("/etc/initrd-release", F_OK) == 0;
  std::vector<std::string> names;
  if (line) names = modules_of_command_line(*line, in_initrd);
  const bool whole = for_each_file("modules-load.d", arguments,
                                   [&](const std::string& /*path*/, const auto& text) {
                                     for (std::string& name : parse_module_names(text))
                                       names.push_back(std::move(name));
                                   });
  if (names.empty()) return whole ? 0 : 1;
  const std::string program = find_program("modprobe");
  if (program.empty()) {
    complain("there is no modprobe to load modules with");
    return 1;
  }
  std::vector<std::string> argv{"modprobe", "-a", "-b", "--"};
  argv.insert(argv.end(), names.begin(), names.end());
  return run_program(program, argv) == 0 && whole ? 0 : 1;
}

}  // namespace onset
