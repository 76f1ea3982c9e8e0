// Exit statuses and words of whole commands.
#include <catch2/catch.hpp>

#include "base/format.h"
#include "cli/verbs.h"
#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using test::CliWorld;
using test::json;
using test::outcome;
using test::properties_reply;
using test::unit_reply;
using test::units_reply;

struct StateRow {
  const char* verb;
  const char* active;
  const char* load;
  int status;
};

TEST_CASE("is-active and is-failed tell a script by their exit status", "[cli][run]") {
  const StateRow rows[] = {
      {"is-active", "active", "loaded", 0},     {"is-active", "reloading", "loaded", 0},
      {"is-active", "inactive", "loaded", 3},   {"is-active", "failed", "loaded", 3},
      {"is-active", "activating", "loaded", 3}, {"is-active", "inactive", "not-found", 3},
      {"is-active", "active", "not-found", 0},  {"is-failed", "failed", "loaded", 0},
      {"is-failed", "active", "loaded", 1},     {"is-failed", "inactive", "not-found", 1},
  };
  for (const StateRow& row : rows) {
    CAPTURE(row.verb, row.active, row.load);
    CliWorld world;
    world.manager.reply(properties_reply({{{"ActiveState", row.active}}}));
    CHECK(world.run({row.verb, "a"}) == row.status);
    CHECK(world.out.text == std::string(row.active) + "\n");
    CHECK(world.manager.asked().at(0)["parameters"]["units"] == json{"a.service"});
  }
}

json queued_job(int id, const char* unit, const char* state) {
  return {{"id", id}, {"unit", unit}, {"type", "start"}, {"state", state}};
}

/// The rows of systemctl 252: "blocking job" of --after, "waiting for job" of --before.
TEST_CASE("list-jobs tells what waits for each job and what it waits for", "[cli][run]") {
  const json jobs = {queued_job(1, "a.service", "running"), queued_job(2, "b.target", "waiting"),
                     queued_job(3, "c.service", "waiting")};
  const json order = {{{"job", 2}, {"waits_for", 1}},
                      {{"job", 2}, {"waits_for", 3}},
                      {{"job", 3}, {"waits_for", 1}}};
  const std::string blocking =
      "└─  \tblocking job 2 (b.target/start)     -     -\n"
      "└─  \tblocking job 3 (c.service/start)    -     -\n";
  const std::string waiting = "└─  \twaiting for job 1 (a.service/start) -     -\n";
  const auto run = [&](std::vector<std::string> words) {
    CliWorld world;
    world.manager.reply({{"jobs", jobs}, {"order", order}});
    words.insert(words.begin(), "list-jobs");
    CHECK(world.run(words) == 0);
    CHECK(world.manager.asked().at(0)["parameters"] == json{{"order", true}});
    return world.out.text;
  };
  CHECK(run({"--after", "--before", "a.service", "c.service"}) ==
        "JOB UNIT                                 TYPE  STATE\n"
        "1   a.service                            start running\n" +
            blocking + "3   c.service                            start waiting\n" +
            "└─  \tblocking job 2 (b.target/start)     -     -\n" + waiting + "\n2 jobs listed.\n");
  CHECK(run({"--before", "--no-legend", "c.service"}) ==
        "3  c.service                            start waiting\n"
        "└─ \twaiting for job 1 (a.service/start) -     -\n");
  CHECK(run({"--after", "--no-legend", "c.service"}) ==
        "3  c.service                        start waiting\n"
        "└─ \tblocking job 2 (b.target/start) -     -\n");
  const json shown = json::parse(run({"--after", "--json=short"}));
  CHECK(shown[0] == json{{"job", 1},
                         {"unit", "a.service"},
                         {"type", "start"},
                         {"state", "running"},
                         {"blocking", {2, 3}}});
  CHECK(shown[1]["blocking"].empty());
  CHECK_FALSE(shown[0].contains("waiting_for"));
}

TEST_CASE("kill fails by --fail and --job-mode=fail where nothing runs", "[cli][run]") {
  for (const char* option : {"--fail", "--job-mode=fail"}) {
    CliWorld world;
    world.manager.fail("KillFailed", {{"unit", "a.service"}, {"message", "No matching processes"}});
    CHECK(world.run({"kill", option, "a"}) == 1);
    CHECK(world.err.text == "Failed to kill unit a.service: No matching processes\n");
    CHECK(world.manager.asked().at(0)["parameters"]["fail"] == true);
  }
}

TEST_CASE("stop takes what triggers the unit along with --job-mode=triggering", "[cli][run]") {
  CliWorld world;
  world.manager.reply(properties_reply({{{"TriggeredBy", "a.timer a.path"}}}));
  world.manager.reply(
      properties_reply({{{"ActiveState", "active"}}, {{"ActiveState", "inactive"}}}));
  world.manager.reply({{"jobs", json::array()}});
  CHECK(world.run({"stop", "--job-mode=triggering", "a"}) == 0);
  CHECK(world.manager.asked().at(2)["parameters"]["units"] == json({"a.service", "a.timer"}));
  CHECK(world.run({"start", "--job-mode=triggering", "a"}) == 1);
  CHECK(world.err.text.starts_with(
      "Failed to start a.service: --job-mode=triggering is only valid for stop.\nSee "));
}

