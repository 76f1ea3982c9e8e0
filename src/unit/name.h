#pragma once
// Names of units: what is valid, what a name is made of, how arbitrary text and
// paths become part of one (systemd.unit(5), DESCRIPTION and STRING ESCAPING).
//
//   PREFIX.TYPE   PREFIX@INSTANCE.TYPE   PREFIX@.TYPE (a template)
//
// The functions that take a unit name apart expect a valid one and answer with
// an empty view for what is not there; they never fail on any other text.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

enum class UnitType : std::uint8_t {
  Service,
  Socket,
  Target,
  Device,
  Mount,
  Automount,
  Swap,
  Timer,
  Path,
  Slice,
  Scope,
};
inline constexpr unsigned kUnitTypes = 11;
inline constexpr std::size_t kUnitNameMax = 255;  ///< bytes

/// "service".
std::string_view to_string(UnitType type) noexcept;
/// The type with that exact word.
std::optional<UnitType> unit_type_from_word(std::string_view word) noexcept;
/// By the suffix of a name; none unless the name is valid as a whole.
std::optional<UnitType> unit_type_of(std::string_view name) noexcept;

enum class NameForm : std::uint8_t { Plain, Instance, Template };
/// None: not a valid unit name.
std::optional<NameForm> name_form(std::string_view name) noexcept;
bool unit_name_is_valid(std::string_view name) noexcept;
bool is_plain(std::string_view name) noexcept;
bool is_instance(std::string_view name) noexcept;
bool is_template(std::string_view name) noexcept;
/// What may stand between "@" and the suffix.
bool unit_instance_is_valid(std::string_view instance) noexcept;

/// "getty" of getty@tty1.service, "foo" of foo.service.
std::string_view unit_prefix(std::string_view name) noexcept;
/// "tty1" of getty@tty1.service; from the first "@" to the suffix.
std::string_view unit_instance(std::string_view name) noexcept;
/// "getty@tty1" of getty@tty1.service.
std::string_view without_suffix(std::string_view name) noexcept;
/// ".service".
std::string_view unit_suffix(std::string_view name) noexcept;
/// "getty@.service" of getty@tty1.service; none for a plain name.
std::optional<std::string> template_of(std::string_view name);
/// The instance of a template (or the sibling of an instance); none if the
/// name is plain or the result is not valid.
std::optional<std::string> instantiate(std::string_view template_name, std::string_view instance);

/// The names under which drop-in folders apply, without ".d", the one that wins
/// first: the name, its template, the prefix cut behind each of its dashes
/// ("foo-bar-.service", "foo-.service"), for an instance these cuts with the instance
/// and as templates ("foo-bar-@x.service", "foo-bar-@.service"), and at last the type.
std::vector<std::string> dropin_names(std::string_view name);

/// Any text → part of a unit name: "/" is "-", what a name can't hold is \xNN.
std::string unit_escape(std::string_view text);
/// The way back; none if a \xNN is broken or stands for NUL.
std::optional<std::string> unit_unescape(std::string_view escaped);
/// A path → part of a name, without the outer slashes; "/" is "-". None if the
/// path has ".." or is not valid.
std::optional<std::string> unit_escape_path(std::string_view path);
/// The absolute path that it came from; none if no path gives this text.
std::optional<std::string> unit_unescape_path(std::string_view escaped);
/// name_from_path("/dev/sda", ".device") is "dev-sda.device"; none if not valid.
std::optional<std::string> name_from_path(std::string_view path, std::string_view suffix);

/// A name as a user types it, made a valid one as systemctl does: a valid name
/// stays, a path becomes .device or .mount, other characters are escaped, a
/// missing type is `suffix`. With `allow_globs`, a pattern stays a pattern.
/// None: nothing valid can be made of it.
std::optional<std::string> mangle(std::string_view name, std::string_view suffix = ".service",
                                  bool allow_globs = false);

}  // namespace onset
