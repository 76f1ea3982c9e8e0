// One file of a unit: may it be read, what does it say, and what of that is not
// honoured yet.
#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/format.h"
#include "base/text.h"
#include "unit/loader_impl.h"
#include "unit/reader.h"

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
    case UnitType::Mount:
    case UnitType::Swap:
    case UnitType::Socket:
    case UnitType::Device:
    case UnitType::Automount:
      return true;
    case UnitType::Timer:
    case UnitType::Path:
      return false;
  }
  return false;
}

}  // namespace

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

}  // namespace onset
