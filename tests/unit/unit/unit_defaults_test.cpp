#include "unit/unit_defaults.h"

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"

namespace onset {
namespace {

using test::load_service;
using test::load_text;
using test::LoadedUnit;

LoadedUnit service(const std::string& settings) {
  return load_text("a.service", "[Service]\n" + settings + "\n");
}

TEST_CASE("the type follows from what a service has", "[unit][unit_defaults]") {
  CHECK(load_service("").unit->service->type == ServiceType::Simple);
  CHECK(load_service("BusName=org.example.A").unit->service->type == ServiceType::Dbus);
  CHECK(load_service("BusName=org.example.A\nType=simple").unit->service->type ==
        ServiceType::Simple);
  CHECK(service("ExecStop=/bin/b\nRemainAfterExit=yes").unit->service->type ==
        ServiceType::Oneshot);
}

TEST_CASE("a oneshot starts without a limit unless one is set", "[unit][unit_defaults]") {
  CHECK(load_service("Type=oneshot").unit->service->timeout_start == kInfinity);
  CHECK(load_service("Type=oneshot\nTimeoutStartSec=5").unit->service->timeout_start ==
        std::chrono::seconds(5));
  CHECK_FALSE(load_service("").unit->service->timeout_start.has_value());
  const LoadedUnit both = load_service("TimeoutSec=0");
  CHECK(both.unit->service->timeout_start == kInfinity);
  CHECK(both.unit->service->timeout_stop == kInfinity);
}

TEST_CASE("who notifies is heard without NotifyAccess=", "[unit][unit_defaults]") {
  CHECK(load_service("").unit->service->notify_access == NotifyAccess::None);
  CHECK(load_service("Type=notify").unit->service->notify_access == NotifyAccess::Main);
  CHECK(load_service("Type=notify-reload").unit->service->notify_access == NotifyAccess::Main);
  CHECK(load_service("WatchdogSec=5").unit->service->notify_access == NotifyAccess::Main);
  CHECK(load_service("Type=notify\nNotifyAccess=all").unit->service->notify_access ==
        NotifyAccess::All);
  CHECK(load_service("Type=notify\nNotifyAccess=none").unit->service->notify_access ==
        NotifyAccess::Main);
}

TEST_CASE("output goes where a terminal or socket input comes from", "[unit][unit_defaults]") {
  for (const char* input : {"tty", "tty-force", "tty-fail", "socket", "fd:x"}) {
    const LoadedUnit loaded = load_service(std::string("StandardInput=") + input);
    CHECK(loaded.unit->exec->standard_output->output == ExecOutput::Inherit);
  }
  CHECK_FALSE(load_service("StandardInput=null").unit->exec->standard_output);
  CHECK(
      load_service("StandardInput=tty\nStandardOutput=null").unit->exec->standard_output->output ==
      ExecOutput::Null);
}

TEST_CASE("output that inherits from nothing to write to takes the default",
          "[unit][unit_defaults]") {
  for (const char* input : {"null", "data", "file:/a"}) {
    const LoadedUnit loaded =
        load_service(std::string("StandardOutput=inherit\nStandardInput=") + input);
    CHECK_FALSE(loaded.unit->exec->standard_output);
  }
  CHECK_FALSE(load_service("StandardOutput=inherit").unit->exec->standard_output);
  CHECK(load_service("StandardInput=tty\nStandardOutput=inherit").unit->exec->standard_output);
}

TEST_CASE("one unit at most can be isolated by a failure", "[unit][unit_defaults]") {
  const auto load = [](const char* failures) {
    return load_text("a.service", std::string("[Unit]\nOnFailureJobMode=isolate\nOnFailure=") +
                                      failures + "\n[Service]\nExecStart=/bin/a\n");
  };
  CHECK(load("b.target").unit->load_state == LoadState::Loaded);
  CHECK(load("b.target c.target").unit->load_state == LoadState::BadSetting);
}

TEST_CASE("no path has a way up in it", "[unit][unit_defaults]") {
  CHECK(load_service("WorkingDirectory=/usr/../tmp").unit->load_state == LoadState::BadSetting);
  CHECK(load_service("RootDirectory=/srv/..").unit->load_state == LoadState::BadSetting);
  CHECK(load_service("EnvironmentFile=/etc/../x").unit->exec->environment_files.empty());
  CHECK(load_service("WorkingDirectory=/usr/..a").unit->exec->working_directory == "/usr/..a");
}

TEST_CASE("a drop-in takes a nice level back", "[unit][unit_defaults]") {
  CHECK(load_service("Nice=5").unit->exec->nice == 5);
  CHECK_FALSE(load_service("Nice=5\nNice=").unit->exec->nice.has_value());
}

TEST_CASE("a service that makes no sense as a whole is refused", "[unit][unit_defaults]") {
  for (const char* settings : {
           "Type=simple",
           "RemainAfterExit=yes",
           "ExecStop=/bin/b",
           "Type=simple\nExecStop=/bin/b\nRemainAfterExit=yes",
           "ExecStart=/bin/a\nExecStart=/bin/b",
           "ExecStart=/bin/a ; /bin/b",
           "Type=oneshot\nExecStart=/bin/a\nRestart=always",
           "Type=oneshot\nExecStart=/bin/a\nRestart=on-success",
           "Type=oneshot\nExecStart=/bin/a\nRestartForceExitStatus=3",
           "Type=oneshot\nExecStart=/bin/a\nExitType=cgroup",
           "Type=dbus\nExecStart=/bin/a",
       }) {
    const LoadedUnit loaded = service(settings);
    INFO(settings);
    CHECK(loaded.unit->load_state == LoadState::BadSetting);
    CHECK(loaded.unit->load_error.starts_with("/etc/systemd/system/a.service: "));
  }
}

TEST_CASE("a service may have no ExecStart= where it makes sense", "[unit][unit_defaults]") {
  for (const char* settings : {
           "RemainAfterExit=yes\nExecStop=/bin/b",
           "Type=oneshot\nExecStart=/bin/a\nExecStart=/bin/b",
           "Type=oneshot\nExecStart=/bin/a\nRestart=on-failure",
           "Type=oneshot\nExecStart=/bin/a ; /bin/b",
       }) {
    INFO(settings);
    CHECK(service(settings).unit->load_state == LoadState::Loaded);
  }
  CHECK(load_text("a.service", "[Unit]\nSuccessAction=exit\n").unit->load_state ==
        LoadState::Loaded);
}

TEST_CASE("a unit lies in the slice of its kind", "[unit][unit_defaults]") {
  CHECK(load_service("").unit->cgroup->slice == "system.slice");
  CHECK(load_service("Slice=a.slice").unit->cgroup->slice == "a.slice");
  CHECK(load_text("a-b.slice", "[Unit]\n").unit->cgroup->slice == "a.slice");
  CHECK(load_text("a.slice", "[Unit]\n").unit->cgroup->slice == "-.slice");
  CHECK(load_text("-.slice", "[Unit]\n").unit->cgroup->slice.empty());
  CHECK(load_text("a--b.slice", "[Unit]\n").unit->load_state == LoadState::BadSetting);
}

TEST_CASE("input data is the input unless another is named", "[unit][unit_defaults]") {
  const LoadedUnit loaded = load_service("StandardInputText=a\\tb\nStandardInputData=Yw==");
  CHECK(loaded.unit->exec->standard_input->input == ExecInput::Data);
  CHECK(loaded.unit->exec->standard_input_data == "a\tb\nc");
}

TEST_CASE("delegation lets the kernel's kills pass unless said otherwise",
          "[unit][unit_defaults]") {
  CHECK(load_service("Delegate=yes").unit->service->oom_policy == OomPolicy::Continue);
  CHECK(load_service("Delegate=yes\nOOMPolicy=stop").unit->service->oom_policy == OomPolicy::Stop);
}

}  // namespace
}  // namespace onset
