#include "unit/exit_status.h"

#include <catch2/catch.hpp>

#include "support/vectors.h"

using namespace onset;

TEST_CASE("the exit statuses and their names are systemd's", "[unit][exit_status]") {
  const auto rows = test::read_vectors("exit-status");
  CHECK(exit_status_names().size() == rows.size());
  for (const test::Row& row : rows) {
    CAPTURE(row.at(0));
    CHECK(exit_status_name(std::stoi(row.at(1))) == row.at(0));
    CHECK(exit_status_from_text(row.at(0)) == std::stoi(row.at(1)));
    CHECK(exit_status_from_text(row.at(1)) == std::stoi(row.at(1)));
  }
}

TEST_CASE("a set of statuses and signals is read word by word", "[unit][exit_status]") {
  ExitStatusSet set;
  CHECK(parse_exit_status("TEMPFAIL 250 SIGKILL 0 USR1", set).empty());
  CHECK(parse_exit_status("\"USR2\" '1'", set).size() == 2);  // quotes are not undone here
  CHECK(to_string(set) == "0 75 250 SIGKILL SIGUSR1");
  CHECK(set.has_status(75));
  CHECK(set.has_signal(9));
  CHECK_FALSE(set.has_status(9));
  CHECK_FALSE(set.has_status(-1));
  CHECK_FALSE(set.has_status(256));
  CHECK_FALSE(set.has_signal(0));
  CHECK_FALSE(set.has_signal(65));
}

TEST_CASE("a bad word is told and the others count", "[unit][exit_status]") {
  ExitStatusSet set;
  CHECK(parse_exit_status("256 NOPE tempfail 3 -1", set) ==
        std::vector<std::string>{
            "expected an exit status 0..255, its name or a signal, not \"256\"",
            "expected an exit status 0..255, its name or a signal, not \"NOPE\"",
            "expected an exit status 0..255, its name or a signal, not \"tempfail\"",
            "expected an exit status 0..255, its name or a signal, not \"-1\""});
  CHECK(to_string(set) == "3");
  CHECK(parse_exit_status("4 \"5", set).size() == 1);
  CHECK(to_string(set) == "3 4");
}
