// Unit files through the reader, the loader and `show`, on a tree in memory. The input:
//
//   #: a@b.service            begins a file of the folder /etc/systemd/system
//   [Service]
//   ExecStart=/bin/a
//   #: a@.service.d/10.conf   another one, a drop-in
//   #> b.service a@b.service  a link and its target
//   #| c.service              what is no file
//   #~ 24 a@b.service.d       a folder that can't be listed, with errno; without a name, all of it
//   #! b.service              the unit that is loaded; otherwise the first file's
//
// What stands before the first mark is a.service.
// Parsers: unit/reader.cpp unit/loader*.cpp unit/dropin.cpp unit/unit_index.cpp
// Parsers: unit/unit_defaults.cpp unit/directive*.cpp unit/exec_parsers.cpp unit/exec_streams.cpp

#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "support/memory_files.h"
#include "unit/directives.h"
#include "unit/install.h"
#include "unit/loader.h"
#include "unit/reader.h"
#include "unit/verify.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

constexpr std::string_view kFolder = "/etc/systemd/system/";
constexpr std::size_t kFilesMax = 12;

class Tree {
 public:
  explicit Tree(std::string_view input) {
    files.add("/dev/null", "");
    std::string name = "a.service";
    std::string text;
    while (!input.empty() && count_ < kFilesMax) {
      const std::string_view line = take(input, '\n');
      if (line.starts_with("#: ")) {
        add(name, text);
        name = line.substr(3);
        text.clear();
      } else if (line.starts_with("#> ")) {
        add_link(line.substr(3));
      } else if (line.starts_with("#| ")) {
        if (takes(line.substr(3))) files.add_special(path_of(line.substr(3)));
      } else if (line.starts_with("#~ ")) {
        break_folder(line.substr(3));
      } else if (line.starts_with("#! ")) {
        wanted = line.substr(3);
      } else {
        text.append(line).append("\n");
      }
    }
    add(name, text);
    // A folder that everyone may write, and one that is not there.
    if (count_ % 2 == 1) files.add_directory("/run/systemd/system", 0777);
    if (!wanted.empty()) first = wanted;
    if (!broken.empty()) files.break_path(broken, error);
  }

  test::MemoryFiles files;
  std::string first;   ///< the name of the first file; empty: none
  std::string broken;  ///< a folder that can't be listed; empty: none
  int error = 0;

 private:
  bool takes(std::string_view name) {
    ++count_;
    return path_is_normalized(name) && !path_is_absolute(name) && !files.exists(path_of(name));
  }
  static std::string path_of(std::string_view name) {
    return std::string(kFolder) + std::string(name);
  }
  void add(const std::string& name, std::string_view text) {
    if (text.empty() || !takes(name)) return;
    // Some of them others may write, or own.
    files.add(path_of(name), text, text.size() % 16 == 15 ? 0666 : 0644, text.size() % 64 == 7);
    if (first.empty()) first = name;
  }
  void add_link(std::string_view line) {
    const std::string_view name = take(line, ' ');
    if (line.empty() || line.find('\0') != std::string_view::npos || !takes(name)) return;
    files.add_link(path_of(name), line);
  }

  void break_folder(std::string_view line) {
    const auto number = parse_uint<std::uint8_t>(take(line, ' '));
    if (!number || *number == 0 || (!line.empty() && !line.ends_with(".d"))) return;
    error = *number;
    broken = line.empty() ? std::string(kFolder.substr(0, kFolder.size() - 1)) : path_of(line);
  }

  std::size_t count_ = 0;
  std::string wanted;
};

LoaderConfig config(bool user_manager) {
  LoaderConfig config;
  config.host.hostname = "box.example.org";
  config.host.machine_id = "0123456789abcdef0123456789abcdef";
  config.host.boot_id = "fedcba9876543210fedcba9876543210";
  config.search_path = {"/etc/systemd/system", "/run/systemd/system"};
  if (user_manager) config.builtin = builtin_units(true);
  config.user_manager = user_manager;
  config.advice = Severity::Note;
  return config;
}

/// All that is known of a unit, as text.
std::string shown(const Unit& unit, const Diagnostics& diagnostics) {
  std::string text =
      format("{} {} {}\n", unit.id, static_cast<int>(unit.load_state), unit.load_error);
  for (const Directive& d : directives()) {
    const auto section = section_of(unit.type);
    const bool is_of_unit =
        d.section == Section::Unit || (d.section == Section::Install && unit.install);
    if (d.show == nullptr) continue;
    if (!is_of_unit && !(section && find_directive(*section, d.name) == &d)) continue;
    text += format("{}={}\n", d.name, d.show(unit));
  }
  for (const NamedDependency& d : unit.config.dependencies) {
    expect(unit_name_is_valid(d.name), "a dependency has a valid name", d.name);
    text += format("{} {} {}\n", static_cast<int>(d.kind), d.name, d.implicit);
  }
  for (const Diagnostic& d : diagnostics) {
    expect(!d.message.empty(), "what is told says something");
    text += to_string(d) + '\n';
  }
  return text;
}

