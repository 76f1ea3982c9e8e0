#include "loop/event_loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <new>

#include "base/out_of_memory.h"

using namespace onset;

namespace {

/// A descriptor that stays readable.
class AlwaysReady final : public FdHandler {
 public:
  explicit AlwaysReady(bool finds_memory) : finds_memory_(finds_memory) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    ends_ = {UniqueFd(ends[0]), UniqueFd(ends[1])};
    REQUIRE(::write(ends[1], "x", 1) == 1);
  }
  void ready(std::uint32_t /*events*/) override {
    ++times;
    if (!finds_memory_) throw_out_of_memory();
  }
  [[nodiscard]] BorrowedFd fd() const { return ends_[0]; }

  unsigned times = 0;

 private:
  bool finds_memory_;
  std::array<UniqueFd, 2> ends_;
};

}  // namespace

TEST_CASE("who finds no memory keeps nobody else from being told", "[loop][memory]") {
  auto loop = EventLoop::create();
  REQUIRE(loop);
  AlwaysReady poor(false);
  AlwaysReady other(true);
  REQUIRE(loop->watch(poor.fd(), EPOLLIN, poor));
  REQUIRE(loop->watch(other.fd(), EPOLLIN, other));
  for (unsigned turn = 1; turn <= 5; ++turn) {
    CHECK_THROWS_AS(loop->wait(MonoTime{0}), std::bad_alloc);
    CHECK(poor.times == turn);
    CHECK(other.times == turn);
  }
}
