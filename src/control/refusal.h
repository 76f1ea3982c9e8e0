#pragma once
// Why a method does not do what it was asked: an error of io.onset.Manager with
// its parameters.

#include <string>
#include <string_view>

#include "control/json.h"
#include "engine/manager.h"

namespace onset {

enum class RefusalKind : std::uint8_t {
  NoSuchUnit,
  UnitExists,
  UnitNotLoadable,
  InvalidName,
  NotApplicable,
  TransactionFailed,
  JobsConflict,
  NoSuchJob,
  NoSuchProcess,
  KillFailed,
  ShuttingDown,
  NotSupported,
  LimitReached,
};

struct Refusal {
  RefusalKind kind{};
  std::string subject;  ///< the unit, the name, the job's or the process' number
  std::string message;
};

/// What the engine says, about this unit. `invalid` is what RequestErrorKind::Invalid
/// means here.
Refusal refusal_of(const RequestError& error, std::string_view unit, RefusalKind invalid);

/// "io.onset.Manager.NoSuchUnit".
std::string error_name(RefusalKind kind);
Json error_parameters(const Refusal& refusal);

}  // namespace onset
