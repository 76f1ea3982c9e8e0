#include "os/service_directories.h"

namespace onset {

const std::string& directory_base(ExecDirectory kind, const HostFacts& host) {
  switch (kind) {
    case ExecDirectory::Runtime:
      return host.runtime_dir;
    case ExecDirectory::State:
      return host.state_dir;
    case ExecDirectory::Cache:
      return host.cache_dir;
    case ExecDirectory::Logs:
      return host.logs_dir;
    case ExecDirectory::Configuration:
      return host.config_dir;
  }
  return host.runtime_dir;
}

std::string_view directory_variable(ExecDirectory kind) {
  switch (kind) {
    case ExecDirectory::Runtime:
      return "RUNTIME_DIRECTORY";
    case ExecDirectory::State:
      return "STATE_DIRECTORY";
    case ExecDirectory::Cache:
      return "CACHE_DIRECTORY";
    case ExecDirectory::Logs:
      return "LOGS_DIRECTORY";
    case ExecDirectory::Configuration:
      return "CONFIGURATION_DIRECTORY";
  }
  return {};
}

LaunchStep directory_step(ExecDirectory kind) {
  switch (kind) {
    case ExecDirectory::Runtime:
      return LaunchStep::RuntimeDirectory;
    case ExecDirectory::State:
      return LaunchStep::StateDirectory;
    case ExecDirectory::Cache:
      return LaunchStep::CacheDirectory;
    case ExecDirectory::Logs:
      return LaunchStep::LogsDirectory;
    case ExecDirectory::Configuration:
      return LaunchStep::ConfigurationDirectory;
  }
  return LaunchStep::RuntimeDirectory;
}

}  // namespace onset
