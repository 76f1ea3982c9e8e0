// [Install], systemd.unit(5): read by enable and its kin, never by the engine.
// Specifiers stay as they are until then: a template's links depend on the
// instance that is enabled.

#include "base/format.h"
#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/name.h"

namespace onset {
namespace {

/// Names, one per word, quotes removed; an empty value resets.
template <auto Member>
std::string parse_names(ParseContext& context, std::string_view value) {
  auto& names = member_of<Member>(context.unit);
  if (value.empty()) {
    names.clear();
    return {};
  }
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (std::string& word : *words) names.push_back(std::move(word));
  return {};
}

/// systemd.unit(5), Alias=.
bool may_have_aliases(UnitType type) {
  switch (type) {
    case UnitType::Service:
    case UnitType::Socket:
    case UnitType::Target:
    case UnitType::Device:
    case UnitType::Timer:
    case UnitType::Path:
      return true;
    case UnitType::Mount:
    case UnitType::Automount:
    case UnitType::Swap:
    case UnitType::Slice:
    case UnitType::Scope:
      break;
  }
  return false;
}

std::string parse_alias(ParseContext& context, std::string_view value) {
  if (may_have_aliases(context.unit.type))
    return parse_names<&InstallConfig::alias>(context, value);
  complain(context, Severity::Warning,
           format("Alias= is not allowed for {} units; ignored", to_string(context.unit.type)));
  return {};
}

std::string parse_default_instance(ParseContext& context, std::string_view value) {
  std::string& instance = member_of<&InstallConfig::default_instance>(context.unit);
  auto text = expand_value(context, value, kUnitNameMax);
  if (!text) return std::move(text).error();
  if (!text->empty() && !unit_instance_is_valid(*text)) return "a valid instance name";
  instance = std::move(*text);
  return {};
}

template <auto Member>
constexpr Codec kNames{parse_names<Member>, nullptr};

using C = InstallConfig;
constexpr Section S = Section::Install;

constexpr Directive kRows[] = {
    honoured(S, "Alias", {parse_alias, nullptr},
             "Further names that the unit gets when it is enabled."),
    honoured(S, "WantedBy", kNames<&C::wanted_by>, "Units that want this one when it is enabled."),
    honoured(S, "RequiredBy", kNames<&C::required_by>,
             "Units that require this one when it is enabled."),
    honoured(S, "UpheldBy", kNames<&C::upheld_by>, "Units that uphold this one when it is enabled.",
             {}, 254),
    honoured(S, "Also", kNames<&C::also>, "Units that are enabled and disabled with this one."),
    honoured(S, "DefaultInstance", {parse_default_instance, nullptr},
             "The instance that is enabled when the template is."),
};

}  // namespace

std::span<const Directive> install_directives() {
  return kRows;
}

}  // namespace onset
