#include "os/launch_builder.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "os/directories.h"
#include "os/launch_environment.h"
#include "os/launch_scheduling.h"
#include "os/launch_streams.h"
#include "os/service_directories.h"
#include "unit/name.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

void fail(LaunchPlan& plan, LaunchStep step, int error, std::string text) {
  if (plan.failed != LaunchStep::None) return;
  plan.failed = step;
  plan.failed_errno = error;
  plan.failed_text = std::move(text);
}

struct LimitName {
  int resource;
  std::string_view name;
};
constexpr std::array<LimitName, 16> kLimitNames{{
    {RLIMIT_CPU, "LimitCPU"},
    {RLIMIT_FSIZE, "LimitFSIZE"},
    {RLIMIT_DATA, "LimitDATA"},
    {RLIMIT_STACK, "LimitSTACK"},
    {RLIMIT_CORE, "LimitCORE"},
    {RLIMIT_RSS, "LimitRSS"},
    {RLIMIT_NOFILE, "LimitNOFILE"},
    {RLIMIT_AS, "LimitAS"},
    {RLIMIT_NPROC, "LimitNPROC"},
    {RLIMIT_MEMLOCK, "LimitMEMLOCK"},
    {RLIMIT_LOCKS, "LimitLOCKS"},
    {RLIMIT_SIGPENDING, "LimitSIGPENDING"},
    {RLIMIT_MSGQUEUE, "LimitMSGQUEUE"},
    {RLIMIT_NICE, "LimitNICE"},
    {RLIMIT_RTPRIO, "LimitRTPRIO"},
    {RLIMIT_RTTIME, "LimitRTTIME"},
}};

std::string_view limit_name(int resource) {
  for (const LimitName& row : kLimitNames) {
    if (row.resource == resource) return row.name;
  }
  return "Limit";
}

std::string limit_text(rlim_t value) {
  return value == RLIM_INFINITY ? "infinity" : format("{}", value);
}

/// Commands that run while the unit may own its terminal.
bool owns_terminal(ExecRole role) {
  switch (role) {
    case ExecRole::Condition:
    case ExecRole::StartPre:
    case ExecRole::Start:
    case ExecRole::StopPost:
      return true;
    case ExecRole::StartPost:
    case ExecRole::Reload:
    case ExecRole::Stop:
      return false;
  }
  return false;
}

}  // namespace

LaunchBuilder::LaunchBuilder(const LaunchSettings& settings, FileSource& files, Accounts& accounts,
                             LogSink& log)
    : settings_(settings),
      files_(files),
      accounts_(accounts),
      log_(log),
      base_(manager_environment(settings, files)) {}

LaunchBuilder::Scope LaunchBuilder::scope_of(const LaunchRequest& request) {
  const ServiceConfig* service = request.unit->service.get();
  const ExecCommand& command = *request.command;
  const bool start = request.role == ExecRole::Start;
  const bool permissions = start || service == nullptr || !service->permissions_start_only;
  Scope scope;
  scope.sandbox = permissions && !command.full_privileges;
  scope.change_user = permissions && !command.full_privileges && !command.no_setuid;
  scope.change_root = (start || service == nullptr || !service->root_directory_start_only) &&
                      !command.full_privileges;
  scope.terminal_input = owns_terminal(request.role);
  return scope;
}

/// DynamicUser= without User= means a user of the unit's name. One that exists is
/// taken, as in systemd; none is made up yet, and root is no substitute.
bool LaunchBuilder::find_identity(LaunchPlan& plan, const ExecConfig& exec, Identity& identity) {
  const bool is_dynamic = exec.dynamic_user && exec.user.empty();
  const std::string name(is_dynamic ? unit_prefix(plan.unit) : exec.user);
  if (!name.empty()) {
    auto account = accounts_.user(name);
    if (!account) {
      fail(plan, LaunchStep::User, ESRCH,
           is_dynamic ? "DynamicUser= can't make up a user yet, and User= names none"
                      : format("User={}: {}", name, account.error()));
      return false;
    }
    identity.account = std::move(*account);
    identity.has_account = true;
    identity.gid = identity.account.gid;
    identity.has_group = true;
  }
  if (!exec.group.empty()) {
    auto gid = accounts_.group(exec.group);
    if (!gid) {
      fail(plan, LaunchStep::Group, ESRCH, format("Group={}: {}", exec.group, gid.error()));
      return false;
    }
    identity.gid = *gid;
    identity.has_group = true;
  }
  return true;
}

