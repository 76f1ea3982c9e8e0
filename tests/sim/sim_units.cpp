#include "sim/sim_units.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/text.h"
#include "support/failing_new.h"
#include "unit/builtin.h"

namespace onset::sim {
namespace {

constexpr std::string_view kFolder = "/units/";

template <class T>
std::unique_ptr<T> copy_of(const std::unique_ptr<T>& config) {
  return config == nullptr ? nullptr : std::make_unique<T>(*config);
}

/// Of all members: one that is new does not compile until it is here.
std::unique_ptr<Unit> copy_of(const Unit& unit) {
  const auto& [id, aliases, type, load_state, load_error, fragment_path, dropin_paths,
               fragment_mtime_ns, dropin_mtime_ns, is_transient, not_honoured, config, exec,
               scheduling, kill, cgroup, resource, service, socket, scope, mount, swap, automount,
               slice, install] = unit;
  return std::make_unique<Unit>(Unit{id,
                                     aliases,
                                     type,
                                     load_state,
                                     load_error,
                                     fragment_path,
                                     dropin_paths,
                                     fragment_mtime_ns,
                                     dropin_mtime_ns,
                                     is_transient,
                                     not_honoured,
                                     config,
                                     copy_of(exec),
                                     copy_of(scheduling),
                                     copy_of(kill),
                                     copy_of(cgroup),
                                     copy_of(resource),
                                     copy_of(service),
                                     copy_of(socket),
                                     copy_of(scope),
                                     copy_of(mount),
                                     copy_of(swap),
                                     copy_of(automount),
                                     copy_of(slice),
                                     copy_of(install)});
}

}  // namespace

SimUnits::SimUnits(const WorldPlan& plan) {
  for (const PlannedUnit& unit : plan.units) set(unit.name, text_of(unit));
}

void SimUnits::write(const std::string& name, const std::string& file, std::string_view text) {
  if (text.empty()) return;
  std::string path = format("{}{}", kFolder, file);
  files_.set_unit(path, text);
  paths_[name].push_back(std::move(path));
}

std::vector<std::string> SimUnits::set(const std::string& name, std::string_view text) {
  loader_.reset();
  readings_.clear();
  std::vector<std::string> changed{name};
  const auto note = [&] {
    for (const std::string& path : paths_[name]) changed.push_back(path.substr(kFolder.size()));
  };
  note();
  for (const std::string& path : paths_[name]) (void)files_.remove(path);
  paths_[name].clear();
  constexpr std::string_view kFurther = "== ";
  std::string file = name;
  std::string part;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(kFurther)) {
      write(name, file, part);
      file = line.substr(kFurther.size());
      part.clear();
    } else if (!line.empty()) {
      part += format("{}\n", line);
    }
  }
  write(name, file, part);
  note();
  return changed;
}

bool SimUnits::has_dropin_of(std::string_view type) const {
  const std::string folder = format("{}{}.d/", kFolder, type);
  return std::ranges::any_of(paths_, [&](const auto& unit) {
    return std::ranges::any_of(unit.second,
                               [&](const std::string& p) { return p.starts_with(folder); });
  });
}

/// Its text is the binary's, in every world: it is read once.
bool SimUnits::is_builtin_alone(std::string_view name) const {
  return !has_dropin_of(name.substr(name.rfind('.') + 1)) && !paths_.contains(name) &&
         std::ranges::find(builtin_units(false), name, &BuiltinUnit::name) !=
             builtin_units(false).end();
}

SimUnits::Readings& SimUnits::readings_of_builtin() {
  static Readings readings;
  return readings;
}

/// The files, and who reads them, are the world's.
std::unique_ptr<Unit> SimUnits::load(std::string_view name, Diagnostics& diagnostics) {
  const test::UnfailingNew ours;
  Readings& readings = is_builtin_alone(name) ? readings_of_builtin() : readings_;
  auto known = readings.find(name);
  if (known == readings.end()) {
    if (loader_ == nullptr) {
      LoaderConfig config;
      config.search_path = {std::string(kFolder.substr(0, kFolder.size() - 1))};
      config.builtin = builtin_units(false);
      config.advice = Severity::Note;
      loader_ = std::make_unique<UnitLoader>(files_, std::move(config));
    }
    Reading reading;
    reading.unit = loader_->load(name, reading.diagnostics);
    known = readings.emplace(name, std::move(reading)).first;
  }
  const Reading& reading = known->second;
  diagnostics.insert(diagnostics.end(), reading.diagnostics.begin(), reading.diagnostics.end());
  return copy_of(*reading.unit);
}

}  // namespace onset::sim
