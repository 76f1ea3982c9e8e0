#include "unit/loader.h"

namespace onset {

std::string transient_folder(bool user_manager, const HostFacts& host) {
  if (!user_manager) return "/run/systemd/transient";
  return host.runtime_dir.empty() ? std::string() : host.runtime_dir + "/systemd/transient";
}

std::vector<std::string> default_search_path(bool user_manager, const HostFacts& host) {
  if (!user_manager) {
    return {"/etc/systemd/system.control", "/run/systemd/system.control",
            transient_folder(false, host), "/run/systemd/generator.early",
            "/etc/onset/system",           "/etc/systemd/system",
            "/run/onset/system",           "/run/systemd/system",
            "/run/systemd/generator",      "/usr/local/lib/systemd/system",
            "/usr/lib/systemd/system",     "/lib/systemd/system",
            "/run/systemd/generator.late"};
  }
  std::vector<std::string> path;
  if (!host.config_dir.empty()) path.push_back(host.config_dir + "/systemd/user.control");
  if (!host.runtime_dir.empty()) path.push_back(host.runtime_dir + "/systemd/user.control");
  const auto add_generated = [&](std::string_view kind) {
    if (!host.runtime_dir.empty()) {
      path.push_back(host.runtime_dir + "/systemd/generator" + std::string(kind));
    }
  };
  if (!host.runtime_dir.empty()) path.push_back(transient_folder(true, host));
  add_generated(".early");
  if (!host.config_dir.empty()) {
    path.push_back(host.config_dir + "/onset/user");
    path.push_back(host.config_dir + "/systemd/user");
  }
  path.insert(path.end(), {"/etc/onset/user", "/etc/systemd/user"});
  if (!host.runtime_dir.empty()) {
    path.push_back(host.runtime_dir + "/onset/user");
    path.push_back(host.runtime_dir + "/systemd/user");
  }
  path.insert(path.end(), {"/run/onset/user", "/run/systemd/user"});
  add_generated("");
  if (!host.home.empty()) path.push_back(host.home + "/.local/share/systemd/user");
  path.insert(path.end(),
              {"/usr/local/lib/systemd/user", "/usr/lib/systemd/user", "/lib/systemd/user"});
  add_generated(".late");
  return path;
}

}  // namespace onset
