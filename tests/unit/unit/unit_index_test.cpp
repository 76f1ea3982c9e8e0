#include "unit/unit_index.h"

#include <catch2/catch.hpp>
#include <cerrno>

#include "base/format.h"
#include "support/loaded_unit.h"
#include "unit/loader.h"

namespace onset {
namespace {

using test::MemoryFiles;

const std::string kEtcFolder = "/etc/systemd/system";
const std::string kEtc = kEtcFolder + "/";
const std::string kOwn = "/etc/onset/system/";  // before it
const std::string kUsr = "/usr/lib/systemd/system/";
constexpr std::string_view kPlain = "[Service]\nExecStart=/bin/a\n";
constexpr int kPassing[] = {ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, ENOBUFS};
constexpr int kLasting[] = {ELOOP, ESTALE, EIO, EACCES, EPERM, ENAMETOOLONG};

LoadState state_of(UnitLoader& loader, std::string_view name, Diagnostics& told) {
  return loader.load(name, told)->load_state;
}

/// A tree in which one link can't be read.
class OneBadLink : public FileSource {
 public:
  MemoryFiles files;
  std::string path;
  int error = 0;  ///< 0: it can

  Result<std::string> read(std::string_view of, std::size_t limit) override {
    return is_bad(of) ? Failure{SysError{"open", error}} : files.read(of, limit);
  }
  Result<std::vector<DirectoryItem>> list(std::string_view directory) override {
    return files.list(directory);
  }
  Result<std::string> read_link(std::string_view of) override {
    return is_bad(of) ? Failure{SysError{"readlink", error}} : files.read_link(of);
  }
  Result<FileStatus> lstat(std::string_view of) override { return files.lstat(of); }
  Result<FileStatus> stat(std::string_view of) override {
    return is_bad(of) ? Failure{SysError{"stat", error}} : files.stat(of);
  }

