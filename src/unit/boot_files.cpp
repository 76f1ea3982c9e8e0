#include "unit/boot_files.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "unit/glob.h"
#include "unit/kernel_command_line.h"

namespace onset {
namespace {

constexpr std::string_view kSysctls = "/proc/sys";

void warn(Diagnostics& diagnostics, const std::string& file, unsigned line, std::string message) {
  diagnostics.push_back({Severity::Warning, file, line, std::move(message)});
}

/// The keys that a pattern covers.
std::vector<std::string> matches(std::string_view pattern, FileSource& files) {
  const std::string place = format("{}/", kSysctls);
  auto found = glob_paths(place + std::string(pattern), files);
  if (!found) return {};
  for (std::string& path : *found) path.erase(0, place.size());
  return std::move(*found);
}

void add_modules(std::vector<std::string>& names, std::string_view list) {
  for (const std::string_view name : split(list, ',')) {
    if (!trim(name).empty()) names.emplace_back(trim(name));
  }
}

std::optional<SysctlSetting> parse_line(std::string_view line) {
  SysctlSetting setting;
  setting.ignore_failure = line.starts_with('-');
  if (setting.ignore_failure) line.remove_prefix(1);
  const std::size_t equals = line.find('=');
  const std::string_view key = trim(line.substr(0, equals));
  if (key.empty()) return std::nullopt;
  setting.key = sysctl_path(key);
  if (!path_is_normalized(setting.key) || setting.key.starts_with('/')) return std::nullopt;
  setting.excludes = equals == line.npos;
  if (setting.excludes && !setting.ignore_failure) return std::nullopt;
  if (!setting.excludes) setting.value = trim(line.substr(equals + 1));
  return setting;
}

}  // namespace

std::vector<std::string> conf_folders(std::string_view name) {
  std::vector<std::string> folders;
  for (const std::string_view base : {"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"}) {
    folders.push_back(format("{}/{}", base, name));
  }
  return folders;
}

std::vector<std::string> conf_files(FileSource& files, std::span<const std::string> folders,
                                    Diagnostics& diagnostics) {
  std::map<std::string, std::string> by_name;
  for (const std::string& folder : folders) {
    const auto listing = files.list(folder);
    if (!listing) {
      const int err = listing.error().err;
      if (err != ENOENT && err != ENOTDIR) warn(diagnostics, folder, 0, errno_text(err));
      continue;
    }
    for (const DirectoryItem& item : *listing) {
      if (item.name.ends_with(".conf") && !item.name.starts_with('.')) {
        by_name.try_emplace(item.name, format("{}/{}", folder, item.name));
      }
    }
  }
  std::vector<std::string> paths;
  for (const auto& [name, path] : by_name) {
    const auto status = files.stat(path);
    if (status && status->is_null_device) continue;
    paths.push_back(path);
  }
  return paths;
}

std::string sysctl_path(std::string_view key) {
  std::string path(key);
  const std::size_t first = path.find_first_of("./");
  if (first == path.npos || path[first] == '/') return path;
  for (char& c : path) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return path;
}

std::vector<SysctlSetting> parse_sysctl(std::string_view text, const std::string& file,
                                        Diagnostics& diagnostics) {
  std::vector<SysctlSetting> settings;
  unsigned number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(whole);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    auto setting = parse_line(line);
    if (!setting) {
      warn(diagnostics, file, number, format("expected KEY=VALUE, not \"{}\"", c_escape(line)));
      continue;
    }
    setting->file = file;
    setting->line = number;
    settings.push_back(std::move(*setting));
  }
  return settings;
}

std::vector<SysctlSetting> plan_sysctl(const std::vector<SysctlSetting>& settings,
                                       FileSource& files, Diagnostics& diagnostics) {
  // Of each key the last one, at the place of the first.
  std::vector<SysctlSetting> last;
  std::map<std::string, std::size_t> at;
  for (const SysctlSetting& setting : settings) {
    const auto [known, is_new] = at.try_emplace(setting.key, last.size());
    if (is_new) {
      last.push_back(setting);
    } else {
      last[known->second] = setting;
    }
  }
  std::vector<SysctlSetting> plan;
  for (const SysctlSetting& setting : last) {
    if (setting.excludes) continue;
    if (!is_glob(setting.key)) {
      plan.push_back(setting);
      continue;
    }
    const auto found = matches(setting.key, files);
    if (found.empty()) {
      warn(diagnostics, setting.file, setting.line, format("{} is nothing here", setting.key));
    }
    for (const std::string& path : found) {
      if (at.contains(path)) continue;
      SysctlSetting one = setting;
      one.key = path;
      plan.push_back(std::move(one));
    }
  }
  return plan;
}

std::vector<std::string> parse_module_names(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view whole : split(text, '\n')) {
    const std::string_view line = trim(whole);
    if (line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    names.emplace_back(line);
  }
  return names;
}

std::vector<std::string> modules_of_command_line(std::string_view line, bool in_initrd) {
  std::vector<std::string> names;
  for (const KernelArgument& word : split_kernel_command_line(line)) {
    if (!word.value) continue;
    if (word.name == "modules_load" || (in_initrd && word.name == "rd.modules_load")) {
      add_modules(names, *word.value);
    }
  }
  return names;
}

}  // namespace onset
