#include "support/unit_table.h"

#include <array>

namespace onset::test {
namespace {

constexpr std::array kDependencyKeys{
    std::pair{"Requires", DependencyKind::Requires},
    std::pair{"Requisite", DependencyKind::Requisite},
    std::pair{"Wants", DependencyKind::Wants},
    std::pair{"BindsTo", DependencyKind::BindsTo},
    std::pair{"PartOf", DependencyKind::PartOf},
    std::pair{"Upholds", DependencyKind::Upholds},
    std::pair{"Conflicts", DependencyKind::Conflicts},
    std::pair{"Before", DependencyKind::Before},
    std::pair{"After", DependencyKind::After},
    std::pair{"OnSuccess", DependencyKind::OnSuccess},
    std::pair{"OnFailure", DependencyKind::OnFailure},
    std::pair{"PropagatesReloadTo", DependencyKind::PropagatesReloadTo},
    std::pair{"ReloadPropagatedFrom", DependencyKind::ReloadPropagatedFrom},
    std::pair{"PropagatesStopTo", DependencyKind::PropagatesStopTo},
    std::pair{"StopPropagatedFrom", DependencyKind::StopPropagatedFrom},
    std::pair{"JoinsNamespaceOf", DependencyKind::JoinsNamespaceOf},
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) found.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

bool set_flag(UnitConfig& config, std::string_view key, std::string_view value) {
  bool* flag = key == "DefaultDependencies"  ? &config.default_dependencies
               : key == "RefuseManualStart"  ? &config.refuse_manual_start
               : key == "RefuseManualStop"   ? &config.refuse_manual_stop
               : key == "AllowIsolate"       ? &config.allow_isolate
               : key == "IgnoreOnIsolate"    ? &config.ignore_on_isolate
               : key == "StopWhenUnneeded"   ? &config.stop_when_unneeded
                                             : nullptr;
  if (flag == nullptr) return false;
  *flag = value == "yes";
  return true;
}

bool set_service(Unit& unit, std::string_view key, std::string_view value) {
  if (key == "Type") {
    unit.service->type = value == "oneshot"         ? ServiceType::Oneshot
                         : value == "notify"        ? ServiceType::Notify
                         : value == "notify-reload" ? ServiceType::NotifyReload
                         : value == "dbus"          ? ServiceType::Dbus
                                                    : ServiceType::Simple;
    return true;
  }
  if (key != "ExecStart" && key != "ExecReload") return false;
  ExecCommand command;
  command.argv = words(value);
  command.path = command.argv.front();
  const ExecRole role = key == "ExecStart" ? ExecRole::Start : ExecRole::Reload;
  unit.service->exec[static_cast<unsigned>(role)].push_back(std::move(command));
  return true;
}

bool set_exec(Unit& unit, std::string_view key, std::string_view value) {
  if (key == "WorkingDirectory") {
    unit.exec->working_directory_optional = value.starts_with('-');
    unit.exec->working_directory = value.substr(value.starts_with('-') ? 1 : 0);
  } else if (key == "RootDirectory") {
    unit.exec->root_directory = value;
  } else if (key == "RuntimeDirectory" || key == "StateDirectory") {
    const auto which = key == "RuntimeDirectory" ? ExecDirectory::Runtime : ExecDirectory::State;
    DirectorySet set;
    for (std::string& path : words(value)) set.entries.push_back({std::move(path), {}});
    unit.exec->directories[static_cast<unsigned>(which)] = std::move(set);
  } else {
    return false;
  }
  return true;
}

bool set(Unit& unit, std::string_view key, std::string_view value) {
  for (const auto& [word, kind] : kDependencyKeys) {
    if (key != word) continue;
    for (std::string& name : words(value)) unit.config.dependencies.push_back({kind, name});
    return true;
  }
  if (key == "RequiresMountsFor") {
    for (std::string& path : words(value)) unit.config.requires_mounts_for.push_back(path);
    return true;
  }
  if (key == "Slice") {
    unit.cgroup = std::make_unique<CgroupConfig>();
    unit.cgroup->slice = value;
    return true;
  }
  if (set_flag(unit.config, key, value)) return true;
  return unit.service != nullptr && (set_service(unit, key, value) || set_exec(unit, key, value));
}

void read(Unit& unit, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '[') continue;
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos &&
        set(unit, line.substr(0, equals), line.substr(equals + 1))) {
      continue;
    }
    unit.load_state = LoadState::BadSetting;
    unit.load_error = line;
  }
}

}  // namespace

UnitTable::UnitTable(Rows rows) {
  for (auto& [name, text] : rows) texts_[name] = std::move(text);
}

std::unique_ptr<Unit> UnitTable::load(std::string_view name, Diagnostics&) {
  asked.emplace_back(name);
  auto unit = std::make_unique<Unit>();
  unit->id = name;
  auto row = texts_.find(unit->id);
  while (row != texts_.end() && row->second.starts_with("-> ")) {
    unit->aliases.assign(1, std::string(name));
    unit->id = row->second.substr(3);
    row = texts_.find(unit->id);
  }
  unit->type = unit_type_of(unit->id).value_or(UnitType::Service);
  unit->load_state = LoadState::Loaded;
  if (row == texts_.end()) {
    unit->load_state = LoadState::NotFound;
  } else if (row->second == "/dev/null") {
    unit->load_state = LoadState::Masked;
  } else {
    if (unit->type == UnitType::Service) {
      unit->service = std::make_unique<ServiceConfig>();
      unit->exec = std::make_unique<ExecConfig>();
    }
    unit->fragment_path = "/etc/systemd/system/" + unit->id;
    read(*unit, row->second);
  }
  return unit;
}

}  // namespace onset::test
