#include "unit/verify.h"

#include <catch2/catch.hpp>

#include "support/loaded_unit.h"
#include "support/vectors.h"
#include "unit/directives.h"

namespace onset {
namespace {

using test::MemoryFiles;

/// A machine with /bin/true and little else.
MemoryFiles machine() {
  MemoryFiles files;
  files.add("/bin/true", "#!", 0755);
  files.add("/bin/false", "#!", 0755);
  files.add("/etc/passwd", "root:x:0:0::/:/bin/sh\n");
  return files;
}

std::string told(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) text += to_string(d) + "\n";
  return text;
}

std::string verdict(std::string_view text) {
  MemoryFiles files = machine();
  files.add("/x/u.service", text);
  for (const char* name : {"a.service", "a@.service"}) {
    files.add(std::string("/x/") + name, "[Service]\nExecStart=/bin/true\n");
  }
  files.add("/x/b.target", "[Unit]\n");
  LoaderConfig config = test::loader_config();
  config.builtin = builtin_units(false);
  Diagnostics diagnostics;
  const int status = verify_files(files, config, {"/x/u.service"}, diagnostics);
  UnitLoader loader(files, config);
  Diagnostics ignored;
  const bool loads = loader.load_file("/x/u.service", ignored)->load_state == LoadState::Loaded;
  INFO(told(diagnostics));
  CHECK((status != 0 || loads));
  return !loads ? "refused" : status != 0 ? "warn" : "ok";
}

/// Where onset means to differ from systemd 252.
bool differs_on_purpose(std::string_view section, std::string_view setting,
                        std::string_view expected, std::string_view got) {
  // Unit files with these come from another world: told with their line.
  if (section == "carriage returns" || section.starts_with("byte order")) return got != "ok";
  const std::string_view name = setting.substr(0, setting.find('='));
  const auto in = section_of(section);
  const Directive* directive = in ? find_directive(*in, name) : nullptr;
  if (directive == nullptr) return false;
  // What protects and is wrong is not left out: the unit is refused.
  if (directive->protects && expected == "warn" && got == "refused") return true;
  // A word about an old form is no fault.
  if (expected == "warn" && got == "ok") {
    return directive->support == Support::Obsolete || directive->help.starts_with("Old form") ||
           setting.ends_with("Action=halt") ||     // systemd 254 has it
           name == "RuntimeRandomizedExtraSec" ||  // told: no effect by itself
           name.starts_with("USBFunction") ||      // one without the other: not honoured yet
           setting == "StandardOutput=syslog";
  }
  // systemd says nothing, and does nothing.
  if (expected == "ok" && got == "warn") {
    return setting.ends_with(" nonsense") || setting == "StandardOutput=file";
  }
  return false;
}

std::string unit_text(const std::string& section, const std::string& setting) {
  if (section == "Unit") return "[Unit]\n" + setting + "\n[Service]\nExecStart=/bin/true\n";
  if (section == "Service") return "[Service]\nExecStart=/bin/true\n" + setting + "\n";
  if (section == "Install") {
    return "[Service]\nExecStart=/bin/true\n[Install]\n" + setting + "\n";
  }
  return setting;  // a whole unit behind its title
}

TEST_CASE("verify takes and refuses what systemd-analyze verify does", "[unit][verify][oracle]") {
  const auto rows = test::read_vectors("verify");
  CHECK(rows.size() > 1000);
  for (const auto& row : rows) {
    REQUIRE(row.size() == 3);
    const std::string got = verdict(unit_text(row[0], row[1]));
    INFO(row[0] << ": " << row[1]);
    if (!differs_on_purpose(row[0], row[1], row[2], got)) CHECK(got == row[2]);
  }
}

TEST_CASE("a file without fault passes in silence", "[unit][verify]") {
  MemoryFiles files = machine();
  files.add("/x/a.service", "[Service]\nExecStart=/bin/true\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(), {"/x/a.service"}, diagnostics) == 0);
  CHECK(told(diagnostics).empty());
}

TEST_CASE("what is not honoured yet is told and is no fault", "[unit][verify]") {
  MemoryFiles files = machine();
  files.add("/x/a.service", "[Service]\nExecStart=/bin/true\nPrivateTmp=yes\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(), {"/x/a.service"}, diagnostics) == 0);
  CHECK(told(diagnostics) == "/x/a.service:3: PrivateTmp= is not honoured yet\n");
}

TEST_CASE("C4: an unknown directive makes verify fail, with its line", "[unit][verify][C4]") {
  MemoryFiles files = machine();
  files.add("/x/a.service", "[Service]\nExecStart=/bin/true\nPrivateTemp=yes\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(), {"/x/a.service"}, diagnostics) == 1);
  CHECK(told(diagnostics) ==
        "/x/a.service:3: Unknown key 'PrivateTemp' in section [Service], ignoring\n");
}

TEST_CASE("all faults of all files are told in one go", "[unit][verify]") {
  MemoryFiles files = machine();
  files.add("/x/a.service", "[Service]\nExecStart=/bin/gone\n");
  files.add("/x/b.service", "[Unit]\nRequires=gone.service\n[Service]\nExecStart=/bin/true\n");
  files.add("/x/t@.service", "[Service]\nExecStart=/bin/true %i\nRestart=perhaps\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(),
                     {"/x/a.service", "/x/b.service", "/x/t@.service", "/x/none.service", "x"},
                     diagnostics) == 1);
  const std::string text = told(diagnostics);
  for (const char* part : {"/x/a.service: a.service: the command /bin/gone can't be run",
                           "/x/b.service: b.service requires gone.service",
                           "/x/t@.service:3: Restart=perhaps", "none.service", "x: not a valid"}) {
    INFO(text << part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("units beside a file are found, and count as its dependencies", "[unit][verify]") {
  MemoryFiles files = machine();
  files.add("/x/a.service", "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/true\n");
  files.add("/x/b.service", "[Service]\nExecStart=/bin/true\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(), {"/x/a.service"}, diagnostics) == 0);
}

TEST_CASE("a file of an unpacked package is judged with its tree and this machine",
          "[unit][verify]") {
  MemoryFiles files = machine();
  files.add("/pkg/usr/sbin/daemon", "#!", 0755);
  files.add("/pkg/lib/systemd/systemd-tool", "#!", 0755);
  files.add_link("/pkg/sbin/tool", "/lib/systemd/systemd-tool");
  files.add("/pkg/usr/lib/systemd/system/b.service", "[Service]\nExecStart=/bin/true\n");
  const std::string unit = "/pkg/lib/systemd/system/a.service";
  files.add(unit,
            "[Unit]\nRequires=b.service\n[Service]\nExecStart=/usr/sbin/daemon\n"
            "ExecReload=/sbin/tool\nExecStop=/bin/true\n");
  Diagnostics diagnostics;
  CHECK(verify_files(files, test::loader_config(), {unit}, diagnostics) == 0);
  CHECK(told(diagnostics).empty());
}

TEST_CASE("a unit is verified by name, below a root", "[unit][verify]") {
  MemoryFiles files;
  files.add("/image/usr/sbin/daemon", "#!", 0755);
  files.add("/image/usr/lib/systemd/system/a.service", "[Service]\nExecStart=daemon\n");
  LoaderConfig config = test::loader_config();
  config.root = "/image";
  Diagnostics diagnostics;
  CHECK(verify_files(files, config, {"a.service"}, diagnostics) == 0);
  CHECK(told(diagnostics).empty());
}

}  // namespace
}  // namespace onset
