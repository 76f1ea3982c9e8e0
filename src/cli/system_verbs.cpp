// The manager as a whole, and the end of the system.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "cli/wall.h"
#include "control/json.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;

// Reading all unit files again may take as long as there are files.
constexpr Duration kReloadPatience = std::chrono::minutes(3);

}  // namespace

namespace {

/// The unit's file, or a drop-in of it, of its template or of its type.
bool concerns(const std::string& file, const std::vector<std::string>& units) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return false;
  std::string_view name = std::string_view(file).substr(slash + 1);
  const std::string folder = file.substr(0, slash);
  if (folder.ends_with(".d")) {
    name = std::string_view(folder).substr(folder.rfind('/') + 1);
    name.remove_suffix(2);
  }
  return std::any_of(units.begin(), units.end(), [&](const std::string& given) {
    const std::string unit = given.substr(given.rfind('/') + 1);
    return name == unit || (is_instance(unit) && name == template_of(unit));
  });
}

/// `units`: null for all.
int reload(Command& command, const std::vector<std::string>* units) {
  json reply;
  auto reloaded = command.manager.call("Reload", json::object(), reply, kReloadPatience);
  if (!reloaded) return command.fail("Failed to reload the manager", reloaded.error());
  if (command.options.quiet) return 0;
  for (const json& d : array_of(reply, "diagnostics")) {
    if (raw_text_of(d, "severity") != "error") continue;
    if (units != nullptr && !concerns(raw_text_of(d, "file"), *units)) continue;
    const std::string file = text_of(d, "file");
    const auto line = number_of(d, "line").value_or(0);
    std::string place = file.empty() ? std::string() : format("{}: ", file);
    if (!file.empty() && line > 0) place = format("{}:{}: ", file, line);
    command.err(place + text_of(d, "message"));
  }
  return 0;
}

}  // namespace

int verb_daemon_reload(Command& command) {
  return reload(command, nullptr);
}

int reload_for(Command& command, const std::vector<std::string>& units) {
  return reload(command, &units);
}

int verb_daemon_reexec(Command& command) {
  return command.fail(
      "daemon-reexec: the manager can't replace itself in place yet. "
      "Its unit files are read again by daemon-reload.");
}

/// The program that initrd-switch-root.service has, with a root and an init of the caller's.
int verb_switch_root(Command& command) {
  constexpr std::size_t kReleaseMax = 65536;
  if (!command.context.files.read("/etc/initrd-release", kReleaseMax)) {
    return command.fail("Not in initrd, refusing switch-root operation.");
  }
  if (command.context.programs == nullptr) return command.fail("Nothing can be run here.");
  std::vector<std::string> argv = {"/proc/self/exe", "machine", "switch-root"};
  argv.insert(argv.end(), command.names.begin(), command.names.end());
  auto status = command.context.programs->run(argv);
  if (status) return *status;
  return command.fail(format("Failed to switch root: {}", to_string(status.error())));
}

/// runlevel(8), by the targets that are up. Nobody remembers the one before.
int verb_runlevel(Command& command) {
  const std::vector<std::string> targets = {"graphical.target", "multi-user.target",
                                            "rescue.target"};
  constexpr std::string_view kLevels = "531";
  json answers;
  auto got = command.manager.collect_of(targets, "GetUnits", json::object(), answers);
  if (!got) return command.fail("Failed to get the runlevel", got.error());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (raw_text_of(object_of(answers[i], "unit"), "active") != "active") continue;
    command.out(format("N {}\n", kLevels[i]));
    return 0;
  }
  command.out("unknown\n");
  return 1;
}

/// log-level and log-target: what it is, or what it is to be.
int verb_log_setting(Command& command) {
  const bool is_level = command.verb == "log-level";
  json reply;
  if (command.names.empty()) {
    auto got = command.manager.call("GetManagerProperties", json::object(), reply);
    if (!got) return command.fail(format("Failed to get {}", command.verb), got.error());
    const json& properties = object_of(reply, "properties");
    command.out(text_of(properties, is_level ? "LogLevel" : "LogTarget") + '\n');
    return 0;
  }
  const json asked = {{is_level ? "level" : "target", command.names.front()}};
  auto set = command.manager.call("SetLogging", asked, reply);
  if (set) return 0;
  if (set.error().error.ends_with("InvalidParameter")) {
    return command.fail(
        format("Failed to set {}: '{}' is none.", command.verb, printable(command.names.front())));
  }
  return command.fail(format("Failed to set {}", command.verb), set.error());
}

