#pragma once
// The one table of directives. A row is a directive of systemd 252 (or newer
// where onset has it): the loader, verify, show, the generated documentation,
// completion and the fuzz dictionary read it, and nothing else knows a
// directive's name.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "unit/reader.h"
#include "unit/specifiers.h"
#include "unit/unit.h"

namespace onset {

enum class Section : std::uint8_t { Unit, Service, Install, Socket, Timer, Path, Mount, Automount, Swap, Slice, Scope };

enum class Support : std::uint8_t {
  Honoured,
  NotYet,     ///< known, its value checked, and said at load time not to be honoured
  Obsolete,   ///< systemd itself ignores it
};

/// What one assignment is parsed in.
struct ParseContext {
  Unit& unit;
  const SpecifierScope& scope;
  std::string_view file;
  unsigned line = 0;
  std::string_view key;
  Diagnostics& diagnostics;
};

/// Empty: accepted. Otherwise what was expected, for the user.
using ParseFn = std::string (*)(ParseContext&, std::string_view value);
/// The loaded value as `show` prints it.
using ShowFn = std::string (*)(const Unit&);

struct Directive {
  Section section{};
  std::string_view name;
  ParseFn parse = nullptr;
  ShowFn show = nullptr;          ///< null: not a property of its own
  Support support = Support::Honoured;
  bool protects = false;          ///< a bad value makes the unit fail to load
  std::uint16_t since = 0;        ///< systemd version, 0: from the beginning
  std::string_view help;          ///< one line
};

std::span<const Directive> directives();
/// Null if unknown. Sections that share settings ([Service], [Socket], [Mount],
/// [Swap] share exec and kill) have a row each or are resolved here.
const Directive* find_directive(Section section, std::string_view name);
std::string_view to_string(Section section);

/// Applies one assignment; appends at most one diagnostic. False: a bad value
/// of a directive that protects.
bool apply_assignment(ParseContext& context, Section section, std::string_view value);

}  // namespace onset
