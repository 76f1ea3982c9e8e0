#include "os/directories.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "os/kernel.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

TEST_CASE("a directory has exactly its mode, whatever the umask", "[os][directories]") {
  const ScratchFolder folder;
  const std::string base = folder / "run";
  const mode_t before = ::umask(0077);
  auto made = make_directory({base, "a/b", 02775});
  ::umask(before);
  REQUIRE(made.ok());
  struct stat st {};
  REQUIRE(::stat((folder / "run/a/b").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 02775);
  REQUIRE(::stat((folder / "run/a").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0755);
  // Once more with another mode: an existing one is brought in line …
  REQUIRE(make_directory({base, "a/b", 0700}).ok());
  REQUIRE(::stat((folder / "run/a/b").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
  // … unless it is to be left as it is.
  DirectoryWish wish{base, "a/b", 0755};
  wish.change_existing = false;
  REQUIRE(make_directory(wish).ok());
  REQUIRE(::stat((folder / "run/a/b").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
}

TEST_CASE("a path that leads out is refused", "[os][directories][faults]") {
  const ScratchFolder folder;
  const std::string base = folder / "run";
  for (const char* relative : {"../x", "a/../../x", "..", ".", "", "/", "./a"}) {
    INFO(relative);
    CHECK_FALSE(make_directory({base, relative, 0755}).ok());
    CHECK(remove_tree(base, relative, 100).error == EINVAL);
  }
  CHECK_FALSE(exists(folder / "x"));
}

TEST_CASE("a link that a service put in the way is not followed", "[os][directories][faults]") {
  ONSET_NEEDS(is_root(), "needs files of other users");
  const ScratchFolder folder;
  const std::string base = folder / "run";
  ::mkdir((folder / "victim").c_str(), 0700);
  DirectoryWish wish{base, "svc", 0755, 1, 1};
  REQUIRE(make_directory(wish).ok());
  // The service owns its directory and points a name in it elsewhere.
  const std::string trap = base + "/svc/trap";
  REQUIRE(::symlink((folder / "victim").c_str(), trap.c_str()) == 0);
  REQUIRE(::lchown(trap.c_str(), 1, 1) == 0);
  wish.relative = "svc/trap";
  CHECK_FALSE(make_directory(wish).ok());
  wish.relative = "svc/trap/deeper";
  CHECK_FALSE(make_directory(wish).ok());
  CHECK(remove_tree(base, "svc/trap/deeper", 100).error != 0);
  struct stat st {};
  REQUIRE(::stat((folder / "victim").c_str(), &st) == 0);
  CHECK(st.st_uid == 0);
  CHECK((st.st_mode & 07777) == 0700);
  // Removing the directory takes the link, not what it leads to.
  write_text(folder / "victim/precious", "x");
  CHECK(remove_tree(base, "svc", 100).error == 0);
  CHECK_FALSE(exists(base + "/svc"));
  CHECK(exists(folder / "victim/precious"));
}

TEST_CASE("a link that root made in root's folder is followed", "[os][directories]") {
  const ScratchFolder folder;
  const std::string base = folder / "lib";
  ::mkdir(base.c_str(), 0755);
  ::mkdir((folder / "disk").c_str(), 0755);
  REQUIRE(::symlink((folder / "disk").c_str(), (base + "/svc").c_str()) == 0);
  REQUIRE(make_directory({base, "svc", 0750}).ok());
  struct stat st {};
  REQUIRE(::stat((folder / "disk").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0750);
}

TEST_CASE("CVE-2017-18078: hard links to files from elsewhere keep their owner",
          "[os][directories][faults][C13]") {
  ONSET_NEEDS(is_root(), "changing owners needs root");
  const ScratchFolder folder;
  const std::string tree = folder / "tree";
  ::mkdir(tree.c_str(), 0755);
  REQUIRE(::chown(tree.c_str(), 2, 2) == 0);
  write_text(folder / "shadow", "root's");
  REQUIRE(::link((folder / "shadow").c_str(), (tree + "/mine").c_str()) == 0);
  write_text(tree + "/plain", "x");
  auto fd = open_path(tree.c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(fd.ok());
  CHECK(change_tree_owner(*fd, 1, 1) == 0);
  struct stat st {};
  REQUIRE(::stat((folder / "shadow").c_str(), &st) == 0);
  CHECK(st.st_uid == 0);
  REQUIRE(::stat((tree + "/plain").c_str(), &st) == 0);
  CHECK(st.st_uid == 1);
  REQUIRE(::stat(tree.c_str(), &st) == 0);
  CHECK(st.st_uid == 1);
}

namespace {

/// A process of its own that swaps two names in a folder until it is ended.
class Swapper {
 public:
  Swapper(const std::string& one, const std::string& other) : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) {
      ::syscall(SYS_renameat2, AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    }
  }
  ~Swapper() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  pid_t pid_;
};

uid_t owner_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st.st_uid;
}

}  // namespace

TEST_CASE("CVE-2018-15687: what is swapped for a link gives nothing else away",
          "[os][directories][faults][C13]") {
  ONSET_NEEDS(is_root(), "changing owners needs root");
  const ScratchFolder folder;
  const std::string tree = folder / "tree";
  ::mkdir(tree.c_str(), 0755);
  REQUIRE(::chown(tree.c_str(), 2, 2) == 0);
  write_text(folder / "shadow", "root's");
  ::mkdir((folder / "etc").c_str(), 0700);
  write_text(folder / "etc/passwd", "root's");
  // A link to a file in place of a file, and one to a folder in place of a folder.
  write_text(tree + "/file", "x");
  REQUIRE(::symlink((folder / "shadow").c_str(), (tree + "/link").c_str()) == 0);
  ::mkdir((tree + "/folder").c_str(), 0755);
  write_text(tree + "/folder/passwd", "x");
  REQUIRE(::symlink((folder / "etc").c_str(), (tree + "/way").c_str()) == 0);
  {
    const Swapper file(tree + "/file", tree + "/link");
    const Swapper directory(tree + "/folder", tree + "/way");
    for (uid_t round = 0; round < 3000; ++round) {
      auto fd = open_path(tree.c_str(), O_RDONLY | O_DIRECTORY);
      REQUIRE(fd.ok());
      // Whatever comes of it: to be swapped in the middle may be an error.
      (void)change_tree_owner(*fd, 1 + round % 2, 1);
    }
  }
  CHECK(owner_of(folder / "shadow") == 0);
  CHECK(owner_of(folder / "etc") == 0);
  CHECK(owner_of(folder / "etc/passwd") == 0);
  // Left alone, the tree is given away as a whole, each link as itself.
  auto fd = open_path(tree.c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(change_tree_owner(*fd, 3, 3) == 0);
  for (const char* name : {"", "/file", "/link", "/folder", "/way"}) {
    CHECK(owner_of(tree + name) == 3);
  }
  CHECK(owner_of(folder / "shadow") == 0);
}

TEST_CASE("CVE-2021-3997: trees of any depth change owner and go, without recursion",
          "[os][directories][faults][C13]") {
  const SmallStack limit;
  const ScratchFolder folder;
  const std::string base = folder / "run";
  REQUIRE(make_directory({base, "deep", 0755}).ok());
  int fd = ::open((base + "/deep").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(::mkdirat(fd, "d", 0755) == 0);
    const int next = ::openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(fd);
    fd = next;
  }
  ::close(fd);
  if (is_root()) {
    auto top = open_path((base + "/deep").c_str(), O_RDONLY | O_DIRECTORY);
    CHECK(change_tree_owner(*top, 1, 1) == 0);
  }
  CHECK_FALSE(remove_tree(base, "deep", 100).complete);
  const Removal removal = remove_tree(base, "deep", UINT32_MAX);
  CHECK(removal.error == 0);
  CHECK(removal.complete);
  CHECK_FALSE(exists(base + "/deep"));
  CHECK(remove_tree(base, "deep", 1).error == 0);  // already gone
}

TEST_CASE("links beside a directory are relative and made once", "[os][directories]") {
  const ScratchFolder folder;
  const std::string base = folder / "run";
  REQUIRE(make_directory({base, "a/b", 0755}).ok());
  REQUIRE(make_directory_link(base, "a/b", "x/y/link").ok());
  CHECK(exists(base + "/x/y/link"));
  CHECK(make_directory_link(base, "a/b", "x/y/link").ok());
  auto other = make_directory_link(base, "a", "x/y/link");
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().err == EEXIST);
}
