#include "os/accounts.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "os/files.h"
#include "support/memory_files.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "# a comment\n"
    "+nis::::::\n"
    "broken\n"
    "negative:x:-1:1::/:/bin/sh\n"
    "big:x:4294967295:1::/:/bin/sh\n"
    "short:x:65535:1::/:/bin/sh\n"
    "ann:x:1000:1000:Ann,,,:/home/ann:/bin/zsh\n"
    "12ab:x:1001:1001::/:/bin/sh\n"
    "ann2:x:1000:1000::/home/ann2:/bin/sh";  // no newline at the end

constexpr std::string_view kGroup =
    "root:x:0:\nstaff:x:50:ann,bob\nwww-data:x:33:\nusers:x:100:ann\nbad\ndup:x:50:ann\n";

struct World {
  ScratchFolder folder;
  RealFiles files;
  Accounts accounts{files, folder.path()};
  World() {
    ::mkdir((folder / "etc").c_str(), 0755);
    write_text(folder / "etc/passwd", kPasswd);
    write_text(folder / "etc/group", kGroup);
  }
};

}  // namespace

TEST_CASE("accounts are found by name and number", "[os][accounts]") {
  World w;
  auto ann = w.accounts.user("ann");
  REQUIRE(ann.ok());
  CHECK(ann->uid == 1000);
  CHECK(ann->gid == 1000);
  CHECK(ann->home == "/home/ann");
  CHECK(ann->shell == "/bin/zsh");
  CHECK(w.accounts.user("1000")->name == "ann");
  CHECK(w.accounts.user("www-data")->shell.empty());
  CHECK(w.accounts.user("12ab")->uid == 1001);
  CHECK(w.accounts.user("12ab")->home.empty());
  CHECK(*w.accounts.group("staff") == 50);
  CHECK(*w.accounts.group("33") == 33);
  CHECK(*w.accounts.groups_of("ann", 1000) == std::vector<gid_t>{1000, 50, 100});
  CHECK(*w.accounts.groups_of("nobody", 65534) == std::vector<gid_t>{65534});
  CHECK(w.accounts.user_name(33) == "www-data");
  CHECK(w.accounts.group_name(100) == "users");
}

TEST_CASE("what is no user never becomes one", "[os][accounts][faults]") {
  World w;
  for (const char* text : {"0day",  "0x0",         "-1",         "+0",
                           "65535", "4294967295",  "4294967296", "18446744073709551616",
                           "00",    "01",          " 0",         "0 ",
                           "",      "nobody-here", "999",        "negative",
                           "big",   "short",       "broken",     "+nis"}) {
    INFO(text);
    CHECK_FALSE(w.accounts.user(text).ok());
  }
  for (const char* text : {"0x0", "-1", "65535", "4294967296", "007", "bad", "51"}) {
    INFO(text);
    CHECK_FALSE(w.accounts.group(text).ok());
  }
}

TEST_CASE("root and nobody exist without any file", "[os][accounts]") {
  const ScratchFolder empty;
  RealFiles files;
  Accounts accounts(files, empty.path());
  CHECK(accounts.user("root")->home == "/root");
  CHECK(accounts.user("0")->uid == 0);
  CHECK(accounts.user("nobody")->uid == 65534);
  CHECK(*accounts.group("nogroup") == 65534);
  CHECK_FALSE(accounts.user("daemon").ok());
}

TEST_CASE("a file that can't be read makes nobody, and is read again", "[os][accounts][faults]") {
  MemoryFiles files;
  files.add("/etc/passwd", kPasswd);
  files.add("/etc/group", kGroup);
  files.break_path("/etc/passwd", EIO);
  files.break_path("/etc/group", ENFILE);
  Accounts accounts(files);
  CHECK(accounts.user("root").error() == "/etc/passwd can't be read: Input/output error");
  CHECK(accounts.group("staff").error() ==
        "/etc/group can't be read: Too many open files in system");
  CHECK_FALSE(accounts.groups_of("ann", 1000).ok());  // not: in no group
  files.break_path("/etc/passwd", 0);
  files.break_path("/etc/group", 0);
  CHECK(accounts.user("ann")->uid == 1000);
  CHECK(accounts.groups_of("ann", 1000)->size() == 3);
}

TEST_CASE("a file that is put back as it was is read again", "[os][accounts][faults]") {
  MemoryFiles files;
  files.add("/etc/passwd", kPasswd);
  files.add("/etc/group", kGroup);
  files.break_path("/etc/passwd", ENOENT);
  files.break_path("/etc/group", ENOENT);
  Accounts accounts(files);
  CHECK_FALSE(accounts.user("ann").ok());
  CHECK_FALSE(accounts.group("staff").ok());
  files.break_path("/etc/passwd", 0);
  files.break_path("/etc/group", 0);
  CHECK(accounts.user("ann")->uid == 1000);
  CHECK(accounts.group("staff").ok());
}

TEST_CASE("a change of the file is seen, a user that goes is gone", "[os][accounts][faults]") {
  World w;
  REQUIRE(w.accounts.user("ann").ok());
  write_text(w.folder / "etc/passwd", "root:x:0:0::/root:/bin/sh\neve:x:7:7::/home/eve:/bin/sh\n");
  CHECK_FALSE(w.accounts.user("ann").ok());
  CHECK(w.accounts.user("eve")->uid == 7);
}
