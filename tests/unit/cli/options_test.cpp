#include "cli/options.h"

#include <catch2/catch.hpp>
#include <set>

#include "base/format.h"

namespace onset {
namespace {

using Words = std::vector<std::string>;

Options parsed(Words words) {
  words.insert(words.begin(), "systemctl");
  auto options = parse_options(words);
  REQUIRE(options.ok());
  return *options;
}

std::string problem(Words words) {
  words.insert(words.begin(), "systemctl");
  auto options = parse_options(words);
  return options.ok() ? std::string() : options.error();
}

TEST_CASE("options stand before and behind the verb, until --", "[cli][options]") {
  const Options options = parsed({"-q", "start", "--no-block", "a", "--", "-b"});
  CHECK(options.quiet);
  CHECK(options.no_block);
  CHECK(options.arguments == Words{"start", "a", "-b"});
}

TEST_CASE("lists are split at commas and add up", "[cli][options]") {
  const Options options = parsed({"-t", "service,target", "--type=not-found", "--state=active",
                                  "--failed", "-pId,Names", "-P", "MainPID"});
  CHECK(options.types == Words{"service", "target"});
  CHECK(options.states == Words{"not-found", "active", "failed"});
  CHECK(options.properties == Words{"Id", "Names", "MainPID"});
  CHECK(options.value);
}

TEST_CASE("an option may be cut short as long as it is clear", "[cli][options]") {
  CHECK(!parsed({"--no-leg"}).has_legend());
  CHECK(problem({"--no"}).starts_with("systemctl: option '--no' is ambiguous; possibilities: '"));
}

TEST_CASE("values are checked, and the line says which option", "[cli][options]") {
  CHECK(parsed({"--signal=SIGRTMIN+1"}).signal == 35);
  CHECK(parsed({"-s", "9"}).signal == 9);
  CHECK(parsed({"--json"}).json == JsonStyle::Short);
  CHECK(parsed({"--json=pretty"}).json == JsonStyle::Pretty);
  CHECK(parsed({"-n5"}).lines == 5U);
  CHECK(parsed({"--root=/a//b/"}).root == "/a/b");
  CHECK(parsed({"-ff"}).force == 2);
  CHECK(parsed({"--after"}).side == DependencySide::After);
  CHECK(!parsed({"--legend=no"}).has_legend());
  CHECK(parsed({"--message=for a new kernel"}).message == "for a new kernel");
  CHECK(parsed({"--check-inhibitors=auto", "-i"}).arguments.empty());
  CHECK(parsed({"--timestamp=us+utc"}).time_style == TimeStyle::UsUtc);
}

TEST_CASE("--quiet leaves out the legend unless it is asked for", "[cli][options]") {
  CHECK(parsed({}).has_legend());
  CHECK(!parsed({"-q"}).has_legend());
  CHECK(parsed({"-q", "--legend=yes"}).has_legend());
}

struct Misuse {
  Words words;
  const char* line;
};

TEST_CASE("what is wrong with an option is told in systemctl's words", "[cli][options]") {
  const Misuse rows[] = {
      {{"--type=frob"},
       "Unknown unit type or load state 'frob'.\nUse -t help to see a list of allowed values."},
      {{"-t", ""}, "--type= requires arguments."},
      {{"--signal=WALDO"}, "Failed to parse signal string \"WALDO\"."},
      {{"--legend=maybe"}, "Failed to parse boolean argument to --legend: maybe."},
      {{"-n", "x"}, "Failed to parse lines 'x'"},
      {{"-n", "all"}, "Failed to parse lines 'all'"},
      {{"-o", "x"}, "Unknown output 'x'."},
      {{"--check-inhibitors=x"}, "Failed to parse --check-inhibitors= argument: x"},
      {{"--preset-mode=x"}, "Failed to parse preset mode: x."},
      {{"--timestamp=x"}, "Invalid value: x."},
      {{"--signal"}, "systemctl: option '--signal' requires an argument"},
      {{"start", "-p"}, "systemctl: option requires an argument -- 'p'"},
      {{"-Z"}, "systemctl: invalid option -- 'Z'"},
      {{"--frob=1", "start"}, "systemctl: unrecognized option '--frob=1'"},
      {{"--all=1", "start"}, "systemctl: option '--all' doesn't allow an argument"},
  };
  for (const Misuse& row : rows) {
    CAPTURE(row.words);
    CHECK(problem(row.words) == row.line);
  }
}

TEST_CASE("help as a value lists what there is", "[cli][options]") {
  CHECK(parsed({"-t", "help"}).print.starts_with("Available unit types:\nservice\nmount\n"));
  CHECK(parsed({"--state=help"}).print.find("\nauto-restart\n") != std::string::npos);
  CHECK(parsed({"-s", "help"}).print.starts_with("HUP\nINT\n"));
  CHECK(parsed({"-s", "list"}).print.starts_with("SIGNAL NAME\n1      SIGHUP\n"));
  CHECK(parsed({"--job-mode=help"}).print.ends_with("\ntriggering\n"));
  CHECK(parsed({"--preset-mode=help"}).print == "full\nenable-only\ndisable-only\n");
  CHECK(parsed({"--timestamp=help"}).print == "pretty\nus\nutc\nus+utc\nunix\n");
  CHECK(parsed({"-ohelp"}).print.starts_with("short\nshort-full\n"));
  CHECK(parsed({"--what=help"}).print == "runtime\nstate\ncache\nlogs\nconfiguration\n");
}

TEST_CASE("an option that can't be had is refused by its name", "[cli][options]") {
  for (const OptionRow& row : option_table()) {
    if (row.refusal == nullptr) continue;
    CAPTURE(row.name);
    std::string word = format("--{}", row.name);
    CHECK(std::string_view(row.refusal).find(word) != std::string_view::npos);
    if (row.takes == Takes::Value) word += "=1";
    CHECK(problem({word, "reboot"}) == row.refusal);
    if (row.letter != 0) CHECK(problem({format("-{}1", row.letter)}) == row.refusal);
  }
}

TEST_CASE("what can change nothing here is named in the manual page", "[cli][options]") {
  std::set<std::string> idle;
  for (const OptionRow& row : option_table()) {
    if (row.flag != nullptr || row.set != nullptr || row.refusal != nullptr) continue;
    idle.insert(row.name != nullptr ? row.name : std::string(1, row.letter));
  }
  CHECK(idle == std::set<std::string>{"recursive", "i", "no-pager", "no-ask-password"});
}

TEST_CASE("no two rows have the same name or letter, and each does one thing", "[cli][options]") {
  std::set<std::string> names;
  std::set<char> letters;
  for (const OptionRow& row : option_table()) {
    CHECK((row.name != nullptr || row.letter != 0));
    if (row.name != nullptr) CHECK(names.insert(row.name).second);
    if (row.letter != 0) CHECK(letters.insert(row.letter).second);
    CHECK((row.flag == nullptr || row.set == nullptr));
    if (row.flag != nullptr) CHECK(row.takes == Takes::Nothing);
  }
}

}  // namespace
}  // namespace onset
