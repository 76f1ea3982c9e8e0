// The values of options: what is taken down of each, or what is wrong with it.
#include "cli/option_values.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/option_words.h"
#include "cli/top_view.h"
#include "unit/enum_words.h"
#include "unit/name.h"
#include "unit/signals.h"
#include "unit/values.h"

namespace onset::option {

namespace {

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> found;
  for (std::string_view part : split(text, ',')) {
    if (!part.empty()) found.emplace_back(part);
  }
  return found;
}

constexpr std::string_view kOutputs[] = {
    "short",         "short-full",      "short-iso",   "short-iso-precise",
    "short-precise", "short-monotonic", "short-delta", "short-unix",
    "verbose",       "export",          "json",        "json-pretty",
    "json-sse",      "json-seq",        "cat",         "with-unit"};
constexpr std::string_view kPresetModes[] = {"full", "enable-only", "disable-only"};

bool is_one_of(std::string_view word, std::span<const std::string_view> known) {
  return std::find(known.begin(), known.end(), word) != known.end();
}

}  // namespace

/// -t takes load states too, systemctl(1).
std::string set_types(Options& options, std::string_view text) {
  if (text.empty()) return "--type= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") {
      options.print = type_words();
    } else if (unit_type_from_word(word)) {
      options.types.push_back(std::move(word));
    } else if (from_string<LoadState>(word)) {
      options.states.push_back(std::move(word));
    } else {
      return format(
          "Unknown unit type or load state '{}'.\n"
          "Use -t help to see a list of allowed values.",
          c_escape(word));
    }
  }
  return {};
}

std::string set_states(Options& options, std::string_view text) {
  if (text.empty()) return "--state= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") options.print = state_words();
    options.states.push_back(std::move(word));
  }
  return {};
}

std::string set_failed(Options& options, std::string_view) {
  options.states.emplace_back("failed");
  return {};
}

std::string set_properties(Options& options, std::string_view text) {
  if (text.empty()) options.properties.emplace_back();  // none at all
  for (std::string& word : list_of(text)) options.properties.push_back(std::move(word));
  return {};
}

std::string set_properties_and_value(Options& options, std::string_view text) {
  options.value = true;
  return set_properties(options, text);
}

std::string set_json(Options& options, std::string_view word) {
  if (word == "off") {
    options.json = JsonStyle::Off;
  } else if (word == "short" || word.empty()) {
    options.json = JsonStyle::Short;
  } else if (word == "pretty") {
    options.json = JsonStyle::Pretty;
  } else {
    return format("--json=: '{}' is not short, pretty or off", c_escape(word));
  }
  return {};
}

std::string set_signal(Options& options, std::string_view word) {
  if (word == "help" || word == "list") {
    options.print = signal_words(word == "list");
    return {};
  }
  auto signal = parse_signal(word);
  if (!signal) return format("Failed to parse signal string \"{}\".", c_escape(word));
  options.signal = *signal;
  return {};
}

std::string set_lines(Options& options, std::string_view word) {
  options.lines = parse_uint<unsigned>(word);
  return options.lines ? std::string() : format("Failed to parse lines '{}'", c_escape(word));
}

std::string set_order(Options& options, std::string_view word) {
  if (!top_order_from(word)) return format("Failed to parse order '{}'", c_escape(word));
  options.order = word;
  return {};
}

std::string set_fuzz(Options& options, std::string_view word) {
  const auto span = parse_span(word);
  if (!span) return format("Failed to parse fuzz '{}'", c_escape(word));
  options.fuzz = *span;
  return {};
}

std::string set_delay(Options& options, std::string_view word) {
  const auto span = parse_span(word);
  if (!span || span->count() == 0) return format("Failed to parse delay '{}'", c_escape(word));
  options.delay = *span;
  return {};
}

std::string set_iterations(Options& options, std::string_view word) {
  options.iterations = parse_uint<unsigned>(word);
  return options.iterations ? std::string()
                            : format("Failed to parse iterations '{}'", c_escape(word));
}

