// diagnose: why a unit does not go on. The manager says which processes it has; what they wait
// for is read here, in /proc.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "cli/diagnosis.h"
#include "cli/reply.h"
#include "cli/status_view.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {
namespace {

using json = Json;

constexpr std::string_view state_word(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "waiting, not to be interrupted";
    case 'T':
      return "stopped";
    case 't':
      return "stopped by a debugger";
    case 'Z':
      return "ended, not collected yet";
    case 'X':
      return "dead";
    case 'I':
      return "idle";
    default:
      return "of unknown state";
  }
}

std::string amount(const LimitUse& use) {
  return format("{}: {} of {}", use.what, use.used, use.limit);
}

std::string percent(unsigned hundredths) {
  return format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

// ---- for people -----------------------------------------------------------------------

class Report {
 public:
  Report(const json& unit, const Palette& palette) : unit_(unit), palette_(palette) {}

  std::string text(const Diagnosis& found) {
    add_head();
    for (const Deadlock& deadlock : found.deadlocks) add_deadlock(deadlock);
    add_waits(found);
    add_pressure(found);
    for (const LimitUse& use : found.limits) label("Limit", warn(amount(use)));
    for (const std::string& event : found.events) label("So far", event);
    for (const std::string& end : last_ends(unit_)) label("Last end", end);
    for (const ProcessFacts& process : found.processes) add_process(process);
    if (found.processes.empty()) label("Processes", "none");
    return std::move(text_);
  }

 private:
  void label(std::string_view name, std::string_view value) {
    text_ += format("{:>11}: {}\n", name, value);
  }
  void below(std::string_view value) { text_ += format("             {}\n", value); }
  [[nodiscard]] std::string warn(std::string_view value) const {
    return palette_.paint(Tone::Warn, value);
  }

  void add_head() {
    const std::string active = text_of(unit_, "active");
    const std::string description = text_of(unit_, "description");
    text_ += format("{} {}{}\n", palette_.paint(state_tone(active), state_dot(active)),
                    text_of(unit_, "name"), description.empty() ? "" : " - " + description);
    label("State",
          format("{} ({})", palette_.paint(state_tone(active), active), text_of(unit_, "sub")));
    if (const std::string problem = text_of(unit_, "problem"); !problem.empty()) {
      label("Problem", palette_.paint(Tone::Bad, problem));
    }
    if (const json& job = object_of(unit_, "job"); !job.is_null()) {
      label("Job", format("{} ({}, {}{})", number_of(job, "id").value_or(0), text_of(job, "type"),
                          text_of(job, "state"), what_it_waits_for(job)));
    }
  }

  void add_deadlock(const Deadlock& deadlock) {
    label(palette_.paint(Tone::Bad, "Deadlock"), "none of these will ever go on:");
    for (const DeadlockLink& link : deadlock) below(link.text);
  }

  void add_waits(const Diagnosis& found) {
    for (const LockWait& wait : found.waits) {
      std::string holders;
      for (const LockHolder& holder : wait.holders) {
        holders +=
            format("{}{} ({}{}{})", holders.empty() ? "" : ", ", holder.pid, printable(holder.name),
                   holder.unit.empty() ? "" : ", ", printable(holder.unit));
      }
      label("Lock",
            format("{} waits for the {} lock ({}) of {}; {}", wait.waiter, printable(wait.mode),
                   printable(wait.kind), printable(wait.file),
                   holders.empty() ? "who has it can't be told" : format("{} has it", holders)));
    }
  }

  void add_pressure(const Diagnosis& found) {
    for (const Pressure& p : found.pressures) {
      const std::string text = format("{}: some of it waits {} of the time, all of it {}",
                                      to_string(p.what), percent(p.some), percent(p.full));
      if (p.some >= starves_from(p.what)) {
        label("Starves", warn(text));
      } else if (p.some > 0) {
        label("Pressure", text);
      }
    }
  }

  void add_process(const ProcessFacts& process) {
    label("Process", format("{} ({}){}", process.pid, printable(process.name),
                            process.thread_count > 1 ? format(", {} threads", process.thread_count)
                                                     : std::string()));
    for (const LimitUse& use : process.limits) below(warn(amount(use)));
    for (const ThreadFacts& thread : process.threads) add_thread(process, thread);
    if (process.thread_count > process.threads.size()) {
      below(format("… {} more threads", process.thread_count - process.threads.size()));
    }
  }

  void add_thread(const ProcessFacts& process, const ThreadFacts& thread) {
    std::string line = std::string(state_word(thread.state));
    if (process.thread_count > 1) {
      line = format("thread {} ({}): {}", thread.tid, printable(thread.name), line);
    }
    if (thread.state == 'D') line = warn(line);
    if (!thread.wait_channel.empty()) line += format(", in {}", printable(thread.wait_channel));
    if (thread.wait) {
      line += format(", until thread {} {}", thread.wait->thread,
                     thread.wait->what == ThreadWait::For::Mutex ? "releases a mutex" : "ends");
    }
    below(line);
    std::string stack;
    for (const std::string& frame : thread.stack) {
      stack += format("{}{}", stack.empty() ? "  " : " ← ", printable(frame));
    }
    if (!stack.empty()) below(palette_.paint(Tone::Dim, stack));
  }

  const json& unit_;
  Palette palette_;
  std::string text_;
};

// ---- for programs ---------------------------------------------------------------------

json view(const LimitUse& use);
json view(const ThreadFacts& thread);
json view(const ProcessFacts& process);
json view(const LockHolder& holder);
json view(const LockWait& wait);
json view(const DeadlockLink& link);
json view(const Deadlock& deadlock);
json view(const Pressure& pressure);

template <class T>
json views(const std::vector<T>& items) {
  json list = json::array();
  for (const T& item : items) list.push_back(view(item));
  return list;
}

json view(const LimitUse& use) {
  return {{"what", use.what}, {"used", use.used}, {"limit", use.limit}};
}

json view(const ThreadFacts& thread) {
  json wait = nullptr;
  if (thread.wait) {
    wait = {{"for", thread.wait->what == ThreadWait::For::Mutex ? "mutex" : "end"},
            {"thread", thread.wait->thread}};
  }
  return {{"tid", thread.tid},
          {"name", thread.name},
          {"state", std::string(1, thread.state)},
          {"wait_channel", thread.wait_channel},
          {"stack", thread.stack},
          {"wait", std::move(wait)}};
}

json view(const ProcessFacts& process) {
  return {{"pid", process.pid},
          {"name", process.name},
          {"thread_count", process.thread_count},
          {"threads", views(process.threads)},
          {"limits", views(process.limits)}};
}

json view(const LockHolder& holder) {
  return {{"pid", holder.pid}, {"name", holder.name}, {"unit", holder.unit}};
}

json view(const LockWait& wait) {
  return {{"waiter", wait.waiter},
          {"kind", wait.kind},
          {"mode", wait.mode},
          {"file", wait.file},
          {"holders", views(wait.holders)}};
}

json view(const DeadlockLink& link) {
  return {{"who", link.who}, {"text", link.text}};
}

json view(const Deadlock& deadlock) {
  return views(deadlock);
}

json view(const Pressure& pressure) {
  constexpr double kPercent = 100;
  return {{"kind", pressure_word(pressure.what)},
          {"some", pressure.some / kPercent},
          {"full", pressure.full / kPercent},
          {"starves", pressure.some >= starves_from(pressure.what)}};
}

json view(const json& unit, const Diagnosis& found) {
  return {{"unit", raw_text_of(unit, "name")},   {"active", raw_text_of(unit, "active")},
          {"sub", raw_text_of(unit, "sub")},     {"deadlocks", views(found.deadlocks)},
          {"waits", views(found.waits)},         {"limits", views(found.limits)},
          {"pressures", views(found.pressures)}, {"events", found.events},
          {"last_ends", last_ends(unit)},        {"processes", views(found.processes)}};
}

}  // namespace

int verb_diagnose(Command& command) {
  auto units = unit_names(command);
  if (!units) return command.fail(units.error());
  json answers;
  if (auto got = command.manager.collect_of(*units, "GetUnits", json::object(), answers); !got) {
    return command.fail("Failed to get units", got.error());
  }
  json shown = json::array();
  int status = 0;
  for (std::size_t i = 0; i < units->size(); ++i) {
    const json& unit = object_of(answers[i], "unit");
    if (unit.is_null() || unit_status_code(unit) == 4) {
      const std::string why = text_of(answers[i], "message");
      command.err(why.empty() ? format("Unit {} could not be found.", printable((*units)[i]))
                              : why);
      status = 4;
      continue;
    }
    const Diagnosis found = diagnose(unit, command.context.files, command.context.memory);
    if (command.options.json != JsonStyle::Off) {
      shown.push_back(view(unit, found));
      continue;
    }
    if (i > 0) command.out("\n");
    command.out(Report(unit, command.palette()).text(found));
  }
  command.print_json(shown);
  return status;
}

}  // namespace onset
