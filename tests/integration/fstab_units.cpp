// fstab_units FSTAB FOLDER: what onset makes of a table, in files: to be compared with what
// systemd's generator writes. Mount points are as they are written, and what is checked has a
// program /usr/sbin/fsck.TYPE, as the generator looks for.

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/format.h"
#include "unit/fstab_units.h"

using namespace onset;

namespace {

bool has_fsck(std::string_view type) {
  return access(format("/usr/sbin/fsck.{}", type).c_str(), X_OK) == 0;
}

void make(const GeneratedFile& file, const std::filesystem::path& folder) {
  const auto path = folder / file.path;
  std::filesystem::create_directories(path.parent_path());
  if (file.link_to.empty()) {
    std::ofstream(path) << file.text;
  } else {
    std::filesystem::create_symlink(file.link_to, path);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream table(argv[1]);
  const std::string text(std::istreambuf_iterator<char>(table), {});
  Diagnostics diagnostics;
  FstabFacts facts;
  facts.text = text;
  facts.resolve = [](const std::string& path) { return path; };
  facts.has_fsck = has_fsck;
  for (const GeneratedFile& file : fstab_units(facts, diagnostics)) make(file, argv[2]);
  for (const Diagnostic& d : diagnostics) std::printf("%s\n", to_string(d).c_str());
  return 0;
}