std::string set_output(Options& options, std::string_view word) {
  if (word == "help") options.print = listing("", kOutputs);
  options.output = word == "json"          ? JsonStyle::Short
                   : word == "json-pretty" ? JsonStyle::Pretty
                                           : JsonStyle::Off;
  return word == "help" || is_one_of(word, kOutputs)
             ? std::string()
             : format("Unknown output '{}'.", c_escape(word));
}

std::string set_legend(Options& options, std::string_view word) {
  const auto value = parse_bool(word);
  if (!value) return format("Failed to parse boolean argument to --legend: {}.", c_escape(word));
  options.legend = *value;
  return {};
}

/// The manager judges it, as with systemctl.
std::string set_kill_whom(Options& options, std::string_view word) {
  options.kill_whom = word;
  return {};
}

std::string set_job_mode(Options& options, std::string_view word) {
  if (word == "help") {
    options.print = listing("", {"fail", "replace", "replace-irreversibly", "isolate", "flush",
                                 "ignore-dependencies", "ignore-requirements", "triggering"});
  }
  options.job_mode = word;
  return {};
}

std::string set_fail(Options& options, std::string_view) {
  options.job_mode = "fail";
  return {};
}

std::string set_irreversible(Options& options, std::string_view) {
  return set_job_mode(options, "replace-irreversibly");
}

std::string set_ignore_dependencies(Options& options, std::string_view) {
  return set_job_mode(options, "ignore-dependencies");
}

std::string set_preset_mode(Options& options, std::string_view word) {
  if (word == "help") {
    options.print = listing("", kPresetModes);
    return {};
  }
  options.preset_mode = word;
  return is_one_of(word, kPresetModes) ? std::string()
                                       : format("Failed to parse preset mode: {}.", c_escape(word));
}

std::string set_what(Options& options, std::string_view text) {
  if (text.empty()) return "--what= requires arguments.";
  for (std::string& word : list_of(text)) {
    if (word == "help") {
      options.print = listing("", {"runtime", "state", "cache", "logs", "configuration"});
    }
    options.what.push_back(std::move(word));
  }
  return {};
}

std::string set_timestamp(Options& options, std::string_view word) {
  if (word == "help") {
    options.print = listing("", {"pretty", "us", "utc", "us+utc", "unix"});
  } else if (word == "pretty") {
    options.time_style = TimeStyle::Pretty;
  } else if (word == "unix") {
    options.time_style = TimeStyle::Unix;
  } else if (word == "us" || word == "µs" || word == "μs") {
    options.time_style = TimeStyle::Us;
  } else if (word == "utc") {
    options.time_style = TimeStyle::Utc;
  } else if (word == "us+utc" || word == "µs+utc" || word == "μs+utc") {
    options.time_style = TimeStyle::UsUtc;
  } else {
    return format("Invalid value: {}.", c_escape(word));
  }
  return {};
}

std::string set_no_legend(Options& options, std::string_view) {
  options.legend = false;
  return {};
}

/// Nobody can hold the system's end up: there is nothing to check, whichever it is.
std::string set_check_inhibitors(Options&, std::string_view word) {
  if (word == "auto" || parse_bool(word)) return {};
  return format("Failed to parse --check-inhibitors= argument: {}", c_escape(word));
}

std::string set_message(Options& options, std::string_view text) {
  options.message = text;
  return {};
}

std::string set_reboot_argument(Options& options, std::string_view text) {
  options.reboot_argument = text;
  return {};
}

std::string set_drop_in(Options& options, std::string_view word) {
  if (word.empty() || word.find('/') != std::string_view::npos)
    return "--drop-in=: expected a name";
  options.drop_in = word;
  if (!word.ends_with(".conf")) options.drop_in += ".conf";
  return {};
}

std::string set_root(Options& options, std::string_view path) {
  if (path.empty() || !path_is_valid(path)) return "--root=: expected a folder";
  options.root = path_simplify(path);
  return {};
}

std::string set_system(Options& options, std::string_view) {
  options.user = false;
  return {};
}

std::string set_force(Options& options, std::string_view) {
  ++options.force;
  return {};
}

}  // namespace onset::option
