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
  /// False for a process of a unit that gives up privileges or has a root of its own.
  bool admits(const PeerCredentials& peer) override;

 private:
  const Manager& manager_;
  RealOs& os_;
};

}  // namespace onset
