#include "base/process_text.h"

#include <catch2/catch.hpp>

using namespace onset;

namespace {

std::vector<pid_t> pids_of(std::string_view text) {
  std::vector<pid_t> pids;
  append_pids(text, pids);
  return pids;
}

}  // namespace

TEST_CASE("a list of processes is its numbers, and what fits no process number is left out",
          "[base][process_text]") {
  CHECK(pids_of("12 13 4194304 ") == std::vector<pid_t>{12, 13, 4194304});
  CHECK(pids_of("1\n0\n22\n") == std::vector<pid_t>{1, 0, 22});
  CHECK(pids_of("").empty());
  CHECK(pids_of("99999999999999999999 2147483648 7") == std::vector<pid_t>{7});
  CHECK(pids_of("-1 x 3x 4") == std::vector<pid_t>{4});
}

TEST_CASE("the process that came last stands at the end of loadavg", "[base][process_text]") {
  CHECK(parse_last_pid("0.00 0.01 0.05 1/113 4711\n") == 4711);
  CHECK(parse_last_pid("") == 0);
  CHECK(parse_last_pid("0.00 0.01 0.05 1/113 4294967297\n") == 0);
}

TEST_CASE("a variable in an environment has exactly its name", "[base][process_text]") {
  const std::string environment("A=1\0AB=2\0AB=3\0B", 15);
  CHECK(find_variable(environment, "A") == "1");
  CHECK(find_variable(environment, "AB") == "2");
  CHECK_FALSE(find_variable(environment, "B").has_value());
  CHECK_FALSE(find_variable("", "A").has_value());
}

TEST_CASE("a command line is shown as a shell would be given it, cut at its limit",
          "[base][process_text]") {
  CHECK(command_line_text(std::string_view("sh\0-c\0a b\0\0", 11), 100) == "sh -c \"a b\"");
  CHECK(command_line_text(std::string_view("nginx: worker process\0\0", 23), 100) ==
        "nginx: worker process");
  CHECK(command_line_text(std::string_view("a\0\0\"$\0", 6), 100) == "a \"\" \"\\\"\\$\"");
  CHECK(command_line_text(std::string(500, 'x'), 400).size() == 400);
  CHECK(command_line_text(std::string(4, '\0'), 400).empty());
}

TEST_CASE("a process's cgroup is the line of hierarchy 0", "[base][process_text]") {
  CHECK(unified_cgroup("12:pids:/x\n0::/system.slice/a.service\n") == "/system.slice/a.service");
  CHECK(unified_cgroup("0::/\n") == "/");
  CHECK_FALSE(unified_cgroup("12:pids:/x\n").has_value());
  CHECK_FALSE(unified_cgroup("").has_value());
}

TEST_CASE("a cgroup is populated unless it says otherwise", "[base][process_text]") {
  CHECK(is_populated("populated 1\nfrozen 0\n"));
  CHECK_FALSE(is_populated("populated 0\nfrozen 0\n"));
  CHECK_FALSE(is_populated("frozen 0\npopulated 0"));
  CHECK(is_populated(""));
  CHECK(is_populated("populated 01\n"));
}

TEST_CASE("processor time that is too much to count is not told", "[base][process_text]") {
  CHECK(parse_cpu_nsec("usage_usec 12\nuser_usec 7\n") == 12000U);
  CHECK_FALSE(parse_cpu_nsec("usage_usec 18446744073709551615\n").has_value());
  CHECK_FALSE(parse_cpu_nsec("user_usec 7\n").has_value());
}

TEST_CASE("pressure is read in hundredths of a percent", "[base][process_text]") {
  constexpr std::string_view kText =
      "some avg10=1.50 avg60=12.34 avg300=100.00 total=1\nfull avg10=0.00 avg60=x avg300=0.07 "
      "total=2\n";
  CHECK(parse_pressure(kText, "some", "avg10=") == 150U);
  CHECK(parse_pressure(kText, "some", "avg300=") == 10000U);
  CHECK(parse_pressure(kText, "full", "avg300=") == 7U);
  CHECK_FALSE(parse_pressure(kText, "full", "avg60="));
  CHECK_FALSE(parse_pressure("some avg10=1.50\n", "full", "avg10="));
  CHECK_FALSE(parse_pressure("some avg10=100.15\n", "some", "avg10="));
  CHECK_FALSE(parse_pressure("", "some", "avg10="));
}

TEST_CASE("a count is found by its whole name", "[base][process_text]") {
  constexpr std::string_view kEvents = "low 0\noom 1\noom_kill 2\nmax x\n";
  CHECK(find_count(kEvents, "oom_kill") == 2U);
  CHECK(find_count(kEvents, "oom") == 1U);
  CHECK_FALSE(find_count(kEvents, "max"));
  CHECK_FALSE(find_count(kEvents, "lo"));
}