namespace {

/// Those that end the machine: with --force twice without a manager, and told on
/// terminals, systemctl(1).
bool ends_machine(std::string_view verb) {
  return verb == "poweroff" || verb == "reboot" || verb == "halt" || verb == "kexec" ||
         verb == "soft-reboot";
}

constexpr std::string_view kRebootArgument = "/run/systemd/reboot-param";

/// Where PID 1 looks for it when it comes to that; what an earlier call has left is gone.
bool leave_reboot_argument(Command& command) {
  if (command.verb != "reboot" || command.options.user) return true;
  const std::string& argument = command.options.reboot_argument;
  if (argument.empty()) {
    (void)command.context.changer.remove(kRebootArgument);
    return true;
  }
  SysResult done = command.context.changer.make_directories("/run/systemd");
  if (done) done = command.context.changer.write_file(kRebootArgument, argument, 0644);
  if (done) return true;
  command.fail(format("Failed to write {}: {}", kRebootArgument, to_string(done.error())));
  return false;
}

/// "Reboot", of the line about what is planned.
std::string_view plan_name(std::string_view how) {
  if (how == "reboot") return "Reboot";
  if (how == "kexec") return "Kexec";
  if (how == "soft-reboot") return "Soft reboot";
  return "Shutdown";
}

int plan_for_later(Command& command, Duration after) {
  json asked = {
      {"how", command.verb}, {"after_usec", after.count()}, {"no_wall", command.options.no_wall}};
  if (!command.options.message.empty()) asked["message"] = command.options.message;
  json reply;
  if (auto planned = command.manager.call("ScheduleShutdown", asked, reply); !planned) {
    return command.fail(format("Failed to schedule {}", command.verb), planned.error());
  }
  command.err(format("{} scheduled for {}, use 'shutdown -c' to cancel.", plan_name(command.verb),
                     format_time(number_of(reply, "realtime_usec").value_or(0))));
  return 0;
}

int end_at_once(const Command& command) {
  if (command.verb == "kexec" || command.verb == "soft-reboot")
    return command.fail(format("{} needs the manager: --force once at most.", command.verb));
  if (command.context.machine == nullptr) return command.fail("The system can't be ended here.");
  auto ended = command.context.machine->end_now(command.verb);
  if (ended) return 0;
  return command.fail(format("Failed to {}: {}", command.verb, to_string(ended.error())));
}

}  // namespace

int verb_shut_down(Command& command) {
  const Options& options = command.options;
  if (options.force > 1 && ends_machine(command.verb)) return end_at_once(command);
  if (!leave_reboot_argument(command)) return 1;
  if (options.ends_after && options.force == 0) return plan_for_later(command, *options.ends_after);
  json asked = {{"how", command.verb}, {"force", options.force > 0}};
  if (!options.message.empty()) asked["message"] = options.message;
  if (command.verb == "exit" && !command.names.empty()) {
    const auto status = parse_uint<unsigned>(command.names.front());
    if (!status || *status > 255) {
      return command.fail(format("Invalid exit code '{}': expected a number from 0 to 255.",
                                 c_escape(command.names.front())));
    }
    asked["exit_status"] = *status;
  }
  json reply;
  if (auto begun = command.manager.call("Shutdown", asked, reply); !begun) {
    command.fail(format("Failed to {}", command.verb), begun.error());
    return 1;
  }
  if (ends_machine(command.verb) && !options.no_wall && !options.user) {
    send_wall(command.context, command.verb, options.message);
  }
  return 0;
}

int cancel_shutdown(Command& command) {
  json asked = {{"no_wall", command.options.no_wall}};
  if (!command.options.message.empty()) asked["message"] = command.options.message;
  json reply;
  if (auto cancelled = command.manager.call("CancelShutdown", asked, reply); !cancelled) {
    return command.fail("Failed to cancel the shutdown", cancelled.error());
  }
  return 0;
}

int show_shutdown(Command& command) {
  json reply;
  if (auto told = command.manager.call("GetScheduledShutdown", json::object(), reply); !told) {
    return command.fail("Failed to ask for a scheduled shutdown", told.error());
  }
  const auto at = number_of(reply, "realtime_usec");
  if (!at) return command.fail("No scheduled shutdown.");
  command.out(format("{} scheduled for {}, use 'shutdown -c' to cancel.\n",
                     plan_name(raw_text_of(reply, "how")), format_time(*at)));
  return 0;
}

}  // namespace onset
