// show: properties as NAME=VALUE; cat: the files as they are.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/unit_files.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/loader.h"
#include "unit/name.h"

namespace onset {

namespace {

using json = Json;

constexpr std::size_t kUnitFileMax = std::size_t{1} << 20;

std::string in_words(std::string_view us, TimeStyle style) {
  const auto number = parse_uint<std::uint64_t>(us);
  return number ? format_time(static_cast<std::int64_t>(*number), style) : printable(us);
}

/// A point of time comes as microseconds since 1970, and is shown in the reader's
/// zone: also the two in a command's line.
std::string shown_value(const std::string& name, std::string_view value, TimeStyle style) {
  if (name.ends_with("Timestamp")) return in_words(value, style);
  std::string text = printable(value);
  if (!name.starts_with("Exec")) return text;
  for (std::string_view key : {" ; start_time=[", " ; stop_time=["}) {
    const std::size_t found = text.rfind(key);
    if (found == std::string::npos) continue;
    const std::size_t begin = found + key.size();
    const std::size_t end = text.find(']', begin);
    if (end == std::string::npos) continue;
    text.replace(begin, end - begin, in_words(text.substr(begin, end - begin), style));
  }
  return text;
}

void print_property(const Command& command, const std::string& name, const std::string& value,
                    bool with_empty) {
  if (value.empty() && !with_empty) return;
  for (std::string_view line : split(value, '\n')) {
    const std::string shown = shown_value(name, line, command.options.time_style);
    if (command.options.value) {
      command.out(shown + '\n');
    } else {
      command.out(format("{}={}\n", printable(name), shown));
    }
  }
}

void print_properties(const Command& command, const json& properties) {
  const auto& wanted = command.options.properties;
  const bool with_empty = command.options.all || !wanted.empty();
  auto print = [&](const std::string& name) {
    if (properties.contains(name)) {
      print_property(command, name, raw_text_of(properties, name.c_str()), with_empty);
    }
  };
  if (!wanted.empty()) {
    for (const std::string& name : wanted) print(name);
    return;
  }
  for (const auto& entry : properties.items()) print(entry.key());
}

void show_properties(const Command& command, const json& properties, json& shown) {
  if (command.options.json != JsonStyle::Off) {
    shown.push_back(properties);
  } else if (properties.is_object()) {
    print_properties(command, properties);
  }
}

int show_manager(Command& command) {
  json reply;
  auto got = command.manager.call("GetManagerProperties", json::object(), reply);
  if (!got) {
    command.fail("Failed to get properties", got.error());
    return 1;
  }
  json shown = json::array();
  show_properties(command, object_of(reply, "properties"), shown);
  command.print_json(shown.empty() ? shown : shown[0]);
  return 0;
}

/// `first`: nothing stands above.
int show_units(Command& command, const std::vector<std::string>& units, bool first, json& shown) {
  json asked = json::object();
  if (!command.options.properties.empty()) asked["names"] = command.options.properties;
  json listed;
  if (auto got = command.manager.collect_of(units, "ListProperties", asked, listed); !got) {
    command.fail("Failed to get properties", got.error());
    return 1;
  }
  for (const json& unit : listed) {
    if (const std::string why = text_of(unit, "message"); !why.empty()) {
      return command.fail(format("Failed to get properties: {}", why));
    }
    if (!first && command.options.json == JsonStyle::Off) command.out("\n");
    first = false;
    show_properties(command, object_of(unit, "properties"), shown);
  }
  return 0;
}

/// Numbers among the arguments are jobs; what is left are units.
std::vector<std::uint32_t> split_off_jobs(Command& command) {
  std::vector<std::uint32_t> jobs;
  std::erase_if(command.names, [&](const std::string& name) {
    const auto id = parse_uint<std::uint32_t>(name);
    if (id) jobs.push_back(*id);
    return id.has_value();
  });
  return jobs;
}

int show_job(Command& command, std::uint32_t id, json& shown) {
  json reply;
  if (auto listed = command.manager.call("ListJobs", json::object(), reply); !listed) {
    return command.fail("Failed to get properties", listed.error());
  }
  const Options& options = command.options;
  for (const json& job : array_of(reply, "jobs")) {
    if (number_of(job, "id") != id) continue;
    const std::pair<const char*, std::string> properties[] = {{"Id", format("{}", id)},
                                                              {"Unit", raw_text_of(job, "unit")},
                                                              {"JobType", raw_text_of(job, "type")},
                                                              {"State", raw_text_of(job, "state")}};
    json view = json::object();
    for (const auto& [name, value] : properties) {
      const auto& wanted = options.properties;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) {
        continue;
      }
      view[name] = value;
      if (options.json == JsonStyle::Off) print_property(command, name, value, true);
    }
    shown.push_back(std::move(view));
    return 0;
  }
  return command.fail(format("Failed to get properties: Job {} does not exist.", id));
}

/// The fragment and the drop-ins: as the manager says of the unit, or, where it says
/// nothing, as they are found: by one loader, which the first such unit makes.
Result<std::vector<std::string>, std::string> files_of(Command& command, const std::string& name,
                                                       const json& told,
                                                       std::optional<UnitLoader>& loader) {
  std::vector<std::string> files;
  if (told.is_object()) {
    if (raw_text_of(told, "load") == "masked") return std::vector<std::string>{"/dev/null"};
    files.push_back(raw_text_of(told, "file"));
    for (const json& dropin : array_of(told, "dropins")) {
      if (dropin.is_string()) files.push_back(dropin.get<std::string>());
    }
    if (flag_of(told, "needs_reload")) {
      command.err(format(
          "# Warning: {0} changed on disk, the version onset has loaded is outdated.\n"
          "# This output shows the current version of the unit's original fragment and drop-in "
          "files.\n"
          "# If fragments or drop-ins were added or removed, they are not properly reflected in "
          "this output.\n"
          "# Run '{1}{2} daemon-reload' to reload units.",
          printable(name), command.program, command.options.user ? " --user" : ""));
    }
  } else {
    if (!loader) loader.emplace(command.context.files, loader_config(command));
    Diagnostics diagnostics;
    const auto unit = loader->load(name, diagnostics);
    if (unit->load_state == LoadState::Masked) return std::vector<std::string>{"/dev/null"};
    // A template is no unit that could be loaded, but it has files.
    const auto dropins = is_template(name) ? loader->dropins_of(name) : unit->dropin_paths;
    files.push_back(is_template(name) ? loader->fragment_of(name) : unit->fragment_path);
    files.insert(files.end(), dropins.begin(), dropins.end());
  }
  std::erase(files, std::string());
  if (files.empty()) return Failure{format("No files found for {}.", printable(name))};
  return files;
}

Result<std::string> text_of_file(Command& command, const std::string& path) {
  constexpr std::string_view kBuiltin = "builtin:";
  if (path.starts_with(kBuiltin)) {
    for (const BuiltinUnit& unit : command.context.builtin) {
      if (unit.name == std::string_view(path).substr(kBuiltin.size()))
        return std::string(unit.text);
    }
  }
  return command.context.files.read(root_of(command.options) + path, kUnitFileMax);
}

}  // namespace

