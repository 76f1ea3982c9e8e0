#include "init/builtin_generators.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/format.h"
#include "init/generated_files.h"
#include "init/getty_generator.h"
#include "init/sysv_generator.h"
#include "os/link_walk.h"
#include "unit/fstab_units.h"

namespace onset {
namespace {

using Here = GeneratorSurroundings;

struct Row {
  std::string_view name;
  bool (*applies)(const Here&);
  std::vector<std::string> (*run)(const Here&, const GeneratorFolders&);
};

constexpr std::size_t kCommandLineMax = 16384;
constexpr std::string_view kFstab = "/etc/fstab";
constexpr std::string_view kSysrootFstab = "/sysroot/etc/fstab";
constexpr std::size_t kFstabMax = std::size_t{1} << 20U;

/// Empty: there is none, or the kernel's command line says that it does not count.
std::string text_of_fstab(const Here& here, std::string_view file) {
  const auto text = here.kernel.fstab ? here.files.read(file, kFstabMax) : std::string();
  return text ? *text : std::string();
}

std::vector<std::string> link_machine_units(const Here& here) {
  const auto line = here.files.read("/proc/cmdline", kCommandLineMax);
  const std::string fstab = text_of_fstab(here, kFstab);
  MachineFacts facts{here.kernel, {}, fstab, here.default_unit};
  if (line) facts.command_line = *line;
  facts.in_initrd = here.in_initrd;
  facts.has_rc_local = access("/etc/rc.local", X_OK) == 0;
  return write_generated(machine_links(facts));
}

bool has_fsck(std::string_view type) {
  constexpr std::array kFolders = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};
  return std::ranges::any_of(kFolders, [type](const char* folder) {
    return access(format("{}/fsck.{}", folder, type).c_str(), X_OK) == 0;
  });
}

/// The system's own table, and in an initrd that of the root, once it is mounted.
std::vector<std::string> make_fstab_units(const Here& here) {
  Diagnostics diagnostics;
  std::vector<std::string> losses;
  for (const std::string_view file : {kFstab, kSysrootFstab}) {
    const bool is_of_sysroot = file == kSysrootFstab;
    if (is_of_sysroot && !here.in_initrd) continue;
    const std::string text = text_of_fstab(here, file);
    FstabFacts facts{text, file, here.kernel.swap, is_of_sysroot, resolve_links, has_fsck};
    for (std::string& loss : write_generated(fstab_units(facts, diagnostics)))
      losses.push_back(std::move(loss));
  }
  for (const Diagnostic& d : diagnostics) losses.push_back(to_string(d));
  return losses;
}

constexpr Row kTable[] = {
    {"onset-machine-generator",
     [](const Here& here) { return here.surroundings == Surroundings::Machine; },
     [](const Here& here, const GeneratorFolders&) { return link_machine_units(here); }},
    // What a container has mounted is its runtime's business.
    {"systemd-fstab-generator",
     [](const Here& here) { return here.surroundings == Surroundings::Machine; },
     [](const Here& here, const GeneratorFolders&) { return make_fstab_units(here); }},
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
