#include "control/peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

using namespace onset;

TEST_CASE("S1-S3: who may speak to the manager", "[control][peer][S1][S2][S3]") {
  struct Row {
    const char* what;
    PeerCredentials peer;
    ControlPolicy policy;
    bool expected;
  };
  const ControlPolicy system;
  ControlPolicy user;
  user.manager_uid = 1000;
  ControlPolicy group;
  group.group = 27;
  ControlPolicy nobody;
  nobody.manager_uid = 65534;
  ControlPolicy nogroup;
  nogroup.group = 65534;
  const Row rows[] = {
      {"root", {10, 0, 0, {}}, system, true},
      {"another user", {10, 1000, 1000, {}}, system, false},
      {"root of a user namespace, as the manager sees it", {10, 100000, 100000, {}}, system, false},
      {"the manager's own user", {10, 1000, 1000, {}}, user, true},
      {"a third user", {10, 1001, 1001, {}}, user, false},
      {"root at a user's manager", {10, 0, 0, {}}, user, true},
      {"root without a pid of ours", {0, 0, 0, {}}, system, false},
      {"root with a negative pid", {-1, 0, 0, {}}, system, false},
      {"an unmapped uid", {10, 65534, 65534, {}}, system, false},
      {"an unmapped uid where the manager has that number", {10, 65534, 65534, {}}, nobody, false},
      {"root where the manager is nobody", {10, 0, 0, {}}, nobody, true},
      {"main group", {10, 1000, 27, {}}, group, true},
      {"supplementary group", {10, 1000, 1000, {4, 27}}, group, true},
      {"none of its groups", {10, 1000, 1000, {4, 28}}, group, false},
      {"the group with an unmapped uid", {10, 65534, 27, {}}, group, false},
      {"an unmapped group is no group", {10, 1000, 65534, {65534}}, nogroup, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(is_authorised(row.peer, row.policy) == row.expected);
  }
}

TEST_CASE("the kernel tells a peer's pid, uid and groups", "[control][peer]") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  UniqueFd one(pair[0]);
  UniqueFd other(pair[1]);
  auto peer = read_peer(one);
  REQUIRE(peer.ok());
  CHECK(peer->pid == ::getpid());
  CHECK(peer->uid == ::geteuid());
  CHECK(peer->gid == ::getegid());
  CHECK(static_cast<int>(peer->groups.size()) == ::getgroups(0, nullptr));

  auto wrong = read_peer(BorrowedFd(-1));
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().err == EBADF);
}
