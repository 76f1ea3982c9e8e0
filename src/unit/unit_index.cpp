#include "unit/unit_index.h"

#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr unsigned kAliasHops = 8;
constexpr int kAttempts = 3;
constexpr std::int64_t kUnknownTime = -1;  ///< of no folder: it is listed again
constexpr std::uint16_t kNoDirectory = UINT16_MAX;
constexpr std::string_view kFolderSuffixes[] = {".d", ".wants", ".requires", ".upholds"};

/// The suffix that makes the name a folder's; empty if it is none.
std::string_view folder_suffix_of(std::string_view name) {
  const auto* suffix = std::find_if(std::begin(kFolderSuffixes), std::end(kFolderSuffixes),
                                    [name](std::string_view s) { return name.ends_with(s); });
  return suffix == std::end(kFolderSuffixes) ? std::string_view{} : *suffix;
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// The folder is not there; any other error says nothing of what is in it, nor does one on the way.
bool is_absence(const SysError& error) {
  return (error.err == ENOENT || error.err == ENOTDIR) && error.op != std::string_view("readdir");
}

/// An error of the moment, not of the place: the next try may do.
bool will_pass(int err) {
  constexpr int kPassing[] = {ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, ENOBUFS};
  return std::find(std::begin(kPassing), std::end(kPassing), err) != std::end(kPassing);
}

}  // namespace

std::string absolute_target(std::string_view directory, std::string_view link) {
  std::string path =
      path_is_absolute(link) ? std::string(link) : std::string(directory) + "/" + std::string(link);
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string simple;
  for (const std::string_view part : parts) {
    simple += '/';
    simple += part;
  }
  return simple.empty() ? "/" : simple;
}

std::string alias_problem(std::string_view alias, std::string_view target) {
  const auto alias_form = name_form(alias);
  const auto target_form = name_form(target);
  if (!target_form) return format("\"{}\" is not a valid unit name", c_escape(target));
  if (!alias_form) return format("\"{}\" is not a valid unit name", c_escape(alias));
  if (unit_suffix(alias) != unit_suffix(target)) return "the two are of different types";
  switch (*alias_form) {
    case NameForm::Plain:
      if (*target_form != NameForm::Plain) return "a plain name can stand for a plain name alone";
      return {};
    case NameForm::Template:
      if (*target_form != NameForm::Template) return "a template can stand for a template alone";
      return {};
    case NameForm::Instance:
      if (*target_form == NameForm::Template) return {};
      if (*target_form != NameForm::Instance) return "an instance can't stand for a plain name";
      if (unit_instance(alias) != unit_instance(target)) return "the two instances differ";
      return {};
  }
  return {};
}

UnitIndex::UnitIndex(FileSource& files, std::string root,
                     const std::vector<std::string>& search_path,
                     std::span<const BuiltinUnit> builtin, Diagnostics& diagnostics)
    : files_(&files), root_(std::move(root)) {
  while (root_.ends_with('/')) root_.pop_back();
  if (const auto lib = files_->read_link(with_root("/lib"))) {
    usr_is_merged_ = absolute_target("/", *lib) == "/usr/lib";
  }
  for (const std::string& directory : search_path) {
    std::string simple = canonical(path_simplify(directory));
    if (std::find(directories_.begin(), directories_.end(), simple) == directories_.end()) {
      directories_.push_back(std::move(simple));
    }
  }
  for (const std::string& directory : directories_) mtimes_.push_back(mtime_of(directory));
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    list_directory(static_cast<std::uint16_t>(i), diagnostics);
  }
  for (const BuiltinUnit& unit : builtin) {
    UnitFileEntry entry;
    entry.kind = unit.alias_of.empty() ? UnitFileEntry::Kind::Builtin : UnitFileEntry::Kind::Alias;
    entry.directory = kNoDirectory;
    entry.make_detail() = {std::string(unit.alias_of), {}, {}, unit.text};
    insert(std::string(unit.name), std::move(entry));
  }
}

const UnitFileEntry::Detail& UnitFileEntry::detail() const {
  static const Detail none;
  return more ? *more : none;
}

UnitFileEntry::Detail& UnitFileEntry::make_detail() {
  if (!more) more = std::make_unique<Detail>();
  return *more;
}

std::string UnitIndex::path_of(const UnitFileEntry& entry) const {
  if (entry.directory < directories_.size()) {
    const std::string& directory = directories_[entry.directory];
    std::string path;
    path.reserve(directory.size() + 1 + entry.name.size());  // a loaded unit keeps it
    return path.append(directory).append(1, '/').append(entry.name);
  }
  const std::string& elsewhere = entry.detail().path;
  return elsewhere.empty() ? "builtin:" + std::string(entry.name) : elsewhere;
}

