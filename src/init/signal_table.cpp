#include "init/signal_table.h"

#include <csignal>

namespace onset {
namespace {

constexpr int kRtmin = 34;

struct Row {
  int signal;
  SignalRequest machine;
  SignalRequest container;
  SignalRequest user;
};

using R = SignalRequest;
constexpr Row kTable[] = {
    {SIGCHLD, R::Reap, R::Reap, R::Reap},
    {SIGTERM, R::Reexecute, R::Exit, R::Exit},
    {SIGINT, R::CtrlAltDel, R::Exit, R::Exit},
    {SIGPWR, R::PowerFailure, R::Exit, R::None},
    {SIGHUP, R::Reload, R::Reload, R::Reload},
    {SIGUSR1, R::Reconnect, R::Reconnect, R::Reconnect},
    {SIGWINCH, R::KeyboardRequest, R::None, R::None},
    {SIGUSR2, R::DumpState, R::DumpState, R::DumpState},
    {kRtmin + 0, R::DefaultTarget, R::DefaultTarget, R::DefaultTarget},
    {kRtmin + 1, R::RescueTarget, R::RescueTarget, R::None},
    {kRtmin + 2, R::EmergencyTarget, R::EmergencyTarget, R::None},
    {kRtmin + 3, R::Halt, R::Halt, R::Exit},
    {kRtmin + 4, R::Poweroff, R::Poweroff, R::Exit},
    {kRtmin + 5, R::Reboot, R::Reboot, R::Exit},
    {kRtmin + 6, R::Kexec, R::Exit, R::Exit},
    {kRtmin + 7, R::SoftReboot, R::Exit, R::Exit},
    {kRtmin + 13, R::HaltNow, R::ExitNow, R::ExitNow},
    {kRtmin + 14, R::PoweroffNow, R::ExitNow, R::ExitNow},
    {kRtmin + 15, R::RebootNow, R::ExitNow, R::ExitNow},
    {kRtmin + 20, R::StatusOn, R::StatusOn, R::StatusOn},
    {kRtmin + 21, R::StatusOff, R::StatusOff, R::StatusOff},
    {kRtmin + 22, R::LogDebug, R::LogDebug, R::LogDebug},
    {kRtmin + 23, R::LogInfo, R::LogInfo, R::LogInfo},
    {kRtmin + 24, R::None, R::ExitNow, R::ExitNow},
    {kRtmin + 25, R::Reexecute, R::Reexecute, R::Reexecute},
};

}  // namespace

SignalRequest request_of_signal(int signal, Surroundings where) {
  for (const Row& row : kTable) {
    if (row.signal != signal) continue;
    switch (where) {
      case Surroundings::Machine:
        return row.machine;
      case Surroundings::Container:
        return row.container;
      case Surroundings::User:
        return row.user;
    }
  }
  return SignalRequest::None;
}

}  // namespace onset
