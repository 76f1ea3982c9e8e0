// preset and preset-all: what the preset files say, done.

#include "base/text.h"
#include "unit/install.h"
#include "unit/install_words.h"
#include "unit/name.h"
#include "unit/unit_index.h"

namespace onset {

InstallOutcome UnitInstaller::preset(const std::vector<std::string>& names) {
  return run_preset(names, false);
}

InstallOutcome UnitInstaller::preset_all() {
  InstallOutcome outcome;
  std::vector<std::string> names;
  for (const std::string& name : index_.names()) {
    const UnitFileEntry* entry = index_.find(name);
    if (entry->kind == UnitFileEntry::Kind::Mask) {
      note(outcome, format("Unit {} is masked, ignoring.", shown(index_.path_of(*entry))));
    } else if (entry->kind == UnitFileEntry::Kind::File) {
      names.push_back(name);
    }
  }
  append(outcome, run_preset(names, true));
  return outcome;
}

InstallOutcome UnitInstaller::run_preset(const std::vector<std::string>& names, bool all) {
  if (!presets_) {
    presets_ = read_presets(files_, root_, loader_.config().user_manager, diagnostics_);
  }
  InstallOutcome outcome;
  Batch plus;
  std::vector<std::string> minus;
  for (const std::string& name : names) {
    if (!all && !unit_name_is_valid(name)) {
      fail(outcome,
           failed_to("preset", format("\"{}\" is not a valid unit name.", c_escape(name))));
      return outcome;
    }
    const PresetAnswer answer = presets_->ask(name);
    if (!answer.enable) {
      minus.push_back(name);
      continue;
    }
    std::vector<std::string> wanted = {name};
    if (!answer.instances.empty()) wanted.clear();
    for (const std::string& instance : answer.instances) {
      if (auto filled = instantiate(name, instance)) wanted.push_back(std::move(*filled));
    }
    for (const std::string& each : wanted) {
      auto unit = discover(each);
      if (unit && unit->is_masked) {
        note(outcome, format("Unit {} is masked, ignoring.", shown(unit->path)));
      } else if (unit) {
        add_with_also(plus, std::move(*unit), outcome, "preset");
      } else if (!all) {
        fail(outcome, failed_to("preset", unit.error().text));
        return outcome;
      }
    }
  }
  if (options_.preset_mode != PresetMode::EnableOnly) {
    InstallOutcome removed;
    mark_and_remove(minus, removed, "preset");
    append(outcome, std::move(removed));
  }
  if (options_.preset_mode != PresetMode::DisableOnly) apply_batch(plus, outcome, "preset");
  return outcome;
}

}  // namespace onset
