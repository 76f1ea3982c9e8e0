#pragma once
// The [Socket] section, systemd.socket(5). Immutable once loaded. What stays unset is the
// kernel's to decide, or the manager's.

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "unit/exec_line.h"
#include "unit/service_config.h"
#include "unit/socket_address.h"

namespace onset {

enum class ListenKind : std::uint8_t {
  Stream,
  Datagram,
  SequentialPacket,
  Fifo,
  Special,
  Netlink,
  MessageQueue,
};

/// One Listen…= line.
struct ListenAddress {
  ListenKind kind = ListenKind::Stream;
  SocketAddress socket;    ///< of Stream, Datagram and SequentialPacket
  NetlinkAddress netlink;  ///< of Netlink
  std::string path;        ///< of Fifo and Special; of MessageQueue its name, "/name"
};

enum class BindIpv6 : std::uint8_t { Default, Both, Ipv6Only };
enum class SocketProtocol : std::uint8_t { Default, Udplite, Sctp };
enum class Timestamping : std::uint8_t { Off, Us, Ns };

struct SocketConfig {
  std::vector<ListenAddress> listen;  ///< in the order of the files
  std::string service;                ///< after the loader: empty with Accept= alone
  std::string fd_name;                ///< after the loader: never empty
  std::string user;                   ///< of nodes in the file system
  std::string group;
  mode_t mode = 0666;
  mode_t directory_mode = 0755;
  std::vector<std::string> symlinks;
  std::string bind_to_device;
  std::string tcp_congestion;

  std::optional<unsigned> backlog;
  std::optional<int> priority;
  std::optional<int> mark;
  std::optional<int> ip_tos;
  std::optional<int> ip_ttl;
  std::optional<std::uint64_t> receive_buffer;
  std::optional<std::uint64_t> send_buffer;
  std::optional<std::uint64_t> pipe_size;
  std::optional<std::int64_t> queue_messages;
  std::optional<std::int64_t> queue_message_size;
  std::optional<Duration> keep_alive_time;
  std::optional<Duration> keep_alive_interval;
  std::optional<unsigned> keep_alive_probes;
  std::optional<Duration> defer_accept;
  BindIpv6 bind_ipv6 = BindIpv6::Default;
  SocketProtocol protocol = SocketProtocol::Default;
  Timestamping timestamping = Timestamping::Off;

  bool accept = false;
  bool writable = false;
  bool flush_pending = false;
  bool keep_alive = false;
  bool no_delay = false;
  bool free_bind = false;
  bool transparent = false;
  bool broadcast = false;
  bool pass_credentials = false;
  bool pass_security = false;
  bool pass_packet_info = false;
  bool reuse_port = false;
  bool remove_on_stop = false;

  unsigned max_connections = 64;
  unsigned max_connections_per_source = 0;         ///< 0: as many as MaxConnections=
  std::optional<Duration> trigger_limit_interval;  ///< unset: 2 s
  std::optional<unsigned> trigger_limit_burst;     ///< unset: 200 with Accept=, else 20

  std::optional<Duration> timeout;  ///< unset: the manager's default for starts
  std::array<std::vector<ExecCommand>, kExecRoles> exec;
  /// ExecStartPre=, ExecStartPost=, ExecStopPre= (ExecRole::Stop), ExecStopPost=.
  [[nodiscard]] const std::vector<ExecCommand>& commands(ExecRole r) const {
    return exec[static_cast<unsigned>(r)];
  }
};

/// The address as systemctl prints it, "/run/a.sock", and its kind, "Stream".
std::string to_string(const ListenAddress& listen);
std::string_view to_string(ListenKind kind);
/// A connection is accepted from it.
bool takes_connections(const ListenAddress& listen);
/// The node in the file system that it makes or opens; empty: none.
std::string_view path_of(const ListenAddress& listen);

}  // namespace onset
