// systemd-escape and systemd-detect-virt by their names. What escaping does to a text is
// tests/unit/unit/name_test's.
#include <catch2/catch.hpp>

#include "unit/cli/cli_world.h"

namespace onset {
namespace {

using test::CliWorld;

struct EscapeRow {
  std::vector<std::string> words;
  int status;
  const char* out;
};

TEST_CASE("systemd-escape answers as systemd's", "[cli][applets]") {
  const EscapeRow rows[] = {
      {{"Hallöchen, Meister"}, 0, "Hall\\xc3\\xb6chen\\x2c\\x20Meister\n"},
      {{"-p", "/tmp//waldi/foobar/"}, 0, "tmp-waldi-foobar\n"},
      {{"--template=systemd-nspawn@.service", "My Container 1", "two"},
       0,
       "systemd-nspawn@My\\x20Container\\x201.service systemd-nspawn@two.service\n"},
      {{"--suffix", "mount", "-p", "/a b"}, 0, "a\\x20b.mount\n"},
      {{"-u", "a\\x20b-c"}, 0, "a b/c\n"},
      {{"-u", "-p", "a-b"}, 0, "/a/b\n"},
      {{"-u", "--instance", "x@a\\x20b.service"}, 0, "a b\n"},
      {{"-u", "--template=x@.service", "y@a.service"}, 1, ""},
      {{"--mangle", "a", "/dev/sda"}, 0, "a.service dev-sda.device\n"},
      {{"--", "-x"}, 0, "\\x2dx\n"},
      {{}, 1, ""},
      {{"--suffix=a", "--template=x@.service", "b"}, 1, ""},
      {{"--template=x.service", "b"}, 1, ""},
  };
  for (const EscapeRow& row : rows) {
    CAPTURE(row.words);
    CliWorld world;
    CHECK(world.run(row.words, "/usr/bin/systemd-escape") == row.status);
    CHECK(world.out.text == row.out);
  }
}

struct VirtRow {
  const char* container;
  const char* vm;
  std::vector<std::string> words;
  int status;
  const char* out;
};

TEST_CASE("systemd-detect-virt names the innermost, and tells a script by its status",
          "[cli][applets]") {
  const VirtRow rows[] = {
      {"", "", {}, 1, "none\n"},
      {"docker", "kvm", {}, 0, "docker\n"},
      {"docker", "kvm", {"--vm"}, 0, "kvm\n"},
      {"", "kvm", {}, 0, "kvm\n"},
      {"", "kvm", {"-c"}, 1, "none\n"},
      {"docker", "", {"-c", "-q"}, 0, ""},
      {"", "", {"--chroot"}, 1, ""},
      {"", "", {"--nonsense"}, 1, ""},
  };
  for (const VirtRow& row : rows) {
    CAPTURE(row.container, row.vm, row.words);
    CliWorld world;
    world.context.container = row.container;
    world.context.virtual_machine = row.vm;
    CHECK(world.run(row.words, "systemd-detect-virt") == row.status);
    CHECK(world.out.text == row.out);
  }
}

}  // namespace
}  // namespace onset