int verb_show(Command& command) {
  const Options& options = command.options;
  json shown = json::array();
  const bool filtered = !options.types.empty() || !options.states.empty();
  if (command.names.empty() && !filtered) return show_manager(command);
  bool first = true;
  const auto jobs = split_off_jobs(command);
  for (const std::uint32_t job : jobs) {
    if (!first && options.json == JsonStyle::Off) command.out("\n");
    first = false;
    if (show_job(command, job, shown) != 0) return 1;
  }
  auto units = command.names.empty() && jobs.empty() ? listed_units(command) : unit_names(command);
  if (!units) return command.fail(units.error());
  if (show_units(command, *units, first, shown) != 0) return 1;
  command.print_json(shown.size() == 1 ? shown[0] : shown);
  return 0;
}

int verb_cat(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  const Palette palette = command.palette();
  bool first = true;
  int status = 0;
  json answers = json::array();
  std::optional<UnitLoader> loader;
  if (!works_on_files_alone(command)) {
    (void)command.manager.collect_of(*units, "GetUnits", json::object(), answers);
  }
  for (std::size_t i = 0; i < units->size(); ++i) {
    const std::string& unit = (*units)[i];
    auto files = files_of(command, unit,
                          i < answers.size() ? object_of(answers[i], "unit") : json(), loader);
    if (!files) {
      status = command.fail(files.error());
      continue;
    }
    for (const std::string& path : *files) {
      if (!first) command.out("\n");
      first = false;
      if (path == "/dev/null") {
        command.out(format("# Unit {} is masked.\n", printable(unit)));
        continue;
      }
      command.out(palette.paint(Tone::Dim, format("# {}", printable(path))) + '\n');
      auto text = text_of_file(command, path);
      if (!text) {
        status =
            command.fail(format("Failed to cat {}: {}", printable(path), to_string(text.error())));
        continue;
      }
      for (std::string_view line : split(*text, '\n')) {
        if (line.data() + line.size() == text->data() + text->size() && line.empty()) break;
        command.out(command.context.is_tty ? printable(line) + '\n' : format("{}\n", line));
      }
    }
  }
  return status;
}

}  // namespace onset
