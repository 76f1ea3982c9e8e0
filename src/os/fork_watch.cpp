#include "os/fork_watch.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string_view>

#include "base/process_text.h"
#include "base/text.h"
#include "os/kernel.h"

namespace onset {
namespace {

constexpr std::uint32_t kLeastPidMax = 32768;

/// Some milliseconds coarse; no system call.
std::chrono::milliseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return std::chrono::milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

}  // namespace

ForkWatch::ForkWatch(BorrowedFd proc, std::chrono::milliseconds patience) : patience_(patience) {
  if (!proc) return;
  auto most = read_kernel_file_at(proc, "sys/kernel/pid_max", 64);
  if (!most || parse_uint<std::uint32_t>(without_line_end(*most)).value_or(0) < kLeastPidMax)
    return;
  auto fd = open_at(proc.get(), "loadavg", O_RDONLY);
  struct statfs system {};
  // lxcfs puts a FUSE file here: it may keep its reader waiting, and its numbers are others.
  if (!fd || ::fstatfs(fd->get(), &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return;
  loadavg_ = std::move(*fd);
  last_ = read_last();
  looked_ = now();
  if (last_ <= 0) loadavg_.reset();
}

pid_t ForkWatch::read_last() const {
  std::array<char, 128> text;
  const ssize_t size = ::pread(loadavg_.get(), text.data(), text.size(), 0);
  if (size <= 0) return 0;
  return parse_last_pid({text.data(), static_cast<std::size_t>(size)});
}

void ForkWatch::saw(pid_t last, bool is_explained) {
  const auto time = now();
  if ((!is_explained || time - looked_ > patience_) && ++generation_ == 0) generation_ = 1;
  last_ = last;
  looked_ = time;
}

std::uint32_t ForkWatch::generation() {
  if (!loadavg_) return 0;
  const pid_t last = read_last();
  saw(last, last == last_);
  return generation_;
}

bool ForkWatch::made(pid_t pid) {
  if (!loadavg_) return false;
  const pid_t last = read_last();
  if (last == last_) {  // whoever writes this file does not count processes
    loadavg_.reset();
    return false;
  }
  saw(last, last == pid && last == last_ + 1);
  return last == pid;
}

}  // namespace onset
