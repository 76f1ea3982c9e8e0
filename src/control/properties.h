#pragma once
// What `show` prints: the settings of a unit by the table of directives, and its
// state by the names of org.freedesktop.systemd1(5). A value is text as
// systemctl prints it; but a point of time ("…Timestamp") is in microseconds
// since 1970, empty if never, because the time zone is the reader's. A value of
// several lines stands for the property several times (ExecStart=).

#include <map>
#include <string>

#include "control/backend.h"
#include "engine/manager.h"

namespace onset {

using Properties = std::map<std::string, std::string, std::less<>>;

Properties unit_properties(const Manager& manager, ControlBackend& backend, UnitId id);
/// Of a name that no file has and nothing refers to.
Properties missing_properties(const std::string& name);
Properties manager_properties(const Manager& manager, ControlBackend& backend);

}  // namespace onset
