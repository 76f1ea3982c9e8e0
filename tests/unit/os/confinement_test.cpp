#include "os/confinement.h"

#include <catch2/catch.hpp>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace onset {
namespace {

constexpr std::string_view kFree = "Name:\tx\nCapBnd:\t000001ffffffffff\nNoNewPrivs:\t0\n";

TEST_CASE("S4: a status file tells what a process gave up", "[os][confinement][S4]") {
  CHECK(parse_confinement(kFree) == Confinement{false, 0x1ffffffffff});
  CHECK(parse_confinement("NoNewPrivs:\t1\nCapBnd:\t0\n") == Confinement{true, 0});
  for (const char* bad : {"", "NoNewPrivs:\t0\n", "CapBnd:\t0\n", "NoNewPrivs:\t2\nCapBnd:\t0\n",
                          "NoNewPrivs:\t0\nCapBnd:\tx\n", "NoNewPrivs:\t0\nCapBnd:\t1 2\n",
                          "NoNewPrivs:\t0\nCapBnd:\t11111111111111111\n", "NoNewPrivs:\nCapBnd:"}) {
    INFO(bad);
    CHECK_FALSE(parse_confinement(bad));
  }
}

TEST_CASE("S4: less than onset has is confined, no more than it lacks itself is not",
          "[os][confinement][S4]") {
  CHECK_FALSE(is_confined({false, 7}, {false, 7}));
  CHECK_FALSE(is_confined({false, 15}, {false, 7}));
  CHECK(is_confined({false, 3}, {false, 7}));
  CHECK(is_confined({true, 7}, {false, 7}));
  CHECK_FALSE(is_confined({true, 7}, {true, 7}));
}

TEST_CASE("S4: a process is looked at, one that is gone is not trusted", "[os][confinement][S4]") {
  CHECK(is_as_free_as_self(::getpid()).value_or(false));
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      (void)!::write(ends[1], "x", 1);
      ::pause();
    }
    char byte = 0;
    CHECK(::read(ends[0], &byte, 1) == 1);
    CHECK_FALSE(is_as_free_as_self(child).value_or(true));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK_FALSE(is_as_free_as_self(child).value_or(true));
    ::close(ends[0]);
    ::close(ends[1]);
  }
}

TEST_CASE("P2: without a descriptor left nobody can be looked at, and that is said",
          "[os][confinement][P2]") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int next = ::dup(0);
  REQUIRE(next > 0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto looked = is_as_free_as_self(::getpid());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(looked);
  CHECK(looked.error().err == EMFILE);
}

}  // namespace
}  // namespace onset