 private:
  [[nodiscard]] bool is_bad(std::string_view of) const { return error != 0 && of == path; }
};

/// Of masked.service, which a later folder has too; a.service is another unit.
struct BadMask : OneBadLink {
  explicit BadMask(int why) {
    path = kEtc + "masked.service";
    error = why;
    files.add_link(path, "/dev/null");
    files.add(kUsr + "masked.service", kPlain);
    files.add(kUsr + "a.service", kPlain);
  }
};

TEST_CASE("while a folder of the search path can't be listed, only masks before it stand",
          "[unit][loader]") {
  constexpr BuiltinUnit kBuiltin[] = {{"rescue.target", "[Unit]\nDescription=r\n", ""}};
  for (const int error : kPassing) {
    INFO(errno_text(error));
    MemoryFiles files;
    files.add(kOwn + "before.service", kPlain);
    files.add_link(kOwn + "masked.service", "/dev/null");
    files.add_link(kUsr + "masked-later.service", "/dev/null");
    files.add(kEtc + "inside.service", kPlain);
    files.add(kUsr + "after.service", kPlain);
    files.break_path(kEtcFolder, error);
    LoaderConfig config = test::loader_config();
    config.builtin = kBuiltin;
    UnitLoader loader(files, config);
    Diagnostics told;
    const auto after = loader.load("after.service", told);
    CHECK(after->load_state == LoadState::Error);
    CHECK(after->load_error == kEtcFolder + ": can't be read, what is in it may matter");
    REQUIRE(told.size() == 1);
    CHECK(told[0].severity == Severity::Error);
    CHECK(to_string(told[0]) ==
          kEtcFolder + ": can't be listed, its units are missing: " + errno_text(error));
    // A drop-in in there could take rights from it.
    CHECK(state_of(loader, "before.service", told) == LoadState::Error);
    CHECK(state_of(loader, "inside.service", told) == LoadState::Error);
    CHECK(state_of(loader, "masked-later.service", told) == LoadState::Error);
    CHECK(state_of(loader, "masked.service", told) == LoadState::Masked);
    CHECK(state_of(loader, "rescue.target", told) == LoadState::Loaded);
    CHECK_FALSE(loader.refresh());  // it is as it was
    files.break_path(kEtcFolder, 0);
    CHECK(loader.refresh());
    CHECK_FALSE(loader.refresh());
    for (const char* name : {"before.service", "inside.service", "after.service"})
      CHECK(state_of(loader, name, told) == LoadState::Loaded);
    CHECK(state_of(loader, "masked-later.service", told) == LoadState::Masked);
    CHECK(told.size() == 1);
  }
}

TEST_CASE("a folder of the search path that can't be opened for good is told once, and is as none",
          "[unit][loader]") {
  for (const int error : kLasting) {
    INFO(errno_text(error));
    MemoryFiles files;
    files.add(kOwn + "before.service", kPlain);
    files.add(kEtc + "inside.service", kPlain);
    files.add(kUsr + "after.service", kPlain);
    files.break_path(kEtcFolder, error);
    UnitLoader loader(files, test::loader_config());
    Diagnostics told;
    CHECK(state_of(loader, "before.service", told) == LoadState::Loaded);
    CHECK(state_of(loader, "after.service", told) == LoadState::Loaded);
    CHECK(state_of(loader, "inside.service", told) == LoadState::NotFound);
    REQUIRE(told.size() == 1);
    CHECK(told[0].severity == Severity::Warning);
    CHECK(to_string(told[0]) ==
          kEtcFolder + ": can't be listed, its units are missing: " + errno_text(error));
    CHECK_FALSE(loader.refresh());  // nor listed again for each request
  }
}

TEST_CASE("a folder that has gone when it is listed is looked for again", "[unit][loader]") {
  MemoryFiles files;
  files.add(kEtc + "inside.service", kPlain);
  files.break_path(kEtcFolder, ENOENT);
  UnitLoader loader(files, test::loader_config());
  Diagnostics told;
  CHECK(state_of(loader, "inside.service", told) == LoadState::NotFound);
  CHECK(told.empty());
  files.break_path(kEtcFolder, 0);  // its time is the same
  CHECK(loader.refresh());
  CHECK(state_of(loader, "inside.service", told) == LoadState::Loaded);
  CHECK_FALSE(loader.refresh());
}

TEST_CASE("a file in place of a folder of the search path is not listed for each request",
          "[unit][loader]") {
  MemoryFiles files;
  files.add(kEtcFolder, "text");
  files.break_path(kEtcFolder, ENOTDIR);
  UnitLoader loader(files, test::loader_config());
  CHECK_FALSE(loader.refresh());
}

TEST_CASE("a link that has gone when it is read is looked for again", "[unit][loader]") {
  BadMask source(ENOENT);
  UnitLoader loader(source, test::loader_config());
  Diagnostics told;
  CHECK(state_of(loader, "a.service", told) == LoadState::Loaded);
  source.error = 0;
  CHECK(loader.refresh());
  CHECK(state_of(loader, "masked.service", told) == LoadState::Masked);
  CHECK_FALSE(loader.refresh());
}

TEST_CASE("a looping link in the search path leaves the units of other folders", "[unit][loader]") {
  MemoryFiles files;
  files.add_link(kEtcFolder, kEtcFolder);
  files.add(kOwn + "before.service", kPlain);
  files.add(kUsr + "after.service", kPlain);
  UnitLoader loader(files, test::loader_config());
  Diagnostics told;
  CHECK(state_of(loader, "before.service", told) == LoadState::Loaded);
  CHECK(state_of(loader, "after.service", told) == LoadState::Loaded);
  REQUIRE(told.size() == 1);
  CHECK(told[0].message.ends_with(errno_text(ELOOP)));
}

TEST_CASE("a folder that fails for good later on is told with the next unit", "[unit][loader]") {
  MemoryFiles files;
  files.add(kUsr + "a.service", kPlain);
  files.add_directory(kEtcFolder);
  files.break_path(kEtcFolder, ENOMEM);
  UnitLoader loader(files, test::loader_config());
  Diagnostics told;
  CHECK(state_of(loader, "a.service", told) == LoadState::Error);
  files.break_path(kEtcFolder, ELOOP);
  CHECK(loader.refresh());
  CHECK(state_of(loader, "a.service", told) == LoadState::Loaded);
  REQUIRE(told.size() == 2);
  CHECK(told[1].message.ends_with(errno_text(ELOOP)));
  CHECK(state_of(loader, "a.service", told) == LoadState::Loaded);
  CHECK(told.size() == 2);
}

TEST_CASE("while a link can't be read, units are in error and the search path is not listed again",
          "[unit][loader]") {
  for (const int error : kPassing) {
    INFO(errno_text(error));
    BadMask source(error);
    UnitLoader loader(source, test::loader_config());
    Diagnostics told;
    CHECK(state_of(loader, "masked.service", told) == LoadState::Error);
    // The link may be another name of it.
    CHECK(loader.load("a.service", told)->load_error ==
          source.path + ": can't be read, what is in it may matter");
    const unsigned listings = source.files.listings();
    CHECK_FALSE(loader.refresh());
    CHECK(source.files.listings() == listings);
    source.error = 0;
    CHECK(loader.refresh());
    CHECK_FALSE(loader.refresh());
    CHECK(state_of(loader, "masked.service", told) == LoadState::Masked);
    CHECK(state_of(loader, "a.service", told) == LoadState::Loaded);
  }
}

TEST_CASE("a link that can't be read for good is in error itself, and hides what comes later",
          "[unit][loader]") {
  for (const int error : kLasting) {
    INFO(errno_text(error));
    BadMask source(error);
    UnitLoader loader(source, test::loader_config());
    Diagnostics told;
    CHECK(state_of(loader, "a.service", told) == LoadState::Loaded);
    REQUIRE(told.size() == 1);
    CHECK(to_string(told[0]) == source.path + ": the link can't be read: " + errno_text(error));
    // It may be a mask: nothing is run in its place.
    CHECK(state_of(loader, "masked.service", told) == LoadState::Error);
    CHECK_FALSE(loader.refresh());
    CHECK(loader.listings() == 1);
  }
}

}  // namespace
}  // namespace onset
