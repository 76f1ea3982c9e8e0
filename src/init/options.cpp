#include "init/options.h"

#include <optional>
#include <string_view>

#include "base/format.h"
#include "unit/manager_settings.h"

namespace onset {
namespace {

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "yes" || text == "true" || text == "1" || text == "on" || text == "auto") return true;
  if (text == "no" || text == "false" || text == "0" || text == "off") return false;
  return std::nullopt;
}

}  // namespace

InitOptions parse_init_options(const std::vector<std::string>& arguments,
                               const char* environment_unit_path) {
  InitOptions o;
  if (environment_unit_path != nullptr) o.unit_path = environment_unit_path;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string_view name = std::string_view(argument).substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
    bool bad = false;
    if (name == "--user") {
      o.user = true;
    } else if (name == "--system") {
      o.user = false;
    } else if (name == "--unit" && !value.empty()) {
      o.unit = value;
    } else if (name == "--unit-path" && !value.empty()) {
      o.unit_path = value;
    } else if (name == "--config-path" && !value.empty()) {
      o.config_path = value;
    } else if (name == "--log-level") {
      if (const auto level = parse_log_level(value)) {
        o.log_level = level;
      } else {
        bad = true;
      }
    } else if (name == "--log-target") {
      if (const auto target = parse_log_target(value)) {
        o.log_target = *target;
      } else {
        bad = true;
      }
    } else if (name == "--show-status") {
      const auto on = value.empty() ? std::optional<bool>(true) : parse_switch(value);
      if (on) {
        o.show_status = on;
      } else {
        bad = true;
      }
    } else if (!argument.starts_with('-') || argument == "-b") {
      o.words.push_back(argument);
    } else {
      o.warnings.push_back(format("unknown option '{}', ignored", argument));
    }
    if (bad) o.warnings.push_back(format("'{}' has no value that is known, ignored", argument));
  }
  return o;
}

std::optional<LogTarget> parse_log_target(std::string_view text) {
  if (text == "console" || text == "auto") return LogTarget::Console;
  if (text == "kmsg") return LogTarget::Kmsg;
  if (text == "null") return LogTarget::Null;
  return std::nullopt;
}

std::string_view log_target_name(LogTarget target) {
  switch (target) {
    case LogTarget::Console:
      return "console";
    case LogTarget::Kmsg:
      return "kmsg";
    case LogTarget::Null:
      return "null";
  }
  return "";
}

}  // namespace onset
