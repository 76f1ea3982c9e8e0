#include "unit/preset.h"

#include <algorithm>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "unit/glob.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr std::size_t kPresetFileMax = std::size_t{4} << 20;

constexpr std::string_view kSystemDirectories[] = {
    "/etc/systemd/system-preset", "/run/systemd/system-preset",
    "/usr/local/lib/systemd/system-preset", "/usr/lib/systemd/system-preset",
    "/lib/systemd/system-preset"};
constexpr std::string_view kUserDirectories[] = {
    "/etc/systemd/user-preset", "/run/systemd/user-preset", "/usr/local/lib/systemd/user-preset",
    "/usr/lib/systemd/user-preset", "/lib/systemd/user-preset"};

}  // namespace

void PresetRules::add(std::string_view text, const std::string& path, Diagnostics& diagnostics) {
  unsigned line = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++line;
    const std::string_view content = trim(raw);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    const auto words = split_whitespace(content);
    const bool enable = words[0] == "enable";
    if ((!enable && words[0] != "disable") || words.size() < 2) {
      diagnostics.push_back({Severity::Warning, path, line,
                             format("Couldn't parse line '{}'. Ignoring.", c_escape(content))});
      continue;
    }
    Rule rule{enable, std::string(words[1]), {}};
    if (enable) rule.instances.assign(words.begin() + 2, words.end());
    rules_.push_back(std::move(rule));
  }
}

PresetAnswer PresetRules::ask(std::string_view name) const {
  for (const Rule& rule : rules_) {
    if (rule.instances.empty()) {
      if (glob_matches(rule.pattern, name)) return {rule.enable, {}};
      continue;
    }
    // "enable t@.service x y" speaks of the template and of these instances.
    if (rule.pattern == name) return {rule.enable, rule.instances};
    const auto own_template = template_of(name);
    if (is_instance(name) && own_template == rule.pattern &&
        std::find(rule.instances.begin(), rule.instances.end(), unit_instance(name)) !=
            rule.instances.end()) {
      return {rule.enable, {}};
    }
  }
  return {};
}

PresetRules read_presets(FileSource& files, const std::string& root, bool user_manager,
                         Diagnostics& diagnostics) {
  std::map<std::string, std::string> by_name;
  const auto collect = [&](std::string_view directory) {
    const auto items = files.list(root + std::string(directory));
    if (!items) return;
    for (const DirectoryItem& item : *items) {
      if (!item.name.ends_with(".preset") || item.kind == FileKind::Directory) continue;
      by_name.try_emplace(item.name, std::string(directory) + "/" + item.name);
    }
  };
  for (const std::string_view d : user_manager ? kUserDirectories : kSystemDirectories) collect(d);
  PresetRules rules;
  for (const auto& [name, path] : by_name) {
    const auto link = files.read_link(root + path);
    if (link && *link == "/dev/null") continue;
    const auto text = files.read(root + path, kPresetFileMax);
    if (!text) {
      diagnostics.push_back({Severity::Warning, path, 0, to_string(text.error())});
      continue;
    }
    rules.add(*text, path, diagnostics);
  }
  return rules;
}

}  // namespace onset
