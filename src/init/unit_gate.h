#pragma once
// Where a control client runs counts beside who it is (fault S4): a service that
// is root and confined could otherwise have an unconfined unit started for it.

#include "control/peer.h"
#include "engine/manager.h"
#include "os/real_os.h"

namespace onset {

class UnitGate final : public PeerGate {
 public:
  UnitGate(const Manager& manager, RealOs& os) : manager_(manager), os_(os) {}
  /// False for a process that lacks privileges that onset has, or has a root or a user
  /// namespace of its own, and for any of a unit that is so. The process itself is
  /// looked at first: it may have left all that leads to its unit behind. Without
  /// /proc only what onset started is known.
  Result<bool> admits(const PeerCredentials& peer) override;

 private:
  const Manager& manager_;
  RealOs& os_;
};

}  // namespace onset
