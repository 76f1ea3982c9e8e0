// Drop-ins apply by name, whatever folder they lie in and however a listing comes.
#include <map>
#include <tuple>

#include "base/format.h"
#include "properties/property.h"
#include "properties/random_units.h"
#include "support/loaded_unit.h"
#include "support/memory_files.h"
#include "unit/unit_members.h"

using namespace onset;
using namespace onset::test;

namespace {

/// A tree whose listings come in an order of their own.
class ShuffledFiles final : public FileSource {
 public:
  explicit ShuffledFiles(FileSource& files) : files_(files) {}
  Result<std::string> read(std::string_view path, std::size_t limit) override {
    return files_.read(path, limit);
  }
  Result<std::vector<DirectoryItem>> list(std::string_view directory) override {
    auto items = files_.list(directory);
    if (!items) return items;
    return permuted(*items);
  }
  Result<std::string> read_link(std::string_view path) override { return files_.read_link(path); }
  Result<FileStatus> lstat(std::string_view path) override { return files_.lstat(path); }
  Result<FileStatus> stat(std::string_view path) override { return files_.stat(path); }

 private:
  FileSource& files_;
};

const std::vector<std::string> kFolders = {"/etc/systemd/system", "/run/systemd/system",
                                           "/usr/lib/systemd/system"};

}  // namespace

TEST_CASE("drop-ins apply in the order of their names, the first folder's of one name",
          "[properties][dropin]") {
  const std::vector<std::string> owners = {"a-b@x.service.d", "a-b@.service.d", "a-.service.d",
                                           "a-@x.service.d",  "a-@.service.d",  "service.d"};
  holds([&owners] {
    MemoryFiles files;
    files.add("/etc/systemd/system/a-b@.service",
              "[Unit]\nDescription=none\n[Service]\nExecStart=/bin/a\n");
    // Of the files of one name the first counts: by the search path, in each of its folders by
    // whose they are; those of the whole type come last (systemd.unit(5)).
    std::map<std::string, std::pair<std::tuple<bool, std::size_t, std::size_t>, std::string>>
        winners;
    const int count = *within(0, 8);
    for (int i = 0; i < count; ++i) {
      const auto owner = *within<std::size_t>(0, owners.size());
      const auto folder = *within<std::size_t>(0, kFolders.size());
      const std::string name = *rc::gen::element<std::string>("10-a", "10-b", "9", "a", "B", "z") +
                               *rc::gen::element<std::string>(".conf", ".conf", ".con");
      const std::string path = kFolders[folder] + "/" + owners[owner] + "/" + name;
      const std::string word = format("{}_{}_{}", i, owner, folder);
      files.add(path, "[Unit]\nDescription=" + word + "\n[Service]\nEnvironment=A" + word + "=1\n");
      if (!name.ends_with(".conf")) continue;
      auto& winner = winners[name];
      const std::tuple rank{owner + 1 == owners.size(), folder, owner};
      // The same path is the same file, written anew.
      if (winner.second.empty() || rank <= winner.first) winner = {rank, word};
    }
    std::vector<std::string> expected;
    for (const auto& [name, winner] : winners) expected.push_back("A" + winner.second + "=1");
    ShuffledFiles shuffled(files);
    UnitLoader loader(shuffled, loader_config());
    Diagnostics diagnostics;
    const auto unit = loader.load("a-b@x.service", diagnostics);
    RC_ASSERT(unit->load_state == LoadState::Loaded);
    RC_ASSERT(config_of<ExecConfig>(std::as_const(*unit)).environment == expected);
    RC_ASSERT(unit->config.description ==
              (winners.empty() ? "none" : winners.rbegin()->second.second));
  });
}

TEST_CASE("a mask hides the drop-ins of its name behind it, whatever order they are listed in",
          "[properties][dropin]") {
  holds([] {
    MemoryFiles files;
    files.add("/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/a\n");
    std::map<std::string, std::pair<std::size_t, bool>> winners;  // folder, and whether a mask
    const int count = *within(0, 8);
    for (int i = 0; i < count; ++i) {
      const auto folder = *within<std::size_t>(0, kFolders.size());
      const std::string name = *rc::gen::element<std::string>("a.conf", "b.conf", "c.conf");
      const bool mask = *rc::gen::arbitrary<bool>();
      const std::string path = kFolders[folder] + "/a.service.d/" + name;
      if (files.exists(path)) continue;
      if (mask) {
        files.add_link(path, "/dev/null");
      } else {
        files.add(path, "[Service]\nEnvironment=" + name.substr(0, 1) + "=1\n");
      }
      const auto known = winners.find(name);
      if (known == winners.end() || folder < known->second.first) winners[name] = {folder, mask};
    }
    std::vector<std::string> expected;
    for (const auto& [name, winner] : winners)
      if (!winner.second) expected.push_back(name.substr(0, 1) + "=1");
    ShuffledFiles shuffled(files);
    UnitLoader loader(shuffled, loader_config());
    Diagnostics diagnostics;
    const auto unit = loader.load("a.service", diagnostics);
    RC_ASSERT(unit->load_state == LoadState::Loaded);
    RC_ASSERT(config_of<ExecConfig>(std::as_const(*unit)).environment == expected);
  });
}
