#include "os/socket_options.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/format.h"

namespace onset {
namespace {

class Options {
 public:
  Options(BorrowedFd fd, std::vector<std::string>& losses) : fd_(fd), losses_(losses) {}

  void set(int level, int option, int value, std::string_view setting) {
    if (::setsockopt(fd_.get(), level, option, &value, sizeof value) != 0) tell(setting);
  }
  void set(int level, int option, const std::string& value, std::string_view setting) {
    const auto size = static_cast<socklen_t>(value.size() + 1);
    if (::setsockopt(fd_.get(), level, option, value.c_str(), size) != 0) tell(setting);
  }
  /// Beyond the system's limit where the rights are there.
  void set_buffer(int forced, int plain, std::uint64_t bytes, std::string_view setting) {
    const int value = static_cast<int>(std::min<std::uint64_t>(bytes, INT_MAX));
    if (::setsockopt(fd_.get(), SOL_SOCKET, forced, &value, sizeof value) == 0) return;
    set(SOL_SOCKET, plain, value, setting);
  }

 private:
  void tell(std::string_view setting) {
    losses_.push_back(format("{}= has no effect: {}", setting, errno_text(errno)));
  }
  BorrowedFd fd_;
  std::vector<std::string>& losses_;
};

int seconds(Duration span) {
  return static_cast<int>(std::clamp<std::int64_t>(span.count() / 1'000'000, 0, INT_MAX));
}

bool is_tcp(BorrowedFd fd) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

void set_tcp(Options& options, const SocketConfig& config) {
  if (config.keep_alive_time)
    options.set(IPPROTO_TCP, TCP_KEEPIDLE, seconds(*config.keep_alive_time), "KeepAliveTimeSec");
  if (config.keep_alive_interval)
    options.set(IPPROTO_TCP, TCP_KEEPINTVL, seconds(*config.keep_alive_interval),
                "KeepAliveIntervalSec");
  if (config.keep_alive_probes)
    options.set(IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(*config.keep_alive_probes),
                "KeepAliveProbes");
  if (config.defer_accept)
    options.set(IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds(*config.defer_accept), "DeferAcceptSec");
  if (config.no_delay) options.set(IPPROTO_TCP, TCP_NODELAY, 1, "NoDelay");
  if (!config.tcp_congestion.empty())
    options.set(IPPROTO_TCP, TCP_CONGESTION, config.tcp_congestion, "TCPCongestion");
}

void set_packet_info(Options& options, int family) {
  if (family == AF_INET || family == AF_INET6)
    options.set(IPPROTO_IP, IP_PKTINFO, 1, "PassPacketInfo");
  if (family == AF_INET6) options.set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "PassPacketInfo");
  if (family == AF_NETLINK) options.set(SOL_NETLINK, NETLINK_PKTINFO, 1, "PassPacketInfo");
}

}  // namespace

void set_options_before_bind(BorrowedFd fd, int family, const ListenAddress& listen,
                             const SocketConfig& config, std::vector<std::string>& losses) {
  Options options(fd, losses);
  if (family == AF_INET6 && config.bind_ipv6 != BindIpv6::Default) {
    options.set(IPPROTO_IPV6, IPV6_V6ONLY, config.bind_ipv6 == BindIpv6::Ipv6Only ? 1 : 0,
                "BindIPv6Only");
  }
  if (family != AF_INET && family != AF_INET6) return;
  if (!config.bind_to_device.empty())
    options.set(SOL_SOCKET, SO_BINDTODEVICE, config.bind_to_device, "BindToDevice");
  if (config.reuse_port) options.set(SOL_SOCKET, SO_REUSEPORT, 1, "ReusePort");
  if (config.free_bind) options.set(IPPROTO_IP, IP_FREEBIND, 1, "FreeBind");
  if (config.transparent) options.set(IPPROTO_IP, IP_TRANSPARENT, 1, "Transparent");
  // A port whose last connections are still closing is free.
  if (takes_connections(listen)) options.set(SOL_SOCKET, SO_REUSEADDR, 1, "ListenStream");
}

void set_socket_options(BorrowedFd fd, int family, const SocketConfig& config,
                        std::vector<std::string>& losses) {
  Options options(fd, losses);
  const bool is_inet = family == AF_INET || family == AF_INET6;
  if (config.keep_alive) options.set(SOL_SOCKET, SO_KEEPALIVE, 1, "KeepAlive");
  if (is_inet && is_tcp(fd)) set_tcp(options, config);
  if (config.broadcast) options.set(SOL_SOCKET, SO_BROADCAST, 1, "Broadcast");
  if (config.pass_credentials) options.set(SOL_SOCKET, SO_PASSCRED, 1, "PassCredentials");
  if (config.pass_security) options.set(SOL_SOCKET, SO_PASSSEC, 1, "PassSecurity");
  if (config.pass_packet_info) set_packet_info(options, family);
  if (config.timestamping == Timestamping::Us)
    options.set(SOL_SOCKET, SO_TIMESTAMP, 1, "Timestamping");
  if (config.timestamping == Timestamping::Ns)
    options.set(SOL_SOCKET, SO_TIMESTAMPNS, 1, "Timestamping");
  if (config.priority) options.set(SOL_SOCKET, SO_PRIORITY, *config.priority, "Priority");
  if (config.receive_buffer)
    options.set_buffer(SO_RCVBUFFORCE, SO_RCVBUF, *config.receive_buffer, "ReceiveBuffer");
  if (config.send_buffer)
    options.set_buffer(SO_SNDBUFFORCE, SO_SNDBUF, *config.send_buffer, "SendBuffer");
  if (config.mark) options.set(SOL_SOCKET, SO_MARK, *config.mark, "Mark");
  if (is_inet && config.ip_tos) options.set(IPPROTO_IP, IP_TOS, *config.ip_tos, "IPTOS");
  if (is_inet && config.ip_ttl) options.set(IPPROTO_IP, IP_TTL, *config.ip_ttl, "IPTTL");
  if (family == AF_INET6 && config.ip_ttl)
    options.set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, *config.ip_ttl, "IPTTL");
}

}  // namespace onset
