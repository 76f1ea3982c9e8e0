#pragma once
// What `show` prints: the settings of a unit by the table of directives, and its
// state by the names of org.freedesktop.systemd1(5). A value is text as
// systemctl prints it; but a point of time ("…Timestamp") is in microseconds
// since 1970, empty if never, because the time zone is the reader's. A value of
// several lines stands for the property several times (ExecStart=).

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/backend.h"
#include "engine/manager.h"

namespace onset {

using Properties = std::map<std::string, std::string, std::less<>>;
/// Those that are wanted: what costs a look into files or cgroups is done for them
/// alone. None: all.
using PropertyNames = std::optional<std::vector<std::string>>;

Properties unit_properties(const Manager& manager, ControlBackend& backend, UnitId id,
                           const PropertyNames& names = std::nullopt);
/// Of a name that no file has and nothing refers to.
Properties missing_properties(const std::string& name, const PropertyNames& names = std::nullopt);
Properties manager_properties(const Manager& manager, ControlBackend& backend);

}  // namespace onset
