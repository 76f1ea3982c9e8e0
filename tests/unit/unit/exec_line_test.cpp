#include "unit/exec_line.h"

#include <catch2/catch.hpp>

#include "support/vectors.h"

using namespace onset;
using Words = std::vector<std::string>;

namespace {

const HostFacts kHost;
const SpecifierScope kScope{"v.service", "", kHost};

ExecCommand command(std::string_view value) {
  auto commands = parse_exec_line(value, kScope);
  REQUIRE(commands);
  REQUIRE(commands->size() == 1);
  return std::move(commands->front());
}

Words expanded(std::string_view value, const Environment& environment) {
  return expand_argv(command(value), environment);
}

Words warnings_of(std::string_view value) {
  Words warnings;
  CHECK(parse_exec_line(value, kScope, &warnings));
  return warnings;
}

}  // namespace

TEST_CASE("command lines give the arguments that systemd's own loader gives", "[unit][exec_line]") {
  for (const test::Row& row : test::read_vectors("exec")) {
    const auto commands = parse_exec_line(row.at(0), kScope);
    std::string given = commands ? "" : "!";
    if (commands) {
      for (const ExecCommand& c : *commands) {
        if (&c != &commands->front()) given += '\x1e';
        for (const std::string& word : c.argv) given += word + '\x1f';
      }
    }
    CAPTURE(row.at(0));
    CHECK(given == row.at(1));
  }
}

TEST_CASE("each prefix has its meaning and may stand in any order", "[unit][exec_line]") {
  CHECK(command("-/bin/a").ignore_failure);
  CHECK(command(":/bin/a").no_env_expand);
  CHECK(command("+/bin/a").full_privileges);
  CHECK(command("!/bin/a").no_setuid);
  const ExecCommand magic = command("!!/bin/a");
  CHECK(magic.ambient_magic);
  CHECK_FALSE(magic.no_setuid);
  const ExecCommand all = command("-:@+/bin//a zero one");
  CHECK(all == command("+@:-/bin//a zero one"));
  CHECK(all.path == "/bin/a");
  CHECK(all.argv == Words{"zero", "one"});
  CHECK((all.ignore_failure && all.no_env_expand && all.full_privileges && all.argv0_given));
  CHECK(command("/bin/a") == ExecCommand{"/bin/a", {"/bin/a"}});
}

TEST_CASE("argv[0] is the path as written, the path itself is simplified", "[unit][exec_line]") {
  CHECK(command("/bin//./true").path == "/bin/true");
  CHECK(command("/bin//./true").argv == Words{"/bin//./true"});
  CHECK(command("true x").path == "true");
}

TEST_CASE("what systemd only warns of is told and costs no more than it must",
          "[unit][exec_line]") {
  CHECK(warnings_of("/bin/a \\q") == Words{"unknown escape \"\\q\" kept as it is: \"\\\\q\""});
  CHECK(warnings_of("/bin/a ; -bad/") == Words{"\"bad/\" is a directory, not a command"});
  CHECK(warnings_of("\"/bin/a") == Words{"expected a closing \""});
  CHECK(warnings_of("-/bin/a %Z") == Words{"unknown specifier %Z; a percent sign is written %%"});
  CHECK(warnings_of("/bin/a ; /bin/b").empty());
}

TEST_CASE("an error says what was expected", "[unit][exec_line]") {
  CHECK(parse_exec_line("bin/true", kScope).error() ==
        "expected an absolute path or a bare name, not \"bin/true\"");
  CHECK(parse_exec_line("@/bin/true", kScope).error() ==
        "expected argv[0] after a command with \"@\"");
  CHECK(parse_exec_line("/bin/a 'b", kScope).error() == "expected a closing '");
}

TEST_CASE("the manual's examples expand as the manual says", "[unit][exec_line]") {
  const Environment first({"ONE=one", "TWO=two two"});
  CHECK(expanded("echo $ONE $TWO ${TWO}", first) == Words{"echo", "one", "two", "two", "two two"});
  const Environment second({"ONE=one", "TWO='two two' too", "THREE="});
  CHECK(expanded("/bin/echo ${ONE} ${TWO} ${THREE}", second) ==
        Words{"/bin/echo", "one", "'two two' too", ""});
  CHECK(expanded("/bin/echo $ONE $TWO $THREE", second) ==
        Words{"/bin/echo", "one", "two two", "too"});
}

TEST_CASE("variables expand in every position as systemd 252 has it", "[unit][exec_line]") {
  const Environment environment({"A=a", "S=x  y", "Q=\"open", "B=\\\\ b", "D=$A", "E="});
  struct {
    const char* word;
    Words argv;
  } const table[] = {
      {"$A", {"a"}},
      {"${A}", {"a"}},
      {"x${A}y", {"xay"}},
      {"${A}${S}", {"ax  y"}},
      {"x$A", {"x$A"}},
      {"$Ax", {}},
      {"$A/b", {}},
      {"$NONE", {}},
      {"${NONE}", {""}},
      {"$S", {"x", "y"}},
      {"${S}", {"x  y"}},
      {"$Q", {"open"}},
      {"$B", {"\\", "b"}},
      {"$D", {"$A"}},
      {"${D}", {"$A"}},
      {"$E", {}},
      {"${E}", {""}},
      {"$$", {"$"}},
      {"$$A", {"$A"}},
      {"$$$$", {"$$"}},
      {"$${A}", {"${A}"}},
      {"$$${A}", {"$a"}},
      {"x$", {"x$"}},
      {"$", {}},
      {"x$y$$z", {"x$y$z"}},
      {"${A", {"${A"}},
      {"x${A y${A}", {"x${A", "ya"}},
      {"${}", {""}},
      {"$(date)", {}},
      {"x$(date)", {"x$(date)"}},
      {"$${HOST:+--address}", {"${HOST:+--address}"}},
      {"${A:-b}", {""}},
      {"'$A'", {"a"}},
      {"'$A b'", {}},
      {"\"x $A\"", {"x $A"}},
  };
  for (const auto& row : table) {
    CAPTURE(row.word);
    Words argv = {"/bin/echo"};
    argv.insert(argv.end(), row.argv.begin(), row.argv.end());
    CHECK(expanded("/bin/echo " + std::string(row.word), environment) == argv);
  }
}

TEST_CASE("a colon switches the expansion off", "[unit][exec_line]") {
  CHECK(expanded(":/bin/echo $A ${A} $$", Environment({"A=a"})) ==
        Words{"/bin/echo", "$A", "${A}", "$$"});
}
