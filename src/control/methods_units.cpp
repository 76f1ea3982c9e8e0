// Looking at units; nothing here changes one.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "control/json_object.h"
#include "control/manager_interface.h"
#include "control/properties.h"
#include "control/unit_view.h"
#include "unit/enum_words.h"
#include "unit/glob.h"

namespace onset {

namespace {

using json = Json;
using Texts = std::vector<std::string>;

bool contains(const Texts& texts, std::string_view text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

/// What ListUnits leaves out.
struct UnitFilter {
  std::optional<Texts> states;
  std::optional<Texts> types;
  std::optional<Texts> patterns;
  bool all = false;

  [[nodiscard]] bool passes(const Manager& manager, UnitId id) const {
    const Unit& unit = manager.graph().unit(id);
    if (unit.load_state == LoadState::Stub || unit.load_state == LoadState::Merged) return false;
    if (types && !types->empty() && !contains(*types, to_string(unit.type))) return false;
    if (patterns && !patterns->empty() && !matches_name(unit)) return false;
    if (states && !states->empty()) return has_state(manager, id);
    if (all || manager.job(manager.runtime(id).job) != nullptr) return true;
    // Of a device's names one is enough, as systemctl(1) has it.
    if (unit.type == UnitType::Device && !manager.following(id).empty()) return false;
    return manager.active_state(id) != ActiveState::Inactive;
  }

 private:
  [[nodiscard]] bool matches_name(const Unit& unit) const {
    return std::any_of(patterns->begin(), patterns->end(), [&](const std::string& pattern) {
      return glob_matches(pattern, unit.id) ||
             std::any_of(unit.aliases.begin(), unit.aliases.end(),
                         [&](const std::string& alias) { return glob_matches(pattern, alias); });
    });
  }
  [[nodiscard]] bool has_state(const Manager& manager, UnitId id) const {
    return contains(*states, to_string(manager.graph().unit(id).load_state)) ||
           contains(*states, to_string(manager.active_state(id))) ||
           contains(*states, manager.sub_state(id));
  }
};

}  // namespace

json ManagerInterface::view_listed(UnitId id, bool full) const {
  return full ? view_status(manager_, backend_, id) : view_summary(manager_, id);
}

void ManagerInterface::list_matching(Call& call, bool full) {
  UnitFilter filter;
  filter.states = call.parameters.optional_texts("states");
  filter.types = call.parameters.optional_texts("types");
  filter.patterns = call.parameters.optional_texts("patterns");
  filter.all = call.parameters.flag("all");
  if (reject(call)) return;
  if (filter.patterns) {
    for (const std::string& name : *filter.patterns) {
      if (!is_glob(name)) (void)look_up(name);
    }
  }
  const UnitGraph& graph = manager_.graph();
  UnitList list;
  list.full = full;
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (filter.passes(manager_, UnitId{i})) list.units.push_back(UnitId{i});
  }
  std::sort(list.units.begin(), list.units.end(),
            [&](UnitId a, UnitId b) { return graph.unit(a).id < graph.unit(b).id; });
  if (call.more) {
    pending_.emplace(call.id, std::move(list));
    sink_->wake(call.id);
    return;
  }
  json units = json::array();
  for (UnitId id : list.units) units.push_back(view_listed(id, full));
  reply(call.id, json_object({{"units", std::move(units)}}));
}

void ManagerInterface::get_unit(Call& call) {
  const std::string name = call.parameters.text("unit");
  if (reject(call)) return;
  const auto id = look_up_or_answer(call, name);
  if (!id) return;
  reply(call.id, json_object({{"unit", id->valid() ? view_status(manager_, backend_, *id)
                                                   : view_missing(name)}}));
}

void ManagerInterface::get_properties(Call& call) {
  const std::string name = call.parameters.text("unit");
  const auto wanted = call.parameters.optional_texts("names");
  if (reject(call)) return;
  const auto id = look_up_or_answer(call, name);
  if (!id) return;
  reply(call.id,
        json_object({{"properties", id->valid() ? unit_properties(manager_, backend_, *id, wanted)
                                                : missing_properties(name, wanted)}}));
}

void ManagerInterface::answer_each(Call& call, bool full) {
  AnswerList list;
  list.full = full;
  list.units = call.parameters.texts("units");
  if (!full) list.names = call.parameters.optional_texts("names");
  if (reject(call)) return;
  if (call.more) {
    pending_.emplace(call.id, std::move(list));
    sink_->wake(call.id);
    return;
  }
  constexpr std::size_t kMaxUnits = 512;
  if (list.units.size() > kMaxUnits) {
    refuse(call.id, {RefusalKind::LimitReached,
                     {},
                     format("more than {} units; ask for more replies than one", kMaxUnits)});
    return;
  }
  json units = json::array();
  for (const std::string& name : list.units) units.push_back(view_answer(list, name));
  reply(call.id, json_object({{"units", std::move(units)}}));
}

json ManagerInterface::view_answer(const AnswerList& list, const std::string& name) {
  const char* const what = list.full ? "unit" : "properties";
  json view = json_object({{"asked", name}, {what, nullptr}, {"message", nullptr}});
  const auto id = look_up(name);
  if (id) {
    view[what] = list.full ? view_status(manager_, backend_, *id)
                           : json(unit_properties(manager_, backend_, *id, list.names));
  } else if (id.error().kind == RefusalKind::NoSuchUnit) {
    view[what] = list.full ? view_missing(name) : json(missing_properties(name, list.names));
  } else {
    view["message"] = id.error().message;
  }
  return view;
}

void ManagerInterface::find_unit(Call& call) {
  const auto number = call.parameters.number("pid", 1, INT32_MAX);
  if (reject(call)) return;
  const auto pid = static_cast<pid_t>(number);
  UnitId id = manager_.unit_of_pid(pid);
  if (!id.valid()) id = backend_.unit_of_pid(pid);
  if (!id.valid()) {
    refuse(call.id, {RefusalKind::NoSuchProcess, format("{}", pid),
                     format("PID {} does not belong to any loaded unit.", pid)});
    return;
  }
  reply(call.id, json_object({{"unit", manager_.graph().unit(id).id}}));
}

void ManagerInterface::list_dependencies(Call& call) {
  const auto unit = call.parameters.optional_text("unit");
  auto units = call.parameters.optional_texts("units");
  const bool reverse = call.parameters.flag("reverse");
  const bool after = call.parameters.flag("after");
  const bool before = call.parameters.flag("before");
  const bool all = call.parameters.flag("all");
  if (after && (reverse || before)) call.parameters.refuse("after");
  if (before && reverse) call.parameters.refuse("before");
  if (unit.has_value() == units.has_value()) call.parameters.refuse("unit");
  if (units && units->empty()) call.parameters.refuse("units");
  if (reject(call)) return;
  if (units && !call.more) {
    sink_->fail(call.id, "org.varlink.service.ExpectedMore", json::object());
    return;
  }
  auto direction = WalkDirection::Requirements;
  if (reverse) direction = WalkDirection::Reverse;
  if (after) direction = WalkDirection::After;
  if (before) direction = WalkDirection::Before;
  WalkList list{direction, all, units ? std::move(*units) : std::vector{*unit}};
  if (unit) {
    auto root = look_up(*unit);
    if (!root) {
      refuse(call.id, root.error());
      return;
    }
    list.walk.emplace(*root, direction, all);
  }
  if (call.more) {
    pending_.emplace(call.id, std::move(list));
    sink_->wake(call.id);
    return;
  }
  constexpr std::size_t kMaxEdges = 16384;
  const auto edges = list.walk->next(manager_.graph(), kMaxEdges);
  if (!list.walk->done()) {
    refuse(call.id, {RefusalKind::LimitReached,
                     {},
                     format("more than {} edges; ask for more replies than one", kMaxEdges)});
    return;
  }
  reply(call.id, json_object({{"unit", *unit}, {"edges", view_edges(edges)}}));
}

json ManagerInterface::view_edges(const std::vector<DependencyEdge>& edges) const {
  const UnitGraph& graph = manager_.graph();
  json list = json::array();
  for (const DependencyEdge& edge : edges) {
    list.push_back(json_object({{"from", graph.unit(edge.from).id},
                                {"to", graph.unit(edge.to).id},
                                {"kind", to_string(edge.kind)},
                                {"active", to_string(manager_.active_state(edge.to))},
                                {"load", to_string(graph.unit(edge.to).load_state)}}));
  }
  return list;
}

}  // namespace onset
