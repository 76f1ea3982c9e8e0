#include "os/socket_open.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "base/unix_address.h"
#include "os/socket_options.h"

namespace onset {
namespace {

/// What is made meanwhile has exactly the mode that is asked for.
class Umask {
 public:
  explicit Umask(mode_t mode) : before_(::umask(~mode & 0777U)) {}
  ~Umask() { (void)::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family = AF_UNSPEC;
};

template <class T>
Address address_of(const T& from, socklen_t length = sizeof(T)) {
  Address address;
  std::memcpy(&address.storage, &from, sizeof from);
  address.length = length;
  address.family = address.storage.ss_family;
  return address;
}

bool has_ipv6() {
  const UniqueFd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return static_cast<bool>(fd) && ::access("/proc/net/if_inet6", F_OK) == 0;
}

Address inet_address(const SocketAddress& from, int family) {
  if (family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(from.port));
    std::memcpy(&in.sin_addr, from.bytes.data(), sizeof in.sin_addr);
    return address_of(in);
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(static_cast<std::uint16_t>(from.port));
  std::memcpy(&in.sin6_addr, from.bytes.data(), sizeof in.sin6_addr);
  if (!from.scope.empty()) {
    const auto number = parse_uint<std::uint32_t>(from.scope);
    in.sin6_scope_id = number ? *number : ::if_nametoindex(from.scope.c_str());
  }
  return address_of(in);
}

Result<Address> kernel_address(const SocketAddress& from) {
  switch (from.kind) {
    case AddressKind::Path:
    case AddressKind::Abstract: {
      const UnixAddress un =
          from.kind == AddressKind::Path ? unix_path(from.name) : unix_abstract(from.name);
      if (!un) return Failure{SysError{"socket address", ENAMETOOLONG}};
      return address_of(un.un, un.length);
    }
    case AddressKind::AnyInet:
      return inet_address(from, has_ipv6() ? AF_INET6 : AF_INET);
    case AddressKind::Inet4:
      return inet_address(from, AF_INET);
    case AddressKind::Inet6: {
      const Address address = inet_address(from, AF_INET6);
      sockaddr_in6 in{};
      std::memcpy(&in, &address.storage, sizeof in);
      if (!from.scope.empty() && in.sin6_scope_id == 0)
        return Failure{SysError{"interface", ENODEV}};
      return address;
    }
    case AddressKind::Vsock: {
      sockaddr_vm vm{};
      vm.svm_family = AF_VSOCK;
      vm.svm_cid = from.cid;
      vm.svm_port = from.port;
      return address_of(vm);
    }
  }
  return Failure{SysError{"socket address", EINVAL}};
}

int protocol_of(const SocketConfig& config, const Address& address, ListenKind kind) {
  if (address.family != AF_INET && address.family != AF_INET6) return 0;
  switch (config.protocol) {
    case SocketProtocol::Default:
      return 0;
    case SocketProtocol::Udplite:
      return kind == ListenKind::Datagram ? IPPROTO_UDPLITE : 0;
    case SocketProtocol::Sctp:
      return kind == ListenKind::Stream ? IPPROTO_SCTP : 0;
  }
  return 0;
}

/// The folders above the node.
void make_parents(const std::string& path, mode_t mode) {
  const Umask exact(mode);
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    (void)::mkdir(path.substr(0, slash).c_str(), mode);
  }
}

/// A node that is left of an earlier one goes, as in systemd.
bool bind_to(BorrowedFd fd, const Address& address, const SocketAddress& from, mode_t mode) {
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  const Umask exact(mode);
  if (::bind(fd.get(), name, address.length) == 0) return true;
  if (errno != EADDRINUSE || from.kind != AddressKind::Path) return false;
  struct stat st {};
  if (::lstat(from.name.c_str(), &st) != 0 || !S_ISSOCK(st.st_mode)) {
    errno = EADDRINUSE;
    return false;
  }
  (void)::unlink(from.name.c_str());
  return ::bind(fd.get(), name, address.length) == 0;
}

SysResult give_to(const std::string& path, const NodeOwner& owner) {
  if (owner.uid == static_cast<uid_t>(-1) && owner.gid == static_cast<gid_t>(-1)) return {};
  if (::lchown(path.c_str(), owner.uid, owner.gid) == 0) return {};
  return Failure{SysError{"chown", errno}};
}

Result<UniqueFd> open_socket(const ListenAddress& listen, const SocketConfig& config,
                             const NodeOwner& owner, std::vector<std::string>& losses) {
  const auto address = kernel_address(listen.socket);
  if (!address) return Failure{address.error()};
  int type = SOCK_STREAM;
  if (listen.kind == ListenKind::Datagram) type = SOCK_DGRAM;
  if (listen.kind == ListenKind::SequentialPacket) type = SOCK_SEQPACKET;
  UniqueFd fd(::socket(address->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       protocol_of(config, *address, listen.kind)));
  if (!fd) return Failure{SysError{"socket", errno}};
  set_options_before_bind(fd, address->family, listen, config, losses);
  const bool is_node = listen.socket.kind == AddressKind::Path;
  if (is_node) make_parents(listen.socket.name, config.directory_mode);
  if (!bind_to(fd, *address, listen.socket, config.mode)) return Failure{SysError{"bind", errno}};
  if (is_node) {
    if (auto given = give_to(listen.socket.name, owner); !given) return Failure{given.error()};
  }
  if (takes_connections(listen)) {
    const int backlog =
        static_cast<int>(std::min<unsigned>(config.backlog.value_or(SOMAXCONN), INT32_MAX));
    if (::listen(fd.get(), backlog) != 0) return Failure{SysError{"listen", errno}};
  }
  set_socket_options(fd, address->family, config, losses);
  return fd;
}

Result<UniqueFd> open_fifo(const std::string& path, const SocketConfig& config,
                           const NodeOwner& owner) {
  make_parents(path, config.directory_mode);
  bool is_new = false;
  {
    const Umask exact(config.mode);
    is_new = ::mkfifo(path.c_str(), config.mode) == 0;
    if (!is_new && errno != EEXIST) return Failure{SysError{"mkfifo", errno}};
  }
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW));
  if (!fd) return Failure{SysError{"open", errno}};
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Failure{SysError{"fstat", errno}};
  if (!S_ISFIFO(st.st_mode)) return Failure{SysError{"open", EEXIST}};
  if (is_new) {
    if (auto given = give_to(path, owner); !given) return Failure{given.error()};
  }
  if (config.pipe_size) (void)::fcntl(fd.get(), F_SETPIPE_SZ, static_cast<int>(*config.pipe_size));
  return fd;
}

