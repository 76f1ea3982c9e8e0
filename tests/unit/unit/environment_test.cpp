#include "unit/environment.h"

#include <catch2/catch.hpp>

#include "support/vectors.h"

using namespace onset;
using Words = std::vector<std::string>;

TEST_CASE("environment files give what systemd's generator gives", "[unit][environment]") {
  for (const test::Row& row : test::read_vectors("environment")) {
    // The last one wins; the generator's order is that of the names.
    Environment given(parse_environment_file(row.at(0)).assignments);
    Words sorted = given.assignments();
    std::sort(sorted.begin(), sorted.end());
    Words expected = test::parts(row.at(1), '\x1f');
    std::sort(expected.begin(), expected.end());
    CAPTURE(row.at(0));
    CHECK(sorted == expected);
  }
}

TEST_CASE("what is wrong with an environment file is told with its line", "[unit][environment]") {
  const EnvironmentFileText text = parse_environment_file(
      "A=\"1\n2\"\nexport B=3\nC\n\nD=4 \\\n5\n1E=6\nF=\xff\n# \\\nskipped\nG");
  CHECK(text.assignments == Words{"A=1\n2", "D=4 5"});
  REQUIRE(text.problems.size() == 5);
  CHECK(text.problems[0].line == 3);
  CHECK(text.problems[0].message == "not a variable's name: \"export B\"");
  CHECK(text.problems[1].line == 4);
  CHECK(text.problems[1].message == "expected NAME=VALUE, not \"C\"");
  CHECK(text.problems[2].line == 8);
  CHECK(text.problems[3].line == 9);
  CHECK(text.problems[3].message == "the value of F is not valid UTF-8");
  CHECK(text.problems[4].line == 12);
}

TEST_CASE("an environment file ends at a NUL byte", "[unit][environment]") {
  const EnvironmentFileText text =
      parse_environment_file(std::string_view("A=b\nC=\0d\nE=f\n", 14));
  CHECK(text.assignments == Words{"A=b"});
  REQUIRE(text.problems.size() == 1);
  CHECK(text.problems[0].line == 2);
}

TEST_CASE("assignments that are no good are left out and told", "[unit][environment]") {
  const HostFacts host;
  const EnvironmentAssignments all =
      parse_environment_assignments("A=%n 1B=c C=%Z 'D=e f' G=\"h", {"v.service", "", host});
  CHECK(all.assignments == Words{"A=v.service", "D=e f"});
  CHECK(all.problems == Words{"expected NAME=VALUE, not \"1B=c\"",
                              "unknown specifier %Z; a percent sign is written %%",
                              "expected a closing \""});
}

TEST_CASE("an environment holds each name once, in its first place", "[unit][environment]") {
  Environment e({"A=1", "B=2", "A=3", "junk", "=x"});
  CHECK(e.assignments() == Words{"A=3", "B=2"});
  CHECK(e.get("A") == "3");
  CHECK_FALSE(e.get("AB"));
  CHECK_FALSE(e.get(""));
  e.set("AB", "");
  CHECK(e.get("AB") == "");
  e.unset({"B", "A=4"});
  CHECK(e.assignments() == Words{"A=3", "AB="});
  e.unset({"A=3"});
  CHECK(e.assignments() == Words{"AB="});
  e.merge(Environment({"AB=x", "C=y"}));
  CHECK(std::move(e).assignments() == Words{"AB=x", "C=y"});
}

TEST_CASE("an environment of very many names is the same and takes no longer a name",
          "[unit][environment]") {
  constexpr int kNames = 300000;  // a scan for each would take minutes
  Environment e;
  Words gone;
  for (int i = 0; i < kNames; ++i) e.set("A" + std::to_string(i), "1");
  for (int i = 0; i < kNames; ++i) e.set("A" + std::to_string(i), "2");
  for (int i = 0; i < kNames; i += 2) gone.push_back("A" + std::to_string(i));
  e.unset(gone);
  CHECK(e.size() == kNames / 2);
  CHECK_FALSE(e.get("A0"));
  CHECK(e.get("A1") == "2");
  CHECK(e.get("A299999") == "2");
  e.set("A0", "3");
  CHECK(e.assignments().back() == "A0=3");
}
