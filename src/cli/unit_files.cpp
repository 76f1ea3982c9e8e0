#include "cli/unit_files.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/reply.h"
#include "control/json.h"

namespace onset {

std::string root_of(const Options& options) {
  return options.root == "/" ? std::string() : options.root;
}

bool works_on_files_alone(const Command& command) {
  return !command.options.root.empty() || is_offline(command.context);
}

LoaderConfig loader_config(Command& command) {
  LoaderConfig config;
  config.search_path = command.context.search_path;
  config.root = root_of(command.options);
  config.builtin = command.context.builtin;
  config.host = command.context.host;
  config.user_manager = command.options.user;
  Json reply;
  if (works_on_files_alone(command) ||
      !command.manager.call("GetManagerProperties", Json::object(), reply)) {
    return config;
  }
  const std::string path = raw_text_of(object_of(reply, "properties"), "UnitPath");
  if (path.empty()) return config;
  config.search_path.clear();
  for (std::string_view folder : split_whitespace(path)) config.search_path.emplace_back(folder);
  return config;
}

}  // namespace onset
