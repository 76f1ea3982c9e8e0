// A list of units whose dependencies are still names: each is taken off, its
// names are resolved (which may load units and put them on the list), and the
// edges are added. An edge is added only once both of its ends have their final
// ids, so that an alias never has edges of its own.
//
// Targets are ordered after what they pull in at the end, when both sides'
// DefaultDependencies= are known.
#include "graph/builder.h"

#include <unordered_set>
#include <utility>

#include "base/format.h"
#include "graph/implicit.h"

namespace onset {
namespace {

class Builder {
 public:
  Builder(UnitGraph& graph, UnitSource& source, bool user_manager, Diagnostics& diagnostics)
      : graph_(graph), source_(source), user_manager_(user_manager), diagnostics_(diagnostics) {}

  UnitId build(std::string_view name) {
    const UnitId id = resolve(name);
    link_all();
    return id;
  }

  void build_all(std::span<const std::string> names) {
    for (const std::string& name : names) resolve(name);
    link_all();
  }

  void retry_missing();

 private:
  void link_all() {
    while (!unlinked_.empty()) {
      Unlinked unit = std::move(unlinked_.back());
      unlinked_.pop_back();
      for (const NamedDependency& d : unit.dependencies) link(unit.id, d);
      for (const NamedDependency& d : implicit_dependencies(graph_.unit(unit.id), user_manager_)) {
        link(unit.id, d);
      }
      for (const std::string& path : unit.mounts) link_mounts(unit.id, path);
    }
    for (UnitId loaded : loaded_) add_target_ordering(graph_, loaded);
    if (!loaded_.empty()) graph_.compact();
  }

  struct Unlinked {
    UnitId id;
    std::vector<NamedDependency> dependencies;
    std::vector<std::string> mounts;
  };

  UnitId resolve(std::string_view name);
  void order_pullers_of(UnitId id);
  UnitId place(std::string_view name, UnitId stub, std::unique_ptr<Unit> unit);
  void complete(std::string_view name, Unit& unit) const;
  void link(UnitId from, const NamedDependency& d);
  void link_mounts(UnitId from, std::string_view path);
  bool link_mount(UnitId from, std::string_view path);

