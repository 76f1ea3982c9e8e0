#include "support/loaded_unit.h"

namespace onset::test {

std::string LoadedUnit::told() const {
  std::string text;
  for (const Diagnostic& d : diagnostics) text += to_string(d) + "\n";
  return text;
}

bool LoadedUnit::tells(std::string_view part) const {
  return told().find(part) != std::string::npos;
}

LoaderConfig loader_config() {
  LoaderConfig config;
  config.host.machine_id = "0123456789abcdef0123456789abcdef";
  config.host.boot_id = "fedcba9876543210fedcba9876543210";
  config.host.hostname = "box.example.org";
  config.search_path = default_search_path(false, config.host);
  return config;
}

LoadedUnit load_from(MemoryFiles& files, std::string_view name, LoaderConfig config) {
  UnitLoader loader(files, std::move(config));
  LoadedUnit loaded;
  loaded.unit = loader.load(name, loaded.diagnostics);
  return loaded;
}

LoadedUnit load_text(std::string_view name, std::string_view text) {
  MemoryFiles files;
  files.add("/etc/systemd/system/" + std::string(name), text);
  return load_from(files, name);
}

LoadedUnit load_service(std::string_view settings) {
  return load_text("a.service", "[Service]\nExecStart=/bin/a\n" + std::string(settings) + "\n");
}

std::vector<std::string> names_of(const Unit& unit, DependencyKind kind) {
  std::vector<std::string> names;
  for (const NamedDependency& d : unit.config.dependencies) {
    if (d.kind == kind) names.push_back(d.name);
  }
  return names;
}

}  // namespace onset::test