TEST_CASE("a name that no unit can have is escaped, and that is told", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"jobs", json::array()}});
  CHECK(world.run({"start", "a/b"}) == 0);
  CHECK(world.err.text ==
        "Invalid unit name \"a/b\" escaped as \"a-b\" (maybe you should use systemd-escape?).\n");
  CHECK(world.manager.asked().at(0)["parameters"]["units"] == json{"a-b.service"});
}

TEST_CASE("how a job ends counts for more than a refusal", "[cli][run]") {
  CliWorld world;
  json refused = outcome("none.service", nullptr, "Unit none.service not found.");
  refused["error"] = "io.onset.Manager.NoSuchUnit";
  world.manager.reply({{"jobs", {refused, outcome("a.service", "failed")}}});
  CHECK(world.run({"start", "none", "a"}) == 1);
}

TEST_CASE("a thousand units are asked for with one call", "[cli][run]") {
  for (const char* verb : {"status", "help", "cat", "show", "is-active", "is-failed"}) {
    CAPTURE(verb);
    CliWorld world;
    const json answer = {{"unit", {{"load", "masked"}}}, {"properties", json::object()}};
    world.manager.reply({{"units", std::vector<json>(1000, answer)}});
    std::vector<std::string> words{verb};
    for (int i = 0; i < 1000; ++i) words.push_back("u" + std::to_string(i));
    (void)world.run(words);
    const auto asked = world.manager.asked();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0]["more"] == true);
    CHECK(asked[0]["parameters"]["units"].size() == 1000);
  }
}

TEST_CASE("the dependencies of a thousand units are asked for with one call", "[cli][run]") {
  CliWorld world;
  const auto walked = [&](const char* unit, std::vector<json> edges, bool continues) {
    world.manager.reply({{"unit", unit}, {"edges", std::move(edges)}}, continues);
  };
  walked("u0.service", {{{"to", "x.service"}}, {{"to", "u1.service"}}}, true);
  walked("u0.service", {{{"to", "y.service"}}}, true);
  walked("u1.service", {{{"to", "x.service"}}}, true);
  walked("u2.service", {}, false);
  world.manager.reply({{"units", json::array()}});
  std::vector<std::string> words{"is-active", "--with-dependencies"};
  for (int i = 0; i < 1000; ++i) words.push_back("u" + std::to_string(i));
  (void)world.run(words);
  const auto asked = world.manager.asked();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0]["method"] == "io.onset.Manager.ListDependencies");
  CHECK(asked[0]["more"] == true);
  CHECK(asked[0]["parameters"]["units"].size() == 1000);
  CHECK(asked[1]["parameters"]["units"] ==
        json{"u0.service", "x.service", "u1.service", "y.service", "u2.service"});
}

TEST_CASE("a unit of several that is no unit ends status with 4", "[cli][run]") {
  CliWorld world;
  json reply = units_reply({unit_reply("a.service", "active"), unit_reply("b.service", "active")});
  reply["units"][1] = {{"asked", "b@.service"}, {"unit", nullptr}, {"message", "no\x1binstance"}};
  world.manager.reply(reply);
  CHECK(world.run({"status", "a", "b@"}) == 4);
  CHECK(world.out.text.starts_with("● a.service\n"));
  CHECK(world.err.text == "Failed to get the status of b@.service: no\\x1binstance\n");
}

TEST_CASE("without a name status and show take the units that a filter leaves", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"units", {{{"name", "a.service"}}}}});
  world.manager.reply(units_reply({unit_reply("a.service", "failed")}));
  CHECK(world.run({"status", "--failed"}) == 3);
  CHECK(world.out.text.starts_with("× a.service\n"));
  CHECK(world.manager.asked().at(0)["parameters"]["states"] == json{"failed"});

  CliWorld shows;
  shows.manager.reply({{"units", {{{"name", "a.target"}}, {{"name", "b.target"}}}}});
  shows.manager.reply(properties_reply({{{"Id", "a.target"}}, {{"Id", "b.target"}}}));
  CHECK(shows.run({"show", "-t", "target", "-pId"}) == 0);
  CHECK(shows.out.text == "Id=a.target\n\nId=b.target\n");
}

TEST_CASE("a number is a job of which show has four properties", "[cli][run]") {
  CliWorld world;
  const json job = {{"id", 7}, {"unit", "a.service"}, {"type", "start"}, {"state", "running"}};
  world.manager.reply({{"jobs", {job}}});
  CHECK(world.run({"show", "7"}) == 0);
  CHECK(world.out.text == "Id=7\nUnit=a.service\nJobType=start\nState=running\n");
  world.manager.connection();
  world.manager.reply({{"jobs", {job}}});
  CHECK(world.run({"show", "8"}) == 1);
  CHECK(world.err.text == "Failed to get properties: Job 8 does not exist.\n");
}

struct LegendRow {
  std::vector<std::string> options;
  const char* text;
};

