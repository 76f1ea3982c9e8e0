#include "init/trigger_handlers.h"

#include <sys/epoll.h>

#include <utility>

namespace onset {

SysResult TriggerHandlers::watch_trigger(BorrowedFd trigger) {
  gone_.reserve(gone_.size() + handlers_.size() + 1);  // to take one off needs no memory
  auto handler = std::make_unique<Handler>(*this, trigger.get());
  FdHandler& watched = *handler;
  handlers_[trigger.get()] = std::move(handler);
  auto done = loop_.watch(trigger, EPOLLPRI, watched);
  if (!done) handlers_.erase(trigger.get());
  return done;
}

void TriggerHandlers::unwatch_trigger(BorrowedFd trigger) {
  loop_.unwatch(trigger);
  auto handler = handlers_.extract(trigger.get());
  if (!handler.empty()) gone_.push_back(std::move(handler.mapped()));
}

}  // namespace onset
