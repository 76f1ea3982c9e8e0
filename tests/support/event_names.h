#pragma once
// What the tables of docs/states.md call the events of a service.

#include <array>
#include <string_view>

#include "engine/service.h"

namespace onset::test {

inline constexpr std::array<std::string_view, 29> kEventNames{"start",
                                                              "start limit",
                                                              "stop",
                                                              "reload",
                                                              "main exits, 0",
                                                              "main exits, 1",
                                                              "command exits, 0",
                                                              "command exits, 1",
                                                              "unit empty",
                                                              "deadline",
                                                              "watchdog",
                                                              "READY=1",
                                                              "RELOADING=1",
                                                              "STOPPING=1",
                                                              "WATCHDOG=trigger",
                                                              "OOM kill",
                                                              "restart queued",
                                                              "passed",
                                                              "reset-failed",
                                                              "spawned",
                                                              "spawn failed",
                                                              "execve done",
                                                              "kill answered",
                                                              "main found",
                                                              "name owned",
                                                              "name lost",
                                                              "queue idle",
                                                              "MAINPID=",
                                                              "other"};

/// `state`: before the event. Each status but 0, and each signal, is a 1.
std::string_view event_name(const ServiceEvent& event, const ServiceState& state);

}  // namespace onset::test
