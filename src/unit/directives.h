#pragma once
// The one table of directives. A row is a directive of systemd 252 (or newer
// where onset has it): the loader, verify, show, the generated documentation,
// completion and the fuzz dictionary read it, and nothing else knows a
// directive's name.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "unit/reader.h"
#include "unit/specifiers.h"
#include "unit/unit.h"

namespace onset {

enum class Section : std::uint8_t {
  Unit,
  Service,
  Install,
  Socket,
  Timer,
  Path,
  Mount,
  Automount,
  Swap,
  Slice,
  Scope
};

enum class Support : std::uint8_t {
  Honoured,
  NotYet,    ///< known, its value checked, and said at load time not to be honoured
  Obsolete,  ///< systemd itself ignores it
};

struct Directive;

/// A setting that is known, set, and not honoured yet. A later assignment that
/// switches it off again takes it away.
struct NotYetUse {
  const Directive* directive = nullptr;
  std::string file;
  unsigned line = 0;
};

/// What one assignment is parsed in.
struct ParseContext {
  Unit& unit;
  const SpecifierScope& scope;
  std::string_view file;
  unsigned line = 0;
  std::string_view key;
  Diagnostics& diagnostics;
  std::vector<NotYetUse>* not_yet = nullptr;  ///< null: not wanted
};

/// Empty: accepted. Otherwise what was expected, for the user.
using ParseFn = std::string (*)(ParseContext&, std::string_view value);
/// The loaded value as `show` prints it.
using ShowFn = std::string (*)(const Unit&);

struct Directive {
  Section section{};
  std::string_view name = {};
  ParseFn parse = nullptr;
  ShowFn show = nullptr;  ///< null: not a property of its own
  Support support = Support::Honoured;
  bool protects = false;           ///< a bad value makes the unit fail to load
  std::uint16_t since = 0;         ///< systemd version, 0: from the beginning
  std::string_view help = {};      ///< one line
  std::string_view inert = {};     ///< of NotYet: the value that asks for nothing ("no")
  std::string_view property = {};  ///< its name in `show`, where that is another one
};

/// The whole table: rooms of rows, one after another.
class DirectiveTable {
 public:
  class Iterator {
   public:
    Iterator(const std::span<const Directive>* room, const Directive* row)
        : room_(room), row_(row) {}
    const Directive& operator*() const { return *row_; }
    const Directive* operator->() const { return row_; }
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    const std::span<const Directive>* room_;
    const Directive* row_;
  };
  [[nodiscard]] Iterator begin() const;
  [[nodiscard]] Iterator end() const;
  [[nodiscard]] std::size_t size() const;
};

/// `for (const Directive& d : directives())`. Settings that sections share
/// (exec, kill, resource control) have one row each, under Section::Service.
DirectiveTable directives();
/// Null if unknown. The shared settings are found in every section that has
/// them; an old name gives the row of the old name, which acts as the new one.
const Directive* find_directive(Section section, std::string_view name);
std::string_view to_string(Section section);
std::optional<Section> section_of(std::string_view name);
/// The section with the settings of a type's own; none for targets and devices.
std::optional<Section> section_of(UnitType type);

/// Applies one assignment; appends at most one diagnostic. False: a bad value
/// of a directive that protects.
bool apply_assignment(ParseContext& context, Section section, std::string_view value);

/// What a parser has said, to stand behind "expected": of a value it is a whole sentence, of a
/// directive the rest of one.
std::string_view wanted(std::string_view said) noexcept;

/// Of a value that is in no file yet: what is wrong with it, or nothing. `scratch` has its unit's
/// name and type, and takes the value.
std::string complaint_about(const Directive& directive, std::string_view value, Unit& scratch,
                            const HostFacts& host);

}  // namespace onset
