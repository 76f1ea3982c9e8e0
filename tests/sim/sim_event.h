#pragma once
// One thing that happens in a world. Events name units by their place in the plan and
// processes by what they are to their unit, so that an event still means something
// after others, or whole units, have been taken out; where it does not, it does nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/job.h"
#include "engine/service_state.h"
#include "unit/unit.h"

namespace onset::sim {

enum class What : std::uint8_t {
  Request,      ///< unit, number: JobType, second: JobMode
  Cancel,       ///< number: the how-manieth job of the queue
  Kill,         ///< unit, who (Main, Control; else all), number: signal
  ResetFailed,  ///< unit
  Exit,         ///< unit, who, status; number: 1, that the unit is empty is told before
  ExecDone,     ///< unit
  Empty,        ///< unit: the kernel tells that it is empty, if it is
  Notify,       ///< unit, who sends, text
  Pass,         ///< number: microseconds; each deadline on the way at its own time
  PassLate,     ///< likewise, but the loop wakes up at the end only
  ToDeadline,   ///< as far as the next deadline
  JumpClock,    ///< number: microseconds, of the wall clock alone
  Fork,         ///< unit, number: Temper
  Trouble,      ///< unit, number: spawns that fail, second: errno
  Temper,       ///< unit, number: Temper of what is spawned next, second: execve is late
  PidFile,      ///< unit, who is named
  Bus,          ///< unit, number: 0 no owner, 1 main, 2 an alien, 3 no bus
  Oom,          ///< unit
  Flag,         ///< number: a condition's test turns over
  Reload,       ///< unit, text: its new file; "-": gone; number: not 0, other defaults
  ShutDown,     ///< number: Objective
  NoMemory,     ///< unit: allocations that go well first, number: that fail then (0: all),
                ///< second: in so many of the next calls
  ResetAll,     ///< reset-failed of all units
  Problem,      ///< unit, text: what a launch's failed step says
  File,         ///< unit, text: as of Reload, but nobody says so yet
};
inline constexpr unsigned kWhats = 25;

/// A process, as its unit knows it.
enum class Who : std::uint8_t { Main, Control, Rest, Alien, Foreign };

struct SimEvent {
  What what{};
  unsigned unit = 0;
  Who who = Who::Main;
  std::int64_t number = 0;
  std::int64_t second = 0;
  ExitStatus status{};
  std::string text{};
};

/// One line, and back: a failing world can be kept and replayed.
std::string to_text(const SimEvent& event);
std::optional<SimEvent> parse_event(std::string_view line);

}  // namespace onset::sim
