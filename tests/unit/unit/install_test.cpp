// Replays tests/oracle/install.scenarios and compares with what systemd's own
// systemctl did and said (install.expected).

#include "unit/install.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "support/loaded_unit.h"
#include "unit/name.h"

namespace onset {
namespace {

using test::MemoryFiles;
using Lines = std::vector<std::string>;

Lines lines_of(const char* file_name) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen((std::string(ONSET_ORACLE_DIR "/") + file_name).c_str(), "r"), std::fclose);
  REQUIRE(file != nullptr);
  Lines lines;
  char line[1024];
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    std::string text = line;
    while (text.ends_with('\n')) text.pop_back();
    lines.push_back(std::move(text));
  }
  return lines;
}

std::string place(std::string_view path) {
  if (path.starts_with("@/")) return "/usr/lib/systemd/system" + std::string(path.substr(1));
  if (path.starts_with("%/")) return "/etc/systemd/system" + std::string(path.substr(1));
  return std::string(path);
}

/// What one command did.
struct Answer {
  int status = 0;
  Lines output;
  Lines messages;
  Lines links;
};

struct Command {
  std::string text;
  Answer expected;
};

/// The commands of each scenario, by its title.
std::vector<std::pair<std::string, std::vector<Command>>> expectations() {
  std::vector<std::pair<std::string, std::vector<Command>>> all;
  for (const std::string& line : lines_of("install.expected")) {
    if (line.starts_with("== ")) {
      all.push_back({line, {}});
      continue;
    }
    REQUIRE(line.size() > 2);
    const std::string rest = line.substr(2);
    if (line[0] == '$') {
      all.back().second.push_back({rest, {}});
      continue;
    }
    Answer& answer = all.back().second.back().expected;
    if (line[0] == '=') answer.status = std::stoi(rest);
    if (line[0] == '>') answer.output.push_back(rest);
    if (line[0] == '!') answer.messages.push_back(rest);
    if (line[0] == '-') answer.links.push_back(rest);
  }
  return all;
}

class Replay {
 public:
  Replay() {
    files_.add_directory("/etc/systemd/system");
    files_.add_directory("/usr/lib/systemd/system");
  }

  MemoryFiles& files() { return files_; }

  Answer run(std::string_view command) {
    Answer answer;
    const Lines before = links();
    std::vector<std::string> words;
    InstallOptions options;
    for (const std::string_view word : split_whitespace(command)) {
      if (word == "--runtime") {
        options.runtime = true;
      } else if (word == "--force") {
        options.force = true;
      } else {
        words.emplace_back(word);
      }
    }
    const std::string verb = words[0];
    std::vector<std::string> names(words.begin() + 1, words.end());
    for (std::string& name : names) {
      name = mangle(name, verb == "set-default" ? ".target" : ".service").value_or(name);
      if (words.back().starts_with('/')) name = words.back();
    }
    UnitInstaller installer(files_, test::loader_config(), options);
    if (verb == "is-enabled") {
      ask_state(installer, names[0], answer);
    } else if (verb == "get-default") {
      answer.output.push_back(installer.get_default());
    } else {
      change(installer, verb, names, answer);
    }
    const Lines after = links();
    if (after != before) answer.links = after.empty() ? Lines{"none"} : after;
    return answer;
  }

 private:
  void ask_state(UnitInstaller& installer, const std::string& name, Answer& answer) {
    const UnitFileState state = installer.state(name);
    answer.status = counts_as_enabled(state) ? 0 : 1;
    if (state == UnitFileState::NotFound) {
      answer.messages.push_back("Failed to get unit file state for " + name +
                                ": No such file or directory");
    } else {
      answer.output.emplace_back(to_string(state));
    }
  }

  void change(UnitInstaller& installer, const std::string& verb,
              const std::vector<std::string>& names, Answer& answer) {
    InstallOutcome outcome;
    const std::vector<std::string> rest(names.begin() + (names.empty() ? 0 : 1), names.end());
    if (verb == "enable") outcome = installer.enable(names);
    if (verb == "disable") outcome = installer.disable(names);
    if (verb == "reenable") outcome = installer.reenable(names);
    if (verb == "preset") outcome = installer.preset(names);
    if (verb == "preset-all") outcome = installer.preset_all();
    if (verb == "mask") outcome = installer.mask(names);
    if (verb == "unmask") outcome = installer.unmask(names);
    if (verb == "revert") outcome = installer.revert(names);
    if (verb == "link") outcome = installer.link(names);
    if (verb == "set-default") outcome = installer.set_default(names[0]);
    if (verb == "add-wants") {
      outcome = installer.add_dependency(names[0], rest, DependencyKind::Wants);
    }
    if (verb == "add-requires") {
      outcome = installer.add_dependency(names[0], rest, DependencyKind::Requires);
    }
    REQUIRE(apply_changes(outcome, files_).ok());
    answer.status = outcome.failed() ? 1 : 0;
    if (verb.starts_with("preset")) {
      for (const Diagnostic& d : installer.diagnostics()) answer.messages.push_back(to_string(d));
    }
    for (const InstallChange& c : outcome.changes) answer.messages.push_back(to_string(c));
    if (verb == "enable" && !outcome.failed() && !outcome.has_install_info) {
      answer.messages.emplace_back("(no installation config)");
    }
  }