bool UnitIndex::insert(const std::string& name, UnitFileEntry entry) {
  const auto [at, added] = entries_.try_emplace(name, std::move(entry));
  if (!added) return false;
  at->second.name = at->first;
  if (at->second.kind == UnitFileEntry::Kind::Alias) add_alias(name, at->second.detail().target);
  return true;
}

/// With a merged /usr, /lib/x and /usr/lib/x are one place and get one name.
std::string UnitIndex::canonical(std::string_view path) const {
  if (usr_is_merged_ && path.starts_with("/lib/")) return "/usr" + std::string(path);
  return std::string(path);
}

/// 0: there is no such folder.
std::int64_t UnitIndex::mtime_of(const std::string& directory) const {
  const auto status = files_->stat(with_root(directory));
  return status && status->kind == FileKind::Directory ? status->mtime_ns : 0;
}

/// Whether it still can't be read, for the moment.
bool UnitIndex::is_open(const Gap& gap) const {
  if (gap.is_link) {
    const auto link = files_->read_link(with_root(gap.path));
    return !link && will_pass(link.error().err);
  }
  const auto items = files_->list(with_root(gap.path));
  return !items && will_pass(items.error().err);
}

bool UnitIndex::is_stale() const {
  if (is_set_stale_) return true;
  for (const Gap& gap : gaps_) {
    if (!is_open(gap)) return true;
  }
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    if (mtime_of(directories_[i]) != mtimes_[i]) return true;
  }
  return false;
}

bool UnitIndex::is_searched(std::string_view directory) const {
  return std::find(directories_.begin(), directories_.end(), directory) != directories_.end();
}

void UnitIndex::list_directory(std::uint16_t directory, Diagnostics& diagnostics) {
  const std::string& path = directories_[directory];
  auto items = files_->list(with_root(path));
  for (int attempt = 1; !items && !is_absence(items.error()) && attempt < kAttempts; ++attempt)
    items = files_->list(with_root(path));
  if (!items) {
    const SysError error = items.error();
    if (is_absence(error) || error.err == ENOENT) {
      // Most of the search path is not there on most machines. It was a moment ago: is it now?
      if (mtimes_[directory] != 0) mtimes_[directory] = kUnknownTime;
      return;
    }
    const bool is_gap = will_pass(error.err);
    if (is_gap) gaps_.push_back({directory, false, path});
    diagnostics.push_back(
        {is_gap ? Severity::Error : Severity::Warning, path, 0,
         format("can't be listed, its units are missing: {}", errno_text(error.err))});
    return;
  }
  for (const DirectoryItem& item : *items) {
    if (item.kind == FileKind::Directory || item.kind == FileKind::Symlink) {
      const std::string_view suffix = folder_suffix_of(item.name);
      if (!suffix.empty()) {
        folders_[item.name].push_back(directory);
        if (!has_folders(suffix)) folder_suffixes_.push_back(suffix);
        continue;
      }
      if (item.kind == FileKind::Directory) continue;
    }
    if (entries_.contains(item.name) || !unit_name_is_valid(item.name)) continue;
    add_entry(directory, item.name, item.kind, diagnostics);
  }
}

void UnitIndex::add_entry(std::uint16_t directory, const std::string& name, FileKind kind,
                          Diagnostics& diagnostics) {
  UnitFileEntry entry;
  entry.directory = directory;
  entry.name = name;
  if (kind == FileKind::Symlink && !make_link_entry(entry, diagnostics)) return;
  insert(name, std::move(entry));
}

/// False: not an entry after all, and one of a later directory may be.
bool UnitIndex::make_link_entry(UnitFileEntry& entry, Diagnostics& diagnostics) {
  const std::string path = path_of(entry);
  const std::string& directory = directories_[entry.directory];
  auto link = files_->read_link(with_root(path));
  for (int attempt = 1; !link && link.error().err != ENOENT && attempt < kAttempts; ++attempt)
    link = files_->read_link(with_root(path));
  if (!link) {
    const int err = link.error().err;
    if (err == ENOENT || err == ENOTDIR) {  // it has just gone, or is moved
      mtimes_[entry.directory] = kUnknownTime;
      return false;
    }
    if (will_pass(err)) {  // it may be a mask, or another unit
      gaps_.push_back({entry.directory, true, path});
      return false;
    }
    // The name is its own, whatever it is: a mask of what a later directory has, perhaps.
    // Reading it will tell.
    if (err != EINVAL) {  // else no link any more
      diagnostics.push_back(
          {Severity::Warning, path, 0, format("the link can't be read: {}", errno_text(err))});
    }
    return true;
  }
  const std::string& points_to = entry.make_detail().link_target =
      absolute_target(directory, *link);
  if (points_to == "/dev/null") {
    entry.kind = UnitFileEntry::Kind::Mask;
    return true;
  }
  const std::string target = canonical(points_to);
  if (!is_searched(parent_of(target))) return true;  // a linked file: of this name
  const std::string_view target_name = last_component(target);
  if (target_name == entry.name) {
    // To the file of the same name in another directory: that one will be found,
    // unless this link closes a circle.
    return parent_of(target) == directory;
  }
  const std::string problem = alias_problem(entry.name, target_name);
  if (!problem.empty()) {
    diagnostics.push_back({Severity::Warning, path, 0,
                           format("{} can't be another name of {}: {}; ignored", entry.name,
                                  c_escape(target_name), problem)});
    return false;
  }
  entry.kind = UnitFileEntry::Kind::Alias;
  entry.make_detail().target = target_name;
  return true;
}

