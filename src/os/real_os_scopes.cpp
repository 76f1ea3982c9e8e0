// Processes that a scope takes over: held by their pidfds from the request to the start, so that
// no number can become another process's in between; then moved into the unit's group. Without
// cgroups they are tops of the unit's tree that are nobody's children, and their pidfds tell of
// their end.

#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/format.h"
#include "os/kernel.h"
#include "os/real_os.h"

namespace onset {
namespace {

constexpr std::size_t kHeldProcessesMax = 512;

bool has_ended(const UniqueFd& pidfd) {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return pidfd && ::poll(&ended, 1, 0) > 0;
}

/// It has no program; of an ordinary process without /proc nothing can be said.
bool is_kernel_thread(pid_t pid) {
  std::array<char, 8> target{};
  const std::string link = format("/proc/{}/exe", pid);
  return ::readlink(link.c_str(), target.data(), target.size()) < 0 && errno == ENOENT &&
         ::access(format("/proc/{}", pid).c_str(), F_OK) == 0;
}

}  // namespace

SysResult RealOs::may_hold(pid_t pid) const {
  if (pid <= 1 || pid == self_ || is_kernel_thread(pid)) return Failure{SysError{"adopt", EPERM}};
  if (::geteuid() == 0) return {};
  struct stat owner {};
  if (::stat(format("/proc/{}", pid).c_str(), &owner) != 0) {
    return Failure{SysError{"adopt", errno == ENOENT ? ESRCH : errno}};
  }
  if (owner.st_uid != ::geteuid()) return Failure{SysError{"adopt", EPERM}};
  return {};
}

SysResult RealOs::hold_processes(UnitId id, std::span<const pid_t> pids) {
  std::vector<HeldProcess> held;
  std::size_t others = 0;
  for (const auto& [unit, processes] : held_) others += unit == id.value ? 0 : processes.size();
  if (others + pids.size() > kHeldProcessesMax) return Failure{SysError{"pidfd_open", EMFILE}};
  for (const pid_t pid : pids) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd && (errno == ESRCH || errno == EINVAL)) {
      return Failure{SysError{"pidfd_open", ESRCH}};
    }
    // Without cgroups nothing else tells of its end; and it must be in no other unit's tree.
    if (!cgroups_ && !pidfd) return Failure{SysError{"pidfd_open", errno}};
    if (!cgroups_ && table_.is_top(pid)) return Failure{SysError{"adopt", EBUSY}};
    if (auto allowed = may_hold(pid); !allowed) return allowed;  // after: of the one that is held
    held.push_back({pid, std::move(pidfd)});
  }
  held_[id.value] = std::move(held);
  return {};
}

SysResult RealOs::adopt_processes(const UnitGraph& graph, UnitId id, bool startup) {
  auto held = held_.extract(id.value);
  if (held.empty()) return Failure{SysError{"adopt", ESRCH}};
  const Unit& unit = graph.unit(id);
  if (cgroups_) {
    if (auto done = prepare_group({&graph, id, unit, startup}); !done) return done;
  } else {
    note_no_cgroups(id, unit);
  }
  SysResult result = Failure{SysError{"adopt", ESRCH}};
  for (HeldProcess& process : held.mapped()) {
    if (has_ended(process.pidfd)) continue;
    SysResult adopted = adopt(id, process);
    if (adopted) {
      result = {};
    } else if (!result && adopted.error().err != ESRCH) {
      result = adopted;
    }
  }
  if (!result && cgroups_) release(id, unit, false);
  return result;
}

SysResult RealOs::adopt(UnitId id, HeldProcess& process) {
  if (cgroups_) {
    return cgroups_->write(units_[id.value].cgroup, "cgroup.procs", format("{}", process.pid));
  }
  auto name = read_kernel_file(format("/proc/{}/comm", process.pid).c_str());
  table_.expect(id, {}, name ? std::string_view(*name) : std::string_view());
  if (auto done = poll(process.pidfd, Source::Alien); !done) return done;
  table_.spawned(process.pid, id);
  units_[id.value].told = false;
  aliens_[process.pid] = Alien{std::move(process.pidfd), id};
  return {};
}

/// What it has left is looked for as after a child of onset's.
void RealOs::lose_adopted(pid_t pid) {
  if (cgroups_ || !table_.is_top(pid)) return;
  const UnitId id = table_.reaped(pid);
  if (table_.lost_any()) table_.adopt_orphans();
  table_.end_batch();
  check_soon(id);
}

}  // namespace onset
