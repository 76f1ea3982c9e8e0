#include <catch2/catch.hpp>

#include "support/service_world.h"

namespace onset::test {
namespace {

using Actions = std::vector<std::string>;
using std::chrono::seconds;

std::string at(const ServiceWorld& w, Duration d) {
  return std::to_string((w.now() + d).us);
}

TEST_CASE("a reload runs its commands and the service runs on", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Reload, {"check", "-hup"});
  w.start();
  w.done();
  w.reload();
  CHECK(w.phase() == "reload");
  w.control_exits(0);
  CHECK(w.phase() == "reload");
  CHECK_FALSE(w.reload_done.has_value());
  w.control_exits(1);  // with a dash
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == true);
  CHECK(w.done() == Actions{"spawn ExecReload 0", "spawn ExecReload 1"});
}

TEST_CASE("a reload that fails is told and does not hurt the service", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Reload, {"check", "hup"});
  w.start();
  SECTION("a command fails") {
    w.reload();
    w.control_exits(1);
    CHECK(w.state.reload_result == ServiceResult::ExitCode);
  }
  SECTION("a command can't be spawned") {
    w.fail_spawns = 1;
    w.reload();
    CHECK(w.state.reload_result == ServiceResult::Resources);
  }
  SECTION("it takes too long") {
    w.reload();
    w.pass(seconds(90));
    CHECK(w.state.reload_result == ServiceResult::Timeout);
    CHECK(w.did("kill control"));
    CHECK(w.state.control.pid == 0);
  }
  CHECK(w.phase() == "running");
  CHECK(w.result() == "success");
  CHECK(w.reload_done == false);
  w.reload();
  w.control_exits(0);
  w.control_exits(0);
  CHECK(w.reload_done == true);
}

TEST_CASE("a main process that ends during a reload waits for its command", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Reload, {"hup"});
  w.start();
  w.reload();
  w.main_exits(1);
  CHECK(w.phase() == "reload");
  w.control_exits(0);
  CHECK(w.phase() == "failed");
  CHECK(w.result() == "exit-code");
  CHECK(w.reload_done == false);
}

TEST_CASE("a stop ends a reload", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::Reload, {"hup"});
  w.start();
  w.reload();
  w.stop();
  CHECK(w.phase() == "stop-sigterm");
  CHECK(w.reload_done == false);
  w.control_dies(15);
  CHECK(w.phase() == "stop-sigterm");
  w.main_dies(15);
  CHECK(w.phase() == "failed");  // of the reload's command
}

TEST_CASE("a service without a way to reload is reloaded at once", "[engine][service]") {
  ServiceWorld w;
  w.start();
  w.reload();
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == true);
  CHECK(w.trail == std::vector<std::string>{"start", "running", "reload", "running"});
}

TEST_CASE("an exited service is reloaded and stays exited", "[engine][service]") {
  ServiceWorld w{ServiceType::Oneshot};
  w.service().remain_after_exit = true;
  w.commands(ExecRole::Reload, {"again"});
  w.start();
  w.main_exits(0);
  w.reload();
  CHECK(w.phase() == "reload");
  w.control_exits(0);
  CHECK(w.phase() == "exited");
  CHECK(w.reload_done == true);
}

TEST_CASE("a reload finds the new main process of a PID file", "[engine][service]") {
  ServiceWorld w{ServiceType::Forking};
  w.service().pid_file = "/run/a.pid";
  w.commands(ExecRole::Reload, {"swap"});
  w.start();
  w.pid_file = w.fork();
  w.control_exits(0);
  w.reload();
  w.pid_file = w.fork();
  w.control_exits(0);
  CHECK(w.phase() == "running");
  CHECK(w.state.main.pid == w.pid_file);
}

TEST_CASE("a reload of what is not up means nothing", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.commands(ExecRole::Reload, {"hup"});
  w.reload();
  CHECK(w.phase() == "dead");
  w.start();
  w.reload();
  CHECK(w.phase() == "start");
}

// ---- RELOADING=1 ------------------------------------------------------------------------

TEST_CASE("a service that says RELOADING=1 is reloading until READY=1", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.notify("READY=1");
  w.notify("RELOADING=1");
  CHECK(w.phase() == "reload-notify");
  w.notify("READY=1");
  CHECK(w.phase() == "running");
}

