#include "cli/options.h"

#include <catch2/catch.hpp>
#include <set>

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
  CHECK(parsed({"--no-leg"}).no_legend);
  CHECK(problem({"--no"}).starts_with("unknown option"));
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
  for (const char* wrong : {"--type=frob", "--json=long", "--signal=65", "--kill-whom=me",
                            "--job-mode=hard", "--preset-mode=half", "--lines=many", "--root="}) {
    CAPTURE(wrong);
    const std::string name = std::string(wrong).substr(0, std::string(wrong).find('='));
    CHECK(problem({wrong}).starts_with(name + ": "));
  }
}

TEST_CASE("a missing value and an unknown letter are told", "[cli][options]") {
  CHECK(problem({"--signal"}) == "option '--signal' needs a value");
  CHECK(problem({"start", "-p"}) == "option '-p' needs a value");
  CHECK(problem({"-Z"}) == "unknown option '-Z'");
  CHECK(problem({"--frob=1", "start"}) == "unknown option '--frob=1'");
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