Result<UniqueFd> open_special(const std::string& path, bool writable) {
  const int access = writable ? O_RDWR : O_RDONLY;
  UniqueFd fd(::open(path.c_str(), access | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW));
  if (!fd) return Failure{SysError{"open", errno}};
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Failure{SysError{"fstat", errno}};
  if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) return Failure{SysError{"open", EEXIST}};
  return fd;
}

Result<UniqueFd> open_netlink(const NetlinkAddress& netlink, const SocketConfig& config,
                              std::vector<std::string>& losses) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, netlink.family));
  if (!fd) return Failure{SysError{"socket", errno}};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = netlink.group;
  set_socket_options(fd, AF_NETLINK, config, losses);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Failure{SysError{"bind", errno}};
  return fd;
}

Result<UniqueFd> open_queue(const std::string& name, const SocketConfig& config) {
  const Umask exact(config.mode);
  mq_attr attributes{};
  attributes.mq_maxmsg = static_cast<long>(config.queue_messages.value_or(0));
  attributes.mq_msgsize = static_cast<long>(config.queue_message_size.value_or(0));
  const bool is_set = config.queue_messages && config.queue_message_size;
  const mqd_t queue = ::mq_open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT,
                                config.mode, is_set ? &attributes : nullptr);
  if (queue < 0) return Failure{SysError{"mq_open", errno}};
  return UniqueFd(queue);  // on Linux a descriptor, mq_overview(7)
}

Result<UniqueFd> open_any(const ListenAddress& listen, const SocketConfig& config,
                          const NodeOwner& owner, std::vector<std::string>& losses) {
  switch (listen.kind) {
    case ListenKind::Stream:
    case ListenKind::Datagram:
    case ListenKind::SequentialPacket:
      return open_socket(listen, config, owner, losses);
    case ListenKind::Fifo:
      return open_fifo(listen.path, config, owner);
    case ListenKind::Special:
      return open_special(listen.path, config.writable);
    case ListenKind::Netlink:
      return open_netlink(listen.netlink, config, losses);
    case ListenKind::MessageQueue:
      return open_queue(listen.path, config);
  }
  return Failure{SysError{"listen", EINVAL}};
}

}  // namespace

Result<UniqueFd, std::string> open_listen(const ListenAddress& listen, const SocketConfig& config,
                                          const NodeOwner& owner,
                                          std::vector<std::string>& losses) {
  auto opened = open_any(listen, config, owner, losses);
  if (opened) return std::move(*opened);
  return Failure{format("cannot listen on {} ({}): {}: {}", c_escape(to_string(listen)),
                        to_string(listen.kind), opened.error().op, errno_text(opened.error().err))};
}

void make_socket_links(const SocketConfig& config, std::vector<std::string>& losses) {
  std::string_view target;
  for (const ListenAddress& listen : config.listen) {
    if (!path_of(listen).empty()) target = path_of(listen);
  }
  if (target.empty()) return;
  const std::string node(target);
  for (const std::string& link : config.symlinks) {
    make_parents(link, config.directory_mode);
    if (::symlink(node.c_str(), link.c_str()) == 0) continue;
    struct stat st {};
    // A link that is left leads to the same or a former place; a socket in the way is one
    // that somebody made in the node's stead.
    const bool may_go = errno == EEXIST && ::lstat(link.c_str(), &st) == 0 &&
                        (S_ISLNK(st.st_mode) || S_ISSOCK(st.st_mode));
    if (may_go && ::unlink(link.c_str()) == 0 && ::symlink(node.c_str(), link.c_str()) == 0)
      continue;
    losses.push_back(format("cannot link {} to {}: {}", link, node, errno_text(errno)));
  }
}

void remove_socket_nodes(const SocketConfig& config) {
  if (!config.remove_on_stop) return;
  for (const ListenAddress& listen : config.listen) {
    const std::string path(path_of(listen));
    if (listen.kind == ListenKind::MessageQueue) (void)::mq_unlink(listen.path.c_str());
    if (!path.empty() && listen.kind != ListenKind::Special) (void)::unlink(path.c_str());
  }
  for (const std::string& link : config.symlinks) (void)::unlink(link.c_str());
}

}  // namespace onset
