#include "support/unit_table.h"

#include <algorithm>

#include "base/diagnostic.h"

namespace onset::test {
namespace {

constexpr std::string_view kFolder = "/units/";
constexpr std::string_view kTransient = "/run/systemd/transient/";

}  // namespace

std::string unit_text(std::string_view name, std::string_view settings, bool defaults) {
  if (settings.starts_with("-> ") || settings == "/dev/null") return std::string(settings);
  std::string text = defaults ? "[Unit]\n" : "[Unit]\nDefaultDependencies=no\n";
  text += settings;
  if (name.ends_with(".mount") && settings.find("[Mount]") == std::string_view::npos)
    return text + "[Mount]\nWhat=none\n";
  if (!name.ends_with(".service")) return text;
  if (settings.find("[Service]") == std::string_view::npos) text += "[Service]\n";
  return text + "ExecStart=/bin/true\n";
}

UnitTable::UnitTable(Rows rows) {
  for (auto& [name, text] : rows) set(name, std::move(text));
}

void UnitTable::set(const std::string& name, std::string text) {
  files_.set_unit(std::string(kFolder) + name, text);
  loader_.reset();
  changed_ = true;
}

void UnitTable::set_transient(const std::string& name, std::string text) {
  files_.set_unit(std::string(kTransient) + name, text);
  loader_.reset();
  changed_ = true;
}

std::unique_ptr<Unit> UnitTable::load(std::string_view name, Diagnostics& diagnostics) {
  asked.emplace_back(name);
  if (loader_ == nullptr) {
    LoaderConfig config;
    for (const std::string_view folder : {kFolder, kTransient}) {
      config.search_path.emplace_back(folder.substr(0, folder.size() - 1));
    }
    config.advice = Severity::Note;  // not about what the test wrote
    loader_ = std::make_unique<UnitLoader>(files_, std::move(config));
  }
  Diagnostics found;
  std::unique_ptr<Unit> unit = loader_->load(name, found);
  const auto bad = std::find_if(found.begin(), found.end(),
                                [](const Diagnostic& d) { return d.severity != Severity::Note; });
  if (unit->load_state == LoadState::Loaded &&
      (bad != found.end() || !unit->not_honoured.empty())) {
    unit->load_state = LoadState::BadSetting;
    unit->load_error = bad != found.end() ? to_string(*bad) : "a setting that is not honoured";
  }
  diagnostics.insert(diagnostics.end(), found.begin(), found.end());
  return unit;
}

}  // namespace onset::test
