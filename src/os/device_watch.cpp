#include "os/device_watch.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr unsigned kKernelGroup = 1;
constexpr unsigned kUdevGroup = 2;
/// udev's messages hold all that it knows of a device.
constexpr std::size_t kMessageMax = 65536;
/// Held by the kernel while PID 1 is busy: at boot, a thousand at once.
constexpr int kHeldBytes = 16 << 20;
constexpr unsigned kMessagesACall = 64;

struct Received {
  std::size_t length = 0;
  unsigned group = 0;
  bool from_kernel = false;
  bool is_roots = false;
  bool is_whole = false;
};

bool is_roots(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
        c->cmsg_len < CMSG_LEN(sizeof(ucred)))
      continue;
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(c), sizeof sender);
    return sender.uid == 0;
  }
  return false;
}

Result<Received> receive(BorrowedFd fd, std::string& buffer) {
  sockaddr_nl from{};
  iovec piece{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t length = recvmsg(fd.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) return Failure{SysError{"recvmsg", errno}};
  Received r;
  r.length = static_cast<std::size_t>(length);
  r.is_whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  r.is_roots = is_roots(message);
  r.group = from.nl_groups;
  r.from_kernel = from.nl_pid == 0;
  return r;
}

Result<UniqueFd> listen_to_devices() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd) return Failure{SysError{"socket", errno}};
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
    return Failure{SysError{"SO_PASSCRED", errno}};
  // Less is no error: what does not fit is listed.
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kHeldBytes, sizeof kHeldBytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelGroup | kUdevGroup;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Failure{SysError{"bind", errno}};
  return fd;
}

/// What a unit's name stands for; empty: no path.
std::string path_of(std::string_view unit) {
  if (!unit.ends_with(".device")) return {};
  auto path = unit_unescape_path(without_suffix(unit));
  return path ? std::move(*path) : std::string();
}

/// Where links lead, of paths in /dev and /sys alone.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(path.c_str(), nullptr), ::free);
  return real != nullptr ? std::string(real.get()) : std::string();
}

bool is_node(const std::string& path, mode_t kind) {
  struct stat st {};
  return fstatat(AT_FDCWD, path.c_str(), &st, AT_NO_AUTOMOUNT) == 0 &&
         (st.st_mode & S_IFMT) == kind;
}

}  // namespace

DeviceWatch::DeviceWatch(DevicePlaces places) : places_(std::move(places)) {}

SysResult DeviceWatch::open() {
  buffer_.resize(kMessageMax);
  auto fd = listen_to_devices();
  if (fd) fd_ = std::move(*fd);
  list();
  if (!fd) return Failure{fd.error()};
  return {};
}

void DeviceWatch::list() {
  is_stale_ = true;
  if (udev_runs(places_)) {
    // What udev has not got to yet is as the kernel has it.
    table_.replace(list_udev_devices(places_), [this](const KnownDevice& device) {
      return device.is_kernels && access(in_places(places_, device.syspath).c_str(), F_OK) == 0;
    });
  } else {
    table_.replace(list_kernel_devices(places_), [this](const KnownDevice& device) {
      return !device.loads && access(in_places(places_, device.syspath).c_str(), F_OK) == 0;
    });
  }
  is_stale_ = false;
}

void DeviceWatch::drain() {
  for (unsigned i = 0; i < kMessagesACall && fd_ && !is_stale_; ++i) {
    const auto received = receive(fd_, buffer_);
    if (!received) {
      is_stale_ = received.error().err == ENOBUFS;
      if (received.error().err == EINTR) continue;
      break;
    }
    if (!received->is_roots) continue;
    is_stale_ = true;  // until it is taken
    if (!received->is_whole) break;
    take({buffer_.data(), received->length}, received->group, received->from_kernel);
    is_stale_ = false;
  }
  if (is_stale_) list();
}

void DeviceWatch::take(std::string_view datagram, unsigned group, bool from_kernel) {
  if (group == kKernelGroup && from_kernel) {
    if (auto event = parse_kernel_uevent(datagram)) take_kernel_event(std::move(*event));
  } else if (group == kUdevGroup && !from_kernel) {
    if (auto event = parse_udev_message(datagram)) take_udev_event(std::move(*event));
  }
}

