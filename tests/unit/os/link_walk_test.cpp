#include "os/link_walk.h"

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

using namespace onset;

TEST_CASE("links on the root's file system are resolved, and what is not there stays",
          "[os][boot]") {
  std::string folder = "/var/tmp/onset-links-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::filesystem::path root(folder);
  std::filesystem::create_directories(root / "real" / "deep");
  std::filesystem::create_symlink("real", root / "relative");
  std::filesystem::create_symlink(root / "real" / "deep", root / "absolute");
  std::filesystem::create_symlink("../relative/./deep", root / "real" / "up");
  std::filesystem::create_symlink("loop", root / "loop");
  std::filesystem::create_symlink("/proc/self", root / "elsewhere");
  CHECK(resolve_links(folder + "/relative/deep") == folder + "/real/deep");
  CHECK(resolve_links(folder + "/absolute") == folder + "/real/deep");
  CHECK(resolve_links(folder + "/relative/up/new/more") == folder + "/real/deep/new/more");
  CHECK(resolve_links(folder + "/none/x") == folder + "/none/x");
  CHECK(resolve_links(folder + "/loop/x") == folder + "/loop/x");
  // Another file system is not entered: "self" stays.
  CHECK(resolve_links(folder + "/elsewhere/x") == "/proc/self/x");
  CHECK(resolve_links("/proc/self/cwd") == "/proc/self/cwd");
  CHECK(resolve_links("/") == "/");
  std::filesystem::remove_all(root);
}
