// One assignment of [Manager] onto the settings, by the table of manager_settings.cpp.

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "unit/manager_settings.h"
#include "unit/values.h"

namespace onset {
namespace {

using Context = ManagerParseContext;
using Row = ManagerDirective;

constexpr std::size_t kShownValueMax = 200;

/// True if the value asks for nothing: onset does without as well.
bool is_inert(const Row& row, std::string_view value) {
  if (value.empty() || value == row.inert) return true;
  if (row.inert == "off" && value == "0") return true;
  const auto wanted = parse_bool(value);
  const auto inert = parse_bool(row.inert);
  return wanted && inert && *wanted == *inert;
}

/// Of several assignments the last one counts.
void note_not_yet(Context& context, const Row& row, std::string_view value) {
  std::erase_if(context.not_yet, [&row](const ManagerNotYetUse& u) { return u.directive == &row; });
  if (!is_inert(row, value)) {
    context.not_yet.push_back({&row, std::string(context.file), context.line});
  }
}

}  // namespace

void apply_manager_assignment(ManagerParseContext& context, std::string_view value) {
  const auto say = [&context](Severity severity, std::string message) {
    context.diagnostics.push_back(
        {severity, std::string(context.file), context.line, std::move(message)});
  };
  const Row* row = find_manager_directive(context.key);
  if (row == nullptr) {
    if (context.key.starts_with("X-")) return;
    say(Severity::Warning,
        format("Unknown key '{}' in section [Manager], ignoring", c_escape(context.key)));
    return;
  }
  if (row->support == Support::Obsolete) {
    say(Severity::Note, format("{}= no longer has a meaning, ignoring: {}", row->name, row->help));
    return;
  }
  const std::string expected = row->parse(context, value);
  if (!expected.empty()) {
    say(Severity::Warning, format("{}={}: expected {}; ignored", row->name,
                                  c_escape(value.substr(0, kShownValueMax)), wanted(expected)));
    return;
  }
  if (row->support == Support::NotYet) note_not_yet(context, *row, value);
}

}  // namespace onset
