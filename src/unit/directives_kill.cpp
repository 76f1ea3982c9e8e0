// systemd.kill(5): how the processes of a unit are ended.

#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

std::string parse_kill_mode(ParseContext& context, std::string_view value) {
  if (value.empty()) {
    config_of<KillConfig>(context.unit).mode = KillConfig{}.mode;
    return {};
  }
  const auto mode = enum_value<KillMode>(value);
  if (!mode) return mode.error();
  config_of<KillConfig>(context.unit).mode = *mode;
  if (*mode == KillMode::None) {
    complain(context, Severity::Note,
             "KillMode=none leaves processes behind that nothing supervises; "
             "mixed or control-group is safer");
  }
  return {};
}

using C = KillConfig;
constexpr Section S = Section::Service;

constexpr Directive kRows[] = {
    honoured(S, "KillMode", {parse_kill_mode, show_member<&C::mode>},
             "Which processes a stop ends: control-group, mixed, process or none."),
    honoured(S, "KillSignal", kSignal<&C::kill_signal>, "The first signal of a stop."),
    honoured(S, "RestartKillSignal", kSignal<&C::restart_kill_signal>,
             "The same when the unit is to be started again."),
    honoured(S, "FinalKillSignal", kSignal<&C::final_kill_signal>,
             "The signal after TimeoutStopSec=."),
    honoured(S, "WatchdogSignal", kSignal<&C::watchdog_signal>,
             "The signal when the watchdog's time is up."),
    honoured(S, "SendSIGHUP", kBool<&C::send_sighup>, "Send SIGHUP right after the first signal."),
    honoured(S, "SendSIGKILL", kBool<&C::send_sigkill>,
             "Send FinalKillSignal= to what is left after TimeoutStopSec=."),
};

}  // namespace

std::span<const Directive> kill_directives() {
  return kRows;
}

}  // namespace onset
