#include "cli/init_scripts.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "cli/unit_files.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr const char* kUpdate = "/usr/sbin/update-rc.d";

std::string_view script_of(std::string_view unit) {
  return unit.ends_with(".service") ? without_suffix(unit) : std::string_view();
}

bool is_start_link(std::string_view link, std::string_view script) {
  return link.size() == script.size() + 3 && link.front() == 'S' && is_digit(link[1]) &&
         is_digit(link[2]) && link.ends_with(script);
}

int run_update(const Command& command, std::string_view script, std::string_view what) {
  std::vector<std::string> argv;
  if (const std::string root = root_of(command.options); !root.empty()) argv = {"chroot", root};
  argv.insert(argv.end(), {kUpdate, std::string(script), std::string(what)});
  if (!command.options.quiet) command.err(format("Executing: {}", join(argv, " ")));
  if (command.context.programs == nullptr) return command.fail("Nothing can be run here.");
  const auto status = command.context.programs->run(argv);
  if (status) return *status;
  return command.fail(format("Failed to execute {}: {}", kUpdate, errno_text(status.error().err)));
}

}  // namespace

bool has_init_script(const Command& command, std::string_view unit) {
  const std::string_view script = script_of(unit);
  if (script.empty() || script.find('/') != script.npos || command.options.user) return false;
  const auto status =
      command.context.files.stat(format("{}/etc/init.d/{}", root_of(command.options), script));
  return status && status->kind == FileKind::Regular && status->executable;
}

bool is_native(UnitFileState state) noexcept {
  return state != UnitFileState::NotFound && state != UnitFileState::Generated;
}

bool is_script_enabled(const Command& command, std::string_view unit) {
  for (const char* folder : {"rcS.d", "rc5.d"}) {
    const auto links =
        command.context.files.list(format("{}/etc/{}", root_of(command.options), folder));
    if (links && std::ranges::any_of(*links, [&](const DirectoryItem& link) {
          return is_start_link(link.name, script_of(unit));
        }))
      return true;
  }
  return false;
}

int change_script(const Command& command, std::string_view unit, bool is_native) {
  if (!command.options.quiet) {
    command.err(is_native ? format("Synchronizing the state of {} with its init script.", unit)
                          : format("{} is an init script.", unit));
  }
  const std::string_view script = script_of(unit);
  if (const int status = run_update(command, script, "defaults"); status != 0) return status;
  return run_update(command, script, command.verb);
}

}  // namespace onset
