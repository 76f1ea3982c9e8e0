// Descriptors 0, 1 and 2 of a process that is about to execute.

#include <fcntl.h>

#include <cerrno>

#include "base/unix_address.h"
#include "os/child_terminal.h"
#include "os/launch_run.h"

namespace onset {
namespace {

/// A unix socket in the place of a file is connected to, as systemd does.
int connect_to(const char* path) noexcept {
  const UnixAddress address = unix_path(path);
  if (!address) return -ENAMETOOLONG;
  const long fd = raw::call(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return static_cast<int>(fd);
  const long done = raw::call(SYS_connect, fd, address.get(), address.length);
  return static_cast<int>(done < 0 ? done : fd);
}

int open_stream(const Run& run, const StreamPlan& stream, bool is_input) noexcept {
  if (stream.how == StreamPlan::How::Terminal) {
    return is_input ? claim_terminal(run.plan.terminal)
                    : open_terminal(stream.path.c_str(), stream.flags);
  }
  const char* path = stream.path.c_str();
  const int flags = stream.flags | O_NOCTTY | O_CLOEXEC;
  const long fd = raw::call(SYS_openat, AT_FDCWD, path, flags, stream.mode);
  return fd == -ENXIO ? connect_to(path) : static_cast<int>(fd);
}

void set_up_stream(const Run& run, int number, LaunchStep step) noexcept {
  const StreamPlan& stream = run.plan.streams[static_cast<unsigned>(number)];
  int source = stream.fd;
  switch (stream.how) {
    case StreamPlan::How::Source:
    case StreamPlan::How::CopyOf:
      break;
    case StreamPlan::How::File:
    case StreamPlan::How::Terminal:
      source = open_stream(run, stream, number == 0);
      if (source < 0) run.fail(step, -source);
      break;
  }
  if (source == number) {  // opened into the very place: it must survive execve
    run.must(step, raw::call(SYS_fcntl, number, F_SETFD, 0));
    return;
  }
  run.must(step, raw::call(SYS_dup3, source, number, 0));
}

}  // namespace

void set_up_streams(const Run& run) noexcept {
  prepare_terminal(run.plan.terminal);
  set_up_stream(run, 0, LaunchStep::Stdin);
  const bool on_terminal = run.plan.streams[0].how == StreamPlan::How::Terminal;
  if (on_terminal && run.plan.set_uid) {
    run.must(LaunchStep::Stdin, raw::call(SYS_fchmod, 0, 0600));
    run.must(LaunchStep::Stdin, raw::call(SYS_fchown, 0, run.plan.uid, -1));
  }
  set_up_stream(run, 1, LaunchStep::Stdout);
  set_up_stream(run, 2, LaunchStep::Stderr);
}

}  // namespace onset
