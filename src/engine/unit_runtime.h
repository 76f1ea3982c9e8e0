#pragma once
// What a unit is doing, of every type: the run-time side beside the graph's
// config. Plain data: status texts and problems are kept apart, by id.

#include "base/time.h"
#include "engine/automount_state.h"
#include "engine/device.h"
#include "engine/job.h"
#include "engine/mount_state.h"
#include "engine/scope_state.h"
#include "engine/service_state.h"
#include "engine/socket_state.h"
#include "graph/job_type.h"

namespace onset {

struct UnitRuntime {
  ServiceState service;       ///< of services
  SocketState socket;         ///< of sockets
  AutomountState automount;   ///< of automounts
  ScopeState scope;           ///< of scopes with processes
  MountState mount;           ///< of mounts and swaps; the others use the two below
  DeviceState device;         ///< of devices
  bool plain_active = false;  ///< of targets, slices and other units without processes
  bool plain_failed = false;
  ActiveState active = ActiveState::Inactive;  ///< what the last step led to
  InvocationId invocation{};
  Timestamp state_change;
  Timestamp active_enter;
  Timestamp active_exit;
  Timestamp inactive_enter;
  Timestamp inactive_exit;
  Timestamp condition_time;
  Timestamp assert_time;
  bool condition_result = false;
  bool assert_result = false;
  /// Bit i: config.conditions[i] (asserts[i]) was looked at and did not hold. One
  /// that is further down than 64 leaves no trace here.
  std::uint64_t failed_conditions = 0;
  std::uint64_t failed_asserts = 0;
  JobId job;  ///< value 0: none
  JobId nop_job;
  /// Of an instance that serves one connection: the socket unit that has accepted it.
  UnitId accepted_by;
  Trigger trigger;               ///< of the activation under way
  std::uint32_t trigger_of = 0;  ///< jobs and activations that name it as their source
  // StartLimitIntervalSec=, StartLimitBurst=
  MonoTime limit_begin;
  unsigned limit_count = 0;
  bool start_limit_hit = false;
  // ConcurrencySoftMax= and its kin, engine/manager_slots.cpp
  unsigned active_below = 0;       ///< of a slice that keeps count: units in it and below
  bool keeps_count = false;        ///< of a slice
  bool counts_in_slices = false;   ///< it is up, or on a way there or back
  bool is_coming_up = false;       ///< has one of StartConcurrencyMax='s slots
  bool may_be_unneeded = false;    ///< looked at by the next collect()
  bool watches_leftovers = false;  ///< down, with processes whose end is waited for
};

}  // namespace onset