void LaunchBuilder::plan_identity(LaunchPlan& plan, const ExecConfig& exec,
                                  const Identity& identity) {
  const SelfFacts& self = settings_.self;
  std::vector<gid_t> groups;
  if (identity.has_account && identity.gid != 0) {
    auto found = accounts_.groups_of(identity.account.name, identity.gid);
    if (!found) {
      fail(plan, LaunchStep::Group, EIO,
           format("User={}: {}", identity.account.name, found.error()));
      return;
    }
    groups = std::move(*found);
  }
  for (const std::string& name : exec.supplementary_groups) {
    auto gid = accounts_.group(name);
    if (!gid) {
      fail(plan, LaunchStep::Group, ESRCH, format("SupplementaryGroups={}: {}", name, gid.error()));
      return;
    }
    if (std::ranges::find(groups, *gid) == groups.end()) groups.push_back(*gid);
  }
  if (self.setgroups_denied && !exec.supplementary_groups.empty()) {
    fail(plan, LaunchStep::Group, EPERM,
         "SupplementaryGroups=: this user namespace forbids setgroups");
    return;
  }
  // Already what is asked for, and no right to ask the kernel for the same again.
  const bool is_self = (!identity.has_account || identity.account.uid == self.uid) &&
                       (!identity.has_group || identity.gid == self.gid);
  const bool may_change = self.has_capability(CAP_SETGID) && self.has_capability(CAP_SETUID);
  if (is_self && !may_change && exec.supplementary_groups.empty()) return;

  plan.set_groups = !groups.empty() && !self.setgroups_denied;
  plan.groups = std::move(groups);
  plan.set_gid = identity.has_group && identity.gid != self.gid;
  plan.gid = identity.gid;
  plan.set_uid = identity.has_account && identity.account.uid != self.uid;
  plan.uid = identity.account.uid;
}

void LaunchBuilder::plan_capabilities(LaunchPlan& plan, const ExecConfig& exec) const {
  const SelfFacts& self = settings_.self;
  if (exec.capability_bounding_set) {
    plan.bounding_drop = self.bounding & ~*exec.capability_bounding_set;
  }
  plan.ambient = exec.ambient_capabilities.value_or(0) & self.known_capabilities;
  plan.clear_inheritable = (self.inheritable & ~plan.ambient) != 0;
  if (exec.secure_bits) {
    plan.set_securebits = true;
    plan.securebits = *exec.secure_bits;
  }
  plan.no_new_privileges = exec.no_new_privileges;
}

/// Without CAP_SYS_RESOURCE nobody can go above the manager's own hard limit:
/// the nearest that can be had is taken, as systemd does, and said once.
Limit LaunchBuilder::clamp(const LaunchPlan& plan, Limit limit) {
  const auto index = static_cast<std::size_t>(limit.resource);
  if (index >= settings_.self.limits.size() || settings_.self.has_capability(CAP_SYS_RESOURCE)) {
    return limit;
  }
  const rlim_t highest = settings_.self.limits[index].rlim_max;
  if (highest == RLIM_INFINITY || limit.hard <= highest) return limit;
  if (clamped_.emplace(plan.unit, limit.resource).second) {
    log_.log(Say::Level::Notice, plan.unit,
             format("{}={} needs CAP_SYS_RESOURCE, {} is the most that can be had",
                    limit_name(limit.resource), limit_text(limit.hard), limit_text(highest)));
  }
  limit.hard = highest;
  limit.soft = std::min(limit.soft, highest);
  return limit;
}

void LaunchBuilder::plan_limits(LaunchPlan& plan, const ExecConfig& exec, bool sandbox) {
  for (const Limit& limit : settings_.defaults.limits) {
    const bool own = sandbox && std::ranges::any_of(exec.limits, [&](const Limit& l) {
                       return l.resource == limit.resource;
                     });
    if (!own) plan.limits.push_back(limit);
  }
  if (!sandbox) return;
  for (const Limit& limit : exec.limits) plan.limits.push_back(clamp(plan, limit));
}

/// Makes one directory and its links; its path, or empty after a failure.
std::string LaunchBuilder::plan_directory(LaunchPlan& plan, ExecDirectory kind,
                                          const DirectoryEntry& entry, DirectoryWish wish) {
  const LaunchStep step = directory_step(kind);
  wish.relative = entry.path;
  std::string path = format("{}/{}", wish.base, entry.path);
  auto made = make_directory(wish);
  if (!made) {
    fail(plan, step, made.error().err, format("{}: {}", path, errno_text(made.error().err)));
    return {};
  }
  if (made->wrong_owner) {
    plan.directory_owner = wish.uid;
    plan.directory_group = wish.gid;
    plan.chowns.push_back({step, std::move(made->fd), path});
  }
  for (const std::string& link : entry.links) {
    auto linked = make_directory_link(wish.base, entry.path, link);
    if (linked) continue;
    fail(plan, step, linked.error().err,
         format("{}/{}: {}", wish.base, link, errno_text(linked.error().err)));
    return {};
  }
  return path;
}

