// The processes of a unit as systemctl draws them: a cgroup's own, by number, and
// below them its child groups; without cgroups each process below its parent.
//
//   processes → nodes (a group or a process) → lines, depth first, with a list in
//   place of recursion: a unit may nest its groups as deep as it likes
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/format.h"
#include "base/text.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

struct Node {
  std::string text;  ///< a group's name, or a process's number and command
  std::vector<std::size_t> children;
};

class ProcessTree {
 public:
  explicit ProcessTree(const json& unit) {
    nodes_.emplace_back();  // the unit itself
    std::vector<const json*> processes;
    for (const json& process : array_of(unit, "processes")) processes.push_back(&process);
    std::sort(processes.begin(), processes.end(),
              [](const json* a, const json* b) { return pid_of(*a) < pid_of(*b); });
    if (raw_text_of(unit, "cgroup").empty()) {
      add_families(processes);
    } else {
      add_groups(processes);
    }
  }

  std::string text(std::string_view indent, const StatusLook& look) const {
    std::string out;
    std::vector<Step> todo;
    push(todo, 0, std::string(indent));
    while (!todo.empty()) {
      const Step step = std::move(todo.back());
      todo.pop_back();
      const std::string head = format("{}{}─", step.indent, step.is_last ? "└" : "├");
      const std::size_t taken = display_width(head);
      const std::size_t room =
          look.width == 0 ? 0 : std::max<std::size_t>(look.width - std::min(look.width, taken), 8);
      out += head + ellipsize(nodes_[step.node].text, room) + '\n';
      push(todo, step.node, format("{}{} ", step.indent, step.is_last ? " " : "│"));
    }
    return out;
  }

 private:
  struct Step {
    std::size_t node;
    std::string indent;
    bool is_last;
  };

  static std::int64_t pid_of(const json& process) { return number_of(process, "pid").value_or(0); }

  std::size_t add(std::size_t parent, std::string text) {
    nodes_.push_back({std::move(text), {}});
    nodes_[parent].children.push_back(nodes_.size() - 1);
    return nodes_.size() - 1;
  }

  /// Numbers of one group end at one column.
  void add_processes(std::size_t parent, const std::vector<const json*>& processes) {
    const std::size_t digits = format("{}", pid_of(*processes.back())).size();
    for (const json* process : processes) {
      add(parent, format("{:>{}} {}", pid_of(*process), digits, text_of(*process, "command")));
    }
  }

  void add_groups(const std::vector<const json*>& processes) {
    std::map<std::string, std::vector<const json*>> groups;
    for (const json* process : processes) groups[raw_text_of(*process, "group")].push_back(process);
    if (const auto own = groups.find(""); own != groups.end()) add_processes(0, own->second);
    // A group's processes come before its child groups: the map has "a" before "a/b".
    std::map<std::string, std::size_t> made{{"", 0}};
    for (const auto& [path, members] : groups) {
      if (path.empty()) continue;
      add_processes(group_at(made, path), members);
    }
  }

  std::size_t group_at(std::map<std::string, std::size_t>& made, const std::string& path) {
    std::size_t node = 0;
    std::string here;
    for (std::string_view name : split(path, '/')) {
      if (!here.empty()) here += '/';
      here += name;
      const auto found = made.find(here);
      node = found != made.end() ? found->second : add(node, printable(name));
      made.emplace(here, node);
    }
    return node;
  }

  /// A process whose parent is none of the unit's stands at the top.
  void add_families(const std::vector<const json*>& processes) {
    std::map<std::int64_t, std::vector<const json*>> families;
    std::map<std::int64_t, const json*> members;
    for (const json* process : processes) members.emplace(pid_of(*process), process);
    for (const json* process : processes) {
      const std::int64_t parent = number_of(*process, "parent").value_or(0);
      families[parent != pid_of(*process) && members.contains(parent) ? parent : 0].push_back(
          process);
    }
    std::vector<std::pair<std::int64_t, std::size_t>> todo{{0, 0}};
    while (!todo.empty()) {
      const auto [pid, node] = todo.back();
      todo.pop_back();
      const auto family = families.find(pid);
      if (family == families.end()) continue;
      const std::size_t first = nodes_.size();
      add_processes(node, family->second);
      for (std::size_t i = 0; i < family->second.size(); ++i) {
        todo.emplace_back(pid_of(*family->second[i]), first + i);
      }
      families.erase(family);  // numbers that name each other end here
    }
  }

  void push(std::vector<Step>& todo, std::size_t node, const std::string& indent) const {
    const auto& children = nodes_[node].children;
    for (std::size_t i = children.size(); i > 0; --i) {
      todo.push_back({children[i - 1], indent, i == children.size()});
    }
  }

  std::vector<Node> nodes_;
};

}  // namespace

std::string process_tree(const json& unit, std::string_view indent, const StatusLook& look) {
  return ProcessTree(unit).text(indent, look);
}

}  // namespace onset
