#pragma once
// What a machine's console shows of its start and its stop: the words for a job that begins or
// ends, and for one that takes long. Pure.
//
//            Starting a.service - A…
//   [  OK  ] Started a.service - A.
//   [FAILED] Failed to start b.service - B.
//   [ **** ] A start job is running for c.service - C (12s / 1min 30s)

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "graph/job_type.h"
#include "unit/manager_settings.h"
#include "unit/unit.h"

namespace onset {

enum class StatusMark : std::uint8_t { None, Ok, Failed, Depend, Time, Assert, Unsupported };

struct StatusLine {
  StatusMark mark = StatusMark::None;
  std::string text;
  bool operator==(const StatusLine&) const = default;
};

/// StatusUnitFormat=: "nginx.service - A web server", or one of the two; the name where there is no
/// description. Fit for a terminal.
std::string status_name(const Unit& unit, StatusUnitFormat form);

/// None for what is over in a moment: targets, slices, services that are up once they are begun.
std::optional<StatusLine> line_of_begin(const Unit& unit, JobType type, StatusUnitFormat form);
/// None for what is not worth a line: canceled, or skipped.
std::optional<StatusLine> line_of_end(const Unit& unit, JobType type, JobResult result,
                                      StatusUnitFormat form);
/// As a line of a terminal, without its end.
std::string render(const StatusLine& line, bool colour);

/// A job that has been running for a while.
struct SlowJob {
  std::string name;
  JobType type{};
  Duration running{0};
  Duration limit = kInfinity;  ///< from its beginning on
};

/// So many looks at one before the next one's turn.
inline constexpr unsigned kTurnsAJob = 3;
/// In front of it a mark that moves from look to look.
std::string render_slow(std::string_view text, unsigned turn, bool colour);

/// The `turn`-th of them: one after the other, where there are several.
std::string text_of_slow(const std::vector<SlowJob>& jobs, unsigned turn);

}  // namespace onset
