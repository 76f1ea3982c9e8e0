#include "init/builtin_generators.h"

#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "init/generated_files.h"
#include "init/getty_generator.h"
#include "init/sysv_generator.h"
#include "unit/root_entry.h"

namespace onset {
namespace {

using Here = GeneratorSurroundings;

struct Row {
  std::string_view name;
  bool (*applies)(const Here&);
  std::vector<std::string> (*run)(const Here&, const GeneratorFolders&);
};

constexpr std::size_t kCommandLineMax = 16384;
constexpr std::size_t kFstabMax = std::size_t{1} << 20U;

std::vector<std::string> link_machine_units(const Here& here) {
  const auto line = here.files.read("/proc/cmdline", kCommandLineMax);
  const auto fstab = here.files.read("/etc/fstab", kFstabMax);
  MachineFacts facts{here.kernel, {}, {}, {}};
  if (line) facts.command_line = *line;
  if (fstab) facts.fstab = *fstab;
  facts.default_unit = here.default_unit;
  facts.in_initrd = here.in_initrd;
  facts.has_rc_local = access("/etc/rc.local", X_OK) == 0;
  std::vector<std::string> losses = write_generated(machine_links(facts));
  // Nobody makes units of them: systemd's own generator is not run, see init/generators.
  for (const std::string& entry : later_entries(facts.fstab)) {
    losses.push_back(format("/etc/fstab: {} is left alone, entries but the root's are not read yet",
                            c_escape(entry)));
  }
  return losses;
}

constexpr Row kTable[] = {
    {"onset-machine-generator",
     [](const Here& here) { return here.surroundings == Surroundings::Machine; },
     [](const Here& here, const GeneratorFolders&) { return link_machine_units(here); }},
    {"systemd-getty-generator",
     [](const Here& here) {
       return here.surroundings == Surroundings::Machine && here.kernel.getty_auto;
     },
     [](const Here& here, const GeneratorFolders& folders) {
       return generate_gettys(here.files, folders.normal);
     }},
    // Init scripts are root's business.
    {"systemd-sysv-generator",
     [](const Here& here) {
       return here.surroundings != Surroundings::User && geteuid() == 0 &&
              has_sysv_scripts(here.files, {});
     },
     [](const Here& here, const GeneratorFolders& folders) {
       return generate_sysv_units(here.files, {}, here.search_path, folders.late);
     }},
};

}  // namespace

std::vector<BuiltinGenerator> builtin_generators(const GeneratorSurroundings& here) {
  std::vector<BuiltinGenerator> builtins;
  for (const Row& row : kTable) {
    if (!row.applies(here)) continue;
    builtins.push_back(
        {row.name, [here, run = row.run](const GeneratorFolders& f) { return run(here, f); }});
  }
  return builtins;
}

}  // namespace onset
