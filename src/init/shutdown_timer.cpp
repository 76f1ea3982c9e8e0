#include "init/shutdown_timer.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/format.h"
#include "base/out_of_memory.h"
#include "base/text.h"
#include "cli/render.h"
#include "cli/wall.h"
#include "init/terminal_message.h"

namespace onset {
namespace {

constexpr std::string_view kFolder = "/run/systemd/shutdown";
constexpr std::string_view kScheduled = "/run/systemd/shutdown/scheduled";
constexpr std::string_view kNoLogin = "/run/nologin";
constexpr std::size_t kUtmpMax = std::size_t{1} << 20;

std::string host_name() {
  std::array<char, 65> name{};
  (void)gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string what_happens(const ScheduledShutdown& what) {
  return format("The system will {} at {}!", verb_phrase(to_string(what.objective)),
                format_time(what.at.us));
}

/// As logind writes it.
std::string scheduled_text(const ScheduledShutdown& what) {
  std::string text = format("USEC={}\nWARN_WALL={}\nMODE={}\n", what.at.us, what.announces ? 1 : 0,
                            to_string(what.objective));
  if (!what.message.empty()) text += format("WALL_MESSAGE={}\n", c_escape(what.message));
  return text;
}

}  // namespace

void ShutdownTimer::plan(ScheduledShutdown what, Timestamp now) {
  remove_files();
  console_.line(5, "",
                format("{} is planned for {}", to_string(what.objective), format_time(what.at.us)));
  const SysResult folder = files_.make_directories(kFolder);
  const SysResult written =
      folder ? files_.write_file(kScheduled, scheduled_text(what), 0644) : folder;
  if (!written) console_.line(4, kScheduled, to_string(written.error()));
  schedule_.set(std::move(what), now.mono);
}

bool ShutdownTimer::cancel(bool announces, std::string_view message, Timestamp now) {
  const ScheduledShutdown* const what = schedule_.get();
  if (what == nullptr) return false;
  announces = announces && what->announces;
  forget();
  console_.line(5, "", "the shutdown that was planned is cancelled");
  if (announces) announce("The system shutdown has been cancelled", message, now);
  return true;
}

std::optional<Objective> ShutdownTimer::elapse(Timestamp now) {
  const auto due = schedule_.elapse(now.mono);
  const ScheduledShutdown* const what = schedule_.get();
  if (what == nullptr) return std::nullopt;
  // The end comes, whether or not it can be told.
  (void)if_memory_suffices([&] {
    if (due.forbid_logins) {
      const std::string text =
          format("{} Nobody but root may log in any more.\n", what_happens(*what));
      has_forbidden_logins_ = true;
      const SysResult written = files_.write_file(kNoLogin, text, 0644);
      if (!written) console_.line(4, kNoLogin, to_string(written.error()));
    }
    const std::string now_sentence =
        format("The system will {} now!", verb_phrase(to_string(what->objective)));
    if (due.announce)
      announce(due.shut_down ? now_sentence : what_happens(*what), what->message, now);
  });
  return due.shut_down ? std::optional(what->objective) : std::nullopt;
}

void ShutdownTimer::forget() {
  if (schedule_.cancel()) remove_files();
}

void ShutdownTimer::remove_files() {
  const auto remove = [this](std::string_view path) {
    const SysResult removed = files_.remove(path);
    if (!removed && removed.error().err != ENOENT)
      console_.line(4, path, to_string(removed.error()));
  };
  remove(kScheduled);
  if (std::exchange(has_forbidden_logins_, false)) remove(kNoLogin);
}

void ShutdownTimer::announce(std::string_view sentence, std::string_view message, Timestamp now) {
  const auto sessions = files_.read(kUtmpFile, kUtmpMax);
  if (!sessions) return;
  const std::string text = wall_text({"root", host_name(), now.wall}, message, sentence);
  for (const std::string& terminal : session_terminals(*sessions))
    write_to_terminal(terminal, text);
}

}  // namespace onset