TEST_CASE("the hints of list-units depend on what was asked for", "[cli][run]") {
  const char* const files = "To show all installed unit files use 'systemctl list-unit-files'.\n";
  const LegendRow rows[] = {
      {{}, "0 loaded units listed. Pass --all to see loaded but inactive units, too.\n"},
      {{"--all"}, "0 loaded units listed.\n"},
      {{"--state=inactive"}, "0 loaded units listed.\n"},
      {{"--failed"}, "0 loaded units listed.\n"},
  };
  for (const LegendRow& row : rows) {
    CAPTURE(row.options);
    CliWorld world;
    world.manager.reply({{"units", json::array()}});
    std::vector<std::string> words = row.options;
    words.emplace_back("list-units");
    CHECK(world.run(words) == 0);
    const bool has_files = row.options != std::vector<std::string>{"--failed"};
    CHECK(world.out.text == std::string("  UNIT LOAD ACTIVE SUB DESCRIPTION\n") + row.text +
                                (has_files ? files : ""));
  }
  CliWorld quiet;
  quiet.manager.reply({{"units", json::array()}});
  CHECK(quiet.run({"list-units", "-q"}) == 0);
  CHECK(quiet.out.text.empty());
}

TEST_CASE("list-units as JSON has the columns of the table by systemctl's names", "[cli][run]") {
  const json unit = {{"name", "a.service"}, {"load", "loaded"},   {"active", "active"},
                     {"sub", "running"},    {"description", "A"}, {"job_type", ""}};
  json row = {{"unit", "a.service"},
              {"load", "loaded"},
              {"active", "active"},
              {"sub", "running"},
              {"description", "A"}};
  CliWorld world;
  world.manager.reply({{"units", {unit}}});
  CHECK(world.run({"list-units", "-o", "json"}) == 0);
  CHECK(json::parse(world.out.text) == json::array({row}));

  json starting = unit;
  starting["job_type"] = "start";
  row["job"] = "start";
  CliWorld busy;
  busy.manager.reply({{"units", {starting}}});
  CHECK(busy.run({"list-units", "--json=short"}) == 0);
  CHECK(json::parse(busy.out.text) == json::array({row}));
}

TEST_CASE("a pattern matches units of the types and states asked for", "[cli][run]") {
  for (const char* verb : {"status", "show"}) {
    CAPTURE(verb);
    CliWorld world;
    world.manager.reply({{"units", json::array()}});
    (void)world.run({verb, "-t", "service", "--state=failed", "a*"});
    const json asked = world.manager.asked().at(0)["parameters"];
    CHECK(asked["types"] == json::array({"service"}));
    CHECK(asked["states"] == json::array({"failed"}));
  }
}

TEST_CASE("one active unit among several is enough", "[cli][run]") {
  CliWorld world;
  world.manager.reply(
      properties_reply({{{"ActiveState", "inactive"}}, {{"ActiveState", "active"}}}));
  CHECK(world.run({"is-active", "--quiet", "a", "b"}) == 0);
  CHECK(world.out.text.empty());
}

TEST_CASE("status exits with LSB's status and lays nothing out for an unknown unit", "[cli][run]") {
  const StateRow rows[] = {{"status", "active", "loaded", 0},
                           {"status", "inactive", "loaded", 3},
                           {"status", "failed", "loaded", 3},
                           {"status", "activating", "loaded", 3},
                           {"status", "inactive", "not-found", 4}};
  for (const StateRow& row : rows) {
    CAPTURE(row.active, row.load);
    CliWorld world;
    world.manager.reply(units_reply({unit_reply("a.service", row.active, row.load)}));
    CHECK(world.run({"status", "a"}) == row.status);
    CHECK(world.out.text.empty() == (row.status == 4));
  }
}

struct RefusalRow {
  const char* verb;
  const char* error;
  int status;
};

TEST_CASE("a refused job exits as systemctl does", "[cli][run]") {
  const RefusalRow rows[] = {
      {"start", "NoSuchUnit", 5},      {"stop", "NoSuchUnit", 5},
      {"start", "UnitNotLoadable", 1}, {"start", "TransactionFailed", 1},
      {"start", "NotApplicable", 4},   {"reload", "NotApplicable", 3},
      {"start", "JobsConflict", 4},    {"isolate", "NotApplicable", 4},
      {"restart", "ShuttingDown", 1},  {"start", "NotSupported", 3},
  };
  for (const RefusalRow& row : rows) {
    CAPTURE(row.verb, row.error);
    CliWorld world;
    world.manager.fail(row.error, {{"unit", "a.service"}, {"message", "Unit a.service: no."}});
    CHECK(world.run({row.verb, "a.service"}) == row.status);
    CHECK(world.err.text.find("Unit a.service: no.\n") != std::string::npos);
  }
}

