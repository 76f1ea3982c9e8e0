// An explicit stack in place of recursion: the graph may be as deep as it likes.
#include "cli/dependency_view.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"

namespace onset {

namespace {

using nlohmann::json;

struct Child {
  std::string name;
  std::string active;
};
using Children = std::map<std::string, std::vector<Child>>;

Children children_of(const json& edges) {
  Children children;
  for (const json& edge : edges) {
    auto& list = children[raw_text_of(edge, "from")];
    const std::string to = raw_text_of(edge, "to");
    const bool is_known =
        std::any_of(list.begin(), list.end(), [&](const Child& c) { return c.name == to; });
    if (!is_known) list.push_back({to, raw_text_of(edge, "active")});
  }
  return children;
}

/// One unit on the way down: where its children begin and which comes next.
struct Level {
  const std::vector<Child>* children;
  std::size_t next = 0;
};

std::string line_of(const Child& child, const std::vector<Level>& path,
                    const DependencyLook& look) {
  std::string line;
  if (!look.no_dots) {
    line = look.palette.paint(state_tone(child.active), state_dot(child.active)) + ' ';
  }
  if (look.plain) {
    line.append(2 * path.size(), ' ');
  } else {
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      line += path[i].next < path[i].children->size() ? "│ " : "  ";
    }
    line += path.back().next < path.back().children->size() ? "├─" : "└─";
  }
  const std::size_t taken = 2 + 2 * path.size();
  const std::size_t room =
      look.width == 0 ? 0 : std::max<std::size_t>(8, look.width - std::min(look.width, taken));
  return line + ellipsize(printable(child.name), room) + '\n';
}

}  // namespace

std::string dependency_tree(const std::string& unit, const json& edges,
                            const DependencyLook& look) {
  const Children children = children_of(edges);
  std::string text = printable(unit) + '\n';
  std::set<std::string> walked{unit};
  std::vector<Level> path;
  auto descend = [&](const std::string& name) {
    const auto found = children.find(name);
    if (found != children.end()) path.push_back({&found->second, 0});
  };
  descend(unit);
  while (!path.empty()) {
    Level& level = path.back();
    if (level.next == level.children->size()) {
      path.pop_back();
      continue;
    }
    const Child& child = (*level.children)[level.next++];
    text += line_of(child, path, look);
    if (walked.insert(child.name).second) descend(child.name);
  }
  return text;
}

int verb_list_dependencies(Command& command) {
  std::vector<std::string> units{"default.target"};
  if (!command.names.empty()) {
    auto named = unit_names(command);
    if (!named) return command.fail(named.error());
    units = std::move(*named);
  }
  const Options& options = command.options;
  const DependencyLook look{command.palette(), options.plain, false, command.width()};
  json shown = json::array();
  bool first = true;
  for (const std::string& unit : units) {
    json asked = {{"unit", unit}, {"all", options.all}};
    switch (options.side) {
      case DependencySide::Forward:
        break;
      case DependencySide::Reverse:
        asked["reverse"] = true;
        break;
      case DependencySide::After:
        asked["after"] = true;
        break;
      case DependencySide::Before:
        asked["before"] = true;
        break;
    }
    json edges;
    auto listed = command.manager.collect("ListDependencies", asked, "edges", edges);
    // An unknown unit has none, as with systemctl.
    if (!listed && listed.error().error != "NoSuchUnit") {
      return command.fail("Failed to list dependencies", listed.error());
    }
    if (options.json != JsonStyle::Off) {
      for (json& edge : edges) shown.push_back(std::move(edge));
      continue;
    }
    if (!first) command.out("\n");
    first = false;
    command.out(dependency_tree(edges.empty() ? unit : raw_text_of(edges[0], "from"), edges, look));
  }
  command.print_json(shown);
  return 0;
}

}  // namespace onset
