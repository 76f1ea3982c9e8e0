#include "unit/loader.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/format.h"
#include "base/text.h"
#include "unit/loader_impl.h"
#include "unit/name.h"
#include "unit/unit_defaults.h"

namespace onset {
namespace {

/// IgnoreOnIsolate= where the unit does not say: systemd.unit(5).
bool ignores_isolate(UnitType type) {
  switch (type) {
    case UnitType::Slice:
    case UnitType::Scope:
    case UnitType::Device:
    case UnitType::Swap:
    case UnitType::Mount:
    case UnitType::Automount:
      return true;
    case UnitType::Service:
    case UnitType::Target:
    case UnitType::Socket:
    case UnitType::Timer:
    case UnitType::Path:
      return false;
  }
  return false;
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// Whether it is the same unit whatever is in a place that can't be read for the moment. A mask
/// that comes first is. A file that comes first is not: drop-ins from there would complete it,
/// also by another name that only a link in there gives it, and may take rights from it.
bool stands_without(const UnitIndex::Gap& gap, const UnitFileEntry* entry) {
  if (entry == nullptr) return false;
  if (entry->kind == UnitFileEntry::Kind::Builtin) return true;  // the system has to come up
  return entry->kind == UnitFileEntry::Kind::Mask && entry->directory < gap.directory;
}

bool is_told(const Diagnostics& told, const Diagnostic& d) {
  return std::any_of(told.begin(), told.end(), [&d](const Diagnostic& before) {
    return before.file == d.file && before.message == d.message;
  });
}

}  // namespace

void UnitLoader::Impl::fail(Unit& unit, LoadState state, std::string_view path, unsigned line,
                            std::string_view why) {
  if (unit.load_state == LoadState::BadSetting || unit.load_state == LoadState::Error) return;
  unit.load_state = state;
  unit.load_error =
      to_string(Diagnostic{Severity::Error, std::string(path), line, std::string(why)});
}

void UnitLoader::Impl::read_fragment(Loading& loading, const UnitFileEntry& entry) {
  Unit& unit = loading.unit;
  unit.fragment_path = index.path_of(entry);
  const std::string& path = unit.fragment_path;
  const std::string transient = transient_folder(config.user_manager, config.host);
  unit.is_transient = !transient.empty() && path.starts_with(transient + "/");
  switch (entry.kind) {
    case UnitFileEntry::Kind::Mask:
      unit.load_state = LoadState::Masked;
      unit.load_error = format("{} is masked", unit.id);
      return;
    case UnitFileEntry::Kind::Builtin:
      apply_text(loading, entry.detail().text, path);
      return;
    case UnitFileEntry::Kind::Alias:
      fail(unit, LoadState::Error, path, 0, "an alias without a unit");
      return;
    case UnitFileEntry::Kind::File:
      break;
  }
  std::string text;
  FileStatus status;
  const bool is_read = read_file(loading, path, text, status);
  unit.fragment_mtime_ns = status.mtime_ns;
  if (!is_read) return;
  if (text.empty()) {  // an empty file masks as /dev/null does
    unit.load_state = LoadState::Masked;
    unit.load_error = format("{} is masked by an empty file", unit.id);
    return;
  }
  apply_text(loading, text, path);
}

/// Somebody will make the links to devices, and say which are ready.
bool UnitLoader::Impl::udev_is_installed() const {
  constexpr std::array<std::string_view, 3> kServices = {"systemd-udevd.service", "udev.service",
                                                         "eudev.service"};
  return std::ranges::any_of(kServices, [this](std::string_view name) {
    const UnitFileEntry* entry = index.find(name);
    return entry != nullptr && entry->kind != UnitFileEntry::Kind::Mask;
  });
}

void UnitLoader::Impl::load_files(Loading& loading, const Resolved& resolved) {
  Unit& unit = loading.unit;
  const UnitIndex::Gap* gap = index.gap();
  if (gap != nullptr && !stands_without(*gap, resolved.entry)) {
    // What is in there may come before what was found, complete it or mask it.
    fail(unit, LoadState::Error, gap->path, 0, "can't be read, what is in it may matter");
  } else if (resolved.entry != nullptr) {
    unit.load_state = LoadState::Loaded;
    read_fragment(loading, *resolved.entry);
  } else if (unit.type == UnitType::Slice) {
    unit.load_state = LoadState::Loaded;  // a slice needs no file
  } else if ((config.find && config.find(unit)) || unit.type == UnitType::Device) {
    unit.load_state = LoadState::Loaded;  // nor does a device, whether it is there or not
  } else {
    unit.load_state = LoadState::NotFound;
    unit.load_error = format("there is no unit file for {}", unit.id);
  }
  if (unit.load_state == LoadState::NotFound || unit.load_state == LoadState::Masked) return;

  std::vector<std::string> names = {unit.id};
  names.insert(names.end(), unit.aliases.begin(), unit.aliases.end());
  read_dropins(loading, names);
  read_dependency_folders(loading, names);
  complete_unit(unit, config.user_manager, config.host);
  if (config.has_devices) set_device_to_wait_for(unit, udev_is_installed());
  if (unit.load_state == LoadState::Loaded) {
    const std::string problem = unit_problem(unit, loading.diagnostics);
    if (!problem.empty()) {
      loading.diagnostics.push_back({Severity::Error, unit.fragment_path, 0,
                                     format("{}: {}; the unit is refused", unit.id, problem)});
      fail(unit, LoadState::BadSetting, unit.fragment_path, 0, problem);
    }
  }
  tell_not_honoured(loading);
}

std::unique_ptr<Unit> UnitLoader::Impl::load(std::string_view name, Diagnostics& diagnostics) {
  std::move(index_diagnostics.begin(), index_diagnostics.end(), std::back_inserter(diagnostics));
  index_diagnostics.clear();
  auto unit = std::make_unique<Unit>();
  unit->id = name;
  const auto form = name_form(name);
  if (!form || *form == NameForm::Template) {
    fail(*unit, LoadState::Error, {}, 0,
         form ? format("{} is a template and needs an instance name", name)
              : format("\"{}\" is not a valid unit name", c_escape(name)));
    return unit;
  }
  const Resolved resolved = index.resolve(name);
  unit->id = resolved.id;
  unit->type = *unit_type_of(name);
  unit->config.ignore_on_isolate = ignores_isolate(unit->type);
  if (resolved.is_loop) {
    unit->id = name;
    fail(*unit, LoadState::Error, {}, 0, format("the aliases of {} go in a circle", name));
    return unit;
  }
  unit->aliases = index.aliases_of(unit->id);
  Loading loading{*unit, diagnostics, {}, false};
  load_files(loading, resolved);
  return unit;
}

InstallConfig UnitLoader::Impl::load_install(std::string_view name, Diagnostics& diagnostics) {
  Unit unit;
  if (!unit_name_is_valid(name)) return {};
  const UnitFileEntry* entry = is_template(name) ? index.find(name) : index.resolve(name).entry;
  if (entry == nullptr) return {};
  unit.id = name;
  unit.type = *unit_type_of(name);
  unit.load_state = LoadState::Loaded;
  Loading loading{unit, diagnostics, {}, true};
  read_fragment(loading, *entry);
  if (unit.load_state == LoadState::Masked || unit.load_state == LoadState::NotFound) return {};
  read_dropins(loading, {unit.id});
  return unit.install ? std::move(*unit.install) : InstallConfig{};
}

UnitLoader::UnitLoader(FileSource& files, LoaderConfig config)
    : impl_(std::make_unique<Impl>(files, std::move(config))) {}
UnitLoader::~UnitLoader() = default;

std::unique_ptr<Unit> UnitLoader::load(std::string_view name, Diagnostics& diagnostics) {
  return impl_->load(name, diagnostics);
}

std::unique_ptr<Unit> UnitLoader::load_file(std::string_view path, Diagnostics& diagnostics) {
  const std::string_view name = last_component(path);
  impl_->index.add_file(name, std::string(path));
  if (is_template(name)) {
    return impl_->load(instantiate(name, "instance").value_or(std::string(name)), diagnostics);
  }
  return impl_->load(name, diagnostics);
}

std::vector<std::string> UnitLoader::all_names() {
  return impl_->index.names();
}

std::string UnitLoader::fragment_of(std::string_view name) {
  if (!unit_name_is_valid(name)) return {};
  const UnitFileEntry* entry = impl_->index.resolve(name).entry;
  if (entry == nullptr) return {};
  return entry->kind == UnitFileEntry::Kind::Mask ? "/dev/null" : impl_->index.path_of(*entry);
}

std::vector<std::string> UnitLoader::dropins_of(std::string_view name) {
  Unit unit;
  unit.id = impl_->index.resolve(name).id;
  unit.aliases = impl_->index.aliases_of(unit.id);
  return impl_->dropins_of(unit);
}

InstallConfig UnitLoader::load_install(std::string_view name, Diagnostics& diagnostics) {
  return impl_->load_install(name, diagnostics);
}

bool UnitLoader::refresh() {
  if (!impl_->index.is_stale()) return false;
  Diagnostics found;
  UnitIndex fresh(impl_->files, impl_->config.root, impl_->config.search_path,
                  impl_->config.builtin, found);
  for (const Diagnostic& d : found) {
    if (!is_told(impl_->index_told, d)) impl_->index_diagnostics.push_back(d);
  }
  impl_->index_told = std::move(found);
  ++impl_->listings;
  impl_->index = std::move(fresh);
  return true;
}

void UnitLoader::expect_change() {
  impl_->index.set_stale();
}

unsigned UnitLoader::listings() const {
  return impl_->listings;
}

bool UnitLoader::has_changed(const Unit& unit) {
  refresh();
  return impl_->has_changed(unit);
}

const LoaderConfig& UnitLoader::config() const {
  return impl_->config;
}

UnitIndex& UnitLoader::index() {
  return impl_->index;
}

}  // namespace onset