TEST_CASE("start waits for its jobs and says why one failed", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"jobs", {outcome("a.service", nullptr), outcome("b.service", nullptr)}}},
                      true);
  world.manager.reply({{"jobs", {outcome("b.service", "done")}}}, true);
  world.manager.reply({{"jobs", {outcome("a.service", "failed", "main process exited")}}});
  CHECK(world.run({"start", "a", "b"}) == 1);
  CHECK(world.err.text ==
        "Job for a.service failed.\n"
        "a.service: main process exited\n"
        "See \"systemctl status a.service\" for details.\n");
  const json call = world.manager.asked().at(0);
  CHECK(call["method"] == "io.onset.Manager.Enqueue");
  CHECK(call["more"] == true);
  CHECK(call["parameters"] == json({{"units", {"a.service", "b.service"}},
                                    {"type", "start"},
                                    {"mode", "replace"},
                                    {"wait", true}}));
}

struct EndRow {
  const char* result;
  int status;
};

TEST_CASE("each way for a job to end has its exit status", "[cli][run]") {
  const EndRow rows[] = {{"done", 0},      {"skipped", 0}, {"canceled", 1},   {"timeout", 1},
                         {"failed", 1},    {"invalid", 1}, {"dependency", 1}, {"assert", 1},
                         {"collected", 1}, {"once", 1},    {"unsupported", 1}};
  for (const EndRow& row : rows) {
    CAPTURE(row.result);
    CliWorld world;
    world.manager.reply({{"jobs", {outcome("a.service", row.result)}}});
    CHECK(world.run({"start", "a"}) == row.status);
    CHECK(world.err.text.empty() == (row.status == 0));
  }
}

TEST_CASE("--no-block asks for no wait, --job-mode= is passed on", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"jobs", {outcome("a.service", nullptr)}}});
  CHECK(world.run({"start", "--no-block", "--job-mode=fail", "a"}) == 0);
  const json call = world.manager.asked().at(0);
  CHECK(call["parameters"]["wait"] == false);
  CHECK(call["parameters"]["mode"] == "fail");
}

TEST_CASE("start --wait lasts until the unit has ended, and fails as it did", "[cli][run]") {
  CliWorld world;
  world.manager.connection();
  world.manager.reply(units_reply({unit_reply("a.service", "inactive")}));
  world.manager.reply({{"jobs", {outcome("a.service", "done")}}});
  world.manager.reply(units_reply({unit_reply("a.service", "active")}));
  world.manager.connection();  // the subscription, made before the job
  world.manager.reply({{"event", "subscribed"}, {"unit", nullptr}}, true);
  world.manager.reply({{"event", "unit"},
                       {"unit", {{"name", "a.service"}, {"active", "active"}, {"job", nullptr}}}},
                      true);
  world.manager.reply({{"event", "unit"},
                       {"unit", {{"name", "a.service"}, {"active", "failed"}, {"job", nullptr}}}},
                      true);
  CHECK(world.run({"start", "--wait", "a"}) == 1);
}

TEST_CASE("a manager that goes away in the middle is an error", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"jobs", {outcome("a.service", nullptr)}}}, true);
  world.manager.close();
  CHECK(world.run({"start", "a"}) == 1);
  CHECK(world.err.text.find("a.service") != std::string::npos);
}

TEST_CASE("a reply of the wrong shape breaks nothing", "[cli][run]") {
  for (const json& reply :
       {json::object(), json({{"unit", 7}}), json({{"unit", {{"name", 1}, {"dropins", "x"}}}}),
        json({{"jobs", {1, nullptr}}}), json({{"units", "x"}}), json({{"edges", {{}}}}),
        json({{"properties", {{"Id", 5}}}})}) {
    for (const char* verb : {"status", "is-active", "show", "start", "list-units", "list-jobs",
                             "list-dependencies", "is-system-running", "cancel"}) {
      CAPTURE(reply.dump(), verb);
      CliWorld world;
      world.manager.reply(reply);
      world.manager.close();
      std::vector<std::string> words{verb};
      if (verb[0] == 's' || std::string_view(verb) == "is-active") words.emplace_back("a");
      const int status = world.run(words);
      CHECK(status >= 0);
      CHECK(status <= 5);
    }
  }
}

TEST_CASE("without a manager a command says so and exits 1", "[cli][run]") {
  for (const char* verb : {"start", "status", "list-units", "is-active", "show", "kill"}) {
    CAPTURE(verb);
    CliWorld world;
    CHECK(world.run({verb, "a"}) == (std::string_view(verb) == "status" ? 4 : 1));
    CHECK(world.err.text.find("No onset manager is running here") != std::string::npos);
  }
  CliWorld world;
  CHECK(world.run({"is-system-running"}) == 1);
  CHECK(world.out.text == "offline\n");
}

TEST_CASE("in a chroot a maintainer script's calls are no failure", "[cli][run]") {
  for (const char* verb : {"start", "stop", "restart", "is-active", "status", "show", "kill"}) {
    CAPTURE(verb);
    CliWorld world;
    world.context.is_chroot = true;
    CHECK(world.run({verb, "a"}) == 0);
    CHECK(world.err.text == "Running in chroot, ignoring command '" + std::string(verb) + "'\n");
  }
  CliWorld world;
  world.context.is_chroot = true;
  CHECK(world.run({"daemon-reload"}) == 0);
  world.context.environment["SYSTEMD_IGNORE_CHROOT"] = "1";
  CHECK(world.run({"daemon-reload"}) == 1);
}

