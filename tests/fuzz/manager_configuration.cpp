// system.conf and its drop-ins. The records: /etc/systemd/system.conf, then drop-ins.
// Parsers: unit/manager_settings.cpp unit/manager_files.cpp

#include "base/format.h"
#include "fuzz/fuzz.h"
#include "support/memory_files.h"
#include "unit/manager_files.h"
#include "unit/manager_settings.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

const std::vector<std::string> kFolders = {"/etc/onset", "/etc/systemd", "/run/systemd"};

struct Reading {
  ManagerSettings settings;
  Diagnostics diagnostics;
};

Reading read(FileSource& files, bool user_manager) {
  HostFacts host;
  host.hostname = "box";
  Reading reading;
  reading.settings =
      read_manager_settings(files, kFolders, user_manager, host, {}, reading.diagnostics);
  return reading;
}

std::string shown(const ManagerSettings& settings) {
  std::string text;
  for (const ManagerDirective& d : manager_directives()) {
    if (d.show != nullptr) text += format("{}={}\n", d.name, d.show(settings));
    if (d.resource < 0) continue;
    if (const Limit* limit = find_limit(settings.limits, d.resource)) {
      expect(limit->soft <= limit->hard, "a soft limit is not above the hard one", d.name);
      text += format("{}={}:{}\n", d.name, limit->soft, limit->hard);
    }
  }
  return text;
}

void try_log_level(std::string_view text) {
  if (const auto level = parse_log_level(text)) {
    expect(parse_log_level(log_level_name(*level)) == level, "a log level has its name");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  test::MemoryFiles files;
  try_log_level(rest);
  const std::string_view main_file = take(rest);
  // Some of them others may write, or own.
  if (main_file == "|") {
    files.add_special("/etc/systemd/system.conf");
  } else {
    files.add("/etc/systemd/system.conf", main_file, main_file.size() % 16 == 15 ? 0666 : 0644,
              main_file.size() % 16 == 7 ? 1000 : 0);
  }
  for (unsigned i = 0; !rest.empty() && i < 8; ++i) {
    // Every second one of the same name: the first folder's hides the other.
    files.add(format("{}/system.conf.d/{}.conf", kFolders[i % 3], 10 + i / 2), take(rest));
  }
  const Reading first = read(files, false);
  for (const Diagnostic& d : first.diagnostics) {
    expect(!d.message.empty() && !to_string(d).empty(), "what is told says something");
  }
  const Reading second = read(files, false);
  expect_same(shown(first.settings), shown(second.settings), "the same files, the same settings");
  expect(first.diagnostics.size() == second.diagnostics.size(), "the same files, the same words");

  files.add("/etc/systemd/user.conf", text_of(data, size));
  (void)read(files, true);
  HostFacts host;
  for (const std::string& folder : default_config_path(true, host)) {
    expect(folder.starts_with('/'), "a folder of the configuration is an absolute path");
  }
  return 0;
}
