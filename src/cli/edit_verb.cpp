// edit: a drop-in, or with --full the whole file, by the user's editor or from
// standard input. The editor works on a file beside, which takes the place of the
// real one if it has ended well and left anything.
#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "base/text.h"
#include "cli/unit_files.h"
#include "cli/verbs.h"
#include "unit/loader.h"
#include "unit/name.h"

namespace onset {

namespace {

constexpr std::size_t kUnitFileMax = std::size_t{1} << 20;
constexpr std::string_view kBegin =
    "### Anything between here and the comment below will become the new contents of the file";
constexpr std::string_view kEnd = "### Lines below this comment will be discarded";

struct EditedFile {
  std::string unit;
  std::string path;     ///< what is to be written, without the root
  std::string text;     ///< what the editor begins with
  std::string trailer;  ///< shown below, and cut off again
};

std::string without_blank_ends(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  const std::size_t last = text.find_last_not_of(" \t\n");
  return std::string(text.substr(first, last - first + 1)) + '\n';
}

/// Between the two comments, where they are still there.
std::string edited_part(std::string_view text) {
  if (const std::size_t begin = text.find(kBegin); begin != std::string_view::npos) {
    text.remove_prefix(begin + kBegin.size());
  }
  if (const std::size_t end = text.find(kEnd); end != std::string_view::npos) {
    text = text.substr(0, end);
  }
  return without_blank_ends(text);
}

std::string commented(std::string_view text) {
  std::string out;
  for (std::string_view line : split(text, '\n')) out += format("# {}\n", line);
  return out;
}

std::string read_or_empty(const Command& command, const std::string& path) {
  auto text = command.context.files.read(root_of(command.options) + path, kUnitFileMax);
  return text ? *text : std::string();
}

/// What there is to edit of one unit; the error is a line for people.
Result<EditedFile, std::string> edited_file(Command& command, UnitLoader& loader,
                                            const std::string& name) {
  const Options& options = command.options;
  const std::string fragment = loader.fragment_of(name);
  const std::string hint = format("Run '{} edit{} --force --full {}' to create a new unit.",
                                  command.program, options.user ? " --user" : "", name);
  if (fragment.empty() && options.force == 0) {
    return Failure{format("No files found for {}.\n{}", printable(name), printable(hint))};
  }
  if (fragment == "/dev/null") {
    return Failure{format("Cannot edit {}: unit is masked.", printable(name))};
  }
  const std::string folder = options.runtime ? "/run/systemd/system" : "/etc/systemd/system";
  EditedFile file;
  file.unit = name;
  if (options.full) {
    file.path = format("{}/{}", folder, name);
    file.text = read_or_empty(command, fragment);
    return file;
  }
  const std::string_view drop_in =
      options.drop_in.empty() ? std::string_view("override.conf") : options.drop_in;
  file.path = format("{}/{}.d/{}", folder, name, drop_in);
  const std::string present = read_or_empty(command, file.path);
  file.text = format("### Editing {}\n{}\n\n{}\n\n{}\n", file.path, kBegin, present, kEnd);
  if (!fragment.empty()) {
    file.trailer = format("\n\n### {}\n{}", fragment, commented(read_or_empty(command, fragment)));
  }
  return file;
}

std::vector<std::vector<std::string>> editors(const CliContext& context) {
  std::vector<std::vector<std::string>> all;
  for (const char* name : {"SYSTEMD_EDITOR", "EDITOR", "VISUAL"}) {
    if (context.variable(name).empty()) continue;
    std::vector<std::string> words;
    for (std::string_view word : split_whitespace(context.variable(name))) words.emplace_back(word);
    if (!words.empty()) return {words};
  }
  for (const char* name : {"editor", "nano", "vim", "vi"}) all.push_back({name});
  return all;
}

int run_editor(const Command& command, const std::vector<std::string>& paths) {
  if (command.context.programs == nullptr) return command.fail("Cannot edit units here.");
  for (std::vector<std::string> argv : editors(command.context)) {
    argv.insert(argv.end(), paths.begin(), paths.end());
    auto status = command.context.programs->run(argv);
    if (!status && status.error().err == ENOENT) continue;
    if (!status) {
      return command.fail(
          format("Failed to execute {}: {}", argv.front(), errno_text(status.error().err)));
    }
    if (*status == 0) return 0;
    return command.fail(format("{} failed with exit status {}.", argv.front(), *status));
  }
  return command.fail(
      "Cannot edit units, no editor available. Please set either $SYSTEMD_EDITOR, $EDITOR or "
      "$VISUAL.");
}

int write_edited(const Command& command, const EditedFile& file, std::string_view text) {
  const std::string path = root_of(command.options) + file.path;
  auto made = command.context.changer.make_directories(path.substr(0, path.rfind('/')));
  if (made) made = command.context.changer.write_file(path, text, 0644);
  if (made) return 0;
  return command.fail(
      format("Failed to write \"{}\": {}", printable(path), errno_text(made.error().err)));
}

int edit_from_input(Command& command, const std::vector<EditedFile>& files) {
  if (command.context.programs == nullptr) return command.fail("Cannot read standard input here.");
  auto text = command.context.programs->read_input();
  if (!text) return command.fail(format("Failed to read: {}", to_string(text.error())));
  const std::string edited = edited_part(*text);
  for (const EditedFile& file : files) {
    if (edited.empty()) {
      command.err(format("Editing \"{}\" canceled: temporary file is empty.", file.path));
    } else if (const int status = write_edited(command, file, edited); status != 0) {
      return status;
    }
  }
  return 0;
}

int edit_by_editor(Command& command, const std::vector<EditedFile>& files) {
  const std::string root = root_of(command.options);
  FileChanger& changer = command.context.changer;
  std::vector<std::string> beside;
  int status = 0;
  for (const EditedFile& file : files) {
    const std::size_t slash = file.path.rfind('/');
    const std::string folder = root + file.path.substr(0, slash);
    beside.push_back(format("{}/.#{}", folder, file.path.substr(slash + 1)));
    auto made = changer.make_directories(folder);
    if (made) made = changer.write_file(beside.back(), file.text + file.trailer, 0644);
    if (!made) {
      status = command.fail(
          format("Failed to create \"{}\": {}", beside.back(), errno_text(made.error().err)));
      break;
    }
  }
  if (status == 0) status = run_editor(command, beside);
  for (std::size_t i = 0; i < beside.size(); ++i) {
    auto text = command.context.files.read(beside[i], kUnitFileMax);
    (void)changer.remove(beside[i]);
    if (status != 0) continue;
    const std::string edited = text ? edited_part(*text) : std::string();
    if (edited.empty()) {
      command.err(format("Editing \"{}\" canceled: temporary file is empty.", files[i].path));
    } else {
      status = write_edited(command, files[i], edited);
    }
  }
  for (const EditedFile& file : files) {
    if (file.path.ends_with(".conf")) {
      changer.remove_empty_directory(root + file.path.substr(0, file.path.rfind('/')));
    }
  }
  return status;
}

}  // namespace

int verb_edit(Command& command) {
  if (!command.options.use_stdin && !command.context.is_tty) {
    return command.fail("Cannot edit units if not on a tty.");
  }
  UnitLoader loader(command.context.files, loader_config(command));
  std::vector<EditedFile> files;
  for (const std::string& given : command.names) {
    const auto name = complete_name(command, given, ".service");
    if (!name) return command.fail(format("Failed to mangle unit name: '{}'", c_escape(given)));
    auto file = edited_file(command, loader, *name);
    if (!file) return command.fail(file.error());
    files.push_back(std::move(*file));
  }
  const int status =
      command.options.use_stdin ? edit_from_input(command, files) : edit_by_editor(command, files);
  if (status != 0 || command.options.no_reload || works_on_files_alone(command)) return status;
  if (!command.manager.reachable()) return 0;
  std::vector<std::string> units;
  for (const EditedFile& file : files) units.push_back(file.unit);
  return reload_for(command, units);
}

}  // namespace onset
