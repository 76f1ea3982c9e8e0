#include "unit/kernel_command_line.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {
namespace {

constexpr std::string_view kFile = "kernel command line";

/// Words that stand for a setting of [Manager].
struct SettingRow {
  std::string_view name;
  std::string_view directive;
  std::string_view bare = {};  ///< the value of a word without one; empty: it needs one
};
constexpr SettingRow kSettings[] = {
    {"systemd.log_level", "LogLevel"},
    {"systemd.log_color", "LogColor", "yes"},
    {"systemd.log_location", "LogLocation", "yes"},
    {"systemd.log_time", "LogTime", "yes"},
    {"systemd.show_status", "ShowStatus", "yes"},
    {"systemd.status_unit_format", "StatusUnitFormat"},
    {"onset.start_concurrency_max", "StartConcurrencyMax"},
    {"systemd.default_standard_output", "DefaultStandardOutput", "journal"},
    {"systemd.default_standard_error", "DefaultStandardError", "inherit"},
    {"systemd.default_timeout_start_sec", "DefaultTimeoutStartSec"},
    {"systemd.setenv", "DefaultEnvironment"},
    {"systemd.dump_core", "DumpCore", "yes"},
    {"systemd.crash_chvt", "CrashChangeVT", "yes"},
    {"systemd.crash_shell", "CrashShell", "yes"},
    {"systemd.crash_reboot", "CrashReboot", "yes"},
    {"systemd.cpu_affinity", "CPUAffinity"},
    {"systemd.watchdog_device", "WatchdogDevice"},
    {"systemd.watchdog_sec", "RuntimeWatchdogSec"},
    {"systemd.watchdog_pre_sec", "RuntimeWatchdogPreSec"},
    {"systemd.watchdog_pretimeout_governor", "RuntimeWatchdogPreGovernor"},
};

/// Words that stand for a unit to start.
struct UnitRow {
  std::string_view name;
  std::string_view unit;
  bool of_initrd;
};
constexpr UnitRow kUnits[] = {
    {"emergency", "emergency.target", false},
    {"-b", "emergency.target", false},
    {"rescue", "rescue.target", false},
    {"single", "rescue.target", false},
    {"s", "rescue.target", false},
    {"S", "rescue.target", false},
    {"1", "rescue.target", false},
    {"2", "multi-user.target", false},
    {"3", "multi-user.target", false},
    {"4", "multi-user.target", false},
    {"5", "graphical.target", false},
    {"rd.emergency", "emergency.target", true},
    {"rd.rescue", "rescue.target", true},
};

/// Words of systemd's own that onset has no use for: what they ask for it never does, or another
/// program reads them.
constexpr std::string_view kOfOthers[] = {
    "systemd.condition_first_boot",
    "systemd.condition_needs_update",
    "systemd.early_core_pattern",
    "systemd.firstboot",
    "systemd.gpt_auto",
    "systemd.import_credentials",
    "systemd.log_tid",
    "systemd.restore_state",
    "systemd.unified_cgroup_hierarchy",
};

class Reader {
 public:
  explicit Reader(bool in_initrd) : in_initrd_(in_initrd) {}

  void take(const KernelArgument& argument) {
    if (take_unit(argument) || take_debugging(argument)) return;
    if (take_setting(argument) || take_own(argument)) return;
    std::string_view name = argument.name;
    if (name.starts_with("rd.")) name.remove_prefix(3);
    if (!name.starts_with("systemd.") && !name.starts_with("onset.")) return;
    if (name.starts_with("systemd.journald.")) return;
    if (std::ranges::find(kOfOthers, name) != std::end(kOfOthers)) return;
    say(argument, "is not honoured yet");
  }

  KernelRequest finish() { return std::move(request_); }

 private:
  bool take_unit(const KernelArgument& argument) {
    if (!argument.value) {
      for (const UnitRow& row : kUnits) {
        if (row.name != argument.text) continue;
        if (row.of_initrd == in_initrd_) request_.unit = row.unit;
        return true;
      }
    }
    const bool of_initrd = argument.name == "rd.systemd.unit" || argument.name == "rd.onset.unit";
    if (!of_initrd && argument.name != "systemd.unit" && argument.name != "onset.unit") {
      return false;
    }
    if (of_initrd != in_initrd_) return true;
    if (!argument.value || argument.value->empty()) {
      say(argument, "needs the name of a unit");
    } else {
      request_.unit = *argument.value;
    }
    return true;
  }