std::string load(Tree& tree, bool user_manager) {
  LoaderConfig how = config(user_manager);
  how.advice = user_manager ? Severity::Warning : Severity::Note;
  UnitLoader loader(tree.files, std::move(how));
  Diagnostics diagnostics;
  const auto unit = loader.load(tree.first, diagnostics);
  expect(unit != nullptr, "a load always gives a unit");
  expect(unit->load_state != LoadState::Loaded || unit_name_is_valid(unit->id),
         "a unit has a name");
  expect((unit->load_state == LoadState::BadSetting) <= !unit->load_error.empty(),
         "a unit that is refused says why");
  // A file of the tree in memory has no time, by which one beside a broken folder is known.
  expect(!loader.has_changed(*unit) || !tree.broken.empty(), "nothing has changed since");
  (void)loader.load_install(tree.first, diagnostics);
  (void)loader.dropins_of(tree.first);
  (void)loader.fragment_of(tree.first);
  (void)loader.all_names();
  // A folder of the search path that is there and can't be found is on the move: it is looked for
  // each time.
  const bool is_moving =
      tree.broken + "/" == kFolder && (tree.error == ENOENT || tree.error == ENOTDIR);
  const unsigned listings = loader.listings();
  expect(is_moving || (!loader.refresh() && loader.listings() == listings),
         "no folder has changed since");
  return shown(*unit, diagnostics);
}

/// A folder that could not be listed, and can be again.
void try_mended(Tree& tree) {
  if (tree.broken.empty()) return;
  Diagnostics ignored;
  UnitLoader before(tree.files, config(false));
  (void)before.load(tree.first, ignored);
  tree.files.break_path(tree.broken, 0);
  const bool is_listed_again = before.refresh();
  expect(!before.refresh(), "it is listed again once");
  if (!is_listed_again && tree.broken + "/" == kFolder)
    return;  // nothing tells that it has changed
  UnitLoader after(tree.files, config(false));
  expect_same(shown(*before.load(tree.first, ignored), {}),
              shown(*after.load(tree.first, ignored), {}), "a mended folder is as any other");
}

/// What `enable` makes, `disable` takes away.
void try_install(Tree& tree) {
  if (!unit_name_is_valid(tree.first)) return;
  const auto before = tree.files.links();
  UnitInstaller installer(tree.files, config(false));
  const InstallOutcome made = installer.enable({tree.first});
  for (const InstallChange& change : made.changes)
    expect(!to_string(change).empty(), "a change is told");
  (void)installer.list();
  if (made.failed() || !apply_changes(made, tree.files)) return;
  UnitInstaller second(tree.files, config(false));
  const UnitFileState state = second.state(tree.first);
  const InstallOutcome again = second.enable({tree.first});
  for (const InstallChange& change : again.changes) {
    expect(change.kind != InstallChange::Kind::Create, "what is enabled stays so",
           to_string(change));
  }
  (void)state;
  UnitInstaller third(tree.files, config(false));
  const InstallOutcome gone = third.disable({tree.first});
  (void)apply_changes(gone, tree.files);
  (void)before;
}

/// The assignments as a file again.
void try_text(std::string_view text) {
  const ReadResult read = read_unit_text(text, "a.service");
  std::string printed;
  std::string section;
  unsigned last = 0;
  for (const Assignment& a : read.assignments) {
    expect(a.line >= last && a.line >= 1, "assignments come by their lines");
    last = a.line;
    expect(trim(a.value) == a.value && !a.key.empty(),
           "an assignment is a key and a trimmed value");
    // At the end of a file a backslash has nothing to join.
    if (a.value.ends_with('\\')) return;
    if (a.section != section) printed += format("[{}]\n", a.section);
    section = a.section;
    printed += format("{}={}\n", a.key, a.value);
  }
  const ReadResult again = read_unit_text(printed, "a.service");
  expect(again.assignments.size() == read.assignments.size(), "a printed file has as much",
         printed);
  for (std::size_t i = 0; i < read.assignments.size(); ++i) {
    const Assignment& a = read.assignments[i];
    const Assignment& b = again.assignments[i];
    expect(a.section == b.section && a.key == b.key && a.value == b.value,
           "a printed assignment is read as itself", printed);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  try_text(text);
  Tree tree(text);
  if (tree.first.empty()) return 0;
  expect_same(load(tree, false), load(tree, false), "the same files, the same unit");
  (void)load(tree, true);

  Diagnostics diagnostics;
  (void)verify_files(tree.files, config(false), {std::string(kFolder) + tree.first}, diagnostics);
  LoaderConfig strict = config(false);
  strict.strict_permissions = true;
  UnitLoader loader(tree.files, strict);
  (void)loader.load_file(std::string(kFolder) + tree.first, diagnostics);
  try_mended(tree);
  try_install(tree);
  return 0;
}
