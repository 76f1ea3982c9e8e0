// Settings mean what systemd's own manager makes of them: files with a drawn value each are loaded
// by both.
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "properties/differences.h"
#include "properties/oracle.h"
#include "properties/property.h"
#include "properties/texts.h"
#include "support/loaded_unit.h"
#include "unit/capability.h"
#include "unit/directives.h"
#include "unit/enum_words.h"
#include "unit/signals.h"
#include "unit/unit_members.h"
#include "unit/values.h"

using namespace onset;
using namespace onset::test;

namespace {

/// How onset's value reads in systemd's dump.
using Shown = std::string (*)(const Unit& unit, const Directive& directive,
                              const std::string& value);

std::string as_shown(const Unit& unit, const Directive& directive, const std::string&) {
  return directive.show(unit);
}

std::string as_signal(const Unit& unit, const Directive& directive, const std::string&) {
  const std::string name = signal_name_long(*parse_signal(directive.show(unit)));
  return name.starts_with("SIG") ? name : "SIG" + name;  // of one without a name
}

/// The hard limit and the soft one.
std::string as_limit(const Unit& unit, const Directive& directive, const std::string&) {
  for (int resource = 0; resource < static_cast<int>(RLIM_NLIMITS); ++resource) {
    const auto& limits = config_of<ExecConfig>(unit).limits;
    if (limits.empty()) break;
    if (directive.show(unit) != format_limit(limits.front().hard)) break;
    return format_limit(limits.front().hard) + " " + format_limit(limits.front().soft);
  }
  return "-";
}

std::string as_environment(const Unit& unit, const Directive&, const std::string&) {
  const auto& environment = config_of<ExecConfig>(unit).environment;
  return environment.empty() ? "-" : join(environment, " ");
}

/// As as_shown, to the second, as the dump has it.
std::string as_span(const Unit& unit, const Directive& directive, const std::string&) {
  const auto span = parse_span(directive.show(unit));
  return format_span(*span, std::chrono::seconds(1));
}

/// Names, where show would quote what it need not.
template <auto Member>
std::string as_words(const Unit& unit, const Directive&, const std::string&) {
  const auto& words = member_of<Member>(unit);
  return words.empty() ? "-" : join(words, " ");
}

std::string as_directories(const Unit& unit, const Directive&, const std::string&) {
  std::vector<std::string> paths;
  for (const DirectoryEntry& entry : config_of<ExecConfig>(unit).directories[0]->entries)
    paths.push_back(entry.path);
  std::sort(paths.begin(), paths.end());  // as the dump has them
  return paths.empty() ? "-" : join(paths, " ");
}

/// Of what onset checks and does not keep yet.
std::string as_size(const Unit&, const Directive&, const std::string& value) {
  const auto size = parse_size_or_infinity(value);
  return size ? format("{}", *size) : "-";
}

std::string as_quota(const Unit&, const Directive&, const std::string& value) {
  const auto share = parse_permyriad(value, true);
  // Of a second: a part in ten thousand is 100 us.
  return share ? format_span(Duration(std::int64_t{*share} * 100)) : "-";
}

constexpr std::string_view kNoLimit = "18446744073709551615";

struct Setting {
  std::string_view key;
  TextGen value;
  Shown shown = nullptr;        ///< null: whether it is taken, and no more
  std::string_view property{};  ///< in the dump; empty: as the key
};

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {"TimeoutStartSec", span_text(), as_span},
      {"TimeoutStopSec", span_text(), as_span},
      {"RestartSec", span_text(), as_span},
      {"RuntimeMaxSec", span_text(), as_span},
      {"WatchdogSec", span_text()},
      {"LimitNOFILE", limit_text(), as_limit},
      {"LimitCORE", limit_text(), as_limit},
      {"LimitCPU", limit_text(), as_limit},
      {"LimitRTTIME", limit_text(), as_limit},
      {"LimitNICE", limit_text(), as_limit},
      {"MemoryMax", size_text(), as_size},
      {"MemoryHigh", size_text(), as_size},
      {"CPUQuota", share_text(), as_quota, "CPUQuotaPerSecSec"},
      {"MemoryMin", share_text()},
      {"TasksMax", rc::gen::oneOf(share_text(), number_text())},
      {"KillSignal", signal_text(), as_signal},
      {"FinalKillSignal", signal_text(), as_signal},
      {"SuccessExitStatus", status_set_text()},
      {"RestartPreventExitStatus", status_set_text()},
      {"CapabilityBoundingSet", capability_set_text()},
      {"UMask", mode_text(), as_shown},
      {"RuntimeDirectoryMode", mode_text(), as_shown},
      {"RemainAfterExit", bool_text(), as_shown},
      {"SendSIGKILL", bool_text(), as_shown},
      {"Nice", number_text()},
      {"OOMScoreAdjust", number_text()},
      {"Environment", assignments_text(), as_environment},
      {"CPUWeight", number_text()},
      {"IOWeight", number_text()},
      {"RootDirectory", path_text()},
      {"WorkingDirectory", path_text()},
      {"EnvironmentFile", path_text()},
      {"User", any_text()},
      {"RuntimeDirectory", path_text(), as_directories},
      {"RuntimeDirectory", words_text(), as_directories},
      {"SupplementaryGroups", words_text(), as_words<&ExecConfig::supplementary_groups>},
      {"PassEnvironment", words_text(), as_words<&ExecConfig::pass_environment>},
      {"UnsetEnvironment", words_text(), as_words<&ExecConfig::unset_environment>},
      {"SuccessExitStatus", words_text()},
  };
  return all;
}

