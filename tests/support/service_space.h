#pragma once
// For tests that go through every state that a service can come to: what may happen there, and
// configurations that pull it in.

#include <array>
#include <vector>

#include "support/service_world.h"

namespace onset::test {

inline constexpr pid_t kMain = 500;
inline constexpr pid_t kControl = 600;
inline constexpr pid_t kOther = 700;

inline constexpr std::array kServiceTypesInUse{
    ServiceType::Simple, ServiceType::Exec,   ServiceType::Forking,      ServiceType::Oneshot,
    ServiceType::Dbus,   ServiceType::Notify, ServiceType::NotifyReload, ServiceType::Idle};

/// A command in every list but that of ExecStart=.
void one_of_each(ServiceWorld& w);
/// What the manager may answer to an action that is answered.
std::vector<ServiceEvent> answers_to(const ServiceAction& action);
/// The ends of the processes that live, of every kind that makes a difference.
std::vector<ServiceEvent> ends_in(const ServiceState& state);

}  // namespace onset::test
