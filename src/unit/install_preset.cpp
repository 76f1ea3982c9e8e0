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

/// What one unit's links are to be; false where nothing may be done at all.
bool UnitInstaller::plan_preset(const std::string& name, PresetPlan& plan,
                                InstallOutcome& outcome) {
  const auto found = discover(name);
  if (!found) {
    fail(outcome, failed_to("preset", found.error().text));
    return false;
  }
  if (found->name != name) return true;  // another unit's name
  const PresetAnswer answer = presets_->ask(name);
  if (!answer.enable) {
    plan.minus.push_back(name);
    return true;
  }
  std::vector<std::string> wanted = {name};
  if (!answer.instances.empty()) wanted.clear();
  for (const std::string& instance : answer.instances) {
    if (auto filled = instantiate(name, instance)) wanted.push_back(std::move(*filled));
  }
  for (const std::string& each : wanted) {
    auto unit = discover(each);
    if (!unit || unit->is_masked) {
      fail(outcome, failed_to("preset", unit ? format("unit {} is masked.", shown(unit->path))
                                             : unit.error().text));
      return false;
    }
    add_with_also(plan.plus, std::move(*unit), outcome, "preset");
  }
  return true;
}

InstallOutcome UnitInstaller::run_preset(const std::vector<std::string>& names, bool all) {
  if (!presets_) {
    presets_ = read_presets(files_, root_, loader_.config().user_manager, diagnostics_);
  }
  InstallOutcome outcome;
  PresetPlan plan;
  for (const std::string& name : names) {
    InstallOutcome told;
    if (plan_preset(name, plan, all ? told : outcome)) {
      if (all) append(outcome, std::move(told));
    } else if (!all) {
      return outcome;
    }
  }
  if (options_.preset_mode != PresetMode::EnableOnly) {
    InstallOutcome removed;
    mark_and_remove(plan.minus, removed, "preset");
    append(outcome, std::move(removed));
  }
  if (options_.preset_mode != PresetMode::DisableOnly) apply_batch(plan.plus, outcome, "preset");
  return outcome;
}

}  // namespace onset
