// Prints libFuzzer's dictionary: the words that onset's own tables know. tools/fuzz gives it
// to every target, so that a new directive is fuzzed without a line anywhere else.

#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "base/format.h"
#include "control/manager_interface.h"
#include "unit/capability.h"
#include "unit/directives.h"
#include "unit/enum_words.h"
#include "unit/exit_status.h"
#include "unit/manager_settings.h"
#include "unit/name.h"
#include "unit/signals.h"

namespace onset {
namespace {

using Words = std::set<std::string, std::less<>>;

void add_keys(Words& words) {
  for (const Directive& d : directives()) {
    words.insert(format("{}=", d.name));
    words.insert(format("[{}]", to_string(d.section)));
    if (!d.inert.empty()) words.insert(std::string(d.inert));
  }
  for (const ManagerDirective& d : manager_directives()) words.insert(format("{}=", d.name));
  words.insert("[Manager]");
}

template <class... E>
void add_enumerators(Words& words) {
  (words.insert(EnumWords<E>::words.begin(), EnumWords<E>::words.end()), ...);
}

void add_values(Words& words) {
  add_enumerators<LoadState, JobMode, CollectMode, EmergencyAction, ServiceType, ServiceRestart,
                  NotifyAccess, ExitType, OomPolicy, TimeoutFailureMode, KillMode, ExecInput,
                  ExecOutput, Preserve, ConditionType>(words);
  for (const ExitStatusName& name : exit_status_names()) words.insert(std::string(name.name));
  for (int capability = 0; capability < kCapabilities; ++capability) {
    words.insert(std::string(capability_name(capability)));
  }
  for (int signal = 1; signal <= kSigRtMax; ++signal) words.insert(signal_name_long(signal));
}

void add_names(Words& words) {
  for (unsigned type = 0; type < kUnitTypes; ++type) {
    words.insert(format(".{}", to_string(static_cast<UnitType>(type))));
  }
  for (const BuiltinUnit& unit : builtin_units(false)) words.insert(std::string(unit.name));
  for (const std::string_view method : ManagerInterface::method_names()) {
    words.insert(format("io.onset.Manager.{}", method));
  }
}

/// "…" with what libFuzzer's own format escapes.
std::string quoted(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"\n";
}

}  // namespace
}  // namespace onset

int main() {
  onset::Words words;
  onset::add_keys(words);
  onset::add_values(words);
  onset::add_names(words);
  std::string text;
  for (const std::string& word : words) {
    if (!word.empty()) text += onset::quoted(word);
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0
             ? 0
             : 1;
}