struct Drawn {
  const Setting* setting = nullptr;
  std::string key;
  std::string value;
};

/// As it can stand in a line of a file: it ends in no backslash, and is something.
std::string one_line(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  if (!is_valid_utf8(text)) text = c_escape(text);
  text = std::string(trim(text));
  while (text.ends_with('\\')) text.pop_back();
  // A noncharacter is no UTF-8 to systemd (docs/differences.md); what a specifier of the machine
  // gives is known to one of the two alone.
  for (const std::string_view none : {"\xef\xbf\xbe", "\xf4\x8f\xbf\xbf"})
    for (std::size_t at; (at = text.find(none)) != text.npos;) text.erase(at, none.size());
  constexpr std::string_view kOfName = "nNiIpPjJfZ%";
  for (std::size_t at = 0; (at = text.find('%', at)) != text.npos; at += 2)
    if (at + 1 == text.size() || kOfName.find(text[at + 1]) == kOfName.npos) text[at] = '_';
  return std::string(trim(text));
}

std::string file_of(const Drawn& drawn) {
  return "[Service]\nType=oneshot\nExecStart=/bin/good\n" + drawn.key + "=" + drawn.value + "\n";
}

/// onset's answer to one file.
LoadedUnit load(const std::string& name, const std::string& text) {
  LoaderConfig config = loader_config();
  config.advice = Severity::Note;
  MemoryFiles files;
  files.add("/etc/systemd/system/" + name, text);
  return load_from(files, name, config);
}

bool is_taken(const LoadedUnit& loaded) {
  return loaded.unit->load_state == LoadState::Loaded &&
         std::none_of(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                      [](const Diagnostic& d) { return d.severity != Severity::Note; });
}

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

}  // namespace

TEST_CASE("settings are taken by systemd's manager or not, and mean the same",
          "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        Drawer draw;
        std::map<std::string, Drawn> drawn;
        std::map<std::string, std::string> files;
        for (unsigned i = 0; i < 20 * settings().size(); ++i) {
          const Setting& setting = settings()[i % settings().size()];
          Drawn d{&setting, std::string(setting.key), one_line(draw(setting.value))};
          const std::string name = format("v{:04}.service", i);
          files[name] = file_of(d);
          drawn[name] = std::move(d);
        }
        const auto theirs = loaded_by_systemd(files);
        Differences differences;
        for (const auto& [name, d] : drawn) {
          const LoadedUnit ours = load(name, files[name]);
          const Directive& directive = *find_directive(Section::Service, d.key);
          const auto found = theirs.find(name);
          RC_ASSERT(found != theirs.end());
          const OracleUnit& unit = found->second;
          // Of an unknown capability systemd says nothing, and goes on (docs/differences.md).
          if (d.key == "CapabilityBoundingSet" && !is_taken(ours)) continue;
          const bool taken = unit.load_state == "loaded" && unit.said.empty();
          const std::string text = d.key + "=" + d.value;
          differences.compare(text, is_taken(ours) ? "taken" : "not taken",
                              taken ? "taken" : "not taken");
          if (!taken || !is_taken(ours) || d.setting->shown == nullptr) continue;
          const std::string property(d.setting->property.empty() ? d.key : d.setting->property);
          std::string expected = unit.value(property);
          if (d.setting->shown == as_limit) {
            expected += " " + unit.value(property + "Soft");
            // The dump has the number that stands for it.
            for (std::size_t at; (at = expected.find(kNoLimit)) != expected.npos;)
              expected.replace(at, kNoLimit.size(), "infinity");
          }
          const std::string shown = d.setting->shown(*ours.unit, directive, d.value);
          // A span beyond 63 bits is infinity here, which nobody lives to see.
          if (shown.starts_with("infinity") && d.value.find("infinity") == d.value.npos) continue;
          if (!has_control(shown)) differences.compare(text, shown, expected);
        }
        differences.expect_none();
      },
      2);
}

TEST_CASE("command lines give the commands that systemd's manager reads", "[properties][oracle]") {
  ONSET_NEEDS_ORACLE();
  holds(
      [] {
        Drawer draw;
        std::map<std::string, Drawn> drawn;
        std::map<std::string, std::string> files;
        for (unsigned i = 0; i < 400; ++i) {
          Drawn d{nullptr, "ExecStartPre", one_line(draw(command_text()))};
          const std::string name = format("v{:04}.service", i);
          files[name] = file_of(d);
          drawn[name] = std::move(d);
        }
        const auto theirs = loaded_by_systemd(files);
        Differences differences;
        for (const auto& [name, d] : drawn) {
          const LoadedUnit ours = load(name, files[name]);
          const auto found = theirs.find(name);
          RC_ASSERT(found != theirs.end());
          const bool loaded = found->second.load_state == "loaded";
          differences.compare(d.value, std::string(to_string(ours.unit->load_state)),
                              loaded ? "loaded" : "bad-setting");
          if (!loaded || ours.unit->load_state != LoadState::Loaded) continue;
          std::string read;
          for (const ExecCommand& command : ours.unit->service->commands(ExecRole::StartPre)) {
            read += join(command.argv, " | ") + " ; ";
          }
          std::string expected;
          for (const auto& words : found->second.commands) {
            expected += join(words, " | ") + " ; ";
          }
          differences.compare(d.value, read, expected);
        }
        differences.expect_none();
      },
      2);
}
