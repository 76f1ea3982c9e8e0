#include "unit/fsck_plan.h"

#include <catch2/catch.hpp>

#include "base/text.h"

using namespace onset;

namespace {

std::string command(std::string_view line, bool is_root) {
  Diagnostics diagnostics;
  const FsckWishes wishes = fsck_wishes(line, diagnostics);
  return join(fsck_arguments(wishes, {"/dev/a", is_root}), " ");
}

}  // namespace

TEST_CASE("fsck is called as the kernel's command line wants it", "[unit][boot]") {
  struct Row {
    std::string_view line;
    bool is_root;
    std::string_view command;
  };
  const Row rows[] = {
      {"", true, "fsck -a -T /dev/a"},
      {"", false, "fsck -a -T -l -M /dev/a"},
      {"fsck.mode=force", true, "fsck -a -T -f /dev/a"},
      {"forcefsck", true, "fsck -a -T -f /dev/a"},
      {"fsck.mode=force fsck.mode=auto", true, "fsck -a -T /dev/a"},
      {"fsck.repair=yes", true, "fsck -y -T /dev/a"},
      {"fsck.repair=no fsck.mode=force", false, "fsck -n -T -l -M -f /dev/a"},
      {"fsck.repair=maybe fsck.mode", true, "fsck -a -T /dev/a"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(command(row.line, row.is_root) == row.command);
  }
  Diagnostics diagnostics;
  CHECK(fsck_wishes("fsck.mode=skip", diagnostics).mode == FsckMode::Skip);
  CHECK(fsck_wishes("fastboot", diagnostics).mode == FsckMode::Skip);
  CHECK(diagnostics.empty());
  (void)fsck_wishes("fsck.mode=never", diagnostics);
  REQUIRE(diagnostics.size() == 1);
  CHECK(to_string(diagnostics[0]) ==
        "kernel command line: fsck.mode=never needs one of auto, force, skip, ignored");
}

TEST_CASE("fsck's exit status decides whether the boot goes on", "[unit][boot]") {
  struct Row {
    int status;
    FsckVerdict of_root;
    FsckVerdict of_others;
  };
  const Row rows[] = {
      {0, FsckVerdict::Good, FsckVerdict::Good},
      {1, FsckVerdict::Good, FsckVerdict::Good},
      {2, FsckVerdict::RebootWanted, FsckVerdict::Failed},
      {3, FsckVerdict::RebootWanted, FsckVerdict::Failed},
      {4, FsckVerdict::Failed, FsckVerdict::Failed},
      {6, FsckVerdict::RebootWanted, FsckVerdict::Failed},
      {8, FsckVerdict::Ignored, FsckVerdict::Ignored},
      {9, FsckVerdict::Ignored, FsckVerdict::Ignored},
      {12, FsckVerdict::Failed, FsckVerdict::Failed},
      {16, FsckVerdict::Ignored, FsckVerdict::Ignored},
      {32, FsckVerdict::Ignored, FsckVerdict::Ignored},
      {128, FsckVerdict::Ignored, FsckVerdict::Ignored},
      {-9, FsckVerdict::Failed, FsckVerdict::Failed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CHECK(judge_fsck(row.status, true) == row.of_root);
    CHECK(judge_fsck(row.status, false) == row.of_others);
  }
  CHECK(fsck_words(0) == "clean");
  CHECK(fsck_words(3) == "errors were corrected, the system should be rebooted");
  CHECK(fsck_words(-9) == "ended by signal 9");
}