void DeviceWatch::take_kernel_event(Uevent event) {
  if (udev_runs(places_)) return;  // it tells of the same, once it has looked at it
  const DeviceFacts& facts = event.facts;
  if (facts.node.empty() && facts.interface.empty()) return;
  if (event.action == Uevent::Action::Remove || !kernel_says_ready(places_, facts)) {
    if (table_.at(facts.syspath) != nullptr) return table_.unplug(facts.syspath);
    // It was there before anybody listened, and its unit was asked for.
    for (std::string& unit : device_units(facts, {})) {
      if (table_.find(unit) == nullptr)
        table_.tell({std::move(unit), DeviceSource::Plugged, false, false, {}});
    }
    return;
  }
  table_.move(event.moved_from.empty() ? facts.syspath : event.moved_from,
              kernel_device(places_, facts));
}

void DeviceWatch::take_udev_event(Uevent event) {
  const DeviceFacts& facts = event.facts;
  if (event.action == Uevent::Action::Remove || !is_ready_with_udev(places_, facts)) {
    if (!event.moved_from.empty()) table_.unplug(event.moved_from);
    return table_.unplug(facts.syspath);
  }
  table_.move(event.moved_from.empty() ? facts.syspath : event.moved_from,
              udev_device(places_, facts));
}

void DeviceWatch::use(const std::vector<MountEntry>& mounts,
                      const std::vector<std::string>& swaps) {
  std::vector<std::string> units;
  const auto add = [&](const std::string& path) {
    if (!path.starts_with("/dev/")) return;
    const std::string place = in_places(places_, path);
    if (!is_node(place, S_IFBLK) && !is_node(place, S_IFCHR)) return;
    if (auto unit = name_from_path(path, ".device")) units.push_back(std::move(*unit));
  };
  for (const MountEntry& mount : mounts) add(mount.source);
  for (const std::string& swap : swaps) add(swap);
  std::ranges::sort(units);
  units.erase(std::unique(units.begin(), units.end()), units.end());
  table_.use(std::move(units));
}

/// Without udev, whatever node there is has a unit when somebody names it; a link to a node that
/// has units is one of them.
std::string DeviceWatch::syspath_without_units(std::string_view unit) const {
  if (udev_runs(places_)) return {};
  const std::string path = path_of(unit);
  if (path.starts_with("/sys/devices/")) {
    const std::string place = in_places(places_, path);
    const bool is_device = access((place + "/uevent").c_str(), F_OK) == 0;
    return is_device && real_path(place) == place ? path : std::string();
  }
  if (!path.starts_with("/dev/")) return {};
  const std::string real = real_path(in_places(places_, path));
  if (real.empty() || !real.starts_with(places_.dev + "/")) return {};
  const std::string node = format("/dev{}", std::string_view(real).substr(places_.dev.size()));
  const auto name = name_from_path(node, ".device");
  if (const KnownDevice* device = name ? table_.find(*name) : nullptr) return device->syspath;
  if (!is_node(real, S_IFCHR)) return {};
  struct stat st {};
  if (::stat(real.c_str(), &st) < 0) return {};
  return real_path(format("{}/dev/char/{}:{}", places_.sys, major(st.st_rdev), minor(st.st_rdev)));
}

DeviceFound DeviceWatch::found(std::string_view unit) const {
  DeviceFound found;
  found.is_plugged = !syspath(unit).empty();
  found.is_used = table_.is_used(unit);
  return found;
}

std::string DeviceWatch::syspath(std::string_view unit) const {
  const KnownDevice* device = table_.find(unit);
  return device != nullptr ? device->syspath : syspath_without_units(unit);
}

void DeviceWatch::describe(Unit& unit) const {
  const KnownDevice* device = table_.find(unit.id);
  unit.config.description =
      device != nullptr && !device->description.empty() ? device->description : path_of(unit.id);
  if (device == nullptr || device->units.front() != unit.id) return;
  for (const std::string& wanted : device->wants)
    unit.config.dependencies.push_back({DependencyKind::Wants, wanted, true});
}

}  // namespace onset
