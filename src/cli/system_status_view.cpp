// The status of the whole: a head as systemctl's, and below it a tree of slices,
// units and processes. A slice's line stands before what is in it.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "control/json.h"

namespace onset {

namespace {

using json = Json;

constexpr std::string_view kIndent = "           ";
constexpr std::string_view kRoot = "-.slice";

std::string line(std::string_view label, std::string_view value) {
  return format("{:>9}: {}\n", label, value);
}

/// Slices with anything in them, and the units of each.
class SliceTree {
 public:
  SliceTree(const json& units, const StatusLook& look) : look_(look) {
    for (const json& unit : units) {
      if (array_of(unit, "processes").empty()) continue;
      const std::string slice = text_of(unit, "slice");
      add(text_of(unit, "name"), slice.empty() ? std::string(kRoot) : slice, &unit);
    }
  }

  std::string text() {
    std::string out;
    // Depth first, with a list in place of recursion: who comes, and its indent.
    std::vector<Step> todo;
    push(todo, std::string(kRoot), std::string(kIndent));
    while (!todo.empty()) {
      const Step step = std::move(todo.back());
      todo.pop_back();
      out += format("{}{}─{}\n", step.indent, step.is_last ? "└" : "├", step.name);
      const std::string below = format("{}{} ", step.indent, step.is_last ? " " : "│");
      if (const auto unit = units_.find(step.name); unit != units_.end()) {
        out += process_tree(*unit->second, below, look_);
      }
      push(todo, step.name, below);
    }
    return out;
  }

 private:
  struct Step {
    std::string name;
    std::string indent;
    bool is_last = false;
  };

  /// "a-b.slice" lies in "a.slice", that in the root.
  static std::string parent_of(const std::string& slice) {
    const std::size_t dash = slice.rfind('-');
    return dash == std::string::npos ? std::string(kRoot) : slice.substr(0, dash) + ".slice";
  }

  void add(const std::string& name, const std::string& slice, const json* unit) {
    units_[name] = unit;
    std::string child = name;
    std::string parent = slice;
    while (note(parent, child) && parent != kRoot) {
      child = parent;
      parent = parent_of(child);
    }
  }
  /// False: it was there, with all above it.
  bool note(const std::string& parent, const std::string& child) {
    auto& children = children_[parent];
    if (std::find(children.begin(), children.end(), child) != children.end()) return false;
    children.push_back(child);
    return true;
  }

  void push(std::vector<Step>& todo, const std::string& name, const std::string& indent) {
    const auto found = children_.find(name);
    if (found == children_.end()) return;
    auto& children = found->second;
    std::sort(children.begin(), children.end());
    for (std::size_t i = children.size(); i > 0; --i) {
      todo.push_back({children[i - 1], indent, i == children.size()});
    }
  }

  const StatusLook& look_;
  std::map<std::string, const json*> units_;
  std::map<std::string, std::vector<std::string>> children_;
};

Tone tone_of(std::string_view state) {
  if (state == "running") return Tone::Good;
  return state == "degraded" || state == "maintenance" ? Tone::Bad : Tone::Warn;
}

}  // namespace

std::string system_status_text(const json& manager, std::string_view host, const json& units,
                               const StatusLook& look) {
  const auto property = [&](const char* name) {
    const std::string value = text_of(manager, name);
    return value.empty() ? std::string("0") : value;
  };
  const std::string state = text_of(manager, "SystemState");
  const Tone tone = tone_of(state);
  const std::string failed = property("NFailedUnits");
  std::string text =
      format("{} {}\n", look.palette.paint(tone, state == "degraded" ? "×" : "●"), printable(host));
  text += line("State", look.palette.paint(tone, state));
  text += line("Units", format("{} loaded (incl. loaded aliases)", property("NNames")));
  text += line("Jobs", format("{} queued", property("NJobs")));
  text += line("Failed", look.palette.paint(failed == "0" ? Tone::Plain : Tone::Bad,
                                            format("{} units", failed)));
  if (const auto since = number_in(manager, "UserspaceTimestamp"); since && *since > 0) {
    text += line("Since", format("{}; {}", format_time(*since, look.time_style),
                                 format_age(*since, look.now)));
  }
  text += line("onset", text_of(manager, "Version"));
  const std::string group = text_of(manager, "ControlGroup");
  if (group.empty()) {
    text += line("Processes", format("found by {}", text_of(manager, "ProcessBackend")));
  } else {
    text += line("CGroup", group);
  }
  return text + SliceTree(units, look).text();
}

}  // namespace onset
