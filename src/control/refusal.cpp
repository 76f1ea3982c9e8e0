#include "control/refusal.h"

#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "control/json_object.h"

namespace onset {

namespace {

using json = Json;

struct ErrorRow {
  const char* name;
  const char* subject;  ///< the parameter that names it; null: none
};

ErrorRow row_of(RefusalKind kind) {
  switch (kind) {
    case RefusalKind::NoSuchUnit:
      return {"NoSuchUnit", "unit"};
    case RefusalKind::UnitExists:
      return {"UnitExists", "unit"};
    case RefusalKind::UnitNotLoadable:
      return {"UnitNotLoadable", "unit"};
    case RefusalKind::InvalidName:
      return {"InvalidName", "name"};
    case RefusalKind::NotApplicable:
      return {"NotApplicable", "unit"};
    case RefusalKind::TransactionFailed:
      return {"TransactionFailed", "unit"};
    case RefusalKind::JobsConflict:
      return {"JobsConflict", "unit"};
    case RefusalKind::NoSuchJob:
      return {"NoSuchJob", "id"};
    case RefusalKind::NoSuchProcess:
      return {"NoSuchProcess", "pid"};
    case RefusalKind::KillFailed:
      return {"KillFailed", "unit"};
    case RefusalKind::ShuttingDown:
      return {"ShuttingDown", nullptr};
    case RefusalKind::NotSupported:
      return {"NotSupported", nullptr};
    case RefusalKind::LimitReached:
      return {"LimitReached", nullptr};
  }
  return {"NotSupported", nullptr};
}

RefusalKind kind_of(TransactionErrorKind kind) {
  switch (kind) {
    case TransactionErrorKind::NoSuchUnit:
      return RefusalKind::NoSuchUnit;
    case TransactionErrorKind::LoadFailed:
    case TransactionErrorKind::Masked:
    case TransactionErrorKind::BadSetting:
      return RefusalKind::UnitNotLoadable;
    case TransactionErrorKind::JobTypeNotApplicable:
    case TransactionErrorKind::NoIsolation:
    case TransactionErrorKind::ManualRefused:
      return RefusalKind::NotApplicable;
    case TransactionErrorKind::OrderIsCyclic:
    case TransactionErrorKind::JobsConflicting:
    case TransactionErrorKind::ConcurrencyLimit:
      return RefusalKind::TransactionFailed;
    case TransactionErrorKind::Destructive:
      return RefusalKind::JobsConflict;
  }
  return RefusalKind::TransactionFailed;
}

RefusalKind kind_of(const RequestError& error, RefusalKind invalid) {
  switch (error.kind) {
    case RequestErrorKind::Transaction:
      return kind_of(error.transaction);
    case RequestErrorKind::NoSuchJob:
      return RefusalKind::NoSuchJob;
    case RequestErrorKind::NoSuchUnit:
      return RefusalKind::NoSuchUnit;
    case RequestErrorKind::NotSupported:
      return RefusalKind::NotSupported;
    case RequestErrorKind::ShuttingDown:
      return RefusalKind::ShuttingDown;
    case RequestErrorKind::OutOfMemory:  // thrown by who asks
    case RequestErrorKind::Invalid:
      return invalid;
  }
  return invalid;
}

}  // namespace

Refusal refusal_of(const RequestError& error, std::string_view unit, RefusalKind invalid) {
  return {kind_of(error, invalid), std::string(unit), error.message};
}

std::string error_name(RefusalKind kind) {
  return format("io.onset.Manager.{}", row_of(kind).name);
}

json error_parameters(const Refusal& refusal) {
  json parameters = json_object({{"message", refusal.message}});
  const ErrorRow row = row_of(refusal.kind);
  if (row.subject == nullptr) return parameters;
  if (refusal.kind == RefusalKind::NoSuchJob || refusal.kind == RefusalKind::NoSuchProcess) {
    parameters[row.subject] = parse_uint<std::uint64_t>(refusal.subject).value_or(0);
  } else {
    parameters[row.subject] = refusal.subject;
  }
  return parameters;
}

}  // namespace onset