TEST_CASE("what is not understood exits 1 with a line", "[cli][run]") {
  CliWorld world;
  CHECK(world.run({"frobnicate"}) == 1);
  CHECK(world.err.text == "Unknown command verb frobnicate.\n");
  CHECK(world.run({"--frobnicate"}) == 1);
  CHECK(world.err.text == "systemctl: unrecognized option '--frobnicate'\n");
  CHECK(world.run({"start"}) == 1);
  CHECK(world.err.text == "Too few arguments.\n");
  CHECK(world.run({"daemon-reload", "now"}) == 1);
  CHECK(world.err.text == "Too many arguments.\n");
  CHECK(world.run({"start", "--signal=WALDO", "a"}) == 1);
  CHECK(world.run({"start", "a/../\n"}) == 1);
}

TEST_CASE("the version is in the form that maintainer scripts read", "[cli][run]") {
  CliWorld world;
  CHECK(world.run({"--version"}) == 0);
  CHECK(world.out.text.starts_with("systemd 252 ("));
}

TEST_CASE("help names every verb that is no alias", "[cli][run]") {
  CliWorld world;
  CHECK(world.run({"--help"}) == 0);
  for (const VerbRow& row : verb_table()) {
    CAPTURE(row.name);
    const bool is_listed =
        world.out.text.find("\n  " + std::string(row.name) + " ") != std::string::npos;
    CHECK(is_listed == (row.group != VerbGroup::Hidden));
    CHECK(row.min <= row.max);
    CHECK(find_verb(row.name) == &row);
  }
}

TEST_CASE("a shell learns verbs and options from the same tables", "[cli][run]") {
  CliWorld world;
  CHECK(world.run({"complete", "verbs"}) == 0);
  CHECK(world.out.text.find("isolate targets\n") != std::string::npos);
  CHECK(world.out.text.find("condrestart") == std::string::npos);
  CHECK(world.run({"complete", "options"}) == 0);
  CHECK(world.out.text.find("--signal=\n") != std::string::npos);
  for (const OptionRow& row : option_table()) {
    if (row.name == nullptr) continue;
    CAPTURE(row.name);
    const std::string line =
        "--" + std::string(row.name) + (row.takes == Takes::Value ? "=\n" : "\n");
    CHECK((world.out.text.find(line) != std::string::npos) == (row.refusal == nullptr));
  }
  CHECK(world.run({"complete", "all"}) == 1);
}

TEST_CASE("a glob becomes the units that it matches", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"units", {{{"name", "a1.service"}}, {{"name", "a2.service"}}}}});
  world.manager.reply({{"jobs", {outcome("a1.service", "done"), outcome("a2.service", "done")}}});
  CHECK(world.run({"stop", "a*"}) == 0);
  const auto asked = world.manager.asked();
  CHECK(asked.at(0)["parameters"]["patterns"] == json({"a*"}));
  CHECK(asked.at(1)["parameters"]["units"] == json({"a1.service", "a2.service"}));
}

TEST_CASE("show prints what was asked for, times in words", "[cli][run]") {
  CliWorld world;
  const json properties = properties_reply({{{"Id", "a.service"},
                                             {"ActiveEnterTimestamp", "0"},
                                             {"StatusText", "one\x1b[31m"},
                                             {"ExecStart", "/bin/a\n/bin/b"},
                                             {"Following", ""}}});
  world.manager.reply(properties);
  CHECK(world.run({"show", "a"}) == 0);
  CHECK(world.out.text.find("Following") == std::string::npos);
  CHECK(world.out.text.find("StatusText=one\\x1b[31m\n") != std::string::npos);
  CHECK(world.out.text.find("ExecStart=/bin/a\nExecStart=/bin/b\n") != std::string::npos);
  CHECK(world.out.text.find("ActiveEnterTimestamp=Thu 1970-01-01 ") != std::string::npos);

  CliWorld narrow;
  narrow.manager.reply(properties);
  CHECK(narrow.run({"show", "-p", "Id,Following", "--value", "a"}) == 0);
  CHECK(narrow.out.text == "a.service\n\n");

  CliWorld nothing;
  nothing.manager.reply(properties);
  CHECK(nothing.run({"show", "--property=", "a"}) == 0);
  CHECK(nothing.out.text.empty());
}

TEST_CASE("lists of types that are not run are empty, with systemctl's legend", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"units", json::array()}});
  CHECK(world.run({"list-timers"}) == 0);
  CHECK(world.out.text ==
        "NEXT LEFT LAST PASSED UNIT ACTIVATES\n"
        "\n0 timers listed.\nPass --all to see loaded but inactive timers, too.\n");
  CHECK(world.manager.asked().at(0)["parameters"]["types"] == json{"timer"});
}

TEST_CASE("list-sockets has a column for types where they are asked for", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"units", json::array()}});
  CHECK(world.run({"list-sockets", "--show-types"}) == 0);
  CHECK(world.out.text.starts_with("LISTEN TYPE UNIT ACTIVATES\n"));
}