void LaunchBuilder::plan_directories(LaunchPlan& plan, const ExecConfig& exec,
                                     const Identity& identity,
                                     std::vector<std::string>& variables) {
  for (unsigned i = 0; i < kExecDirectories; ++i) {
    const auto& set = exec.directories[i];
    if (!set || set->entries.empty()) continue;
    const auto kind = static_cast<ExecDirectory>(i);
    DirectoryWish wish;
    wish.base = directory_base(kind, settings_.host);
    wish.mode = set->mode;
    wish.change_existing = kind != ExecDirectory::Configuration;
    if (kind != ExecDirectory::Configuration) {
      if (identity.has_account) wish.uid = identity.account.uid;
      if (identity.has_group) wish.gid = identity.gid;
    }
    std::string paths;
    for (const DirectoryEntry& entry : set->entries) {
      const std::string path = plan_directory(plan, kind, entry, wish);
      if (path.empty()) return;
      if (!paths.empty()) paths += ':';
      paths += path;
    }
    variables.push_back(format("{}={}", directory_variable(kind), paths));
  }
}

void LaunchBuilder::plan_working_directory(LaunchPlan& plan, const ExecConfig& exec,
                                           const Identity& identity) {
  plan.working_directory_optional = exec.working_directory_optional;
  plan.working_directory = exec.working_directory;
  if (plan.working_directory.empty()) plan.working_directory += '/';
  if (plan.working_directory != "~") return;
  plan.working_directory = identity.has_account ? identity.account.home : settings_.host.home;
  if (!plan.working_directory.empty()) return;
  plan.working_directory += '/';
  if (!exec.working_directory_optional) {
    fail(plan, LaunchStep::Chdir, ENXIO, "WorkingDirectory=~: the user has no home directory");
  }
}

void LaunchBuilder::plan_command(LaunchPlan& plan, const LaunchRequest& request,
                                 const Environment& environment) {
  const ExecCommand& command = *request.command;
  plan.arguments = expand_argv(command, environment);
  if (plan.arguments.empty()) plan.arguments.push_back(command.path);
  if (command.path.find('/') != std::string::npos) {
    plan.candidates.push_back(command.path);
    return;
  }
  std::string_view rest = config_of<ExecConfig>(*request.unit).exec_search_path;
  if (rest.empty()) rest = kDefaultPath;
  while (!rest.empty()) {
    const auto end = rest.find(':');
    const auto folder = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (folder.starts_with('/')) plan.candidates.push_back(format("{}/{}", folder, command.path));
  }
}

namespace {

/// sd_listen_fds(3), from descriptor 3 on; not where the socket is a standard stream.
void plan_sockets(LaunchPlan& plan, const LaunchRequest& request, const PassedSockets& passed,
                  std::vector<std::string>& variables) {
  if (passed.fds.empty()) return;
  variables.insert(variables.end(), passed.environment.begin(), passed.environment.end());
  const auto& service = request.unit->service;
  plan.passed_block = service == nullptr || !service->non_blocking;
  if (is_on_socket(config_of<ExecConfig>(*request.unit))) return;
  plan.passed = passed.fds;
  variables.push_back(format("LISTEN_PID={}", kPidPlace));
  variables.push_back(format("LISTEN_FDS={}", passed.fds.size()));
  variables.push_back(format("LISTEN_FDNAMES={}", join(passed.names, ":")));
}

}  // namespace

Result<LaunchPlan> LaunchBuilder::build(const LaunchRequest& request, const PassedSockets& passed) {
  const auto& exec = config_of<ExecConfig>(*request.unit);
  const Scope scope = scope_of(request);
  LaunchPlan plan;
  plan.unit = request.unit->id;
  plan.ignore_failure = request.command->ignore_failure;
  plan.umask = exec.umask.value_or(0022);
  plan.ignore_sigpipe = exec.ignore_sigpipe;
  // To autofs the process group is its daemon: what mounts must not wait for what PID 1 answers.
  plan.new_session = request.unit->mount == nullptr && request.unit->automount == nullptr;
  plan.signals_to_default = settings_.self.ignored_signals;

  Identity identity;
  std::vector<std::string> variables;
  if (find_identity(plan, exec, identity)) {
    if (scope.change_user) plan_identity(plan, exec, identity);
    plan_directories(plan, exec, identity, variables);
  }
  plan_sockets(plan, request, passed, variables);
  auto environment = process_environment(
      {settings_, base_, request, identity.has_account ? &identity.account : nullptr,
       std::move(variables), uses_terminal(exec)},
      files_, log_);
  if (!environment) return Failure{environment.error()};

  plan_streams(plan, {exec, scope.terminal_input, plan.umask, &passed}, settings_);
  if (exec.nice) {
    plan.set_nice = true;
    plan.nice = *exec.nice;
  }
  if (request.unit->scheduling) plan_scheduling(plan, *request.unit->scheduling, files_);
  const auto& score =
      exec.oom_score_adjust ? exec.oom_score_adjust : settings_.defaults.oom_score_adjust;
  if (score) plan.oom_score_adj = format("{}", *score);
  plan_limits(plan, exec, scope.sandbox);
  if (scope.change_root) plan.root = exec.root_directory;
  if (scope.sandbox) plan_capabilities(plan, exec);
  plan_working_directory(plan, exec, identity);
  plan_command(plan, request, *environment);
  plan.environment = std::move(*environment).assignments();
  plan.seal();
  return plan;
}

}  // namespace onset