  /// systemd-debug-generator(8): those of an initrd hold there, the others after it.
  bool take_debugging(const KernelArgument& argument) {
    std::string_view name = argument.name;
    const bool of_initrd = name.starts_with("rd.");
    if (of_initrd) name.remove_prefix(3);
    const bool mask = name == "systemd.mask" || name == "onset.mask";
    const bool want = name == "systemd.wants" || name == "onset.wants";
    const bool shell = name == "systemd.debug_shell" || name == "onset.debug_shell";
    if (!mask && !want && !shell) return false;
    if (of_initrd != in_initrd_) return true;
    if (shell) {
      take_debug_shell(argument);
    } else if (!argument.value || !unit_name_is_valid(*argument.value)) {
      say(argument, "needs the name of a unit");
    } else {
      (mask ? request_.masks : request_.wants).push_back(*argument.value);
    }
    return true;
  }

  /// A boolean, or a terminal with or without its folder.
  void take_debug_shell(const KernelArgument& argument) {
    const auto wanted = parse_bool(argument.value.value_or("yes"));
    if (wanted) {
      request_.debug_shell.reset();
      if (*wanted) request_.debug_shell.emplace();
      return;
    }
    std::string_view terminal = *argument.value;
    if (terminal.starts_with("/dev/")) terminal.remove_prefix(5);
    if (!filename_is_valid(terminal) || c_escape(terminal) != terminal) {
      say(argument, "needs a boolean or a terminal");
    } else {
      request_.debug_shell = std::string(terminal);
    }
  }

  bool take_setting(const KernelArgument& argument) {
    if (argument.text == "quiet") {
      request_.quiet = true;
      return true;
    }
    if (argument.text == "debug") return set("LogLevel", "debug");
    const std::string_view name = own_name(argument);
    for (const SettingRow& row : kSettings) {
      if (row.name != name) continue;
      if (!argument.value && row.bare.empty()) {
        say(argument, "needs a value");
        return true;
      }
      return set(row.directive, argument.value.value_or(std::string(row.bare)));
    }
    return false;
  }

  bool take_own(const KernelArgument& argument) {
    const std::string_view name = own_name(argument);
    const std::string value = argument.value.value_or("");
    if (name == "systemd.log_target") {
      request_.log_target = value;
    } else if (name == "systemd.getty_auto") {
      take_bool(argument, request_.getty_auto);
    } else if (name == "fstab") {
      take_bool(argument, request_.fstab);
    } else if (name == "systemd.swap") {
      take_bool(argument, request_.swap);
    } else if (name == "systemd.hostname") {
      request_.hostname = value;
    } else if (name == "systemd.machine_id") {
      request_.machine_id = value;
    } else if (name == "systemd.clock_usec") {
      const auto number = parse_unsigned(value, INT64_MAX);
      if (!number) {
        say(argument, "needs microseconds since 1970");
      } else {
        request_.clock_us = *number;
      }
    } else {
      return false;
    }
    return true;
  }

  void take_bool(const KernelArgument& argument, bool& to) {
    const auto given = parse_bool(argument.value.value_or("yes"));
    if (given) {
      to = *given;
    } else {
      say(argument, "needs a boolean");
    }
  }

  /// Both onset's name and systemd's are systemd's here. Of "rd." words only those of an initrd
  /// have a meaning.
  std::string_view own_name(const KernelArgument& argument) {
    std::string_view name = argument.name;
    if (in_initrd_ && name.starts_with("rd.")) name.remove_prefix(3);
    if (!name.starts_with("onset.")) return name;
    name_ = format("systemd.{}", name.substr(6));
    return name_;
  }

  bool set(std::string_view directive, std::string value) {
    request_.settings.push_back({directive, std::move(value), kFile});
    return true;
  }

  void say(const KernelArgument& argument, std::string_view what) {
    request_.diagnostics.push_back({Severity::Warning, std::string(kFile), 0,
                                    format("{} {}, ignored", c_escape(argument.text), what)});
  }

  KernelRequest request_;
  std::string name_;
  bool in_initrd_;
};

}  // namespace

std::vector<KernelArgument> split_kernel_command_line(std::string_view line) {
  std::vector<KernelArgument> arguments;
  // Relaxed, with escapes kept: no text is refused.
  auto words = split_words(line, WordFlags::Unquote | WordFlags::RetainEscapes | WordFlags::Relax);
  if (!words) return arguments;
  for (std::string& word : *words) {
    KernelArgument argument;
    const std::size_t equals = word.find('=');
    argument.name = word.substr(0, equals);
    if (equals != std::string::npos) argument.value = word.substr(equals + 1);
    if (argument.name != "-b") std::ranges::replace(argument.name, '-', '_');
    argument.text = std::move(word);
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

KernelRequest read_kernel_command_line(std::string_view line, bool in_initrd) {
  Reader reader(in_initrd);
  for (const KernelArgument& argument : split_kernel_command_line(line)) reader.take(argument);
  return reader.finish();
}

std::optional<bool> root_is_to_be_writable(std::string_view command_line) {
  std::optional<bool> writable;
  for (const KernelArgument& word : split_kernel_command_line(command_line)) {
    if (word.text == "rw") writable = true;
    if (word.text == "ro") writable = false;
  }
  return writable;
}

}  // namespace onset