TEST_CASE("freeze and thaw name the unit that refuses", "[cli][run]") {
  CliWorld world;
  world.manager.reply(json::object());
  world.manager.fail("NotApplicable", {{"unit", "b.service"}, {"message", "Unit is inactive."}});
  CHECK(world.run({"freeze", "a", "b"}) == 1);
  CHECK(world.err.text == "Failed to freeze unit b.service: Unit is inactive.\n");
  CHECK(world.manager.asked().at(0)["method"] == "io.onset.Manager.Freeze");
}

TEST_CASE("a verb that is known and not done says so", "[cli][run]") {
  CliWorld world;
  CHECK(world.run({"mount-image", "a", "b"}) == 1);
  CHECK(world.err.text == "The verb 'mount-image' is known, but onset does not do it yet.\n");
}

TEST_CASE("set-property writes a drop-in for each setting", "[cli][run]") {
  CliWorld world;
  world.run({"--root=/r", "set-property", "a", "CPUWeight=20", "DeviceAllow=/dev/null r",
             "DeviceAllow=char-pts", "MemoryMax=50%"});
  const std::string folder = "/r/etc/systemd/system.control/a.service.d/";
  const std::string head =
      "# Made by \"set-property\"; a further one replaces this file.\n[Service]\n";
  CHECK(*world.files.read(folder + "50-CPUWeight.conf", 4096) == head + "CPUWeight=20\n");
  CHECK(*world.files.read(folder + "50-DeviceAllow.conf", 4096) ==
        head + "DeviceAllow=/dev/null r\nDeviceAllow=char-pts\n");
  CHECK(*world.files.read(folder + "50-MemoryMax.conf", 4096) == head + "MemoryMax=50%\n");
}

TEST_CASE("set-property --runtime writes below /run", "[cli][run]") {
  CliWorld world;
  world.run({"--root=/r", "--runtime", "set-property", "a.slice", "TasksMax=7"});
  CHECK(world.files.read("/r/run/systemd/system.control/a.slice.d/50-TasksMax.conf", 4096)
            ->ends_with("[Slice]\nTasksMax=7\n"));
}

TEST_CASE("set-property writes nothing where one of its settings is wrong", "[cli][run]") {
  CliWorld world;
  for (const char* wrong :
       {"CPUWeight=0", "ExecStart=/bin/x", "Nonsense=1", "CPUWeight", "Slice=b.slice"}) {
    INFO(wrong);
    CHECK(world.run({"--root=/r", "set-property", "a", "TasksMax=7", wrong}) == 1);
    CHECK(world.err.text.find("Failed to set unit properties on a.service: ") == 0);
    world.err.text.clear();
  }
  CHECK(world.run({"--root=/r", "set-property", "a.target", "TasksMax=7"}) == 1);
  CHECK_FALSE(world.files.read("/r/etc/systemd/system.control/a.service.d/50-TasksMax.conf", 4096));
}

class Typist final : public ProgramRunner {
 public:
  explicit Typist(test::MemoryFiles& files) : files_(files) {}
  Result<int> run(const std::vector<std::string>& argv) override {
    words = argv;
    if (argv.front() != "ed") return Failure{SysError{"posix_spawn", ENOENT}};
    seen = files_.read(argv.back(), 65536).ok() ? *files_.read(argv.back(), 65536) : "";
    (void)files_.write_file(argv.back(), types, 0644);
    return status;
  }
  std::string become(const Successor& successor) override {
    words = successor.argv;
    return "not here";
  }
  Result<std::string> read_input() override { return types; }
  std::vector<std::string> words;
  std::string seen;
  std::string types = "[Service]\nNice=1\n";
  int status = 0;

 private:
  test::MemoryFiles& files_;
};

TEST_CASE("edit writes what the editor leaves between its comments", "[cli][run][edit]") {
  const std::string unit = "/usr/lib/systemd/system/a.service";
  const std::string drop_in = "/etc/systemd/system/a.service.d/override.conf";
  CliWorld world;
  Typist typist(world.files);
  world.context.programs = &typist;
  world.context.is_tty = true;
  world.context.environment["EDITOR"] = "ed -x";
  world.files.add(unit, "[Service]\nExecStart=/bin/a\n");
  CHECK(world.run({"edit", "a"}) == 0);
  CHECK(typist.words.size() == 3);
  CHECK(typist.seen.starts_with("### Editing " + drop_in + "\n### Anything between here"));
  CHECK(typist.seen.find("\n# ExecStart=/bin/a\n") != std::string::npos);
  CHECK(*world.files.read(drop_in, 1024) == typist.types);

  typist.types = "### Lines below this comment will be discarded\nmore\n";
  CHECK(world.run({"edit", "--runtime", "a"}) == 0);
  CHECK(world.err.text ==
        "Editing \"/run/systemd/system/a.service.d/override.conf\" canceled: "
        "temporary file is empty.\n");
  CHECK_FALSE(world.files.exists(std::string("/run/systemd/system/a.service.d/override.conf")));

  typist.types = "[Service]\nExecStart=/bin/b\n";
  CHECK(world.run({"edit", "--full", "--stdin", "a"}) == 0);
  CHECK(*world.files.read("/etc/systemd/system/a.service", 1024) == typist.types);
  typist.status = 1;
  CHECK(world.run({"edit", "--drop-in=x", "a"}) == 1);
  CHECK_FALSE(world.files.exists(std::string("/etc/systemd/system/a.service.d/x.conf")));
}

