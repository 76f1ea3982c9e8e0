#include "cli/wall.h"

#include <utmp.h>

#include <algorithm>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "cli/render.h"

namespace onset {

namespace {

constexpr std::size_t kUtmpMax = std::size_t{1} << 20;

/// "pts/0", "tty1": below /dev, and not out of it again.
bool is_terminal_name(std::string_view line) {
  return !line.empty() && line.front() != '/' && line.front() != '.' &&
         line.find("..") == line.npos && std::none_of(line.begin(), line.end(), is_control);
}

}  // namespace

std::vector<std::string> session_terminals(std::string_view bytes) {
  std::vector<std::string> found;
  for (; bytes.size() >= sizeof(utmp); bytes.remove_prefix(sizeof(utmp))) {
    utmp record;
    std::memcpy(&record, bytes.data(), sizeof record);
    if (record.ut_type != USER_PROCESS) continue;
    const std::string_view line(record.ut_line, ::strnlen(record.ut_line, sizeof record.ut_line));
    if (!is_terminal_name(line)) continue;
    std::string path = format("/dev/{}", line);
    if (std::find(found.begin(), found.end(), path) == found.end())
      found.push_back(std::move(path));
  }
  return found;
}

std::string_view verb_phrase(std::string_view verb) {
  if (verb == "poweroff") return "power off";
  if (verb == "kexec") return "reboot with kexec";
  if (verb == "soft-reboot") return "reboot its userspace";
  return verb;
}

std::string wall_text(const WallSender& sender, std::string_view message,
                      std::string_view sentence) {
  std::string text =
      format("\r\nBroadcast message from {}@{} ({}):\r\n\r\n", printable(sender.user),
             printable(sender.host), format_time(sender.now.us, TimeStyle::Pretty));
  if (!message.empty()) text += format("{}\r\n", printable(message));
  if (!sentence.empty()) text += format("{}\r\n", sentence);
  return text + "\r\n";
}

void send_wall(const CliContext& context, std::string_view verb, std::string_view message) {
  if (context.machine == nullptr) return;
  const auto utmp_bytes = context.files.read(kUtmpFile, kUtmpMax);
  if (!utmp_bytes) return;
  const std::string sentence =
      verb.empty() ? std::string() : format("The system will {} now!", verb_phrase(verb));
  const std::string text = wall_text(
      {context.host.user_name, context.host.hostname, context.now.wall}, message, sentence);
  for (const std::string& terminal : session_terminals(*utmp_bytes)) {
    context.machine->write_to_terminal(terminal, text);
  }
}

}  // namespace onset
