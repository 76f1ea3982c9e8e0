// The manager's environment on the command line.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using test::CliWorld;
using test::json;

TEST_CASE("show-environment prints what a shell reads again", "[cli][environment]") {
  CliWorld world;
  const json values = {"PATH=/bin:/sbin", "A=", "B=x y", "C=it's \\ $HOME", "D=a\nb", "E=\u00e9"};
  world.manager.reply({{"environment", values}});
  CHECK(world.run({"show-environment"}) == 0);
  CHECK(world.out.text ==
        "PATH=/bin:/sbin\nA=\nB=$'x y'\nC=$'it\\'s \\\\ $HOME'\nD=$'a\\nb'\nE=\u00e9\n");
}

TEST_CASE("set-environment and unset-environment tell what is no variable", "[cli][environment]") {
  CliWorld world;
  world.manager.connection();
  world.manager.reply(json::object());
  CHECK(world.run({"set-environment", "A=1", "B="}) == 0);
  CHECK(world.manager.asked().at(0)["parameters"] == json{{"set", {"A=1", "B="}}});
  CHECK(world.run({"set-environment", "A"}) == 1);
  CHECK(world.err.text == "Failed to set environment: 'A' is no VARIABLE=VALUE.\n");
  CHECK(world.run({"unset-environment", "1A"}) == 1);
  CHECK(world.err.text == "Failed to unset environment: '1A' is no name of a variable.\n");
}

TEST_CASE("import-environment takes what its own environment has", "[cli][environment]") {
  CliWorld world;
  world.context.environment = {{"DISPLAY", ":0"}, {"BASH_FUNC_x%%", "() { :; }"}};
  world.manager.reply(json::object());
  CHECK(world.run({"import-environment", "DISPLAY", "XAUTHORITY"}) == 0);
  CHECK(world.err.text == "Environment variable $XAUTHORITY not set, ignoring.\n");
  CHECK(world.manager.asked().at(0)["parameters"] == json{{"set", {"DISPLAY=:0"}}});
  CHECK(world.run({"import-environment", "a b"}) == 1);
  CHECK(world.err.text == "Not a valid environment variable name: a b\n");
}

TEST_CASE("import-environment without names takes what is valid", "[cli][environment]") {
  CliWorld world;
  world.context.environment = {{"DISPLAY", ":0"}, {"BASH_FUNC_x%%", "() { :; }"}};
  world.manager.reply(json::object());
  CHECK(world.run({"import-environment"}) == 0);
  CHECK(world.manager.asked().at(0)["parameters"] == json{{"set", {"DISPLAY=:0"}}});
}

TEST_CASE("log-level and log-target print or change", "[cli][environment]") {
  CliWorld world;
  world.manager.reply({{"properties", {{"LogLevel", "info"}, {"LogTarget", "kmsg"}}}});
  CHECK(world.run({"log-target"}) == 0);
  CHECK(world.out.text == "kmsg\n");
  CliWorld other;
  other.manager.reply(json::object());
  CHECK(other.run({"log-level", "debug"}) == 0);
  CHECK(other.manager.asked().at(0)["parameters"] == json{{"level", "debug"}});
}

}  // namespace
}  // namespace onset
