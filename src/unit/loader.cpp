#include "unit/loader.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/format.h"
#include "base/text.h"
#include "unit/directives.h"
#include "unit/dropin.h"
#include "unit/name.h"
#include "unit/reader.h"
#include "unit/unit_defaults.h"
#include "unit/unit_index.h"

namespace onset {
namespace {

constexpr std::size_t kUnitFileMax = std::size_t{16} << 20;

/// Types that have no engine of theirs yet.
bool can_be_started(UnitType type) {
  switch (type) {
    case UnitType::Service:
    case UnitType::Target:
    case UnitType::Slice:
    case UnitType::Scope:
      return true;
    case UnitType::Socket:
    case UnitType::Device:
    case UnitType::Mount:
    case UnitType::Automount:
    case UnitType::Swap:
    case UnitType::Timer:
    case UnitType::Path:
      return false;
  }
  return false;
}

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

struct DependencyFolder {
  std::string_view suffix;
  DependencyKind kind;
};
constexpr DependencyFolder kDependencyFolders[] = {
    {".wants", DependencyKind::Wants},
    {".requires", DependencyKind::Requires},
    {".upholds", DependencyKind::Upholds},
};

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

struct UnitLoader::Impl {
  Impl(FileSource& source, LoaderConfig given)
      : config(std::move(given)),
        files(source),
        index(source, config.root, config.search_path, config.builtin, index_diagnostics) {
    check_directories();
  }

  LoaderConfig config;
  FileSource& files;
  Diagnostics index_diagnostics;  ///< of the listing; given out with the first unit
  UnitIndex index;
  unsigned listings = 1;

  /// One unit on its way.
  struct Loading {
    Unit& unit;
    Diagnostics& diagnostics;
    std::vector<NotYetUse> not_yet;
    bool install_only = false;  ///< the other sections are skipped
  };

