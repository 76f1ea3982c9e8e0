#include "os/launch_streams.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace onset {
namespace {

using How = StreamPlan::How;

/// What the three settings come to, with their defaults filled in.
struct Wanted {
  StdStream input;
  StdStream output;
  StdStream error;
  std::string terminal;
};

bool is_terminal(ExecInput input) {
  return input == ExecInput::Tty || input == ExecInput::TtyForce || input == ExecInput::TtyFail;
}

bool is_file(ExecOutput output) {
  return output == ExecOutput::File || output == ExecOutput::FileAppend ||
         output == ExecOutput::FileTruncate;
}

Wanted wanted_streams(const StreamRequest& request, const LaunchDefaults& defaults) {
  const ExecConfig& exec = request.exec;
  Wanted wanted;
  wanted.input = exec.standard_input.value_or(StdStream{});
  wanted.output.output = defaults.output;
  wanted.error.output = defaults.error_output;
  if (exec.standard_output) wanted.output = *exec.standard_output;
  if (exec.standard_error) wanted.error = *exec.standard_error;
  wanted.terminal = exec.tty_path.empty() ? "/dev/console" : exec.tty_path;
  if (is_terminal(wanted.input.input) && !request.terminal_input) {
    wanted.input.input = ExecInput::Null;
  }
  if (wanted.input.input == ExecInput::Data && exec.standard_input_data.empty()) {
    wanted.input.input = ExecInput::Null;
  }
  return wanted;
}

void fail(LaunchPlan& plan, LaunchStep step, int error, std::string_view text) {
  if (plan.failed != LaunchStep::None) return;
  plan.failed = step;
  plan.failed_errno = error;
  plan.failed_text = text;
}

StreamPlan source(int fd) {
  StreamPlan stream;
  stream.fd = fd;
  return stream;
}

StreamPlan copy_of(int number) {
  StreamPlan stream;
  stream.how = How::CopyOf;
  stream.fd = number;
  return stream;
}

StreamPlan terminal(const std::string& path, int flags) {
  StreamPlan stream;
  stream.how = How::Terminal;
  stream.path = path;
  stream.flags = flags;
  return stream;
}

StreamPlan file(const std::string& path, int flags, mode_t mode) {
  StreamPlan stream;
  stream.how = How::File;
  stream.path = path;
  stream.flags = flags;
  stream.mode = mode;
  return stream;
}

/// StandardInputText= and StandardInputData=: a sealed file in memory.
StreamPlan data(LaunchPlan& plan, const std::string& text) {
  UniqueFd fd(::memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  bool good = static_cast<bool>(fd);
  for (std::size_t done = 0; good && done < text.size();) {
    const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
    good = n > 0 || (n < 0 && errno == EINTR);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  good =
      good && ::lseek(fd.get(), 0, SEEK_SET) == 0 &&
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
  if (!good) {
    fail(plan, LaunchStep::Stdin, errno, {});
    return source(-1);
  }
  StreamPlan stream = source(fd.get());
  plan.owned.push_back(std::move(fd));
  return stream;
}

/// "socket": the one that there is.
StreamPlan socket_stream(LaunchPlan& plan, LaunchStep step, const StreamRequest& request) {
  if (request.sockets != nullptr && request.sockets->fds.size() == 1)
    return source(request.sockets->fds.front());
  const bool is_none = request.sockets == nullptr || request.sockets->fds.empty();
  fail(plan, step, is_none ? ENOTSOCK : EINVAL,
       is_none ? "a standard stream is to be a socket, but no socket was passed to the unit"
               : "a standard stream is to be a socket, but several were passed to the unit");
  return source(-1);
}

/// "fd:NAME": the first with that name.
StreamPlan named_stream(LaunchPlan& plan, LaunchStep step, const StreamRequest& request,
                        std::string_view name) {
  for (std::size_t i = 0; request.sockets != nullptr && i < request.sockets->fds.size(); ++i) {
    if (request.sockets->names[i] == name) return source(request.sockets->fds[i]);
  }
  fail(plan, step, EBADF,
       "a standard stream is to be fd:" + std::string(name) +
           ", but no such descriptor was passed to the unit");
  return source(-1);
}

StreamPlan plan_input(LaunchPlan& plan, const StreamRequest& request, const Wanted& wanted,
                      const LaunchSettings& settings) {
  switch (wanted.input.input) {
    case ExecInput::Null:
      return source(settings.null_input);
    case ExecInput::Tty:
      plan.terminal.claim = TerminalPlan::Claim::Wait;
      return terminal(wanted.terminal, O_RDWR);
    case ExecInput::TtyForce:
      plan.terminal.claim = TerminalPlan::Claim::Force;
      return terminal(wanted.terminal, O_RDWR);
    case ExecInput::TtyFail:
      plan.terminal.claim = TerminalPlan::Claim::Fail;
      return terminal(wanted.terminal, O_RDWR);
    case ExecInput::Data:
      return data(plan, request.exec.standard_input_data);
    case ExecInput::File: {
      // One opening for both directions where they name the same file.
      const auto same = [&](const StdStream& s) {
        return s.output == ExecOutput::File && s.path == wanted.input.path;
      };
      const bool both = same(wanted.output) || same(wanted.error);
      return file(wanted.input.path, both ? O_RDWR | O_CREAT : O_RDONLY, 0666 & ~request.umask);
    }
    case ExecInput::Socket:
      return socket_stream(plan, LaunchStep::Stdin, request);
    case ExecInput::Fd:
      return named_stream(plan, LaunchStep::Stdin, request, wanted.input.fd_name);
  }
  return source(-1);
}

StreamPlan inherited(const Wanted& wanted, const StreamRequest& request,
                     const LaunchSettings& settings) {
  const bool was_terminal =
      request.exec.standard_input && is_terminal(request.exec.standard_input->input);
  const ExecInput input = wanted.input.input;
  if (input == ExecInput::Null && was_terminal) return terminal(wanted.terminal, O_WRONLY);
  if (input == ExecInput::Null || input == ExecInput::Data) return source(settings.null_output);
  return copy_of(0);
}

StreamPlan plan_output(LaunchPlan& plan, const StreamRequest& request, const Wanted& wanted,
                       const LaunchSettings& settings, bool is_error) {
  const StdStream& out = is_error ? wanted.error : wanted.output;
  const LaunchStep step = is_error ? LaunchStep::Stderr : LaunchStep::Stdout;
  const int own = is_error ? settings.error_output : settings.output;
  const mode_t mode = 0666 & ~request.umask;
  switch (out.output) {
    case ExecOutput::Inherit:
      return inherited(wanted, request, settings);
    case ExecOutput::Null:
      return source(settings.null_output);
    case ExecOutput::Tty:
      if (is_terminal(wanted.input.input)) return copy_of(0);
      return terminal(wanted.terminal, O_WRONLY);
    case ExecOutput::Journal:
    case ExecOutput::Kmsg:
    case ExecOutput::JournalConsole:
    case ExecOutput::KmsgConsole:
      return source(own);
    case ExecOutput::File:
      if (wanted.input.input == ExecInput::File && wanted.input.path == out.path) return copy_of(0);
      return file(out.path, O_WRONLY | O_CREAT, mode);
    case ExecOutput::FileAppend:
      return file(out.path, O_WRONLY | O_CREAT | O_APPEND, mode);
    case ExecOutput::FileTruncate:
      return file(out.path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    case ExecOutput::Socket:
      return socket_stream(plan, step, request);
    case ExecOutput::Fd:
      return named_stream(plan, step, request, out.fd_name);
  }
  return source(-1);
}

/// StandardError= that says the same as StandardOutput= shares its descriptor.
bool error_is_output(const Wanted& wanted) {
  if (wanted.error.output == ExecOutput::Inherit) return true;
  return wanted.error.output == wanted.output.output && is_file(wanted.error.output) &&
         wanted.error.path == wanted.output.path;
}

/// Journal output that the error stream inherits keeps its own lane.
bool is_journal(ExecOutput output) {
  return output == ExecOutput::Journal || output == ExecOutput::Kmsg ||
         output == ExecOutput::JournalConsole || output == ExecOutput::KmsgConsole;
}

}  // namespace

bool is_on_socket(const ExecConfig& exec) {
  const auto is_socket = [](const std::optional<StdStream>& s) {
    return s && s->output == ExecOutput::Socket;
  };
  return (exec.standard_input && exec.standard_input->input == ExecInput::Socket) ||
         is_socket(exec.standard_output) || is_socket(exec.standard_error);
}

bool uses_terminal(const ExecConfig& exec) {
  const auto is_tty_output = [](const std::optional<StdStream>& s) {
    return s && s->output == ExecOutput::Tty;
  };
  return (exec.standard_input && is_terminal(exec.standard_input->input)) ||
         is_tty_output(exec.standard_output) || is_tty_output(exec.standard_error) ||
         exec.tty_reset || exec.tty_vhangup || exec.tty_vt_disallocate || !exec.tty_path.empty();
}

void plan_streams(LaunchPlan& plan, const StreamRequest& request, const LaunchSettings& settings) {
  Wanted wanted = wanted_streams(request, settings.defaults);
  plan.terminal.path = wanted.terminal;
  plan.terminal.reset = request.exec.tty_reset;
  plan.terminal.hang_up = request.exec.tty_vhangup;
  plan.terminal.disallocate = request.exec.tty_vt_disallocate;
  plan.streams[0] = plan_input(plan, request, wanted, settings);
  plan.streams[1] = plan_output(plan, request, wanted, settings, false);
  if (error_is_output(wanted)) {
    plan.streams[2] = is_journal(wanted.output.output) ? source(settings.error_output) : copy_of(1);
  } else {
    plan.streams[2] = plan_output(plan, request, wanted, settings, true);
  }
}

}  // namespace onset
