#include "unit/manager_files.h"

#include <cerrno>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "unit/reader.h"

namespace onset {
namespace {

constexpr std::size_t kFileMax = std::size_t{1} << 20;

/// One reading of all files.
class SettingsReader {
 public:
  SettingsReader(FileSource& files, const HostFacts& host, Diagnostics& diagnostics)
      : files_(files), host_(host), diagnostics_(diagnostics) {}

  /// False: there is no such file.
  bool read_file(const std::string& path);
  void apply(const ManagerOverride& override);
  ManagerSettings finish();

 private:
  void apply(const std::string& path, std::string_view text);
  void check_permissions(const std::string& path, const FileStatus& status);
  void warn(const std::string& path, unsigned line, std::string message) {
    diagnostics_.push_back({Severity::Warning, path, line, std::move(message)});
  }

  FileSource& files_;
  const HostFacts& host_;
  Diagnostics& diagnostics_;
  ManagerSettings settings_;
  std::vector<ManagerNotYetUse> not_yet_;
};

bool SettingsReader::read_file(const std::string& path) {
  const auto status = files_.stat(path);
  if (!status && (status.error().err == ENOENT || status.error().err == ENOTDIR)) return false;
  if (status && status->is_null_device) return true;
  auto content = files_.read_with_status(path, kFileMax);
  if (!content) {
    const int err = content.error().err;
    warn(path, 0, err == EINVAL ? std::string("not a regular file") : errno_text(err));
    return true;
  }
  check_permissions(path, content->status);
  apply(path, content->text);
  return true;
}

/// C8 of the faults: who can write it configures every service.
void SettingsReader::check_permissions(const std::string& path, const FileStatus& status) {
  if ((status.mode & 0002U) != 0) {
    warn(path, 0, "the file can be written by everyone");
  } else if (status.owner != 0 && status.owner != host_.uid) {
    warn(path, 0, format("the file belongs to another user (uid {})", status.owner));
  }
}

void SettingsReader::apply(const std::string& path, std::string_view text) {
  ReadResult read = read_unit_text(text, path);
  for (Diagnostic& d : read.diagnostics) diagnostics_.push_back(std::move(d));
  for (const SectionStart& section : read.sections) {
    if (section.name == "Manager") continue;
    warn(path, section.line, format("Unknown section '{}', ignoring", c_escape(section.name)));
  }
  const SpecifierScope scope{{}, {}, host_};
  for (const Assignment& a : read.assignments) {
    if (a.section != "Manager") continue;
    ManagerParseContext context{settings_, scope, path, a.line, a.key, diagnostics_, not_yet_};
    apply_manager_assignment(context, a.value);
  }
}

void SettingsReader::apply(const ManagerOverride& override) {
  const SpecifierScope scope{{}, {}, host_};
  ManagerParseContext context{settings_,    scope,        override.origin, 0,
                              override.key, diagnostics_, not_yet_};
  apply_manager_assignment(context, override.value);
}

ManagerSettings SettingsReader::finish() {
  for (const ManagerNotYetUse& use : not_yet_) {
    warn(use.file, use.line, format("{}= is not honoured yet", use.directive->name));
  }
  return std::move(settings_);
}

}  // namespace

std::vector<std::string> default_config_path(bool user_manager, const HostFacts& host) {
  std::vector<std::string> path;
  if (user_manager && !host.config_dir.empty()) {
    path.push_back(host.config_dir + "/onset");
    path.push_back(host.config_dir + "/systemd");
  }
  path.insert(path.end(), {"/etc/onset", "/etc/systemd", "/run/onset", "/run/systemd",
                           "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"});
  return path;
}

ManagerSettings read_manager_settings(FileSource& files, const std::vector<std::string>& folders,
                                      bool user_manager, const HostFacts& host,
                                      std::span<const ManagerOverride> overrides,
                                      Diagnostics& diagnostics) {
  const std::string name = user_manager ? "user.conf" : "system.conf";
  SettingsReader reader(files, host, diagnostics);
  for (const std::string& folder : folders) {
    if (reader.read_file(format("{}/{}", folder, name))) break;
  }
  std::map<std::string, std::string, std::less<>> dropins;  // by file name
  for (const std::string& folder : folders) {
    const std::string dropin_folder = format("{}/{}.d", folder, name);
    auto items = files.list(dropin_folder);
    if (!items) continue;
    for (const DirectoryItem& item : *items) {
      if (item.kind == FileKind::Directory || item.name.starts_with('.')) continue;
      if (!item.name.ends_with(".conf")) continue;
      dropins.try_emplace(item.name, format("{}/{}", dropin_folder, item.name));
    }
  }
  for (const auto& [file, path] : dropins) (void)reader.read_file(path);
  for (const ManagerOverride& o : overrides) reader.apply(o);
  return reader.finish();
}

}  // namespace onset
