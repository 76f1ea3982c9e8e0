#include "cli/wall.h"

#include <utmp.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using namespace test;

std::string record(short type, const char* line) {
  utmp entry{};
  entry.ut_type = type;
  std::strncpy(entry.ut_line, line, sizeof entry.ut_line - 1);
  return {reinterpret_cast<const char*>(&entry), sizeof entry};
}

TEST_CASE("terminals are those of sessions, each once, and none outside of /dev", "[cli][wall]") {
  const std::string bytes = record(BOOT_TIME, "~") + record(USER_PROCESS, "pts/0") +
                            record(USER_PROCESS, "tty1") + record(DEAD_PROCESS, "pts/1") +
                            record(USER_PROCESS, "pts/0") + record(USER_PROCESS, "../etc/x") +
                            record(USER_PROCESS, "/dev/sda") + "cut short";
  CHECK(session_terminals(bytes) == std::vector<std::string>{"/dev/pts/0", "/dev/tty1"});
}

TEST_CASE("who is logged in is told before the system ends, with the reason", "[cli][wall]") {
  CliWorld world;
  world.files.add("/run/utmp", record(USER_PROCESS, "pts/0"));
  world.manager.reply(json::object());
  CHECK(world.run({"reboot", "--message=new kernel\x1b"}) == 0);
  CHECK(world.manager.asked().at(0)["parameters"]["message"] == "new kernel\x1b");
  const std::string& told = world.machine.told["/dev/pts/0"];
  CHECK(told.starts_with("\r\nBroadcast message from root@box ("));
  CHECK(told.ends_with("\r\n\r\nnew kernel\\x1b\r\nThe system will reboot now!\r\n\r\n"));
}

struct WallRow {
  std::string program;
  std::vector<std::string> words;
  const char* end;  ///< of what is told; null: nothing
};

TEST_CASE("--no-wall, a user's manager and other ends tell nobody", "[cli][wall]") {
  const WallRow rows[] = {
      {"systemctl", {"poweroff"}, "The system will power off now!\r\n\r\n"},
      {"systemctl", {"poweroff", "--no-wall"}, nullptr},
      {"systemctl", {"exit"}, nullptr},
      {"poweroff", {"--no-wall"}, nullptr},
      {"shutdown",
       {"-r", "now", "back", "soon"},
       "back soon\r\nThe system will reboot now!\r\n\r\n"},
      {"shutdown", {"-k", "now", "only", "words"}, "):\r\n\r\nonly words\r\n\r\n"},
  };
  for (const WallRow& row : rows) {
    CAPTURE(row.program, row.words);
    CliWorld world;
    world.files.add("/run/utmp", record(USER_PROCESS, "pts/0"));
    world.manager.reply(json::object());
    CHECK(world.run(row.words, row.program) == 0);
    CHECK(world.machine.told.empty() == (row.end == nullptr));
    if (row.end != nullptr) CHECK(world.machine.told["/dev/pts/0"].ends_with(row.end));
  }
}

TEST_CASE("with --force twice the system ends without a manager", "[cli][power]") {
  CliWorld world;
  CHECK(world.run({"reboot", "-ff"}) == 0);
  CHECK(world.machine.ended == "reboot");
  CHECK(world.run({"-f", "-f"}, "halt") == 0);
  CHECK(world.machine.ended == "halt");
  CHECK(world.manager.asked().empty());
}

}  // namespace
}  // namespace onset
