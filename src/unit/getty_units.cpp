#include "unit/getty_units.h"

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {
namespace {

/// "tty0", "tty1", …
bool is_screen(std::string_view name) {
  return name.size() > 3 && name.starts_with("tty") && is_digit(name[3]);
}

}  // namespace

std::vector<std::string> gettys_of_consoles(
    std::string_view active, const std::function<bool(std::string_view)>& is_terminal) {
  std::vector<std::string> units;
  bool has_screen = false;
  for (const std::string_view name : split_whitespace(active)) {
    if (is_screen(name)) {
      has_screen = true;
    } else if (is_terminal(name)) {
      units.push_back(format("serial-getty@{}.service", unit_escape(name)));
    }
  }
  if (has_screen && is_terminal("tty1")) units.emplace_back("getty@tty1.service");
  return units;
}

}  // namespace onset
