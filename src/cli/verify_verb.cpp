// verify: unit files, checked by the manager's own loader, without a manager.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/unit_files.h"
#include "cli/verbs.h"
#include "control/json.h"
#include "unit/verify.h"

namespace onset {

namespace {

std::string_view word_of(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return {};
}

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return Tone::Dim;
    case Severity::Warning:
      return Tone::Warn;
    case Severity::Error:
      return Tone::Bad;
  }
  return Tone::Plain;
}

/// The severity goes behind the place, as compilers have it.
std::string line_of(const Diagnostic& d, const Palette& palette) {
  std::string place = printable(d.file);
  if (!place.empty() && d.line > 0) place += format(":{}", d.line);
  if (!place.empty()) place += ": ";
  return format("{}{}: {}", place, palette.paint(tone_of(d.severity), word_of(d.severity)),
                printable(d.message));
}

}  // namespace

int verb_verify(Command& command) {
  std::vector<std::string> paths;
  for (const std::string& given : command.names) {
    const bool is_path = given.find('/') != std::string::npos;
    const std::string here =
        path_simplify(format("{}/{}", command.context.working_directory, given));
    if (is_path) {
      paths.push_back(given.starts_with('/') ? path_simplify(given) : here);
    } else {
      // A plain name is a file of this folder if there is one, else a unit.
      paths.push_back(command.context.files.stat(here) ? here : given);
    }
  }
  LoaderConfig config = loader_config(command);
  config.advice = Severity::Note;
  Diagnostics diagnostics;
  const int status = verify_files(command.context.files, std::move(config), paths, diagnostics);
  Json list = Json::array();
  for (const Diagnostic& d : diagnostics) {
    if (command.options.json != JsonStyle::Off) {
      list.push_back({{"severity", word_of(d.severity)},
                      {"file", d.file},
                      {"line", d.line},
                      {"message", d.message}});
    } else if (!command.options.quiet || d.severity != Severity::Note) {
      command.err(line_of(d, command.palette()));
    }
  }
  command.print_json(list);
  return status;
}

}  // namespace onset
