// systemd-update-utmp(8): the boot and the shutdown, for who(1) and last(1).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utmpx.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/format.h"
#include "base/unique_fd.h"
#include "init/machine_programs.h"

namespace onset {
namespace {

constexpr const char* kUtmp = "/run/utmp";
constexpr const char* kWtmp = "/var/log/wtmp";

/// When the kernel began, by the clock as it is now.
timeval boot_time() {
  timespec now{};
  timespec up{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  (void)clock_gettime(CLOCK_BOOTTIME, &up);
  return {now.tv_sec - up.tv_sec, 0};
}

template <std::size_t N>
void copy(char (&field)[N], const char* text) {
  static_assert(N > 1);
  std::memcpy(field, text, strnlen(text, N));
}

utmpx record(short type, const char* user, timeval when) {
  utmpx r{};
  r.ut_type = type;
  copy(r.ut_id, "~~");
  copy(r.ut_line, "~");
  copy(r.ut_user, user);
  utsname kernel{};
  if (uname(&kernel) == 0) copy(r.ut_host, kernel.release);
  r.ut_tv.tv_sec = static_cast<decltype(r.ut_tv.tv_sec)>(when.tv_sec);
  return r;
}

/// /run begins empty, and not everywhere does tmpfiles.d(5) make the one; whose it is the other
/// tells.
void make_utmp() {
  struct stat kept {};
  if (stat(kWtmp, &kept) < 0) return;
  const UniqueFd fd(open(kUtmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return;
  (void)fchown(fd.get(), 0, kept.st_gid);
  (void)fchmod(fd.get(), 0664);
}

/// In what there is of the two files.
int write_record(const utmpx& r) {
  make_utmp();
  updwtmpx(kWtmp, &r);
  if (access(kUtmp, F_OK) < 0) return 0;
  (void)utmpxname(kUtmp);
  setutxent();
  const bool is_written = pututxline(&r) != nullptr;
  const int err = errno;
  endutxent();
  if (is_written) return 0;
  complain(format("{}: {}", kUtmp, errno_text(err)));
  return 1;
}

}  // namespace

int update_utmp(const std::vector<std::string>& arguments) {
  const std::string_view what = arguments.empty() ? std::string_view() : arguments.front();
  if (what == "reboot") return write_record(record(BOOT_TIME, "reboot", boot_time()));
  if (what == "shutdown") return write_record(record(RUN_LVL, "shutdown", {time(nullptr), 0}));
  complain("update-utmp: expected reboot or shutdown");
  return 2;
}

}  // namespace onset