  void check_directories();
  std::string permission_problem(const FileStatus& status) const;
  void fail(Unit& unit, LoadState state, std::string_view path, unsigned line,
            std::string_view why);
  void read_fragment(Loading& loading, const UnitFileEntry& entry);
  std::vector<std::string> dropins_of(const Unit& unit);
  bool has_changed(const Unit& unit);
  void read_dropins(Loading& loading, const std::vector<std::string>& names);
  bool read_file(Loading& loading, const std::string& path, std::string& text, FileStatus& status);
  void apply_text(Loading& loading, std::string_view text, const std::string& path);
  void read_dependency_folders(Loading& loading, const std::vector<std::string>& names);
  void add_folder_dependency(Loading& loading, const std::string& path, DependencyKind kind);
  void tell_not_honoured(Loading& loading);
  void tell_in_one_line(Loading& loading);
  std::unique_ptr<Unit> load(std::string_view name, Diagnostics& diagnostics);
  void load_files(Loading& loading, const Resolved& resolved);
  InstallConfig load_install(std::string_view name, Diagnostics& diagnostics);
};

/// C8: a directory that others may write is as good as a unit file that they may.
void UnitLoader::Impl::check_directories() {
  for (const std::string& directory : index.directories()) {
    const auto status = files.stat(index.with_root(directory));
    if (!status) continue;
    const std::string problem = permission_problem(*status);
    if (problem.empty()) continue;
    index_diagnostics.push_back({config.advice, directory, 0, "the directory " + problem});
  }
}

std::string UnitLoader::Impl::permission_problem(const FileStatus& status) const {
  if (status.kind != FileKind::Regular && status.kind != FileKind::Directory) return {};
  if ((status.mode & 0002U) != 0) return "can be written by everyone";
  if (status.owner != 0 && status.owner != config.host.uid) {
    return format("belongs to another user (uid {})", status.owner);
  }
  return {};
}

void UnitLoader::Impl::fail(Unit& unit, LoadState state, std::string_view path, unsigned line,
                            std::string_view why) {
  if (unit.load_state == LoadState::BadSetting || unit.load_state == LoadState::Error) return;
  unit.load_state = state;
  unit.load_error =
      to_string(Diagnostic{Severity::Error, std::string(path), line, std::string(why)});
}

bool UnitLoader::Impl::read_file(Loading& loading, const std::string& path, std::string& text,
                                 FileStatus& status) {
  auto content = files.read_with_status(index.with_root(path), kUnitFileMax);
  if (!content) {
    const int err = content.error().err;
    const std::string why = err == EINVAL ? std::string("not a regular file") : errno_text(err);
    if (err == ENOENT) {
      loading.unit.load_state = LoadState::NotFound;
      loading.unit.load_error = format("{}: {}", path, why);
      return false;
    }
    loading.diagnostics.push_back({Severity::Error, path, 0, why});
    fail(loading.unit, LoadState::Error, path, 0, why);
    return false;
  }
  status = content->status;
  text = std::move(content->text);
  const std::string problem = permission_problem(status);
  if (problem.empty()) return true;
  const bool refused = config.strict_permissions;
  loading.diagnostics.push_back({refused ? Severity::Error : config.advice, path, 0,
                                 "the file " + problem + (refused ? "; refused" : "")});
  if (refused) fail(loading.unit, LoadState::Error, path, 0, "the file " + problem);
  return !refused;
}

void UnitLoader::Impl::read_fragment(Loading& loading, const UnitFileEntry& entry) {
  Unit& unit = loading.unit;
  unit.fragment_path = entry.path;
  switch (entry.kind) {
    case UnitFileEntry::Kind::Mask:
      unit.load_state = LoadState::Masked;
      unit.load_error = format("{} is masked", unit.id);
      return;
    case UnitFileEntry::Kind::Builtin:
      apply_text(loading, entry.text, entry.path);
      return;
    case UnitFileEntry::Kind::Alias:
      fail(unit, LoadState::Error, entry.path, 0, "an alias without a unit");
      return;
    case UnitFileEntry::Kind::File:
      break;
  }
  std::string text;
  FileStatus status;
  if (!read_file(loading, entry.path, text, status)) return;
  unit.fragment_mtime_ns = status.mtime_ns;
  if (text.empty()) {  // an empty file masks as /dev/null does
    unit.load_state = LoadState::Masked;
    unit.load_error = format("{} is masked by an empty file", unit.id);
    return;
  }
  apply_text(loading, text, entry.path);
}

void UnitLoader::Impl::apply_text(Loading& loading, std::string_view text,
                                  const std::string& path) {
  Unit& unit = loading.unit;
  ReadResult read = read_unit_text(text, path);
  for (const Diagnostic& d : read.diagnostics) {
    if (d.severity == Severity::Error) fail(unit, LoadState::BadSetting, path, d.line, d.message);
  }
  std::move(read.diagnostics.begin(), read.diagnostics.end(),
            std::back_inserter(loading.diagnostics));
  const SpecifierScope scope{unit.id, unit.fragment_path, config.host};
  const std::optional<Section> own = section_of(unit.type);
  std::string_view last_unknown;
  for (const Assignment& a : read.assignments) {
    const std::optional<Section> section = section_of(a.section);
    if (!section || (*section != Section::Unit && *section != Section::Install && section != own)) {
      if (a.section == last_unknown) continue;
      last_unknown = a.section;
      loading.diagnostics.push_back(
          {Severity::Warning, path, a.line,
           format("Unknown section '{}', ignoring", c_escape(a.section))});
      continue;
    }
    last_unknown = {};
    if (loading.install_only && *section != Section::Install) continue;
    const std::size_t told = loading.diagnostics.size();
    ParseContext context{unit, scope, path, a.line, a.key, loading.diagnostics, &loading.not_yet};
    if (apply_assignment(context, *section, a.value)) continue;
    const std::string_view why = loading.diagnostics.size() > told
                                     ? std::string_view(loading.diagnostics.back().message)
                                     : std::string_view("a bad value");
    fail(unit, LoadState::BadSetting, path, a.line, why);
  }
}

void UnitLoader::Impl::read_dropins(Loading& loading, const std::vector<std::string>& names) {
  for (const std::string& path : find_dropins(index, names, ".d")) {
    const auto link = files.read_link(index.with_root(path));
    if (link && *link == "/dev/null") continue;  // masked
    const auto found = files.stat(index.with_root(path));
    if (found && found->kind != FileKind::Regular) {
      loading.diagnostics.push_back(
          {Severity::Warning, path, 0, "not a regular file; ignored as a drop-in"});
      continue;
    }
    std::string text;
    FileStatus status;
    const LoadState before = loading.unit.load_state;
    if (!read_file(loading, path, text, status)) {
      // A drop-in that has just gone is no reason to miss the unit.
      if (loading.unit.load_state == LoadState::NotFound) loading.unit.load_state = before;
      continue;
    }
    loading.unit.dropin_paths.push_back(path);
    loading.unit.dropin_mtime_ns = std::max(loading.unit.dropin_mtime_ns, status.mtime_ns);
    apply_text(loading, text, path);
  }
}

/// As they lie there now, masks left out.
std::vector<std::string> UnitLoader::Impl::dropins_of(const Unit& unit) {
  index.forget_folder_items();
  std::vector<std::string> names = {unit.id};
  names.insert(names.end(), unit.aliases.begin(), unit.aliases.end());
  std::vector<std::string> paths = find_dropins(index, names, ".d");
  std::erase_if(paths, [&](const std::string& path) {
    const auto link = files.read_link(index.with_root(path));
    return link && *link == "/dev/null";
  });
  return paths;
}

bool UnitLoader::Impl::has_changed(const Unit& unit) {
  if (unit.fragment_path.starts_with('/')) {
    const auto status = files.stat(index.with_root(unit.fragment_path));
    if (!status) return true;
    const bool is_mask = status->is_null_device || status->size == 0;
    if (is_mask != (unit.load_state == LoadState::Masked)) return true;
    if (!is_mask && status->mtime_ns != unit.fragment_mtime_ns) return true;
  }
  if (unit.load_state != LoadState::Loaded) return false;
  const std::vector<std::string> dropins = dropins_of(unit);
  return dropins != unit.dropin_paths ||
         std::any_of(dropins.begin(), dropins.end(), [&](const std::string& path) {
           const auto status = files.stat(index.with_root(path));
           return !status || status->mtime_ns > unit.dropin_mtime_ns;
         });
}

void UnitLoader::Impl::read_dependency_folders(Loading& loading,
                                               const std::vector<std::string>& names) {
  for (const DependencyFolder& folder : kDependencyFolders) {
    for (const std::string& path : find_dropins(index, names, folder.suffix)) {
      add_folder_dependency(loading, path, folder.kind);
    }
  }
}

void UnitLoader::Impl::add_folder_dependency(Loading& loading, const std::string& path,
                                             DependencyKind kind) {
  const auto warn = [&](Severity severity, std::string message) {
    loading.diagnostics.push_back({severity, path, 0, std::move(message)});
  };
  const auto link = files.read_link(index.with_root(path));
  if (!link) return warn(Severity::Warning, "not a symbolic link; ignored as a dependency");
  if (*link == "/dev/null") return;  // masked
  const std::string_view entry = last_component(path);
  if (!unit_name_is_valid(entry)) {
    return warn(Severity::Warning, "not a valid unit name; ignored as a dependency");
  }
  const Unit& unit = loading.unit;
  std::string name(entry);
  if (is_template(name)) {
    auto filled =
        instantiate(name, is_instance(unit.id) ? unit_instance(unit.id) : unit_prefix(unit.id));
    if (!filled) return warn(Severity::Warning, "gives no valid unit name; ignored");
    name = std::move(*filled);
  }
  const std::string_view target = last_component(*link);
  if (target != entry && target != name && target != template_of(name)) {
    warn(Severity::Note,
         format("points to a unit of another name, {}; {} is taken", c_escape(target), name));
  }
  loading.unit.config.dependencies.push_back({kind, std::move(name), false});
}

void UnitLoader::Impl::tell_not_honoured(Loading& loading) {
  Unit& unit = loading.unit;
  for (const NotYetUse& use : loading.not_yet) unit.not_honoured.push_back(use.directive->name);
  if (!can_be_started(unit.type)) {  // said once, for the unit
    loading.diagnostics.push_back(
        {config.advice, unit.fragment_path, 0,
         format("units of type {} can't be started yet", to_string(unit.type))});
    return;
  }
  if (config.advice != Severity::Note) return tell_in_one_line(loading);
  for (const NotYetUse& use : loading.not_yet) {
    loading.diagnostics.push_back({config.advice, use.file, use.line,
                                   format("{}= is not honoured yet", use.directive->name)});
  }
}

/// For a log: one line a file, as a sandbox can have twenty settings.
void UnitLoader::Impl::tell_in_one_line(Loading& loading) {
  std::vector<std::pair<std::string_view, std::string>> by_file;
  for (const NotYetUse& use : loading.not_yet) {
    auto told = std::find_if(by_file.begin(), by_file.end(),
                             [&use](const auto& entry) { return entry.first == use.file; });
    if (told == by_file.end()) told = by_file.insert(told, {use.file, {}});
    told->second +=
        format("{}{}= (line {})", told->second.empty() ? "" : ", ", use.directive->name, use.line);
  }
  for (const auto& [file, settings] : by_file) {
    loading.diagnostics.push_back(
        {config.advice, std::string(file), 0, format("not honoured yet: {}", settings)});
  }
}

void UnitLoader::Impl::load_files(Loading& loading, const Resolved& resolved) {
  Unit& unit = loading.unit;
  if (resolved.entry != nullptr) {
    unit.load_state = LoadState::Loaded;
    read_fragment(loading, *resolved.entry);
  } else if (unit.type == UnitType::Slice) {
    unit.load_state = LoadState::Loaded;  // a slice needs no file
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
  const UnitFileEntry* entry =
      is_template(name) ? impl_->index.find(name) : impl_->index.resolve(name).entry;
  if (entry == nullptr) return {};
  return entry->kind == UnitFileEntry::Kind::Mask ? "/dev/null" : entry->path;
}

InstallConfig UnitLoader::load_install(std::string_view name, Diagnostics& diagnostics) {
  return impl_->load_install(name, diagnostics);
}

bool UnitLoader::refresh() {
  if (!impl_->index.is_stale()) return false;
  Diagnostics told_before;
  ++impl_->listings;
  impl_->index = UnitIndex(impl_->files, impl_->config.root, impl_->config.search_path,
                           impl_->config.builtin, told_before);
  return true;
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