TEST_CASE("RELOADING=1 and then death leaves no state behind", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.notify("READY=1");
  w.notify("RELOADING=1");
  SECTION("a clean end") {
    w.main_exits(0);
    CHECK(w.phase() == "dead");
  }
  SECTION("a failure") {
    w.main_dies(11, true);
    CHECK(w.phase() == "failed");
  }
  SECTION("and a new start") {
    w.main_exits(0);
    w.start();
    w.notify("READY=1");
    CHECK(w.phase() == "running");
  }
}

TEST_CASE("RELOADING=1 without READY=1 is given up and not waited for again", "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.start();
  w.notify("READY=1");
  w.notify("RELOADING=1");
  w.pass(seconds(90));
  CHECK(w.phase() == "running");
  CHECK(w.state.reload_result == ServiceResult::Timeout);
  w.pass(seconds(1000));
  CHECK(w.phase() == "running");
}

TEST_CASE("RELOADING=1 during ExecReload= keeps the reload open until READY=1",
          "[engine][service]") {
  ServiceWorld w{ServiceType::Notify};
  w.commands(ExecRole::Reload, {"hup"});
  w.start();
  w.notify("READY=1");
  w.reload();
  const MonoTime deadline = w.state.deadline;
  w.notify("RELOADING=1");
  w.control_exits(0);
  CHECK(w.phase() == "reload-notify");
  CHECK(w.state.deadline == deadline);
  CHECK_FALSE(w.reload_done.has_value());
  w.notify("READY=1");
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == true);
}

TEST_CASE("RELOADING=1 during the start is followed once the service is up", "[engine][service]") {
  ServiceWorld w;
  w.commands(ExecRole::StartPost, {"post"});
  w.start();
  w.notify("RELOADING=1");
  w.control_exits(0);
  CHECK(w.phase() == "reload-notify");
}

// ---- Type=notify-reload ----------------------------------------------------------------------

struct NotifyReload : ServiceWorld {
  NotifyReload() : ServiceWorld(ServiceType::NotifyReload) {
    start();
    notify("READY=1");
    done();
    pass(seconds(10));
  }
};

TEST_CASE("notify-reload signals, then waits for RELOADING=1 and READY=1", "[engine][service]") {
  NotifyReload w;
  w.service().reload_signal = 12;
  w.reload();
  CHECK(w.phase() == "reload-signal");
  CHECK(w.done() == Actions{"signal main 12"});
  w.notify("RELOADING=1\nMONOTONIC_USEC=" + at(w, seconds(0)));
  CHECK(w.phase() == "reload-notify");
  w.notify("READY=1");
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == true);
}

TEST_CASE("notify-reload takes no answer that is older than its signal", "[engine][service]") {
  NotifyReload w;
  w.reload();
  SECTION("a stamp before it") {
    w.notify("RELOADING=1\nMONOTONIC_USEC=" + at(w, seconds(-1)));
  }
  SECTION("no stamp") {
    w.notify("RELOADING=1");
  }
  SECTION("a stamp that is none") {
    w.notify("RELOADING=1\nMONOTONIC_USEC=soon");
  }
  SECTION("READY=1 alone") {
    w.notify("READY=1");
  }
  SECTION("both in one, before it") {
    w.notify("RELOADING=1\nREADY=1\nMONOTONIC_USEC=" + at(w, seconds(-1)));
  }
  CHECK(w.phase() == "reload-signal");
  CHECK_FALSE(w.reload_done.has_value());
}

TEST_CASE("notify-reload takes begin and end in one message", "[engine][service]") {
  NotifyReload w;
  w.reload();
  w.notify("RELOADING=1\nREADY=1\nMONOTONIC_USEC=" + at(w, seconds(0)));
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == true);
}

TEST_CASE("notify-reload without an answer times out and the service runs on",
          "[engine][service]") {
  NotifyReload w;
  w.reload();
  w.pass(seconds(90));
  CHECK(w.phase() == "running");
  CHECK(w.reload_done == false);
}

TEST_CASE("notify-reload with ExecReload= does both", "[engine][service]") {
  NotifyReload w;
  w.commands(ExecRole::Reload, {"extra"});
  w.reload();
  CHECK(w.phase() == "reload");
  CHECK(w.done() == Actions{"signal main 1", "spawn ExecReload 0"});
}

TEST_CASE("notify-reload whose main process dies ends", "[engine][service]") {
  NotifyReload w;
  w.reload();
  w.main_exits(1);
  CHECK(w.phase() == "failed");
  CHECK(w.reload_done == false);
}

}  // namespace
}  // namespace onset::test
