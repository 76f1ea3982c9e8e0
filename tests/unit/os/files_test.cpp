#include "os/files.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "unit/os/os_world.h"

using namespace onset;
using namespace onset::test;

TEST_CASE("a regular file is read whole, up to the limit", "[os][files]") {
  const ScratchFolder folder;
  RealFiles files;
  const std::string text(100000, 'x');
  write_text(folder / "f", text);
  auto whole = files.read(folder / "f", 100000);
  REQUIRE(whole.ok());
  CHECK(*whole == text);
  auto large = files.read(folder / "f", 99999);
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().err == EFBIG);
  // Files of the kernel's have no size of their own.
  CHECK(files.read("/proc/self/status", 65536).ok());
  auto kernel = files.read("/proc/self/status", 10);
  REQUIRE_FALSE(kernel.ok());
  CHECK(kernel.error().err == EFBIG);
}

TEST_CASE("nothing that is no regular file is waited for", "[os][files][faults]") {
  const ScratchFolder folder;
  RealFiles files;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  REQUIRE(::symlink("loop", (folder / "loop").c_str()) == 0);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, (folder / "socket").c_str());
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const auto error = [&](std::string_view path) {
    auto text = files.read(path, 1000);
    return text ? 0 : text.error().err;
  };
  CHECK(error(folder / "fifo") == EINVAL);
  CHECK(error(folder / "socket") == EINVAL);
  CHECK(error("/dev/null") == EINVAL);
  CHECK(error("/dev/zero") == EINVAL);
  CHECK(error(folder / "loop") == ELOOP);
  CHECK(error(folder.path()) == EISDIR);
  CHECK(error(folder / "none") == ENOENT);
  CHECK(error(std::string_view("/etc/passwd\0x", 13)) == EINVAL);
  CHECK(error("") == EINVAL);
  ::close(fd);
}

TEST_CASE("folders are listed with the kinds of what is in them", "[os][files]") {
  const ScratchFolder folder;
  RealFiles files;
  write_text(folder / "file", "");
  ::mkdir((folder / "folder").c_str(), 0755);
  REQUIRE(::symlink("file", (folder / "link").c_str()) == 0);
  auto items = files.list(folder.path());
  REQUIRE(items.ok());
  CHECK(items->size() == 3);
  const auto kind = [&](std::string_view name) {
    for (const auto& item : *items) {
      if (item.name == name) return item.kind;
    }
    return FileKind::Other;
  };
  CHECK(kind("file") == FileKind::Regular);
  CHECK(kind("folder") == FileKind::Directory);
  CHECK(kind("link") == FileKind::Symlink);
  auto none = files.list(folder / "file");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().err == ENOTDIR);
}

TEST_CASE("a folder that is removed while it is open is not an empty one", "[os][files]") {
  const ScratchFolder folder;
  RealFiles files;
  const std::string path = folder / "gone";
  ::mkdir(path.c_str(), 0755);
  CHECK(files.list(path)->empty());
  UniqueFd open(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(::rmdir(path.c_str()) == 0);
  const auto listed = files.list(format("/proc/self/fd/{}", open.get()));
  REQUIRE_FALSE(listed.ok());
  CHECK(listed.error().err == ENOENT);
}

TEST_CASE("status follows links or not, as asked", "[os][files]") {
  const ScratchFolder folder;
  RealFiles files;
  REQUIRE(::symlink("/dev/null", (folder / "mask").c_str()) == 0);
  CHECK(files.lstat(folder / "mask")->kind == FileKind::Symlink);
  CHECK(files.stat(folder / "mask")->is_null_device);
  CHECK(*files.read_link(folder / "mask") == "/dev/null");
  write_text(folder / "x", "abc");
  ::chmod((folder / "x").c_str(), 0711);
  const auto status = files.stat(folder / "x");
  CHECK(status->size == 3);
  CHECK(status->mode == 0711);
  CHECK(status->executable);
  CHECK(status->mtime_ns > 0);
}

TEST_CASE("files and links are replaced in one step", "[os][files]") {
  const ScratchFolder folder;
  RealFiles files;
  CHECK(files.make_directories(folder / "a/b/c").ok());
  CHECK(files.make_directories(folder / "a/b/c").ok());
  CHECK(files.make_link("one", folder / "a/link").ok());
  CHECK(files.make_link("two", folder / "a/link").ok());
  CHECK(*files.read_link(folder / "a/link") == "two");
  CHECK(files.write_file(folder / "a/text", "first", 0640).ok());
  CHECK(files.write_file(folder / "a/text", "second", 0600).ok());
  CHECK(read_text(folder / "a/text") == "second");
  CHECK(files.stat(folder / "a/text")->mode == 0600);
  CHECK(files.list(folder / "a")->size() == 3);  // nothing temporary is left
  CHECK(files.remove(folder / "a/text").ok());
  files.remove_empty_directory(folder / "a");
  CHECK(files.stat(folder / "a").ok());
  files.remove_empty_directory(folder / "a/b/c");
  CHECK_FALSE(files.stat(folder / "a/b/c").ok());
  auto blocked = files.make_directories(folder / "a/link/x");
  REQUIRE_FALSE(blocked.ok());
}
