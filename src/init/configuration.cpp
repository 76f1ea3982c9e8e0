#include "init/configuration.h"

#include <linux/capability.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "init/unit_files.h"
#include "os/self.h"
#include "unit/environment.h"
#include "unit/manager_files.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr int kDefaultLogLevel = 6;
/// On a machine's console, which shows what starts and stops by itself (init/boot_display).
constexpr int kDefaultMachineLogLevel = 5;
/// systemd-system.conf(5), DefaultLimitNOFILE= and DefaultLimitMEMLOCK=.
constexpr rlim_t kSoftDescriptors = 1024;
constexpr rlim_t kHardDescriptors = 524288;
constexpr rlim_t kLockedMemory = rlim_t{8} << 20U;
/// systemd-system.conf(5), DefaultTasksMax=.
constexpr std::uint64_t kDefaultTasksPercent = 15;
/// systemd-system.conf(5), DefaultOOMScoreAdjust=.
constexpr int kUserOomScore = 100;
constexpr int kHighestOomScore = 1000;
/// A process can be given no more than a quarter of its stack's limit, execve(2).
constexpr std::size_t kClientEnvironmentMax = std::size_t{1} << 19U;

/// Above it no limit of descriptors can be set, whatever the rights.
rlim_t most_descriptors(FileSource& files) {
  const auto text = files.read("/proc/sys/fs/nr_open", 64);
  const auto number = text ? parse_uint<std::uint64_t>(trim(*text)) : std::nullopt;
  return number ? *number : RLIM_INFINITY;
}

/// A user's services are killed before their manager is.
std::optional<int> user_oom_score(FileSource& files) {
  const auto text = files.read("/proc/self/oom_score_adj", 64);
  if (!text) return std::nullopt;
  const auto own = parse_oom_score_adjust(trim(*text));
  if (!own) return std::nullopt;
  return std::min(*own + kUserOomScore, kHighestOomScore);
}

std::string_view limit_setting(int resource) {
  for (const ManagerDirective& d : manager_directives()) {
    if (d.resource == resource) return d.name;
  }
  return {};
}

}  // namespace

void Configuration::read(Diagnostics& diagnostics) {
  const InitOptions& options = context_.options;
  settings_ = read_manager_settings(
      context_.files, manager_config_path(options.config_path, options.user, context_.host),
      options.user, context_.host, context_.kernel.settings, diagnostics);
  complete_limits(diagnostics);
  if (!settings_.tasks_max && context_.host.tasks_max > 0) {
    settings_.tasks_max = context_.host.tasks_max / 100 * kDefaultTasksPercent;
  }
  if (!settings_.oom_score_adjust && options.user && context_.host.uid != 0) {
    settings_.oom_score_adjust = user_oom_score(context_.files);
  }
}

/// What is set, as far as it can be had; what is not, as the manager was given it.
void Configuration::complete_limits(Diagnostics& diagnostics) {
  const SelfFacts self = read_self_facts();
  const rlim_t descriptors = most_descriptors(context_.files);
  for (Limit& limit : settings_.limits) {
    rlim_t highest = RLIM_INFINITY;
    if (limit.resource == RLIMIT_NOFILE) highest = descriptors;
    rlimit own{};
    if (!self.has_capability(CAP_SYS_RESOURCE) &&
        getrlimit(static_cast<__rlimit_resource_t>(limit.resource), &own) == 0) {
      highest = std::min(highest, own.rlim_max);
    }
    if (limit.hard <= highest) continue;
    diagnostics.push_back(
        {Severity::Warning,
         {},
         0,
         format("{}={} can't be had here, {} is the most", limit_setting(limit.resource),
                format_limit(limit.hard), format_limit(highest))});
    limit.hard = highest;
    limit.soft = std::min(limit.soft, highest);
  }
  if (context_.surroundings == Surroundings::Machine) complete_machine_limits();
  for (const Limit& limit : context_.inherited) {
    if (find_limit(settings_.limits, limit.resource) == nullptr) settings_.limits.push_back(limit);
  }
}

void Configuration::complete_machine_limits() {
  auto& limits = settings_.limits;
  if (!read_self_facts().has_capability(CAP_SYS_RESOURCE)) return;
  if (find_limit(limits, RLIMIT_NOFILE) == nullptr) {
    const rlim_t hard = std::min(kHardDescriptors, most_descriptors(context_.files));
    limits.push_back({RLIMIT_NOFILE, std::min(kSoftDescriptors, hard), hard});
  }
  if (find_limit(limits, RLIMIT_MEMLOCK) == nullptr) {
    limits.push_back({RLIMIT_MEMLOCK, kLockedMemory, kLockedMemory});
  }
}

int Configuration::log_level() const {
  if (context_.options.log_level) return *context_.options.log_level;
  const bool is_machine = context_.surroundings == Surroundings::Machine;
  return settings_.log_level.value_or(is_machine ? kDefaultMachineLogLevel : kDefaultLogLevel);
}

ShowStatus Configuration::show_status() const {
  if (context_.options.show_status) {
    return *context_.options.show_status ? ShowStatus::Yes : ShowStatus::No;
  }
  return settings_.show_status.value_or(context_.kernel.quiet ? ShowStatus::Auto : ShowStatus::Yes);
}

std::vector<std::string> Configuration::environment() const {
  Environment merged(context_.environment);
  for (const std::string& assignment : settings_.manager_environment) {
    merged.set_assignment(assignment);
  }
  return std::move(merged).assignments();
}

bool Configuration::change_environment(const std::vector<std::string>& unset,
                                       const std::vector<std::string>& set) {
  Environment changed = client_environment_;
  changed.unset(unset);
  std::size_t size = 0;
  for (const std::string& assignment : set) changed.set_assignment(assignment);
  for (const std::string& assignment : changed.assignments()) size += assignment.size() + 1;
  if (size > kClientEnvironmentMax) return false;
  client_environment_ = std::move(changed);
  return true;
}

LaunchDefaults Configuration::launch_defaults() const {
  LaunchDefaults defaults;
  defaults.environment = settings_.environment;
  Environment changed(generated_environment_);
  changed.merge(client_environment_);
  defaults.changed_environment = std::move(changed).assignments();
  defaults.limits = settings_.limits;
  defaults.output = settings_.output;
  defaults.error_output = settings_.error_output;
  defaults.oom_score_adjust = settings_.oom_score_adjust;
  defaults.memory_accounting = settings_.memory_accounting;
  defaults.pressure_watch = settings_.pressure_watch;
  defaults.pressure_threshold = settings_.pressure_threshold;
  return defaults;
}

std::vector<std::string> manager_config_path(const std::string& config_path, bool user_manager,
                                             const HostFacts& host) {
  return folders_of_path(config_path, default_config_path(user_manager, host));
}

}  // namespace onset
