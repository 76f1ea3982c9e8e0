#include "loop/bounded_write.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <string>

using namespace onset;

namespace {

constexpr Duration kLimit = std::chrono::milliseconds(5);

struct Ends {
  UniqueFd reading;
  UniqueFd writing;
};

Ends make_pipe(int size) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, size) == size);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Ends make_terminal() {
  int master = -1;
  int slave = -1;
  REQUIRE(::openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  return {UniqueFd(master), UniqueFd(slave)};
}

/// So many bytes fit until nobody can write one more.
std::size_t fill(BorrowedFd fd, std::size_t most = SIZE_MAX) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
  std::size_t n = 0;
  while (n < most && ::write(fd.get(), "x", 1) == 1) ++n;
  ::fcntl(fd.get(), F_SETFL, flags);
  return n;
}

}  // namespace

TEST_CASE("what there is room for is written whole", "[loop][console]") {
  Ends ends;
  SECTION("pipe") {
    ends = make_pipe(4096);
  }
  SECTION("terminal") {
    ends = make_terminal();
  }
  SECTION("socket") {
    int pair[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ends = {UniqueFd(pair[0]), UniqueFd(pair[1])};
  }
  CHECK(write_within(kLimit, ends.writing, "a line\n") == 7);
  char buffer[16] = {};
  CHECK(::read(ends.reading.get(), buffer, sizeof buffer) >= 7);
  CHECK(std::string(buffer).starts_with("a line"));
}

TEST_CASE("what there is no room for is not waited for", "[loop][console]") {
  Ends ends;
  SECTION("pipe") {
    ends = make_pipe(4096);
  }
  SECTION("terminal") {
    ends = make_terminal();
  }
  SECTION("stopped terminal") {
    ends = make_terminal();
    REQUIRE(::tcflow(ends.writing.get(), TCOOFF) == 0);
  }
  SECTION("socket") {
    int pair[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ends = {UniqueFd(pair[0]), UniqueFd(pair[1])};
  }
  fill(ends.writing);
  CHECK(write_within(kLimit, ends.writing, "a line\n") == 0);
}

TEST_CASE("a write that finds room for a part ends with that part", "[loop][console]") {
  Ends ends;
  std::string text(6000, 'y');
  SECTION("a pipe with one free page") {
    ends = make_pipe(8192);
    fill(ends.writing, 4096);
    CHECK(write_within(kLimit, ends.writing, text) == 4096);
  }
  SECTION("a terminal with little room") {
    ends = make_terminal();
    const std::size_t room = fill(ends.writing);
    ends = make_terminal();
    REQUIRE(fill(ends.writing, room - 40) == room - 40);
    const long written = write_within(kLimit, ends.writing, text);
    CHECK(written >= 0);
    CHECK(written <= 4096);
  }
}

TEST_CASE("a reader that is gone is an error, not the end", "[loop][console]") {
  sigset_t pipe;
  sigset_t before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigprocmask(SIG_BLOCK, &pipe, &before);
  Ends ends = make_pipe(4096);
  ends.reading.reset();
  CHECK(write_within(kLimit, ends.writing, "a line\n") == -EPIPE);
  const timespec now{};
  (void)sigtimedwait(&pipe, nullptr, &now);
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("SIGALRM is afterwards what it was", "[loop][console]") {
  sigset_t alarm;
  sigset_t before;
  sigset_t after;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarm, &before);
  Ends ends = make_pipe(8192);
  fill(ends.writing, 4096);
  CHECK(write_within(kLimit, ends.writing, std::string(6000, 'y')) == 4096);
  sigprocmask(SIG_SETMASK, &before, &after);
  CHECK(sigismember(&after, SIGALRM) == 1);
  struct sigaction handler {};
  sigaction(SIGALRM, nullptr, &handler);
  CHECK(handler.sa_handler == SIG_DFL);
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGALRM) == 0);
}