  UnitGraph& graph_;
  UnitSource& source_;
  bool user_manager_;
  Diagnostics& diagnostics_;
  std::vector<Unlinked> unlinked_;
  std::vector<UnitId> loaded_;
  std::unordered_set<std::string> no_mounts_;  ///< names that were looked for in vain
};

std::unique_ptr<Unit> not_found(std::string_view name) {
  auto unit = std::make_unique<Unit>();
  unit->id = name;
  unit->load_state = LoadState::NotFound;
  return unit;
}

std::unique_ptr<Unit> stub(const std::string& name) {
  auto unit = std::make_unique<Unit>();
  unit->id = name;
  unit->type = unit_type_of(name).value_or(UnitType::Service);
  return unit;
}

/// What the source left open.
void Builder::complete(std::string_view name, Unit& unit) const {
  if (unit.id.empty()) unit.id = name;
  unit.type = unit_type_of(unit.id).value_or(UnitType::Service);
  if (unit.load_state == LoadState::Loaded) add_implicit_mounts(unit, user_manager_);
}

/// The id of a loaded unit; loads it if need be. Invalid: no name of a unit.
UnitId Builder::resolve(std::string_view name) {
  const UnitId known = graph_.find(name);
  if (known.valid() && graph_.unit(known).load_state != LoadState::Stub) return known;
  const auto form = name_form(name);
  if (!form || *form == NameForm::Template) return {};
  auto unit = source_.load(name, diagnostics_);
  return place(name, known, unit != nullptr ? std::move(unit) : not_found(name));
}

void Builder::retry_missing() {
  const std::size_t known = graph_.size();
  for (std::uint32_t i = 0; i < known; ++i) {
    const UnitId id{i};
    if (graph_.unit(id).load_state != LoadState::NotFound) continue;
    const std::string name = graph_.unit(id).id;
    auto unit = source_.load(name, diagnostics_);
    if (unit == nullptr || unit->load_state == LoadState::NotFound) continue;
    graph_.set_unit(id, stub(name));
    order_pullers_of(place(name, id, std::move(unit)));
  }
  link_all();
}

/// Targets that are there already and pull it in are looked at again, at the end.
void Builder::order_pullers_of(UnitId id) {
  for (const Dependency& d : graph_.dependencies(id)) {
    if (graph_.unit(d.other).type == UnitType::Target) loaded_.push_back(d.other);
  }
}

/// `stub`: the unfilled unit of that name, if there is one.
UnitId Builder::place(std::string_view name, UnitId stub, std::unique_ptr<Unit> unit) {
  complete(name, *unit);
  UnitId id = graph_.find(unit->id);
  const bool is_there = id.valid() && graph_.unit(id).load_state != LoadState::Stub;
  if (!is_there) {
    if (!id.valid()) id = stub;
    const bool loaded = unit->load_state == LoadState::Loaded;
    Unlinked unlinked{
        {}, std::exchange(unit->config.dependencies, {}), unit->config.requires_mounts_for};
    if (id.valid()) {
      graph_.set_unit(id, std::move(unit));
    } else {
      id = graph_.add(std::move(unit));
    }
    unlinked.id = id;
    loaded_.push_back(id);
    if (loaded) unlinked_.push_back(std::move(unlinked));
  }
  if (stub.valid() && stub != id) graph_.merge_stub(stub, id);
  graph_.add_name(name, id);
  return id;
}

void Builder::link(UnitId from, const NamedDependency& d) {
  const UnitId to = resolve(d.name);
  if (!to.valid()) {
    diagnostics_.push_back(
        {Severity::Warning, graph_.unit(from).fragment_path, 0,
         format("{}={}: not the name of a unit, ignoring", to_string(d.kind), d.name)});
    return;
  }
  // systemd.unit(5), Before=: "Before= dependencies on device units have no effect".
  if (d.kind == DependencyKind::Before && graph_.unit(to).type == UnitType::Device) return;
  graph_.add_dependency(from, d.kind, to);
}

/// Every mount that may be on the way: "/", "/a" and "/a/b" of /a/b.
void Builder::link_mounts(UnitId from, std::string_view path) {
  if (!path.starts_with('/') || !link_mount(from, "/")) return;
  for (std::size_t end = 1; end < path.size();) {
    const std::size_t slash = path.find('/', end);
    end = slash == std::string_view::npos ? path.size() : slash;
    if (!link_mount(from, path.substr(0, end))) return;
    ++end;
  }
}

/// False once the path is too long for a unit's name. A mount unit that does not
/// exist is no matter: the directory is part of the one above.
bool Builder::link_mount(UnitId from, std::string_view path) {
  const auto name = name_from_path(path, ".mount");
  if (!name) return false;
  if (no_mounts_.contains(*name)) return true;
  UnitId mount = graph_.find(*name);
  if (!mount.valid() || graph_.unit(mount).load_state == LoadState::Stub) {
    Diagnostics found;
    auto unit = source_.load(*name, found);
    if (unit == nullptr || unit->load_state == LoadState::NotFound) {
      no_mounts_.insert(*name);
      return true;
    }
    diagnostics_.insert(diagnostics_.end(), found.begin(), found.end());
    mount = place(*name, mount, std::move(unit));
  }
  if (graph_.unit(mount).load_state != LoadState::Loaded) return true;
  graph_.add_dependency(from, DependencyKind::After, mount);
  graph_.add_dependency(from, DependencyKind::Requires, mount);
  return true;
}

}  // namespace

UnitId ensure_loaded(UnitGraph& graph, UnitSource& source, std::string_view name, bool user_manager,
                     Diagnostics& diagnostics) {
  return Builder(graph, source, user_manager, diagnostics).build(name);
}

void ensure_all_loaded(UnitGraph& graph, UnitSource& source, std::span<const std::string> names,
                       bool user_manager, Diagnostics& diagnostics) {
  Builder(graph, source, user_manager, diagnostics).build_all(names);
}

void retry_missing(UnitGraph& graph, UnitSource& source, bool user_manager,
                   Diagnostics& diagnostics) {
  Builder(graph, source, user_manager, diagnostics).retry_missing();
}

}  // namespace onset
