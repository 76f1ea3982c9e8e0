#include "cli/transient_call.h"

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"
#include "unit/exec_line.h"

using namespace onset;

namespace {

Result<TransientCall, std::string> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "systemd-run");
  return parse_transient(words);
}

std::string wrong(std::vector<std::string> words) {
  const auto call = parse(std::move(words));
  return call ? std::string("taken") : call.error();
}

std::string text_of(std::vector<std::string> words, const char* name) {
  const auto call = parse(std::move(words));
  REQUIRE(call.ok());
  const auto text = transient_text(*call, {name, 42, {}});
  return text ? *text : text.error();
}

}  // namespace

TEST_CASE("options of systemd-run end with the command", "[cli][transient]") {
  const auto call = parse({"-qG", "--unit", "u", "-pTasksMax=5", "--property=Nice=1", "-E", "A=b",
                           "--slice=s", "-d", "ls", "--wait", "-p"});
  REQUIRE(call.ok());
  CHECK(call->quiet);
  CHECK(call->collect);
  CHECK(call->unit == "u");
  CHECK(call->properties == std::vector<std::string>{"TasksMax=5", "Nice=1"});
  CHECK(call->environment == std::vector<std::string>{"A=b"});
  CHECK(call->same_directory);
  CHECK_FALSE(call->wait);
  CHECK(call->command == std::vector<std::string>{"ls", "--wait", "-p"});
  CHECK(parse({"--", "-x"})->command == std::vector<std::string>{"-x"});
}

TEST_CASE("what contradicts, or is not known, is refused", "[cli][transient]") {
  CHECK(wrong({}) == "Command line to execute required.");
  CHECK(wrong({"--unit"}) == "--unit needs a value.");
  CHECK(wrong({"--wait=1", "ls"}) == "--wait takes no value.");
  CHECK(wrong({"--nothing", "ls"}) == "systemd-run: unrecognized option '--nothing'");
  CHECK(wrong({"--wait", "--no-block", "ls"}) == "--wait may not be combined with --no-block.");
  CHECK(wrong({"--scope", "--wait", "ls"}) == "--wait may not be combined with --scope.");
  CHECK(wrong({"--scope", "-r", "ls"}).find("not supported in --scope mode") != std::string::npos);
  for (const char* option : {"--on-calendar=daily", "--on-boot=1", "-t", "--pty", "-S", "-Mx"}) {
    INFO(option);
    CHECK(wrong({option, "ls"}).ends_with(" is not supported yet."));
  }
}

TEST_CASE("the unit file says what the options say", "[cli][transient]") {
  CHECK(text_of(
            {"--description=50% done", "-G", "--slice=my", "--uid=nobody", "--nice=3", "-E",
             "A=b c", "-p", "MemoryMax=1M", "-p", "OnFailure=x.service", "/bin/echo", "a b", "%n"},
            "t.service") ==
        "# Made by systemd-run; it goes with the unit.\n[Unit]\nDescription=50%% done\n"
        "CollectMode=inactive-or-failed\nOnFailure=x.service\n\n[Service]\nSlice=my.slice\n"
        "User=nobody\nNice=3\nEnvironment=\"A=b c\"\nExecStart=/bin/echo \"a b\" \"%%n\"\n"
        "MemoryMax=1M\n");
  CHECK(text_of({"--scope", "-p", "RuntimeMaxSec=1min", "sh"}, "t.scope") ==
        "# Made by systemd-run; it goes with the unit.\n[Unit]\nDescription=sh\n\n[Scope]\n"
        "RuntimeMaxSec=1min\n");
  CHECK(text_of({"-P", "/bin/cat"}, "t.service").find("StandardInput=file:/proc/42/fd/0\n") !=
        std::string::npos);
  CHECK(text_of({"-p", "Nonsense=1", "ls"}, "t.service") == "Unknown assignment: Nonsense=1");
  CHECK(text_of({"-p", "Nice=1\nUser=root", "ls"}, "t.service") == "A value has to be one line.");
  CHECK(text_of({"--slice=a/b", "ls"}, "t.service").find("Slice=a-b.slice") != std::string::npos);
}

TEST_CASE("a word of the command is that word again for the service", "[cli][transient]") {
  for (const char* word : {"a", "", "a b", "it's", "\"", "\\n", "a\nb", "%n", ";", "é", "-x=\t"}) {
    INFO(word);
    const auto loaded = test::load_service("ExecStart=/bin/echo " + exec_word(word));
    const auto& commands = loaded.unit->service->commands(ExecRole::Start);
    REQUIRE(!commands.empty());
    CHECK(commands.back().argv.back() == word);
  }
}

TEST_CASE("a property with a wrong value is refused", "[cli][transient]") {
  const std::string said = text_of({"-p", "MemoryMax=bogus", "true"}, "a.service");
  CHECK(said.starts_with("MemoryMax=bogus: expected a size"));
  CHECK(said.find("expected expected") == std::string::npos);
}
