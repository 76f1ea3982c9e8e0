// What --type=help, --state=help, -s help and their kin print.
#include "cli/option_words.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/signals.h"

namespace onset {

namespace {

constexpr std::string_view kTypes[] = {"service",   "mount", "swap", "socket", "target", "device",
                                       "automount", "timer", "path", "slice",  "scope"};

}  // namespace

std::string listing(std::string_view title, std::span<const std::string_view> words) {
  std::string text = title.empty() ? std::string() : format("{}\n", title);
  for (std::string_view word : words) text += format("{}\n", word);
  return text;
}

std::string type_words() {
  return listing("Available unit types:", kTypes);
}

std::string state_words() {
  return listing("Available unit load states:",
                 {"stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"}) +
         listing("\nAvailable unit active states:", {"active", "reloading", "inactive", "failed",
                                                     "activating", "deactivating", "maintenance"}) +
         listing("\nAvailable unit file states:",
                 {"enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked",
                  "masked-runtime", "static", "disabled", "indirect", "generated", "transient",
                  "bad"}) +
         listing("\nAvailable service unit substates:",
                 {"dead",          "condition",     "start-pre", "start",
                  "start-post",    "running",       "exited",    "reload",
                  "reload-signal", "reload-notify", "stop",      "stop-watchdog",
                  "stop-sigterm",  "stop-sigkill",  "stop-post", "final-watchdog",
                  "final-sigterm", "final-sigkill", "failed",    "auto-restart"}) +
         listing("\nAvailable scope unit substates:",
                 {"dead", "running", "abandoned", "stop-sigterm", "stop-sigkill", "failed"}) +
         listing("\nAvailable slice unit substates:", {"dead", "active"}) +
         listing("\nAvailable target unit substates:", {"dead", "active"});
}

std::string signal_words(bool with_numbers) {
  std::string text = with_numbers ? "SIGNAL NAME\n" : "";
  for (int signal = 1; signal <= kSigRtMax; ++signal) {
    const std::string name = signal_name(signal);
    if (parse_uint<unsigned>(name)) continue;  // it has none
    text += with_numbers ? format("{:<6} SIG{}\n", signal, name) : format("{}\n", name);
  }
  return text;
}

}  // namespace onset
