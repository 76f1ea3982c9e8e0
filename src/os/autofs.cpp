#include "os/autofs.h"

#include <fcntl.h>
#include <linux/auto_fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr const char* kDevice = "/dev/autofs";
constexpr std::size_t kHandedOver = 3;  // pipe, root, device
constexpr int kUnmountAttempts = 32;

Failure<SysError> failed(const char* what, int err = errno) {
  return Failure{SysError{what, err}};
}

// The calls of /dev/autofs. The kernel's own header of them is no C++.
constexpr unsigned kVersion = 1;
constexpr unsigned kType = 0x93;
enum Command : unsigned {
  kOpenMount = 0x74,
  kReady = 0x76,
  kFail = 0x77,
  kCatatonic = 0x79,
  kTimeout = 0x7a,
  kExpire = 0x7c,
};
struct Parameters {
  std::uint32_t major = kVersion;
  std::uint32_t minor = 0;
  std::uint32_t size = sizeof(Parameters);  ///< with the path behind it
  std::int32_t point = -1;
  union {
    std::uint64_t seconds = 0;  ///< of kTimeout
    struct {
      std::uint32_t first;  ///< a token, of kOpenMount a device's number
      std::int32_t second;  ///< the negative errno of kFail
    } words;
  } of;
};
static_assert(sizeof(Parameters) == 24);

SysResult call(BorrowedFd device, Command command, void* parameters, const char* what) {
  if (::ioctl(device.get(), _IOC(_IOC_READ | _IOC_WRITE, kType, command, sizeof(Parameters)),
              parameters) < 0)
    return failed(what);
  return {};
}

Parameters about(BorrowedFd point) {
  Parameters parameters;
  parameters.point = point.get();
  return parameters;
}

/// The root of the autofs at `where`, whatever is mounted on it.
Result<UniqueFd> open_point(BorrowedFd device, const std::string& where, dev_t id) {
  std::vector<char> room(sizeof(Parameters) + where.size() + 1);
  Parameters parameters;
  parameters.size = static_cast<std::uint32_t>(room.size());
  parameters.of.words.first = static_cast<std::uint32_t>(id);
  std::memcpy(room.data(), &parameters, sizeof parameters);
  std::memcpy(room.data() + sizeof parameters, where.c_str(), where.size() + 1);
  if (auto done = call(device, kOpenMount, room.data(), "autofs: open"); !done)
    return Failure{done.error()};
  std::memcpy(&parameters, room.data(), sizeof parameters);
  UniqueFd point(parameters.point);
  (void)::fcntl(point.get(), F_SETFD, FD_CLOEXEC);
  return point;
}

SysResult send_descriptors(BorrowedFd socket, const std::array<int, kHandedOver>& fds) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
  char byte = 0;
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof fds);
  if (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0) return failed("sendmsg");
  return {};
}

Result<std::array<UniqueFd, kHandedOver>> receive_descriptors(BorrowedFd socket) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kHandedOver)> control{};
  char byte = 0;
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
    return failed("autofs: hand-over");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int) * kHandedOver))
    return failed("autofs: hand-over", EPROTO);
  std::array<int, kHandedOver> fds{};
  std::memcpy(fds.data(), CMSG_DATA(header), sizeof fds);
  std::array<UniqueFd, kHandedOver> received;
  for (std::size_t i = 0; i < kHandedOver; ++i) received[i] = UniqueFd(fds[i]);
  return received;
}

/// Of a point that is mounted already.
SysResult hand_over(const AutofsWish& wish, BorrowedFd pipe, BorrowedFd socket) {
  // Loading the module has made the device.
  const auto device = open_path(kDevice, O_RDWR);
  if (!device) return failed(kDevice, device.error().err);
  struct stat st {};
  if (::stat(wish.where.c_str(), &st) < 0) return failed("stat");
  auto point = open_point(*device, wish.where, st.st_dev);
  if (!point) return Failure{point.error()};
  Parameters parameters = about(*point);
  parameters.of.seconds = wish.idle;
  if (auto done = call(*device, kTimeout, &parameters, "autofs: timeout"); !done) return done;
  return send_descriptors(socket, {pipe.get(), point->get(), device->get()});
}

}  // namespace

SysResult make_autofs(const AutofsWish& wish, BorrowedFd socket) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return failed("pipe");
  const UniqueFd ours(ends[0]);
  UniqueFd kernels(ends[1]);
  if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) < 0) return failed("fcntl");
  std::string options = format("fd={},minproto={},maxproto={},direct", kernels.get(),
                               AUTOFS_PROTO_VERSION, AUTOFS_PROTO_VERSION);
  // 0: a group outside of this namespace; that of this process it is all the same.
  if (const pid_t group = ::getpgrp(); group > 0) options += format(",pgrp={}", group);
  if (!wish.options.empty()) options += "," + wish.options;
  if (::mount("onset", wish.where.c_str(), "autofs", 0, options.c_str()) < 0)
    return failed("mount of autofs");
  kernels.reset();
  auto done = hand_over(wish, ours, socket);
  if (!done) (void)::umount2(wish.where.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  return done;
}

