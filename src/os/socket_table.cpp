#include "os/socket_table.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "os/socket_open.h"
#include "unit/ip_address.h"
#include "unit/unit_members.h"

namespace onset {
namespace {

/// So much is thrown away at once: whoever sends faster is read by the service.
constexpr unsigned kFlushBudget = 1024;

/// One end of a connection.
struct End {
  std::string address;
  std::uint32_t port = 0;
};

template <class T>
T as(const sockaddr_storage& storage) {
  T address{};
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

/// An IPv4 address that came in by IPv6 is one of IPv4.
End end_of(const sockaddr_storage& storage) {
  std::array<std::uint8_t, 16> bytes{};
  const auto v4 = [&](std::size_t at) {
    return format("{}.{}.{}.{}", bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
  };
  switch (storage.ss_family) {
    case AF_INET: {
      const auto in = as<sockaddr_in>(storage);
      std::memcpy(bytes.data(), &in.sin_addr, sizeof in.sin_addr);
      return {v4(0), ntohs(in.sin_port)};
    }
    case AF_INET6: {
      const auto in = as<sockaddr_in6>(storage);
      std::memcpy(bytes.data(), &in.sin6_addr, sizeof in.sin6_addr);
      const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
      return {is_mapped ? v4(12) : format_ipv6(bytes), ntohs(in.sin6_port)};
    }
    case AF_VSOCK: {
      const auto vm = as<sockaddr_vm>(storage);
      return {format("{}", vm.svm_cid), vm.svm_port};
    }
    default:
      return {};
  }
}

/// Of a unix socket: who, by its process and user.
void describe_unix(BorrowedFd fd, std::uint32_t count, AcceptedConnection& told) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0) {
    told.instance = format("{}-{}-{}", count, peer.pid, peer.uid);
    told.source = format("uid {}", peer.uid);
  } else {
    told.instance = format("{}-unknown", count);
  }
}

}  // namespace

Result<void, std::string> SocketTable::open(UnitId id, const Unit& unit) {
  if (open_.contains(id.value)) return {};
  const auto& config = config_of<SocketConfig>(unit);
  NodeOwner owner;
  if (!config.user.empty()) {
    auto user = accounts_.user(config.user);
    if (!user) return Failure{format("SocketUser={}: {}", config.user, user.error())};
    owner = {user->uid, user->gid};
  }
  if (!config.group.empty()) {
    auto group = accounts_.group(config.group);
    if (!group) return Failure{format("SocketGroup={}: {}", config.group, group.error())};
    owner.gid = *group;
  }
  Open made;
  made.name = config.fd_name;
  std::vector<std::string> losses;
  for (const ListenAddress& listen : config.listen) {
    auto fd = open_listen(listen, config, owner, losses);
    if (!fd) return Failure{std::move(fd).error()};
    made.fds.push_back(std::move(*fd));
  }
  make_socket_links(config, losses);
  for (const std::string& loss : losses) log_.log(Say::Level::Warning, unit.id, loss);
  for (const UniqueFd& fd : made.fds) owners_[fd.get()] = id;
  open_.emplace(id.value, std::move(made));
  return {};
}

void SocketTable::close(UnitId id, const Unit& unit) {
  if (!open_.contains(id.value)) return;
  forget(id);
  remove_socket_nodes(config_of<SocketConfig>(unit));
}

void SocketTable::forget(UnitId id) {
  std::erase_if(owners_, [id](const auto& entry) { return entry.second == id; });
  open_.erase(id.value);
  new_.erase(id.value);
  connections_.erase(id.value);
}

const std::vector<UniqueFd>& SocketTable::fds_of(UnitId id) const {
  static const std::vector<UniqueFd> kNone;
  const auto at = open_.find(id.value);
  return at == open_.end() ? kNone : at->second.fds;
}

UnitId SocketTable::owner_of(int fd) const {
  const auto at = owners_.find(fd);
  return at == owners_.end() ? UnitId{} : at->second;
}

void SocketTable::flush(UnitId id) {
  std::array<char, 4096> buffer{};
  for (const UniqueFd& fd : fds_of(id)) {
    // The service may have set it to block.
    (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    for (unsigned i = 0; i < kFlushBudget; ++i) {
      pollfd waits{fd.get(), POLLIN, 0};
      if (::poll(&waits, 1, 0) <= 0) break;
      const UniqueFd connection(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (connection) continue;
      if (::read(fd.get(), buffer.data(), buffer.size()) < 0) break;
    }
  }
}

unsigned SocketTable::count_from(UnitId socket, const std::string& source) const {
  return static_cast<unsigned>(
      std::count_if(connections_.begin(), connections_.end(), [&](const auto& entry) {
        return entry.second.socket == socket && entry.second.told.source == source;
      }));
}

Result<AcceptedConnection> SocketTable::accept(UnitId id, std::uint32_t count) {
  if (const auto at = new_.find(id.value); at != new_.end()) return at->second.told;
  Connection& made = new_[id.value];
  made.socket = id;
  int error = EAGAIN;
  sockaddr_storage remote{};
  for (const UniqueFd& fd : fds_of(id)) {
    socklen_t size = sizeof remote;
    made.fd = UniqueFd(::accept4(fd.get(), reinterpret_cast<sockaddr*>(&remote), &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (made.fd) break;
    if (errno != EAGAIN) error = errno;
  }
  if (!made.fd) {
    new_.erase(id.value);
    return Failure{SysError{"accept", error}};
  }
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  (void)::getsockname(made.fd.get(), reinterpret_cast<sockaddr*>(&local), &size);
  if (local.ss_family == AF_UNIX) {
    describe_unix(made.fd, count, made.told);
  } else {
    const End here = end_of(local);
    const End there = end_of(remote);
    made.told.instance =
        format("{}-{}:{}-{}:{}", count, here.address, here.port, there.address, there.port);
    made.told.source = there.address;
    made.environment.push_back(format("REMOTE_ADDR={}", there.address));
    made.environment.push_back(format("REMOTE_PORT={}", there.port));
  }
  made.told.from_source = count_from(id, made.told.source);
  return made.told;
}

void SocketTable::give(UnitId socket, UnitId instance) noexcept {
  auto node = new_.extract(socket.value);
  if (node.empty()) return;
  connections_.erase(instance.value);
  node.key() = instance.value;
  connections_.insert(std::move(node));
}

void SocketTable::drop(UnitId id) noexcept {
  if (connections_.erase(id.value) == 0) new_.erase(id.value);
}

PassedSockets SocketTable::passed_to(const LaunchRequest& request) const {
  PassedSockets passed;
  if (request.connection) {
    const auto at = connections_.find(request.id.value);
    if (at == connections_.end()) return passed;
    passed.fds.push_back(at->second.fd.get());
    passed.names.emplace_back("connection");
    passed.environment = at->second.environment;
    return passed;
  }
  for (const UnitId id : request.sockets) {
    const auto at = open_.find(id.value);
    if (at == open_.end()) continue;
    for (const UniqueFd& fd : at->second.fds) {
      passed.fds.push_back(fd.get());
      passed.names.push_back(at->second.name);
    }
  }
  return passed;
}

}  // namespace onset
