// The sections of the types that onset can't start yet: [Timer], [Path]. Known, so that
// what is misspelt in them is told all the same.

#include "unit/directive_checks.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"

namespace onset {
namespace {

template <auto Member>
std::string parse_concurrency(ParseContext& context, std::string_view value) {
  auto count = value.empty() ? Parsed<unsigned>(kNoCountLimit) : parse_count(value);
  if (!count) return std::move(count).error();
  config_of<SliceConfig>(context.unit).*Member = *count;
  return {};
}
template <auto Member>
std::string show_concurrency(const Unit& unit) {
  return format_count(config_of<SliceConfig>(unit).*Member);
}
template <auto Member>
constexpr Directive concurrency(std::string_view name, std::string_view help) {
  return honoured(Section::Slice, name, {parse_concurrency<Member>, show_concurrency<Member>}, help,
                  {}, 258);
}

constexpr Directive in(Section section, std::string_view name, ParseFn check,
                       std::string_view help) {
  return not_yet(section, name, check, help);
}
constexpr Directive timer(std::string_view name, ParseFn check, std::string_view help) {
  return not_yet(Section::Timer, name, check, help);
}

constexpr Directive kRows[] = {
    concurrency<&SliceConfig::concurrency_soft_max>(
        "ConcurrencySoftMax", "How many units may be up in it and below: further starts wait."),
    concurrency<&SliceConfig::concurrency_hard_max>(
        "ConcurrencyHardMax", "How many units may be up in it and below: more are refused."),

    timer("OnCalendar", check_text, "Wall-clock times."),
    timer("OnActiveSec", check_span, "Time since the timer was activated."),
    timer("OnBootSec", check_span, "Time since the boot."),
    timer("OnStartupSec", check_span, "Time since the manager's start."),
    timer("OnUnitActiveSec", check_span, "Time since the unit was last activated."),
    timer("OnUnitInactiveSec", check_span, "Time since the unit was last deactivated."),
    timer("OnClockChange", check_bool, "When the clock is set."),
    timer("OnTimezoneChange", check_bool, "When the time zone changes."),
    timer("Persistent", check_bool, "Catch up on what was missed while off."),
    timer("WakeSystem", check_bool, "Wake the machine from sleep."),
    timer("RemainAfterElapse", check_bool, "Stay loaded when it has elapsed."),
    timer("FixedRandomDelay", check_bool, "The same random delay every time."),
    timer("AccuracySec", check_span, "How late it may be, to share wake-ups."),
    timer("RandomizedDelaySec", check_span, "A random delay of up to this."),
    timer("Unit", check_unit_name, "The unit that is started."),

    in(Section::Path, "PathExists", check_path, "A path that exists."),
    in(Section::Path, "PathExistsGlob", check_path, "A path that matches exists."),
    in(Section::Path, "PathChanged", check_path, "A file that was written and closed."),
    in(Section::Path, "PathModified", check_path, "A file that was written."),
    in(Section::Path, "DirectoryNotEmpty", check_path, "A directory with entries."),
    in(Section::Path, "Unit", check_unit_name, "The unit that is started."),
    in(Section::Path, "MakeDirectory", check_bool, "Make the directories first."),
    in(Section::Path, "DirectoryMode", check_mode, "Their mode."),
    in(Section::Path, "TriggerLimitIntervalSec", check_span,
       "Over which time activations are counted."),
    in(Section::Path, "TriggerLimitBurst", check_unsigned, "How many are allowed in that time."),
};

}  // namespace

std::span<const Directive> other_directives() {
  return kRows;
}

}  // namespace onset