  Lines links() {
    Lines found;
    for (const auto& [path, target] : files_.links()) found.push_back(path + " " + target);
    return found;
  }

  MemoryFiles files_;
};

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

TEST_CASE("enable and its kin do and say what systemctl does", "[unit][install][oracle]") {
  const auto expected = expectations();
  std::size_t scenario = 0;
  std::size_t command = 0;
  std::unique_ptr<Replay> replay;
  std::string file;
  std::string text;
  for (const std::string& line : lines_of("install.scenarios")) {
    if (line.starts_with("|")) {
      text += line.substr(1) + "\n";
      replay->files().add(file, text);
      continue;
    }
    if (line.empty() || line.starts_with("#")) continue;
    if (line.starts_with("==")) {
      replay = std::make_unique<Replay>();
      if (command > 0) ++scenario;
      command = 0;
      REQUIRE(expected.at(scenario).first == line);
      continue;
    }
    const auto words = split_whitespace(line);
    if (words[0] == "file") {
      file = place(words[1]);
      text.clear();
      replay->files().add(file, text);
    } else if (words[0] == "link") {
      replay->files().add_link(place(words[1]), words[2]);
    } else {
      const Command& wanted = expected.at(scenario).second.at(command++);
      INFO(expected[scenario].first << "\n$ " << wanted.text);
      REQUIRE(line.substr(2) == wanted.text);
      const Answer got = replay->run(wanted.text);
      CHECK(got.status == wanted.expected.status);
      CHECK(got.output == wanted.expected.output);
      // systemd removes in the order of its directory, which is no order.
      CHECK(sorted(got.messages) == sorted(wanted.expected.messages));
      CHECK(got.links == wanted.expected.links);
    }
  }
  CHECK(scenario + 1 == expected.size());
}

TEST_CASE("the list of unit files has states and presets", "[unit][install]") {
  MemoryFiles files;
  const std::string usr = "/usr/lib/systemd/system/";
  files.add(usr + "a.service", "[Install]\nWantedBy=m.target\n");
  files.add(usr + "st.service", "[Unit]\n");
  files.add(usr + "m.target", "[Unit]\n");
  files.add_link("/etc/systemd/system/m.target.wants/a.service", usr + "a.service");
  files.add_link("/etc/systemd/system/off.service", "/dev/null");
  files.add_link("/etc/systemd/system/b.service", usr + "a.service");
  files.add("/usr/lib/systemd/system-preset/50.preset", "disable a.service\n");
  UnitInstaller installer(files, test::loader_config());
  std::string text;
  for (const UnitFileInfo& info : installer.list()) {
    text += info.name + " " + std::string(to_string(info.state)) + " " +
            (info.preset ? *info.preset ? "enabled" : "disabled" : "-") + "\n";
  }
  CHECK(text ==
        "a.service enabled disabled\nb.service alias -\noff.service masked enabled\n"
        "st.service static -\nm.target static -\n");
}

TEST_CASE("units of the binary can be enabled, and be the default", "[unit][install]") {
  MemoryFiles files;
  LoaderConfig config = test::loader_config();
  config.builtin = builtin_units(false);
  UnitInstaller installer(files, config);
  CHECK(installer.get_default() == "graphical.target");
  InstallOutcome outcome = installer.set_default("multi-user.target");
  CHECK_FALSE(outcome.failed());
  REQUIRE(apply_changes(outcome, files).ok());
  CHECK(UnitInstaller(files, config).get_default() == "multi-user.target");
  outcome = UnitInstaller(files, config).enable({"reboot.target"});
  REQUIRE(apply_changes(outcome, files).ok());
  CHECK(UnitInstaller(files, config).state("reboot.target") == UnitFileState::Enabled);
}

TEST_CASE("a change that fails stops the rest and is told", "[unit][install]") {
  MemoryFiles files;
  InstallOutcome outcome;
  outcome.changes.push_back({InstallChange::Kind::Remove, "/etc/gone.service", {}, {}});
  outcome.changes.push_back({InstallChange::Kind::Create, "/etc/x.service", "/dev/null", {}});
  CHECK_FALSE(apply_changes(outcome, files).ok());
  CHECK_FALSE(files.exists("/etc/x.service"));
}

}  // namespace
}  // namespace onset
