#pragma once
// The pressure triggers of RealOs in the loop: a handler each.

#include <memory>
#include <unordered_map>
#include <vector>

#include "loop/event_loop.h"
#include "os/real_os.h"

namespace onset {

class TriggerHandlers final : public TriggerLoop {
 public:
  /// All outlive it.
  TriggerHandlers(EventLoop& loop, RealOs& os, OsListener& listener)
      : loop_(loop), os_(os), listener_(listener) {}

  SysResult watch_trigger(BorrowedFd trigger) override;
  void unwatch_trigger(BorrowedFd trigger) override;
  /// At the end of each turn: what was taken off in it may have been told of in it, too.
  void end_turn() { gone_.clear(); }

 private:
  class Handler final : public FdHandler {
   public:
    Handler(TriggerHandlers& owner, int fd) : owner_(owner), fd_(fd) {}
    void ready(std::uint32_t events) override {
      owner_.os_.trigger_ready(BorrowedFd(fd_), events, owner_.listener_);
    }

   private:
    TriggerHandlers& owner_;
    int fd_;
  };

  EventLoop& loop_;
  RealOs& os_;
  OsListener& listener_;
  std::unordered_map<int, std::unique_ptr<Handler>> handlers_;
  std::vector<std::unique_ptr<Handler>> gone_;
};

}  // namespace onset
