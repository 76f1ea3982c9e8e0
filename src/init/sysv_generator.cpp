#include "init/sysv_generator.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "unit/sysv_script.h"

namespace onset {
namespace {

constexpr std::size_t kScriptMax = std::size_t{1} << 20U;

/// Of every folder but those that generators write into.
std::set<std::string> native_units(FileSource& files, const std::vector<std::string>& folders) {
  std::set<std::string> names;
  for (const std::string& folder : folders) {
    if (folder.find("/systemd/generator") != folder.npos) continue;
    const auto items = files.list(folder);
    if (!items) continue;
    for (const DirectoryItem& item : *items) names.insert(item.name);
  }
  return names;
}

bool is_script(FileSource& files, const std::string& path) {
  const auto status = files.stat(path);
  return status && status->kind == FileKind::Regular && (status->mode & 0100U) != 0;
}

std::vector<SysvScript> find_scripts(FileSource& files, const SysvPlaces& places,
                                     const std::vector<std::string>& search_path) {
  std::vector<SysvScript> scripts;
  const auto items = files.list(places.scripts);
  if (!items) return scripts;
  const std::set<std::string> natives = native_units(files, search_path);
  for (const DirectoryItem& item : *items) {
    auto name = sysv_unit_name(item.name);
    const std::string path = format("{}/{}", places.scripts, item.name);
    if (!name || natives.contains(*name) || !is_script(files, path)) continue;
    const auto has_name = [&](const SysvScript& s) { return s.name == *name; };
    if (std::ranges::any_of(scripts, has_name)) continue;
    SysvScript script;
    script.path = path;
    script.name = std::move(*name);
    scripts.push_back(std::move(script));
  }
  std::ranges::sort(scripts, {}, &SysvScript::name);
  return scripts;
}

void read_runlevels(FileSource& files, const SysvPlaces& places, std::vector<SysvScript>& scripts) {
  for (const SysvRunlevel& runlevel : sysv_runlevels()) {
    const auto items = files.list(format("{}/{}", places.runlevels, runlevel.folder));
    if (!items) continue;
    for (const DirectoryItem& item : *items) {
      const auto link = read_sysv_link(item.name);
      if (!link) continue;
      const auto script = std::ranges::find(scripts, link->name, &SysvScript::name);
      if (script != scripts.end()) add_to_runlevel(*script, link->priority, runlevel.target);
    }
  }
}

class Writer {
 public:
  Writer(const std::string& folder, std::vector<std::string>& losses)
      : folder_(folder), losses_(losses) {}

  void write_unit(const SysvScript& script) {
    const std::string path = format("{}/{}", folder_, script.name);
    const std::string text = sysv_unit_text(script);
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      return lose(path);
    }
    for (const std::string& target : script.wanted_by) {
      const std::string wants = format("{}/{}.wants", folder_, target);
      if (mkdir(wants.c_str(), 0755) < 0 && errno != EEXIST) {
        lose(wants);
      } else {
        link("../" + script.name, format("{}/{}", wants, script.name));
      }
    }
  }

  /// A script is what its file's name says before it is what another one provides.
  void write_aliases(const SysvScript& script) {
    for (const std::string& alias : script.aliases) {
      link(script.name, format("{}/{}", folder_, alias));
    }
  }

 private:
  void link(const std::string& target, const std::string& path) {
    if (symlink(target.c_str(), path.c_str()) < 0 && errno != EEXIST) lose(path);
  }
  void lose(const std::string& path) {
    losses_.push_back(format("{} can't be made: {}", path, errno_text(errno)));
  }

  const std::string& folder_;
  std::vector<std::string>& losses_;
};

}  // namespace

bool has_sysv_scripts(FileSource& files, const SysvPlaces& places) {
  const auto items = files.list(places.scripts);
  return items && !items->empty();
}

std::vector<std::string> generate_sysv_units(FileSource& files, const SysvPlaces& places,
                                             const std::vector<std::string>& search_path,
                                             const std::string& folder) {
  std::vector<std::string> losses;
  std::vector<SysvScript> scripts = find_scripts(files, places, search_path);
  read_runlevels(files, places, scripts);
  for (SysvScript& script : scripts) {
    const auto text = files.read(script.path, kScriptMax);
    if (text) {
      read_sysv_script(script, *text);
    } else {
      losses.push_back(format("{} can't be read: {}", script.path, errno_text(text.error().err)));
    }
  }
  order_sysv_scripts(scripts);
  Writer writer(folder, losses);
  for (const SysvScript& script : scripts) writer.write_unit(script);
  for (const SysvScript& script : scripts) writer.write_aliases(script);
  return losses;
}

}  // namespace onset
