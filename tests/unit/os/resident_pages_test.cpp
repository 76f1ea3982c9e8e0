#include "os/resident_pages.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

namespace onset {
namespace {

/// In kB, from /proc/self/status.
long mapped_from_files() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kilobytes = 0;
    if (word == "RssFile:" && status >> kilobytes) return kilobytes;
  }
  return -1;
}

/// Written to before any test runs: its page must outlive a release.
int written = 1;

TEST_CASE("released program pages are no longer mapped and come back when run", "[os][memory]") {
  written = 42;
  const long before = mapped_from_files();
  release_program_pages();
  const long after = mapped_from_files();
  REQUIRE(before > 0);
  CHECK(after < before);  // what reads /proc and Catch itself are back already
  CHECK(written == 42);
}

}  // namespace
}  // namespace onset
