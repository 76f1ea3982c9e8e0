#pragma once
// Units, jobs and points of time as the interface file types them.

#include <string>

#include "base/time.h"
#include "control/backend.h"
#include "control/json.h"
#include "engine/manager.h"

namespace onset {

/// Null if it is not set.
Json view_time(const Timestamp& t);
Json view_job(const Manager& manager, const Job& job);
/// What is left of a job that has ended: nothing holds it up any longer.
Json view_ended_job(const UnitGraph& graph, const Job& job);
Json view_diagnostic(const Diagnostic& d);

/// UnitSummary: what list-units shows.
Json view_summary(const Manager& manager, UnitId id);
/// UnitStatus: what status shows.
Json view_status(const Manager& manager, ControlBackend& backend, UnitId id);
/// UnitStatus of a name that no file has and nothing refers to.
Json view_missing(const std::string& name);

/// "Unit a.service not found."
std::string not_found_text(std::string_view name);
/// 32 hex digits; empty for all zero.
std::string to_hex(const InvocationId& id);
/// The command that the main or the control process runs, as its file has it.
std::string command_text(const Unit& unit, ExecRole role, std::size_t index);
std::string_view to_string(SystemState state);
/// Why it is not loaded, in systemctl's words where the loader's are of files.
std::string load_problem(const Unit& unit);
/// "ConditionPathExists=!/etc/x", as written, of each one that did not hold when
/// the unit was to be started last; none if it was started then.
std::vector<std::string> failed_conditions(const Unit& unit, const UnitRuntime& runtime);
/// "AssertPathExists=/etc/x" likewise.
std::vector<std::string> failed_asserts(const Unit& unit, const UnitRuntime& runtime);

}  // namespace onset
