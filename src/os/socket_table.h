#pragma once
// The descriptors of socket units, which stay while services come and go and unit files are
// read again; and the connections of Accept=yes, each its instance's.

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/os.h"
#include "os/accounts.h"
#include "os/log_sink.h"

namespace onset {

/// What a process is handed: sd_listen_fds(3).
struct PassedSockets {
  std::vector<int> fds;  ///< PID 1's, in this order
  std::vector<std::string> names;
  std::vector<std::string> environment;  ///< $REMOTE_ADDR and $REMOTE_PORT
};

class SocketTable {
 public:
  SocketTable(Accounts& accounts, LogSink& log) : accounts_(accounts), log_(log) {}

  Result<void, std::string> open(UnitId id, const Unit& unit);
  void close(UnitId id, const Unit& unit);
  /// Nodes stay, descriptors go.
  void forget(UnitId id);
  [[nodiscard]] const std::vector<UniqueFd>& fds_of(UnitId id) const;
  [[nodiscard]] UnitId owner_of(int fd) const;
  /// Reads and accepts what has come in, and lets it go.
  void flush(UnitId id);

  Result<AcceptedConnection> accept(UnitId id, std::uint32_t count);
  void give(UnitId socket, UnitId instance) noexcept;
  void drop(UnitId id) noexcept;
  [[nodiscard]] PassedSockets passed_to(const LaunchRequest& request) const;

 private:
  struct Open {
    std::vector<UniqueFd> fds;
    std::string name;  ///< FileDescriptorName=
  };
  struct Connection {
    UniqueFd fd;
    UnitId socket;
    AcceptedConnection told;
    std::vector<std::string> environment;
  };
  using Connections = std::map<std::uint32_t, Connection>;

  [[nodiscard]] unsigned count_from(UnitId socket, const std::string& source) const;

  Accounts& accounts_;
  LogSink& log_;
  std::unordered_map<std::uint32_t, Open> open_;
  std::unordered_map<int, UnitId> owners_;  ///< by descriptor
  Connections new_;                         ///< accepted and not given yet, by socket unit
  Connections connections_;                 ///< by instance
};

}  // namespace onset
