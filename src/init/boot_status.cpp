#include "init/boot_status.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"

namespace onset {
namespace {

struct MarkRow {
  std::string_view word;
  std::string_view colour;
};

MarkRow row_of(StatusMark mark) {
  switch (mark) {
    case StatusMark::None:
      return {"", ""};
    case StatusMark::Ok:
      return {"  OK  ", "\x1b[0;32m"};
    case StatusMark::Failed:
      return {"FAILED", "\x1b[0;1;31m"};
    case StatusMark::Depend:
      return {"DEPEND", "\x1b[0;1;38;5;185m"};
    case StatusMark::Time:
      return {" TIME ", "\x1b[0;1;31m"};
    case StatusMark::Assert:
      return {"ASSERT", "\x1b[0;1;38;5;185m"};
    case StatusMark::Unsupported:
      return {"UNSUPP", "\x1b[0;1;38;5;185m"};
  }
  return {};
}

/// The verbs of a type of unit. "Starting %.", "Started %.", "Failed to start %.", …
struct Verbs {
  std::string_view starting;
  std::string_view started;
  std::string_view start;
  std::string_view stopping;
  std::string_view stopped;
  std::string_view stop;
};

Verbs verbs_of(UnitType type) {
  switch (type) {
    case UnitType::Mount:
      return {"Mounting", "Mounted", "mount", "Unmounting", "Unmounted", "unmount"};
    case UnitType::Swap:
      return {"Activating swap",   "Activated swap",   "activate swap",
              "Deactivating swap", "Deactivated swap", "deactivate swap"};
    case UnitType::Socket:
      return {"", "Listening on", "listen on", "", "Closed", "close"};
    case UnitType::Automount:
      return {"", "Set up automount", "set up automount", "", "Unset automount", "unset automount"};
    case UnitType::Target:
      return {"", "Reached target", "reach target", "", "Stopped target", "stop target"};
    case UnitType::Slice:
      return {"", "Created slice", "create slice", "", "Removed slice", "remove slice"};
    case UnitType::Device:
      return {"", "Found device", "find device", "", "", ""};
    case UnitType::Service:
    case UnitType::Scope:
      return {"Starting", "Started", "start", "Stopping", "Stopped", "stop"};
    case UnitType::Timer:
    case UnitType::Path:
      return {"", "Started", "start", "", "Stopped", "stop"};
  }
  return {};
}

bool stops(JobType type) {
  return type == JobType::Stop || type == JobType::Restart || type == JobType::TryRestart;
}

bool is_up_at_once(const Unit& unit) {
  return unit.service &&
         (unit.service->type == ServiceType::Simple || unit.service->type == ServiceType::Idle);
}

std::string_view word_of(JobType type) {
  switch (type) {
    case JobType::Start:
      return "start";
    case JobType::VerifyActive:
      return "verify-active";
    case JobType::Stop:
      return "stop";
    case JobType::Reload:
    case JobType::TryReload:
    case JobType::ReloadOrStart:
      return "reload";
    case JobType::Restart:
    case JobType::TryRestart:
      return "restart";
    case JobType::Nop:
      return "nop";
  }
  return "";
}

std::optional<StatusLine> done_line(const Unit& unit, bool is_stop, const std::string& name) {
  const Verbs verbs = verbs_of(unit.type);
  std::string_view verb = is_stop ? verbs.stopped : verbs.started;
  // A program that has run to its end is not what one that runs is.
  if (!is_stop && unit.service && unit.service->type == ServiceType::Oneshot) {
    verb = "Finished";
  }
  if (verb.empty()) return std::nullopt;
  return StatusLine{StatusMark::Ok, format("{} {}.", verb, name)};
}

std::string time_of(Duration span) {
  return span == kInfinity ? "no limit" : format_span(span, std::chrono::seconds(1));
}

}  // namespace

std::string status_name(const Unit& unit, StatusUnitFormat form) {
  if (unit.config.description.empty() || unit.config.description == unit.id) return unit.id;
  switch (form) {
    case StatusUnitFormat::Name:
      return unit.id;
    case StatusUnitFormat::Description:
      return c_escape(unit.config.description);
    case StatusUnitFormat::Combined:
      break;
  }
  return format("{} - {}", unit.id, c_escape(unit.config.description));
}

std::optional<StatusLine> line_of_begin(const Unit& unit, JobType type, StatusUnitFormat form) {
  if (type != JobType::Start && !stops(type)) return std::nullopt;
  if (!stops(type) && is_up_at_once(unit)) return std::nullopt;
  const Verbs verbs = verbs_of(unit.type);
  const std::string_view verb = stops(type) ? verbs.stopping : verbs.starting;
  if (verb.empty()) return std::nullopt;
  return StatusLine{StatusMark::None, format("{} {}...", verb, status_name(unit, form))};
}

std::optional<StatusLine> line_of_end(const Unit& unit, JobType type, JobResult result,
                                      StatusUnitFormat form) {
  if (type != JobType::Start && !stops(type)) return std::nullopt;
  const Verbs verbs = verbs_of(unit.type);
  const std::string_view verb = stops(type) ? verbs.stop : verbs.start;
  const std::string name = status_name(unit, form);
  switch (result) {
    case JobResult::Done:
      return done_line(unit, stops(type), name);
    case JobResult::Failed:
      return StatusLine{StatusMark::Failed, format("Failed to {} {}.", verb, name)};
    case JobResult::Timeout:
      if (unit.type == UnitType::Device) {
        return StatusLine{StatusMark::Time, format("Timed out waiting for device {}.", name)};
      }
      return StatusLine{StatusMark::Time, format("Timed out, failed to {} {}.", verb, name)};
    case JobResult::Dependency:
      return StatusLine{StatusMark::Depend, format("Dependency failed for {}.", name)};
    case JobResult::Assert:
      return StatusLine{StatusMark::Assert, format("Assertion failed for {}.", name)};
    case JobResult::Unsupported:
      return StatusLine{StatusMark::Unsupported, format("{} is not supported.", name)};
    case JobResult::Once:
      return StatusLine{StatusMark::Failed, format("{} was started already once.", name)};
    case JobResult::Concurrency:
      return StatusLine{StatusMark::Failed, format("{} would be one too many in its slice.", name)};
    case JobResult::Canceled:
    case JobResult::Skipped:
    case JobResult::Invalid:
    case JobResult::Collected:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string render(const StatusLine& line, bool colour) {
  if (line.mark == StatusMark::None) return format("         {}", line.text);
  const MarkRow row = row_of(line.mark);
  if (!colour) return format("[{}] {}", row.word, line.text);
  return format("[{}{}\x1b[0m] {}", row.colour, row.word, line.text);
}

std::string render_slow(std::string_view text, unsigned turn, bool colour) {
  constexpr std::array<std::string_view, 10> kFrames = {"*     ", "**    ", "***   ", " ***  ",
                                                        "  *** ", "   ***", "    **", "     *",
                                                        "    **", "   ***"};
  const std::string_view frame = kFrames[turn % kFrames.size()];
  if (!colour) return format("[{}] {}", frame, text);
  return format("[\x1b[0;31m{}\x1b[0m] {}", frame, text);
}

std::string text_of_slow(const std::vector<SlowJob>& jobs, unsigned turn) {
  if (jobs.empty()) return {};
  const std::size_t at = turn % jobs.size();
  const SlowJob& job = jobs[at];
  const std::string number =
      jobs.size() > 1 ? format("({} of {}) ", at + 1, jobs.size()) : std::string();
  return format("{}A {} job is running for {} ({} / {})", number, word_of(job.type), job.name,
                time_of(std::max(job.running, Duration(std::chrono::seconds(1)))),
                time_of(job.limit));
}

}  // namespace onset
