#include "init/machine_setup.h"

#include <fcntl.h>
#include <linux/kd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "base/format.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "os/virtualization.h"
#include "unit/machine_identity.h"

namespace onset {
namespace {

constexpr std::size_t kFactLimit = 4096;
constexpr std::size_t kHostnameMax = 64;  // HOST_NAME_MAX of the kernel

// ---- its name ---------------------------------------------------------------------

void set_hostname(const KernelRequest& request, FileSource& files,
                  std::vector<std::string>& losses) {
  std::string name;
  const auto file = files.read("/etc/hostname", kFactLimit);
  for (const std::string& candidate :
       {request.hostname, file ? hostname_of_file(*file) : std::string()}) {
    if (candidate.empty()) continue;
    if (hostname_is_valid(candidate)) {
      name = candidate;
      break;
    }
    losses.push_back(format("\"{}\" is no host name, ignored", c_escape(candidate)));
  }
  if (name.empty()) {
    std::array<char, kHostnameMax + 1> now{};
    (void)gethostname(now.data(), kHostnameMax);
    const std::string_view current(now.data());
    if (!current.empty() && current != "(none)") return;
    name = "localhost";
  }
  if (sethostname(name.data(), name.size()) < 0) {
    losses.push_back(format("the host name can't be set: {}", errno_text(errno)));
  }
}

// ---- its identity -----------------------------------------------------------------

std::string random_id() {
  std::array<unsigned char, kMachineIdBytes> bytes{};
  if (getrandom(bytes.data(), bytes.size(), GRND_NONBLOCK | GRND_INSECURE) !=
      static_cast<ssize_t>(bytes.size())) {
    return {};
  }
  return machine_id_of_bytes(bytes);
}

/// Hypervisors whose UUIDs are made for one machine each; those of boards are often all alike.
bool has_own_uuid(FileSource& files) {
  const std::string vm = detect_vm(files);
  return vm == "kvm" || vm == "qemu" || vm == "amazon";
}

/// machine-id(5), INITIALIZATION: the one asked for, D-Bus's, the virtual machine's, a new one.
std::string new_machine_id(const KernelRequest& request, FileSource& files) {
  if (auto id = plain_machine_id(request.machine_id); !id.empty()) return id;
  constexpr const char* kUuid = "/sys/class/dmi/id/product_uuid";
  for (const char* source : {"/var/lib/dbus/machine-id", kUuid}) {
    if (source == kUuid && !has_own_uuid(files)) continue;
    const auto text = files.read(source, kFactLimit);
    if (!text) continue;
    if (auto id = plain_machine_id(*text); !id.empty()) return id;
  }
  return random_id();
}

int write_file(const char* path, std::string_view text) {
  const UniqueFd fd(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0444));
  if (!fd) return errno;
  return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}

/// Kept in /etc where that can be written; until then in /run, mounted over the file where there
/// is one. systemd-machine-id-commit.service writes it down once it can be.
void set_machine_id(const KernelRequest& request, FileSource& files,
                    std::vector<std::string>& losses) {
  const auto known = files.read(kMachineIdFile, kFactLimit);
  if (request.machine_id.empty() && known && !plain_machine_id(*known).empty()) return;
  const std::string id = new_machine_id(request, files);
  if (id.empty()) {
    losses.emplace_back("no machine id could be made");
    return;
  }
  const std::string line = id + '\n';
  if (write_file(kMachineIdFile, line) == 0) return;
  int err = write_file(kTransientMachineIdFile, line);
  if (err == 0 && mount(kTransientMachineIdFile, kMachineIdFile, nullptr, MS_BIND, nullptr) < 0 &&
      errno != ENOENT) {
    err = errno;
  }
  if (err != 0) losses.push_back(format("{} can't be set: {}", kMachineIdFile, errno_text(err)));
}

// ---- its time ---------------------------------------------------------------------

/// No clock is right that lies before the day when what runs was made.
void set_clock(const KernelRequest& request, std::vector<std::string>& losses) {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  timespec wanted = now;
  if (request.clock_us) {
    constexpr std::uint64_t kSecond = 1'000'000;
    wanted.tv_sec = static_cast<time_t>(*request.clock_us / kSecond);
    wanted.tv_nsec = static_cast<long>(*request.clock_us % kSecond * 1000);
  }
  for (const char* path : {"/usr/lib/clock-epoch", "/proc/self/exe"}) {
    struct stat st {};
    if (stat(path, &st) == 0 && st.st_mtim.tv_sec > wanted.tv_sec) wanted = st.st_mtim;
  }
  if (wanted.tv_sec == now.tv_sec) return;
  if (clock_settime(CLOCK_REALTIME, &wanted) < 0) {
    losses.push_back(format("the clock can't be set: {}", errno_text(errno)));
  }
}

// ---- its loopback -----------------------------------------------------------------

/// The kernel gives it its addresses when it comes up.
void bring_loopback_up(std::vector<std::string>& losses) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (fd && ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0) {
    if ((request.ifr_flags & IFF_UP) != 0) return;
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0) return;
  }
  losses.push_back(format("the loopback device can't be brought up: {}", errno_text(errno)));
}

// ---- its folders ------------------------------------------------------------------

/// What packages expect of /run before anything of theirs runs: file-hierarchy(7). The rest is
/// tmpfiles.d's.
void make_run_folders(std::vector<std::string>& losses) {
  constexpr const char* kLocks = "/run/lock";
  if (mkdir(kLocks, 01777) == 0) {
    (void)chmod(kLocks, 01777);
  } else if (errno != EEXIST) {
    losses.push_back(format("{} can't be made: {}", kLocks, errno_text(errno)));
  }
}

}  // namespace

void take_console() {
  (void)setsid();
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest number that is free, which is this one.
    if (open("/dev/console", O_RDWR | O_NOCTTY) < 0) (void)open("/dev/null", O_RDWR);
  }
  // Ctrl-Alt-Del is then SIGINT, and the keyboard's own request SIGWINCH.
  (void)reboot(RB_DISABLE_CAD);
  const UniqueFd keyboard(open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (keyboard) (void)ioctl(keyboard.get(), KDSIGACCEPT, SIGWINCH);
}

std::vector<std::string> set_up_machine(const KernelRequest& request, FileSource& files) {
  std::vector<std::string> losses;
  set_clock(request, losses);
  set_hostname(request, files, losses);
  set_machine_id(request, files, losses);
  bring_loopback_up(losses);
  make_run_folders(losses);
  return losses;
}

}  // namespace onset
