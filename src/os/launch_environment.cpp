#include "os/launch_environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "os/cgroup.h"
#include "os/pressure_trigger.h"
#include "unit/glob.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

constexpr std::string_view kNoPressureFile = "/dev/null";
constexpr std::size_t kEnvironmentFileLimit = 4U << 20U;

/// What only a process of this very manager may be told, never one of another.
constexpr std::array<std::string_view, 23> kNeverInherited{"CACHE_DIRECTORY",
                                                           "CONFIGURATION_DIRECTORY",
                                                           "CREDENTIALS_DIRECTORY",
                                                           "EXIT_CODE",
                                                           "EXIT_STATUS",
                                                           "INVOCATION_ID",
                                                           "JOURNAL_STREAM",
                                                           "LISTEN_FDNAMES",
                                                           "LISTEN_FDS",
                                                           "LISTEN_PID",
                                                           "LOGS_DIRECTORY",
                                                           "LOG_NAMESPACE",
                                                           "MAINPID",
                                                           "MANAGERPID",
                                                           "MEMORY_PRESSURE_WATCH",
                                                           "MEMORY_PRESSURE_WRITE",
                                                           "NOTIFY_SOCKET",
                                                           "PIDFILE",
                                                           "RUNTIME_DIRECTORY",
                                                           "SERVICE_RESULT",
                                                           "STATE_DIRECTORY",
                                                           "WATCHDOG_PID",
                                                           "WATCHDOG_USEC"};

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

bool may_be_handed_on(std::string_view assignment) {
  return std::ranges::find(kNeverInherited, name_of(assignment)) == kNeverInherited.end();
}

/// locale.conf(5), and the file where Debian keeps the same.
void add_locale(Environment& environment, FileSource& files) {
  for (const char* path : {"/etc/default/locale", "/etc/locale.conf"}) {
    auto text = files.read(path, 65536);
    if (!text) continue;
    for (const std::string& assignment : parse_environment_file(*text).assignments) {
      const auto name = name_of(assignment);
      if (name == "LANG" || name == "LANGUAGE" || name.starts_with("LC_")) {
        environment.set_assignment(assignment);
      }
    }
  }
}

std::string hex(const InvocationId& id) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(id.size() * 2);
  for (const std::uint8_t byte : id) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string terminal_type(const EnvironmentSources& sources) {
  const std::string& path = config_of<ExecConfig>(*sources.request.unit).tty_path;
  const bool console = path.empty() || path == "/dev/console";
  if (console) {
    const Environment own(sources.settings.environment);
    if (const auto term = own.get("TERM")) return std::string(*term);
  }
  const std::string_view digits =
      path.starts_with("/dev/tty") ? std::string_view(path).substr(8) : "";
  const bool virtual_console =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  return virtual_console ? "linux" : "vt220";
}

/// $MEMORY_PRESSURE_WATCH, $MEMORY_PRESSURE_WRITE: what to write there, its NUL too.
void add_pressure_watch(Environment& environment, const EnvironmentSources& sources) {
  const LaunchSettings& settings = sources.settings;
  const Unit& unit = *sources.request.unit;
  const std::string file =
      watched_pressure_file(settings, unit, cgroup_path(unit, settings.user_manager));
  if (file.empty()) return;
  environment.set("MEMORY_PRESSURE_WATCH", file);
  if (file == kNoPressureFile) return;
  PressureLimit limit;
  limit.share = std::min<Duration>(config_of<ResourceConfig>(unit).pressure_threshold.value_or(
                                       settings.defaults.pressure_threshold),
                                   limit.window);
  environment.set("MEMORY_PRESSURE_WRITE", encode_base64(pressure_limit_text(limit) + '\0'));
}

void add_own(Environment& environment, const EnvironmentSources& sources) {
  const LaunchRequest& request = sources.request;
  if (sources.account != nullptr) {
    const Account& account = *sources.account;
    if (!account.home.empty()) environment.set("HOME", account.home);
    environment.set("LOGNAME", account.name);
    environment.set("USER", account.name);
    if (!account.shell.empty()) environment.set("SHELL", account.shell);
  }
  environment.set("INVOCATION_ID", hex(request.invocation));
  environment.set("SYSTEMD_EXEC_PID", kPidPlace);
  if (request.notify_socket && !sources.settings.notify_socket.empty()) {
    environment.set("NOTIFY_SOCKET", sources.settings.notify_socket);
  }
  if (request.watchdog > Duration{0} && request.watchdog != kInfinity) {
    environment.set("WATCHDOG_PID", kPidPlace);
    environment.set("WATCHDOG_USEC", format("{}", request.watchdog.count()));
  }
  if (request.main_pid > 0) environment.set("MAINPID", format("{}", request.main_pid));
  const auto& service = request.unit->service;
  if (service && !service->pid_file.empty()) environment.set("PIDFILE", service->pid_file);
  if (sources.settings.user_manager) environment.set("MANAGERPID", format("{}", ::getpid()));
  if (sources.on_terminal) environment.set("TERM", terminal_type(sources));
  add_pressure_watch(environment, sources);
  for (const std::string& assignment : sources.directories) environment.set_assignment(assignment);
  for (const std::string& assignment : request.environment) environment.set_assignment(assignment);
}