TEST_CASE("edit refuses what it can't edit", "[cli][run][edit]") {
  CliWorld world;
  CHECK(world.run({"edit", "a"}) == 1);
  CHECK(world.err.text == "Cannot edit units if not on a tty.\n");
  Typist typist(world.files);
  world.context.programs = &typist;
  world.context.is_tty = true;
  CHECK(world.run({"edit", "a"}) == 1);
  CHECK(world.err.text ==
        "No files found for a.service.\n"
        "Run 'systemctl edit --force --full a.service' to create a new unit.\n");
  CHECK(world.run({"edit", "--force", "--full", "a"}) == 1);
  CHECK(world.err.text ==
        "Cannot edit units, no editor available. Please set either $SYSTEMD_EDITOR, $EDITOR or "
        "$VISUAL.\n");
}

TEST_CASE("start with a glob warns, cat of a mask shows no file", "[cli][run]") {
  CliWorld world;
  world.manager.reply({{"units", json::array()}});
  CHECK(world.run({"start", "a*"}) == 0);
  CHECK(world.err.text.starts_with("Warning: systemctl start called with a glob pattern.\n"));
  world.manager.connection();
  world.manager.reply(units_reply({unit_reply("a.service", "inactive", "masked")}));
  CHECK(world.run({"cat", "a"}) == 0);
  CHECK(world.out.text == "# Unit a.service is masked.\n");
}

TEST_CASE("the names that the manager refuses cost cat one question more", "[cli][run]") {
  CliWorld world;
  json refused = {{"unit", nullptr}, {"message", "is no unit"}};
  world.manager.reply({{"units", std::vector<json>(3, refused)}});
  world.manager.reply({{"properties", {{"UnitPath", "/etc/systemd/system"}}}});
  for (const char* name : {"a", "b", "c"}) {
    world.files.add(format("/etc/systemd/system/{}@.service", name),
                    "[Service]\nExecStart=/bin/true\n");
  }
  CHECK(world.run({"cat", "a@", "b@", "c@"}) == 0);
  CHECK(world.out.text.find("# /etc/systemd/system/c@.service\n") != std::string::npos);
  CHECK(world.manager.asked().size() == 2);
}

TEST_CASE("kill passes signal and choice of processes on", "[cli][run]") {
  CliWorld world;
  world.manager.reply(json::object());
  CHECK(world.run({"kill", "-s", "HUP", "--kill-whom=main", "a"}) == 0);
  CHECK(world.manager.asked().at(0)["parameters"] ==
        json({{"unit", "a.service"}, {"who", "main"}, {"signal", 1}, {"fail", false}}));
}

struct PowerRow {
  std::vector<std::string> words;
  const char* how;  ///< null: refused
};

TEST_CASE("poweroff and its kin work by name and as verbs", "[cli][run][power]") {
  const PowerRow rows[] = {
      {{"poweroff"}, "poweroff"},
      {{"/sbin/reboot"}, "reboot"},
      {{"halt"}, "halt"},
      {{"halt", "-p"}, "poweroff"},
      {{"poweroff", "--reboot"}, "reboot"},
      {{"shutdown", "now"}, "poweroff"},
      {{"shutdown", "-h", "now"}, "poweroff"},
      {{"shutdown", "-r", "now", "bye"}, "reboot"},
      {{"shutdown", "-P", "+0"}, "poweroff"},
      {{"shutdown", "-H", "now"}, "halt"},
      {{"shutdown", "5"}, nullptr},
      {{"shutdown", "+"}, nullptr},
      {{"shutdown", "+-1"}, nullptr},
      {{"shutdown", "+527041"}, nullptr},
      {{"shutdown", "24:00"}, nullptr},
      {{"shutdown", "1:60"}, nullptr},
      {{"poweroff", "now"}, nullptr},
      {{"reboot", "a", "b"}, nullptr},
      {{"systemctl", "soft-reboot"}, "soft-reboot"},
      {{"reboot", "--frob"}, nullptr},
      {{"systemctl", "reboot"}, "reboot"},
      {{"onset", "exit"}, "exit"},
  };
  for (const PowerRow& row : rows) {
    CAPTURE(row.words);
    CliWorld world;
    world.manager.reply(json::object());
    const std::vector<std::string> rest(row.words.begin() + 1, row.words.end());
    CHECK(world.run(rest, row.words.front()) == (row.how == nullptr ? 1 : 0));
    const auto asked = world.manager.asked();
    CHECK(asked.size() == (row.how == nullptr ? 0U : 1U));
    if (row.how != nullptr) CHECK(asked.at(0)["parameters"]["how"] == row.how);
  }
}

namespace {

struct LaterRow {
  std::vector<std::string> words;
  const char* how;
  std::int64_t after_usec;
  const char* message;  ///< null: none
};

}  // namespace

