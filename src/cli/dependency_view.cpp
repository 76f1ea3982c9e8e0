// An explicit stack in place of recursion: the graph may be as deep as it likes.
#include "cli/dependency_view.h"

#include <strings.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

struct Child {
  std::string name;
  std::string active;
};
using Children = std::map<std::string, std::vector<Child>>;

/// Targets, which go on below, come last; names as people sort them.
bool comes_before(const Child& a, const Child& b) {
  const bool a_is_target = a.name.ends_with(".target");
  if (a_is_target != b.name.ends_with(".target")) return !a_is_target;
  const int order = strcasecmp(a.name.c_str(), b.name.c_str());
  return order != 0 ? order < 0 : a.name < b.name;
}

Children children_of(const json& edges) {
  Children children;
  for (const json& edge : edges) {
    children[raw_text_of(edge, "from")].push_back(
        {raw_text_of(edge, "to"), raw_text_of(edge, "active")});
  }
  for (auto& [name, list] : children) {
    std::sort(list.begin(), list.end(), comes_before);
    const auto same = [](const Child& a, const Child& b) { return a.name == b.name; };
    list.erase(std::unique(list.begin(), list.end(), same), list.end());
  }
  return children;
}

/// One unit on the way down: its children and which of them comes next.
struct Level {
  std::string name;
  const std::vector<Child>* children;
  std::size_t next = 0;
  bool circular = false;       ///< one of them stands above it: told once, behind the others
  std::size_t first_line = 0;  ///< how many lines there were when it was gone down to
};

/// A walk of list-dependencies that writes down what it meets.
class TreeWriter {
 public:
  TreeWriter(const Children& children, const DependencyLook& look)
      : children_(children), look_(look) {}

  std::string write(const std::string& name, const std::string& unit) {
    text_ = printable(name) + '\n';
    descend(unit);
    while (!path_.empty()) {
      Level& level = path_.back();
      if (level.next == level.children->size()) {
        leave();
        continue;
      }
      const Child& child = (*level.children)[level.next++];
      if (above_.contains(child.name)) {
        level.circular = true;
        continue;
      }
      const bool is_last = level.next == level.children->size() && !level.circular;
      const bool goes_on = look_.all || child.name.ends_with(".target");
      const bool is_told = goes_on && told_.contains(child.name);
      add_line(look_.palette.paint(state_tone(child.active), state_dot(child.active)), child.name,
               is_last, is_told ? " …" : "");
      if (goes_on && !is_told) descend(child.name);
    }
    return std::move(text_);
  }

 private:
  void descend(const std::string& name) {
    static const std::vector<Child> kNone;
    const auto found = children_.find(name);
    above_.insert(name);
    path_.push_back({name, found == children_.end() ? &kNone : &found->second, 0, false, lines_});
  }
  /// As a list each unit stands once; in a tree only its own branch is closed to it.
  void leave() {
    if (!look_.plain) {
      const Level& level = path_.back();
      if (level.circular) add_line(" ", "...", true);
      above_.erase(level.name);
      if (lines_ > level.first_line + 1) told_.insert(level.name);
    }
    path_.pop_back();
  }
  void add_line(const std::string& dot, const std::string& name, bool is_last,
                std::string_view mark = {}) {
    std::string line = look_.plain ? "  " : dot + ' ';
    for (std::size_t i = 0; !look_.plain && i + 1 < path_.size(); ++i) {
      line += path_[i].next < path_[i].children->size() ? "│ " : "  ";
    }
    if (!look_.plain) line += is_last ? "└─" : "├─";
    const std::size_t taken = (look_.plain ? 2 : 2 + 2 * path_.size()) + display_width(mark);
    const std::size_t room =
        look_.width == 0 ? 0 : std::max<std::size_t>(8, look_.width - std::min(look_.width, taken));
    text_ += format("{}{}{}\n", line, ellipsize(printable(name), room), mark);
    ++lines_;
  }

  const Children& children_;
  const DependencyLook& look_;
  std::vector<Level> path_;
  std::set<std::string> above_;
  std::set<std::string> told_;  ///< units with several lines below them, written already
  std::size_t lines_ = 0;
  std::string text_;
};

}  // namespace

std::string dependency_tree(const std::string& name, const json& edges,
                            const DependencyLook& look) {
  const Children children = children_of(edges);
  // An alias is shown as it was given; the walk begins at the unit.
  const std::string unit = edges.empty() ? name : raw_text_of(edges[0], "from");
  return TreeWriter(children, look).write(name, unit);
}

int verb_list_dependencies(Command& command) {
  std::vector<std::string> units{"default.target"};
  if (!command.names.empty()) {
    auto named = unit_names(command);
    if (!named) return command.fail(named.error());
    units = std::move(*named);
  }
  const Options& options = command.options;
  const DependencyLook look{command.palette(), options.plain, options.all, command.width()};
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
    command.out(dependency_tree(unit, edges, look));
  }
  command.print_json(shown);
  return 0;
}

}  // namespace onset