SysResult expire_autofs(BorrowedFd device, BorrowedFd point) {
  for (;;) {
    Parameters parameters = about(point);
    auto done = call(device, kExpire, &parameters, "autofs: expire");
    if (done) continue;  // one more may be idle
    return done.error().err == EAGAIN ? SysResult() : done;
  }
}

SysResult remove_autofs(const std::string& where) {
  for (int i = 0; i < kUnmountAttempts; ++i) {
    if (::umount2(where.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) continue;
    if (errno == EINVAL || errno == ENOENT) return {};
    return failed("umount");
  }
  return {};
}

// ---- in PID 1 -------------------------------------------------------------------------

Result<PassedSockets> AutomountTable::passed_to(const LaunchRequest& request) {
  PassedSockets passed;
  if (request.role == ExecRole::Start) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
      return failed("socketpair");
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    Point& point = points_[request.id.value];
    point.ours = std::move(ours);
    point.theirs = std::move(theirs);
    passed.fds = {point.theirs.get()};
    passed.names = {"autofs"};
  } else if (request.role == ExecRole::Stop) {
    const auto at = points_.find(request.id.value);
    if (at == points_.end() || !at->second.root) return failed("autofs", ENOENT);
    passed.fds = {at->second.device.get(), at->second.root.get()};
    passed.names = {"device", "point"};
  }
  return passed;
}

SysResult AutomountTable::take(UnitId id) {
  const auto at = points_.find(id.value);
  if (at == points_.end() || !at->second.ours) return failed("autofs", ENOENT);
  Point& point = at->second;
  auto received = receive_descriptors(point.ours);
  point.ours.reset();
  point.theirs.reset();
  if (!received) return Failure{received.error()};
  point.pipe = std::move((*received)[0]);
  point.root = std::move((*received)[1]);
  point.device = std::move((*received)[2]);
  return {};
}

BorrowedFd AutomountTable::pipe_of(UnitId id) const {
  const auto at = points_.find(id.value);
  return at == points_.end() ? BorrowedFd(-1) : BorrowedFd(at->second.pipe.get());
}

void AutomountTable::read(int pipe) {
  for (auto& [id, point] : points_) {
    if (point.pipe.get() != pipe) continue;
    for (;;) {
      // Room for the token is there before it is taken out of the pipe.
      for (auto& tokens : point.tokens) tokens.reserve(tokens.size() + 1);
      autofs_v5_packet packet{};
      const ssize_t n = ::read(pipe, &packet, sizeof packet);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (n != static_cast<ssize_t>(sizeof packet)) {
        point.untold[static_cast<std::size_t>(AutomountAsks::Gone)] = true;
        return;
      }
      const bool is_access = packet.hdr.type == autofs_ptype_missing_direct;
      if (!is_access && packet.hdr.type != autofs_ptype_expire_direct) continue;
      const auto what =
          static_cast<std::size_t>(is_access ? AutomountAsks::Access : AutomountAsks::Expiry);
      point.tokens.at(what).push_back(packet.wait_queue_token);
      point.untold[what] = true;
      if (is_access) point.asker = static_cast<pid_t>(packet.pid);
    }
  }
}

AutomountTable::Told AutomountTable::next_untold() const {
  for (const auto& [id, point] : points_) {
    for (std::size_t i = 0; i < point.untold.size(); ++i) {
      if (point.untold[i]) return {UnitId{id}, static_cast<AutomountAsks>(i), point.asker};
    }
  }
  return {};
}

void AutomountTable::told(const Told& what) {
  const auto at = points_.find(what.id.value);
  if (at != points_.end()) at->second.untold[static_cast<std::size_t>(what.what)] = false;
}

void AutomountTable::answer(UnitId id, AutomountAsks what, int error) {
  const auto at = points_.find(id.value);
  if (at == points_.end() || what == AutomountAsks::Gone) return;
  Point& point = at->second;
  auto& tokens = point.tokens.at(static_cast<std::size_t>(what));
  for (const unsigned token : tokens) {
    Parameters parameters = about(point.root);
    parameters.of.words = {token, -error};
    (void)call(point.device, error == 0 ? kReady : kFail, &parameters, "autofs: answer");
  }
  tokens.clear();
}

void AutomountTable::drop(UnitId id) {
  const auto at = points_.find(id.value);
  if (at == points_.end()) return;
  answer(id, AutomountAsks::Access, EHOSTDOWN);
  answer(id, AutomountAsks::Expiry, EHOSTDOWN);
  if (at->second.root) {
    Parameters parameters = about(at->second.root);
    (void)call(at->second.device, kCatatonic, &parameters, "autofs: catatonic");
  }
  points_.erase(at);
}

}  // namespace onset
