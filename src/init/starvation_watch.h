#pragma once
// Units that starve, told when it begins and when it is over. Nothing is looked at until the kernel
// says that anything waits at all; then each unit's pressure is, and again until nobody starves.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/manager.h"
#include "engine/starvation.h"
#include "loop/event_loop.h"
#include "os/real_os.h"

namespace onset {

class StarvationWatch final : public FdHandler {
 public:
  /// All outlive it.
  StarvationWatch(RealOs& os, const Manager& manager) : os_(os), manager_(manager) {}

  /// Where units have no cgroups, or the kernel does not measure, nothing is watched; why not.
  std::string watch(EventLoop& loop);
  [[nodiscard]] MonoTime next_deadline() const { return due_; }
  /// Calls `tell` for each unit that begins to starve or no longer does.
  void elapse(MonoTime now, const std::function<void(const StarvationChange&)>& tell);
  /// For status: "starves for memory: …", each.
  [[nodiscard]] std::vector<std::string> notes(const std::string& unit) const;

  void ready(std::uint32_t events) override;

 private:
  [[nodiscard]] std::map<std::string, PressureReading> read() const;

  RealOs& os_;
  const Manager& manager_;
  std::vector<UniqueFd> triggers_;
  Starvation starvation_;
  MonoTime due_ = kNever;
  MonoTime looked_{0};
};

/// "starves for memory: some of it waited 12.50 % of the last ten seconds".
std::string starvation_text(Scarce what, unsigned share);

}  // namespace onset