TEST_CASE("a shutdown for later is planned, and the command returns", "[cli][run][power]") {
  constexpr std::int64_t kMinute = 60'000'000;
  ::setenv("TZ", "UTC", 1);
  const std::int64_t of_day = CliWorld::kNow.us % (1440 * kMinute);  // 06:13:02
  const LaterRow rows[] = {
      {{}, "poweroff", kMinute, nullptr},
      {{"+5"}, "poweroff", 5 * kMinute, nullptr},
      {{"-r", "+90", "back", "soon"}, "reboot", 90 * kMinute, "back soon"},
      {{"-H", "23:00"}, "halt", 23 * 60 * kMinute - of_day, nullptr},
      {{"06:13"}, "poweroff", (1440 + 6 * 60 + 13) * kMinute - of_day, nullptr},
      {{"6:14"}, "poweroff", (6 * 60 + 14) * kMinute - of_day, nullptr},
  };
  for (const LaterRow& row : rows) {
    CAPTURE(row.words);
    CliWorld world;
    world.manager.reply({{"realtime_usec", CliWorld::kNow.us + row.after_usec}});
    CHECK(world.run(row.words, "shutdown") == 0);
    const json asked = world.manager.asked().at(0);
    CHECK(asked["method"] == "io.onset.Manager.ScheduleShutdown");
    CHECK(asked["parameters"]["how"] == row.how);
    CHECK(asked["parameters"]["after_usec"] == row.after_usec);
    CHECK(asked["parameters"].value("message", "") == (row.message ? row.message : ""));
    CHECK(world.err.text.ends_with(" UTC, use 'shutdown -c' to cancel.\n"));
  }
}

TEST_CASE("what is planned is cancelled and shown, -k ends nothing", "[cli][run][power]") {
  CliWorld cancels;
  cancels.manager.reply({{"cancelled", true}});
  CHECK(cancels.run({"-c", "never", "mind"}, "shutdown") == 0);
  const json asked = cancels.manager.asked().at(0);
  CHECK(asked["method"] == "io.onset.Manager.CancelShutdown");
  CHECK(asked["parameters"]["message"] == "never mind");
  CliWorld shows;
  shows.manager.reply({{"how", "reboot"}, {"realtime_usec", CliWorld::kNow.us}});
  CHECK(shows.run({"--show"}, "shutdown") == 0);
  CHECK(shows.out.text.starts_with("Reboot scheduled for "));
  CliWorld nothing;
  nothing.manager.reply({{"how", nullptr}, {"realtime_usec", nullptr}});
  CHECK(nothing.run({"--show"}, "shutdown") == 1);
  CHECK(nothing.err.text == "No scheduled shutdown.\n");
  CliWorld tells;
  CHECK(tells.run({"-k", "+5"}, "shutdown") == 0);
  CHECK(tells.manager.asked().empty());
}

TEST_CASE("a reboot's argument waits for PID 1 in a file", "[cli][run][power]") {
  CliWorld world;
  world.manager.reply(json::object());
  CHECK(world.run({"recovery"}, "reboot") == 0);
  CHECK(world.files.read("/run/systemd/reboot-param", 100).ok());
  CHECK(*world.files.read("/run/systemd/reboot-param", 100) == "recovery");
  CliWorld plain;
  plain.files.add("/run/systemd/reboot-param", "recovery");
  plain.manager.reply(json::object());
  CHECK(plain.run({"reboot"}) == 0);
  CHECK_FALSE(plain.files.read("/run/systemd/reboot-param", 100).ok());
}

TEST_CASE("telinit takes runlevels", "[cli][run][power]") {
  CliWorld world;
  world.manager.reply(json::object());
  CHECK(world.run({"6"}, "/sbin/telinit") == 0);
  CHECK(world.manager.asked().at(0)["parameters"]["how"] == "reboot");
  CliWorld isolates;
  isolates.manager.reply({{"jobs", {outcome("multi-user.target", "done")}}});
  CHECK(isolates.run({"3"}, "init") == 0);
  CHECK(isolates.manager.asked().at(0)["parameters"]["mode"] == "isolate");
  CHECK(isolates.run({"x"}, "telinit") == 1);
  CHECK(isolates.err.text == "telinit: Unknown command 'x'.\n");
  CHECK(isolates.run({}, "telinit") == 1);
}

TEST_CASE("--dry-run ends nothing, and is refused where it would do nothing", "[cli][run][power]") {
  CliWorld world;
  world.manager.reply(json::object());
  CHECK(world.run({"poweroff", "--dry-run"}) == 0);
  CHECK(world.run({"start", "--dry-run", "a"}) == 1);
  CHECK(world.manager.asked().empty());
}

TEST_CASE("exit takes the manager's exit status", "[cli][run][power]") {
  CliWorld world;
  world.manager.reply(json::object());
  CHECK(world.run({"exit", "7"}) == 0);
  CHECK(world.manager.asked().at(0)["parameters"]["exit_status"] == 7);
  CHECK(world.run({"exit", "256"}) == 1);
  CHECK(world.run({"exit", "-f", "x"}) == 1);
}

}  // namespace
}  // namespace onset
