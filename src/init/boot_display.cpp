#include "init/boot_display.h"

#include <algorithm>

#include "base/format.h"

namespace onset {
namespace {

/// So long nobody wonders.
constexpr Duration kPatience = std::chrono::seconds(5);
/// How often a line is renewed that can be overwritten.
constexpr Duration kTick = std::chrono::seconds(1);
/// One that can't be comes in steps that double, up to so many times.
constexpr unsigned kDoublings = 4;

bool is_failure(JobResult result) {
  return result != JobResult::Done && result != JobResult::Canceled &&
         result != JobResult::Skipped && result != JobResult::Collected;
}

}  // namespace

void BootDisplay::job_begins(Console& screen, const Job& job, const Unit& unit) {
  if (mode_ != ShowStatus::Yes) return;
  const auto line = line_of_begin(unit, job.type, form_);
  if (!line) return;
  const auto is_it = [&job](const Begun& b) { return b.id == job.id; };
  const auto known = std::ranges::find_if(begun_, is_it);
  if (known != begun_.end()) {
    if (known->type == job.type) return;
    known->type = job.type;
  } else {
    begun_.push_back({job.id, job.type});
  }
  screen.plain(render(*line, screen.has_colour()));
}

void BootDisplay::job_ends(Console& screen, const Job& job, const Unit& unit, JobResult result,
                           bool acted) {
  std::erase_if(begun_, [&job](const Begun& b) { return b.id == job.id; });
  if (turn_ > 0) screen.passing("");
  const bool failed = is_failure(result);
  if (mode_ == ShowStatus::No || (!failed && (mode_ != ShowStatus::Yes || !acted))) return;
  const auto line = line_of_end(unit, job.type, result, form_);
  if (!line) return;
  screen.plain(render(*line, screen.has_colour()));
  if (line->mark == StatusMark::Failed || line->mark == StatusMark::Time) {
    screen.plain(
        render({StatusMark::None, format("See 'systemctl status {}' for details.", unit.id)},
               screen.has_colour()));
  }
}

void BootDisplay::expect_jobs(MonoTime now) {
  if (next_ == kNever && (mode_ == ShowStatus::Yes || mode_ == ShowStatus::Auto)) {
    next_ = now + kPatience;
  }
}

void BootDisplay::look(Console& screen, const std::vector<SlowJob>& running, bool more,
                       MonoTime now) {
  std::vector<SlowJob> slow;
  Duration oldest{0};
  for (const SlowJob& job : running) {
    oldest = std::max(oldest, job.running);
    if (job.running >= kPatience) slow.push_back(job);
  }
  if (slow.empty()) {
    if (turn_ > 0) screen.passing("");
    turn_ = 0;
    next_ = running.empty() && !more ? kNever : now + (kPatience - oldest);
    return;
  }
  const std::string text = text_of_slow(slow, turn_ / kTurnsAJob);
  screen.passing(render_slow(text, turn_, screen.has_colour()));
  next_ = now + (screen.has_colour() ? kTick : kPatience * (1 << std::min(turn_, kDoublings)));
  ++turn_;
}

}  // namespace onset