void pass_on(Environment& environment, const EnvironmentSources& sources) {
  const auto& names = config_of<ExecConfig>(*sources.request.unit).pass_environment;
  if (names.empty()) return;
  const Environment own(sources.settings.environment);
  for (const std::string& name : names) {
    if (const auto value = own.get(name)) environment.set(name, *value);
  }
}

/// The files that a pattern names, sorted; the path itself if it is no pattern.
Result<std::vector<std::string>> matching_files(const std::string& pattern, FileSource& files) {
  if (!is_glob(pattern)) return std::vector{pattern};
  auto paths = glob_paths(pattern, files);
  if (!paths) return Failure{SysError{"EnvironmentFile", paths.error().err}};
  if (paths->empty()) return Failure{SysError{"EnvironmentFile", ENOENT}};
  return paths;
}

Result<std::string> read_environment_file(const std::string& path, FileSource& files) {
  auto text = files.read(path, kEnvironmentFileLimit);
  if (text || text.error().err != EINVAL) return text;
  const auto status = files.stat(path);
  if (status && status->is_null_device) return std::string();
  return text;
}

SysResult add_file(Environment& environment, const EnvironmentSources& sources,
                   const std::string& path, FileSource& files, LogSink& log) {
  auto text = read_environment_file(path, files);
  if (!text) return Failure{text.error()};
  const EnvironmentFileText parsed = parse_environment_file(*text);
  for (const EnvironmentFileProblem& problem : parsed.problems) {
    log.log(Say::Level::Warning, sources.request.unit->id,
            format("{}:{}: {}", path, problem.line, problem.message));
  }
  for (const std::string& assignment : parsed.assignments) environment.set_assignment(assignment);
  return {};
}

SysResult add_files(Environment& environment, const EnvironmentSources& sources, FileSource& files,
                    LogSink& log) {
  for (const EnvironmentFile& entry :
       config_of<ExecConfig>(*sources.request.unit).environment_files) {
    SysResult done;
    auto paths = matching_files(entry.path, files);
    if (!paths) done = Failure{paths.error()};
    for (std::size_t i = 0; done.ok() && i < paths->size(); ++i) {
      done = add_file(environment, sources, (*paths)[i], files, log);
    }
    if (done.ok() || entry.optional) continue;
    log.log(Say::Level::Error, sources.request.unit->id,
            format("cannot read EnvironmentFile={}: {}", entry.path, errno_text(done.error().err)));
    return Failure{SysError{"EnvironmentFile", done.error().err}};
  }
  return {};
}

/// What the manager's own environment gives: a user's hands all of it on.
Environment inherited_environment(const LaunchSettings& settings, FileSource& files) {
  Environment environment;
  if (settings.user_manager) {
    for (const std::string& assignment : settings.environment) {
      if (may_be_handed_on(assignment)) environment.set_assignment(assignment);
    }
    if (!environment.get("PATH")) environment.set("PATH", kDefaultPath);
    if (!environment.get("XDG_RUNTIME_DIR") && !settings.host.runtime_dir.empty()) {
      environment.set("XDG_RUNTIME_DIR", settings.host.runtime_dir);
    }
    return environment;
  }
  environment.set("PATH", kDefaultPath);
  add_locale(environment, files);
  return environment;
}

}  // namespace

std::string watched_pressure_file(const LaunchSettings& settings, const Unit& unit,
                                  std::string_view group) {
  const ResourceConfig& config = config_of<ResourceConfig>(unit);
  const PressureWatch watch = config.pressure_watch.value_or(settings.defaults.pressure_watch);
  if (watch == PressureWatch::Off) return std::string(kNoPressureFile);
  const bool is_counted = config.memory_accounting.value_or(settings.defaults.memory_accounting);
  const bool is_on = watch == PressureWatch::On || (watch == PressureWatch::Auto && is_counted);
  if (!is_on || settings.pressure_folder.empty()) return {};
  return format("{}/{}/memory.pressure", settings.pressure_folder, group);
}

Environment manager_environment(const LaunchSettings& settings, FileSource& files) {
  Environment environment = inherited_environment(settings, files);
  for (const std::string& assignment : settings.defaults.environment) {
    environment.set_assignment(assignment);
  }
  for (const std::string& assignment : settings.defaults.changed_environment) {
    if (may_be_handed_on(assignment)) environment.set_assignment(assignment);
  }
  return environment;
}

Result<Environment> process_environment(const EnvironmentSources& sources, FileSource& files,
                                        LogSink& log) {
  const auto& exec = config_of<ExecConfig>(*sources.request.unit);
  Environment environment = sources.base;
  add_own(environment, sources);
  if (!exec.exec_search_path.empty()) environment.set("PATH", exec.exec_search_path);
  pass_on(environment, sources);
  for (const std::string& assignment : exec.environment) environment.set_assignment(assignment);
  if (auto done = add_files(environment, sources, files, log); !done) return Failure{done.error()};
  environment.unset(exec.unset_environment);
  return environment;
}

}  // namespace onset
