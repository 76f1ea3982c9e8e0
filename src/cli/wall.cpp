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

std::string_view what_happens(std::string_view verb) {
  if (verb == "poweroff") return "power off";
  return verb;
}

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

std::string wall_text(const CliContext& context, std::string_view verb, std::string_view message) {
  std::string text =
      format("\r\nBroadcast message from {}@{} ({}):\r\n\r\n", printable(context.host.user_name),
             printable(context.host.hostname), format_time(context.now.wall.us, TimeStyle::Pretty));
  if (!message.empty()) text += format("{}\r\n", printable(message));
  if (!verb.empty()) text += format("The system will {} now!\r\n", what_happens(verb));
  return text + "\r\n";
}

void send_wall(const CliContext& context, std::string_view verb, std::string_view message) {
  if (context.machine == nullptr) return;
  const auto utmp_bytes = context.files.read(kUtmpFile, kUtmpMax);
  if (!utmp_bytes) return;
  const std::string text = wall_text(context, verb, message);
  for (const std::string& terminal : session_terminals(*utmp_bytes)) {
    context.machine->write_to_terminal(terminal, text);
  }
}

}  // namespace onset