void UnitIndex::add_alias(const std::string& alias, const std::string& target) {
  aliases_[target].push_back(alias);
}

const UnitFileEntry* UnitIndex::find(std::string_view name) const {
  const auto at = entries_.find(name);
  return at == entries_.end() ? nullptr : &at->second;
}

Resolved UnitIndex::resolve(std::string_view name) const {
  Resolved result;
  result.id = name;
  for (unsigned hop = 0; hop <= kAliasHops; ++hop) {
    const UnitFileEntry* entry = find(result.id);
    if (entry == nullptr && is_instance(result.id)) entry = find(*template_of(result.id));
    if (entry == nullptr || entry->kind != UnitFileEntry::Kind::Alias) {
      result.entry = entry;
      return result;
    }
    const std::string& target = entry->detail().target;
    if (is_template(target) && !is_template(result.id)) {
      auto filled = instantiate(target, unit_instance(result.id));
      if (!filled) return result;
      result.id = std::move(*filled);
    } else {
      result.id = target;
    }
  }
  result.is_loop = true;
  return result;
}

std::vector<std::string> UnitIndex::aliases_of(std::string_view id) const {
  std::vector<std::string> names = {std::string(id)};
  const std::string_view instance = is_instance(id) ? unit_instance(id) : std::string_view{};
  const auto add = [&names](std::string name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i];
    if (const auto direct = aliases_.find(name); direct != aliases_.end()) {
      for (const std::string& alias : direct->second) add(alias);
    }
    if (instance.empty()) continue;
    const auto own_template = template_of(name);
    const auto of_template = own_template ? aliases_.find(*own_template) : aliases_.end();
    if (of_template == aliases_.end()) continue;
    for (const std::string& alias : of_template->second) {
      if (is_template(alias)) {
        if (auto filled = instantiate(alias, instance)) add(std::move(*filled));
      } else if (unit_instance(alias) == instance) {
        add(alias);
      }
    }
  }
  names.erase(names.begin());
  std::sort(names.begin(), names.end());
  names.shrink_to_fit();  // a loaded unit keeps it, and most have none
  return names;
}

bool UnitIndex::has_folders(std::string_view suffix) const {
  return std::find(folder_suffixes_.begin(), folder_suffixes_.end(), suffix) !=
         folder_suffixes_.end();
}

std::vector<std::string> UnitIndex::folders(std::string_view folder_name) const {
  std::vector<std::string> paths;
  const auto at = folders_.find(folder_name);
  if (at == folders_.end()) return paths;
  for (const std::uint16_t directory : at->second) paths.push_back(directories_[directory]);
  return paths;
}

const std::vector<DirectoryItem>& UnitIndex::folder_items(const std::string& folder_path) {
  static const std::vector<DirectoryItem> none;
  if (const auto known = folder_items_.find(folder_path); known != folder_items_.end())
    return known->second;
  auto items = files_->list(with_root(folder_path));
  if (items) {
    std::sort(items->begin(), items->end(),
              [](const DirectoryItem& a, const DirectoryItem& b) { return a.name < b.name; });
    return folder_items_.emplace(folder_path, std::move(*items)).first->second;
  }
  if (!is_absence(items.error())) {
    folder_problems_.push_back({Severity::Error, folder_path, 0,
                                format("can't be listed: {}", errno_text(items.error().err))});
  }
  return none;
}

void UnitIndex::add_file(std::string_view name, std::string path) {
  UnitFileEntry entry;
  entry.directory = kNoDirectory;
  entry.make_detail().path = std::move(path);
  if (const auto before = entries_.find(name); before != entries_.end()) entries_.erase(before);
  insert(std::string(name), std::move(entry));
}

std::vector<std::string> UnitIndex::names() const {
  std::vector<std::string> all;
  all.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) all.push_back(name);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace onset
