#include "unit/directives.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/directive_rooms.h"
#include "unit/values.h"

namespace onset {
namespace {

/// Which sections a room's rows belong to.
enum class Sharing : std::uint8_t { Own, Exec, Kill, Resource };

constexpr std::size_t kRooms = 13;
constexpr std::array<Sharing, kRooms> kSharing = {
    Sharing::Own,  Sharing::Own,  Sharing::Own,     Sharing::Own,  Sharing::Own,
    Sharing::Own,  Sharing::Own,  Sharing::Own,     Sharing::Exec, Sharing::Exec,
    Sharing::Exec, Sharing::Kill, Sharing::Resource};

using Rooms = std::array<std::span<const Directive>, kRooms>;

const Rooms& rooms() {
  static const Rooms all = {unit_directives(),       condition_directives(), service_directives(),
                            install_directives(),    mount_directives(),     socket_directives(),
                            scope_directives(),      other_directives(),     exec_directives(),
                            scheduling_directives(), sandbox_directives(),   kill_directives(),
                            resource_directives()};
  return all;
}

bool is_shared_with(Sharing sharing, Section section) {
  switch (section) {
    case Section::Service:
    case Section::Socket:
    case Section::Mount:
    case Section::Swap:
      return sharing != Sharing::Own;
    case Section::Scope:
      return sharing == Sharing::Kill || sharing == Sharing::Resource;
    case Section::Slice:
      return sharing == Sharing::Resource;
    case Section::Unit:
    case Section::Install:
    case Section::Timer:
    case Section::Path:
    case Section::Automount:
      return false;
  }
  return false;
}

/// FNV-1a.
std::uint32_t hash_of(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// Rows by name: an open hash table, made at the first look-up. A name can be
/// in it more than once ([Timer] and [Path] have a Unit= each).
class DirectiveIndex {
 public:
  DirectiveIndex() {
    for (std::size_t room = 0; room < kRooms; ++room) {
      const auto rows = rooms()[room];
      for (std::size_t row = 0; row < rows.size(); ++row) {
        std::size_t at = hash_of(rows[row].name) % kSlots;
        while (slots_[at].room != kFree) at = (at + 1) % kSlots;
        slots_[at] = {static_cast<std::uint16_t>(room), static_cast<std::uint16_t>(row)};
      }
    }
  }

  [[nodiscard]] const Directive* find(Section section, std::string_view name) const {
    const Directive* shared = nullptr;
    for (std::size_t at = hash_of(name) % kSlots; slots_[at].room != kFree;
         at = (at + 1) % kSlots) {
      const Directive& row = rooms()[slots_[at].room][slots_[at].row];
      if (row.name != name) continue;
      const Sharing sharing = kSharing[slots_[at].room];
      if (sharing == Sharing::Own && row.section == section) return &row;
      if (is_shared_with(sharing, section)) shared = &row;
    }
    return shared;
  }

 private:
  static constexpr std::size_t kSlots = 1021;  // prime, twice the number of rows
  static constexpr std::uint16_t kFree = 0xffff;
  struct Slot {
    std::uint16_t room = kFree;
    std::uint16_t row = 0;
  };
  std::array<Slot, kSlots> slots_;
};

constexpr std::array<std::string_view, 11> kSectionNames = {
    "Unit",  "Service",   "Install", "Socket", "Timer", "Path",
    "Mount", "Automount", "Swap",    "Slice",  "Scope"};

constexpr std::size_t kShownValueMax = 200;

std::string shown_value(std::string_view value) {
  if (value.size() <= kShownValueMax) return c_escape(value);
  return c_escape(value.substr(0, kShownValueMax)) + "…";
}

/// True if the value asks for nothing: onset does without as well.
bool is_inert(const Directive& directive, std::string_view value) {
  if (value.empty() || value == directive.inert) return true;
  const auto wanted = parse_bool(value);
  const auto inert = parse_bool(directive.inert);
  return wanted && inert && *wanted == *inert;
}

void note_not_yet(ParseContext& context, const Directive& directive, std::string_view value) {
  if (context.not_yet == nullptr) return;
  auto& uses = *context.not_yet;
  const auto use = std::find_if(uses.begin(), uses.end(), [&directive](const NotYetUse& u) {
    return u.directive == &directive;
  });
  if (is_inert(directive, value)) {
    if (use != uses.end()) uses.erase(use);
  } else if (use == uses.end()) {
    uses.push_back({&directive, std::string(context.file), context.line});
  }
}

void say(ParseContext& context, Severity severity, std::string message) {
  context.diagnostics.push_back(
      {severity, std::string(context.file), context.line, std::move(message)});
}

}  // namespace

DirectiveTable::Iterator& DirectiveTable::Iterator::operator++() {
  ++row_;
  if (row_ == room_->data() + room_->size() && room_ + 1 != rooms().data() + kRooms) {
    ++room_;
    row_ = room_->data();
  }
  return *this;
}

DirectiveTable::Iterator DirectiveTable::begin() const {
  return {rooms().data(), rooms().front().data()};
}

DirectiveTable::Iterator DirectiveTable::end() const {
  return {&rooms().back(), rooms().back().data() + rooms().back().size()};
}

std::size_t DirectiveTable::size() const {
  std::size_t count = 0;
  for (const auto& room : rooms()) count += room.size();
  return count;
}

DirectiveTable directives() {
  return {};
}

const Directive* find_directive(Section section, std::string_view name) {
  static const DirectiveIndex index;
  return index.find(section, name);
}

std::string_view to_string(Section section) {
  return kSectionNames[static_cast<std::size_t>(section)];
}

std::optional<Section> section_of(std::string_view name) {
  for (std::size_t i = 0; i < kSectionNames.size(); ++i) {
    if (kSectionNames[i] == name) return static_cast<Section>(i);
  }
  return std::nullopt;
}

std::optional<Section> section_of(UnitType type) {
  switch (type) {
    case UnitType::Service:
      return Section::Service;
    case UnitType::Socket:
      return Section::Socket;
    case UnitType::Timer:
      return Section::Timer;
    case UnitType::Path:
      return Section::Path;
    case UnitType::Mount:
      return Section::Mount;
    case UnitType::Automount:
      return Section::Automount;
    case UnitType::Swap:
      return Section::Swap;
    case UnitType::Slice:
      return Section::Slice;
    case UnitType::Scope:
      return Section::Scope;
    case UnitType::Target:
    case UnitType::Device:
      return std::nullopt;
  }
  return std::nullopt;
}

bool apply_assignment(ParseContext& context, Section section, std::string_view value) {
  const Directive* directive = find_directive(section, context.key);
  if (directive == nullptr) {
    if (!context.key.starts_with("X-")) {
      say(context, Severity::Warning,
          format("Unknown key '{}' in section [{}], ignoring", c_escape(context.key),
                 to_string(section)));
    }
    return true;
  }
  if (directive->support == Support::Obsolete) {
    say(context, Severity::Note,
        format("{}= no longer has a meaning, ignoring: {}", directive->name, directive->help));
    return true;
  }
  const std::string expected = directive->parse(context, value);
  if (!expected.empty()) {
    say(context, directive->protects ? Severity::Error : Severity::Warning,
        format("{}={}: expected {}; {}", directive->name, shown_value(value), wanted(expected),
               directive->protects ? "the unit is refused" : "ignored"));
    return !directive->protects;
  }
  if (directive->support == Support::NotYet) note_not_yet(context, *directive, value);
  return true;
}

std::string_view wanted(std::string_view said) noexcept {
  constexpr std::string_view kExpected = "expected ";
  if (said.starts_with(kExpected)) said.remove_prefix(kExpected.size());
  return said;
}

std::string complaint_about(const Directive& directive, std::string_view value, Unit& scratch,
                            const HostFacts& host) {
  const SpecifierScope scope{scratch.id, {}, host};
  Diagnostics diagnostics;
  ParseContext context{scratch, scope, {}, 0, directive.name, diagnostics};
  const std::string expected = directive.parse(context, value);
  if (expected.empty()) return {};
  return format("{}={}: expected {}", directive.name, shown_value(value), wanted(expected));
}

}  // namespace onset
