// Sockets and their services: what a socket's machine asks for, how its service's state comes
// back to it, and the instances of Accept=yes.
//
//   epoll → socket_ready() → Incoming → Trigger: a start job of the service
//   the service's change or its job's end → a review of the socket → ServiceUp, ServiceDown, …
//
// A review looks at what is, so that nothing is lost where it comes twice or late.
#include <algorithm>
#include <cerrno>

#include "base/format.h"
#include "engine/manager.h"
#include "unit/name.h"
#include "unit/unit_members.h"

namespace onset {

// ---- what the machine asks for ------------------------------------------------------

std::optional<ServiceEvent> Manager::work_on_sockets(UnitId id, const SocketWork& action) {
  switch (action.what) {
    case SocketWork::What::Open:
      return open_sockets(id);
    case SocketWork::What::Watch:
      watch_sockets(id);
      break;
    case SocketWork::What::Unwatch:
      (void)os_.watch_sockets(id, false);
      break;
    case SocketWork::What::Flush:
      os_.flush_sockets(id);
      break;
    case SocketWork::What::Accept:
      requests_.push_back({.unit = id,
                           .type = JobType::Start,
                           .mode = JobMode::Replace,
                           .of = Request::Of::Accept});
      break;
    case SocketWork::What::Trigger:
      trigger_service(id);
      break;
    case SocketWork::What::Close:
      os_.close_sockets(id, graph_->unit(id));
      break;
  }
  return std::nullopt;
}

std::optional<ServiceEvent> Manager::open_sockets(UnitId id) {
  const auto opened = os_.open_sockets(id, graph_->unit(id));
  if (!opened) {
    note_problem(id, opened.error());
    say(Say::Level::Error, id, opened.error());
  }
  return SocketsOpened{opened.ok()};
}

/// What can't be watched would listen for ever.
void Manager::watch_sockets(UnitId id) {
  const auto watched = os_.watch_sockets(id, true);
  if (watched) return;
  note_problem(id, to_string(watched.error()));
  say(Say::Level::Error, id, to_string(watched.error()));
  requests_.push_back({.unit = id, .type = JobType::Stop, .mode = JobMode::Replace});
}

void Manager::trigger_service(UnitId id) {
  const UnitId service = triggered_by_socket(id);
  if (!service.valid()) return;
  requests_.push_back({.unit = service,
                       .type = JobType::Start,
                       .mode = JobMode::Replace,
                       .of = Request::Of::Socket,
                       .trigger = {},
                       .asker = id});
}

/// The service of a socket unit without Accept=; not valid: there is none.
UnitId Manager::triggered_by_socket(UnitId id) const {
  const Unit& unit = graph_->unit(id);
  if (unit.socket == nullptr || unit.socket->service.empty()) return {};
  return graph_->find(unit.socket->service);
}

// ---- what happens ---------------------------------------------------------------------

void Manager::socket_ready(UnitId id, Timestamp now) {
  now_ = now;
  if (id.value >= graph_->size() || graph_->unit(id).socket == nullptr) return;
  feed(id, SocketNews{SocketNews::What::Incoming});
  dispatch();
}

/// A service that runs has its sockets from elsewhere; to listen beside it would take
/// connections from it.
bool Manager::refuses_to_listen(UnitId id) {
  const UnitId service = triggered_by_socket(id);
  if (!service.valid()) return false;
  const UnitRuntime& rt = runtime_[service.value];
  const bool waits = rt.service.phase == ServicePhase::AutoRestart ||
                     rt.service.phase == ServicePhase::AutoRestartQueued;
  if (is_inactive_or_failed(rt.active) || waits) return false;
  problems_[id.value] =
      format("its service {} is active already, refused", graph_->unit(service).id);
  say(Say::Level::Error, id, problems_[id.value]);
  return true;
}

/// What its service has come to.
void Manager::review_socket(UnitId id) {
  if (onset::active_state(runtime_[id.value].socket.phase) != ActiveState::Active) return;
  const UnitId service = triggered_by_socket(id);
  if (!service.valid()) return;
  const UnitRuntime& rt = runtime_[service.value];
  if (rt.active == ActiveState::Active || rt.active == ActiveState::Reloading) {
    feed(id, SocketNews{SocketNews::What::ServiceUp});
    return;
  }
  const bool waits = rt.service.phase == ServicePhase::AutoRestart;
  if (rt.job.value != 0 || !(is_inactive_or_failed(rt.active) || waits)) return;
  feed(id, SocketNews{rt.start_limit_hit ? SocketNews::What::ServiceLimited
                                         : SocketNews::What::ServiceDown});
}

// ---- Accept=yes -------------------------------------------------------------------------

void Manager::refuse_connection(UnitId socket, std::string_view why) {
  say(Say::Level::Warning, socket, why);
  os_.drop_connection(socket);
  feed(socket, SocketNews{SocketNews::What::Refused});
}

/// False: memory has run out while units were loaded, the same connection comes again.
bool Manager::accept_one(UnitId socket) {
  const Unit& unit = graph_->unit(socket);
  const SocketState& s = runtime_[socket.value].socket;
  if (unit.socket == nullptr || s.phase != SocketPhase::Listening) return true;
  const auto accepted = os_.accept_connection(socket, s.accepted);
  if (!accepted && (accepted.error().err == EAGAIN || accepted.error().err == ECONNABORTED))
    return true;
  if (!accepted) {  // it would be told of without end
    note_problem(socket, to_string(accepted.error()));
    say(Say::Level::Error, socket, to_string(accepted.error()));
    feed(socket, SocketNews{SocketNews::What::TriggerRefused});
    return true;
  }
  const SocketConfig& config = *unit.socket;
  const unsigned most_of_one = config.max_connections_per_source != 0
                                   ? config.max_connections_per_source
                                   : config.max_connections;
  if (s.connections >= config.max_connections) {
    refuse_connection(
        socket, format("{} connections are served already, one more is closed", s.connections));
  } else if (!accepted->source.empty() && accepted->from_source >= most_of_one) {
    refuse_connection(socket, format("{} connections of {} are served already, one more is closed",
                                     accepted->from_source, accepted->source));
  } else {
    const Served served = serve(socket, accepted->instance);
    if (served == Served::NotNow) return false;
    if (served == Served::No) os_.drop_connection(socket);
    feed(socket, SocketNews{served == Served::Yes ? SocketNews::What::Accepted
                                                  : SocketNews::What::TriggerRefused});
  }
  return true;
}

/// A start job of the instance, which has the connection from then on.
Manager::Served Manager::serve(UnitId socket, const std::string& instance) {
  const std::string name =
      format("{}@{}.service", without_suffix(graph_->unit(socket).id), instance);
  const UnitId id = load(name);
  if (graph_is_torn_) return Served::NotNow;
  if (!id.valid() || graph_->unit(id).load_state != LoadState::Loaded) {
    problems_[socket.value] = id.valid() ? graph_->unit(id).load_error : format("no unit {}", name);
    say(Say::Level::Error, socket,
        format("cannot serve a connection: {}", problems_[socket.value]));
    return Served::No;
  }
  auto job = enqueue(id, JobType::Start, JobMode::Replace, Asker::Change);
  if (!job) {
    problems_[socket.value] = job.error().message;
    say(Say::Level::Error, socket,
        format("cannot serve a connection: {}", problems_[socket.value]));
    return Served::No;
  }
  os_.give_connection(socket, id);
  runtime_[id.value].accepted_by = socket;
  return Served::Yes;
}

void Manager::end_connection(UnitId instance) {
  UnitRuntime& rt = runtime_[instance.value];
  os_.drop_connection(instance);
  SocketState& socket = runtime_[rt.accepted_by.value].socket;
  if (socket.connections > 0) --socket.connections;
  rt.accepted_by = {};
}

// ---- to the service -----------------------------------------------------------------------

/// Its command that is the service gets them; others where a standard stream is a socket.
void Manager::hand_over_sockets(LaunchRequest& request) const {
  const auto& exec = config_of<ExecConfig>(*request.unit);
  const bool on_socket =
      (exec.standard_input && exec.standard_input->input == ExecInput::Socket) ||
      (exec.standard_output && exec.standard_output->output == ExecOutput::Socket) ||
      (exec.standard_error && exec.standard_error->output == ExecOutput::Socket);
  if (request.role != ExecRole::Start && !on_socket) return;
  if (runtime_[request.id.value].accepted_by.valid()) {
    request.connection = true;
    return;
  }
  for (const Dependency& d : graph_->dependencies(request.id)) {
    if (!d.kinds.has(DependencyKind::TriggeredBy)) continue;
    if (graph_->unit(d.other).socket != nullptr) request.sockets.push_back(d.other);
  }
  std::ranges::sort(request.sockets, {}, [&](UnitId id) { return graph_->unit(id).id; });
}

}  // namespace onset
