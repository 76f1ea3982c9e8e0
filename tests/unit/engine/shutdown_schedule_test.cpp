#include "engine/shutdown_schedule.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

using namespace onset;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

ScheduledShutdown in(Duration left, bool announces = true) {
  ScheduledShutdown what;
  what.objective = Objective::Reboot;
  what.due = MonoTime{0} + left;
  what.announces = announces;
  return what;
}

/// The minutes before the end at which something was to be done.
struct Course {
  std::vector<long> announced;
  std::vector<long> forbidden;
  std::vector<long> ended;
};

Course run(ShutdownSchedule& schedule) {
  Course course;
  for (int i = 0; i < 1000 && schedule.next_deadline() != kNever; ++i) {
    const MonoTime now = schedule.next_deadline();
    const auto due = schedule.elapse(now);
    const long left = std::chrono::duration_cast<minutes>(schedule.get()->due - now).count();
    if (due.announce) course.announced.push_back(left);
    if (due.forbid_logins) course.forbidden.push_back(left);
    if (!due.shut_down) continue;
    course.ended.push_back(left);
    schedule.cancel();
  }
  return course;
}

}  // namespace

TEST_CASE("an end is announced each minute of the last ten, each ten of the last hour, each hour",
          "[engine][power]") {
  ShutdownSchedule schedule;
  schedule.set(in(hours(3)), MonoTime{0});
  const Course course = run(schedule);
  CHECK(course.announced ==
        std::vector<long>{120, 60, 50, 40, 30, 20, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  CHECK(course.forbidden == std::vector<long>{5});
  CHECK(course.ended == std::vector<long>{0});
}

TEST_CASE("an end within a quarter of an hour is announced at once", "[engine][power]") {
  ShutdownSchedule schedule;
  schedule.set(in(minutes(14)), MonoTime{0});
  CHECK(schedule.next_deadline() == MonoTime{0});
  CHECK(run(schedule).announced.front() == 14);
  schedule.set(in(minutes(15)), MonoTime{0});
  CHECK(run(schedule).announced.front() == 10);
}

TEST_CASE("nobody logs in from five minutes before an end on", "[engine][power]") {
  ShutdownSchedule schedule;
  schedule.set(in(minutes(1)), MonoTime{0});
  const auto due = schedule.elapse(MonoTime{0});
  CHECK(due.forbid_logins);
  CHECK(due.announce);
  CHECK_FALSE(due.shut_down);
  CHECK_FALSE(schedule.elapse(MonoTime{1}).forbid_logins);
}

TEST_CASE("without a wall an end is not announced, and comes all the same", "[engine][power]") {
  ShutdownSchedule schedule;
  schedule.set(in(minutes(7), false), MonoTime{0});
  const Course course = run(schedule);
  CHECK(course.announced.empty());
  CHECK(course.forbidden == std::vector<long>{5});
  CHECK(course.ended == std::vector<long>{0});
}

TEST_CASE("what is cancelled does not come, what is planned anew comes alone", "[engine][power]") {
  ShutdownSchedule schedule;
  CHECK_FALSE(schedule.cancel());
  schedule.set(in(minutes(2)), MonoTime{0});
  schedule.set(in(minutes(30)), MonoTime{0});
  CHECK(schedule.get()->due == MonoTime{0} + minutes(30));
  CHECK(schedule.cancel());
  CHECK(schedule.next_deadline() == kNever);
  CHECK_FALSE(schedule.elapse(MonoTime{0} + hours(1)).shut_down);
}

TEST_CASE("a call that comes late leaves out what has passed", "[engine][power]") {
  ShutdownSchedule schedule;
  schedule.set(in(hours(2)), MonoTime{0});
  const auto due = schedule.elapse(MonoTime{0} + (hours(2) - seconds(90)));
  CHECK(due.announce);
  CHECK(due.forbid_logins);
  CHECK(schedule.next_deadline() == MonoTime{0} + (hours(2) - seconds(60)));
}

TEST_CASE("until the next warning it is never longer than until the end", "[engine][power]") {
  CHECK(until_next_warning(Duration(0)) == Duration(0));
  CHECK(until_next_warning(Duration(-1)) == Duration(0));
  CHECK(until_next_warning(Duration(1)) == Duration(1));
  CHECK(until_next_warning(seconds(60)) == seconds(60));
  CHECK(until_next_warning(seconds(61)) == seconds(1));
  CHECK(until_next_warning(minutes(10)) == minutes(1));
  CHECK(until_next_warning(minutes(11)) == minutes(1));
  CHECK(until_next_warning(minutes(60)) == minutes(10));
  CHECK(until_next_warning(hours(25)) == hours(1));
}
