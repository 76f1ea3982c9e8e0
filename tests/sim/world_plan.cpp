// Random units. What is frequent in real files is frequent here; what leads to the
// rare states is far more so. Times are few and small, so that deadlines meet.
#include "sim/world_plan.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/format.h"

namespace onset::sim {
namespace {

using Lines = std::vector<std::string>;

struct Chance {
  unsigned percent;
  std::string_view line;
};

/// Each line with its own likelihood.
void add(Lines& lines, Random& random, std::initializer_list<Chance> chances) {
  for (const Chance& c : chances) {
    if (random.chance(c.percent)) lines.emplace_back(c.line);
  }
}

std::string_view time_span(Random& random) {
  return random.pick<std::string_view>({"0", "1ms", "100ms", "1s", "2s", "5s", "10s", "infinity"});
}

void add_time(Lines& lines, Random& random, unsigned percent, std::string_view key) {
  if (random.chance(percent)) lines.push_back(format("{}={}", key, time_span(random)));
}

// ---- [Unit] ---------------------------------------------------------------------

struct Relation {
  std::string_view key;
  unsigned weight;
};
constexpr std::array<Relation, 16> kRelations{{{"After", 10},
                                               {"Before", 6},
                                               {"Requires", 6},
                                               {"Wants", 6},
                                               {"BindsTo", 3},
                                               {"PartOf", 3},
                                               {"Requisite", 2},
                                               {"Conflicts", 3},
                                               {"Upholds", 1},
                                               {"OnFailure", 2},
                                               {"OnSuccess", 2},
                                               {"PropagatesReloadTo", 1},
                                               {"PropagatesStopTo", 1},
                                               {"ReloadPropagatedFrom", 1},
                                               {"StopPropagatedFrom", 1},
                                               {"JoinsNamespaceOf", 1}}};

std::string_view relation(Random& random) {
  unsigned total = 0;
  for (const Relation& r : kRelations) total += r.weight;
  unsigned at = random.below(total);
  for (const Relation& r : kRelations) {
    if (at < r.weight) return r.key;
    at -= r.weight;
  }
  return "After";
}

/// Units that are there without a file, behind all others.
bool is_given(std::string_view name) {
  return name == "-.slice" || name == "init.scope";
}

/// How many may be named: what can't be stopped is in nobody's way, whatever is said.
unsigned nameable(const WorldPlan& plan) {
  auto count = static_cast<unsigned>(plan.units.size());
  while (count > 1 && is_given(plan.units[count - 1].name)) --count;
  return count;
}

void add_dependencies(Lines& lines, Random& random, const WorldPlan& plan) {
  const unsigned others = nameable(plan);
  const unsigned count = random.below(random.chance(20) ? 7 : 4);
  for (unsigned i = 0; i < count; ++i) {
    const std::string& other = plan.units[random.below(others)].name;
    const std::string_view key = relation(random);
    lines.push_back(format("{}={}", key, other));
    // Most of what is required is ordered after as well.
    if (random.chance(50) && key != "After" && key != "Before")
      lines.push_back(format("{}={}", random.chance(85) ? "After" : "Before", other));
  }
  if (random.chance(6))
    lines.push_back(format("RequiresMountsFor=/u{}/below", random.below(others)));
  if (random.chance(4)) lines.emplace_back("Wants=missing.service");
  if (random.chance(2)) lines.emplace_back("Requires=missing.service");
}

void add_action(Lines& lines, Random& random, unsigned percent, std::string_view key) {
  if (!random.chance(percent)) return;
  lines.push_back(format(
      "{}={}", key,
      random.pick<std::string_view>({"none", "exit", "exit", "exit-force", "reboot", "reboot-force",
                                     "reboot-immediate", "poweroff", "poweroff-force",
                                     "poweroff-immediate", "halt", "halt-force", "halt-immediate",
                                     "kexec", "kexec-force", "soft-reboot", "soft-reboot-force"})));
}

void add_unit_section(Lines& lines, Random& random, const WorldPlan& plan) {
  lines.emplace_back("[Unit]");
  if (random.chance(70)) lines.emplace_back("DefaultDependencies=no");
  add_dependencies(lines, random, plan);
  if (random.chance(5))
    lines.push_back(
        format("ConditionPathExists={}/flag/{}", random.chance(30) ? "!" : "", random.below(8)));
  if (random.chance(3)) lines.push_back(format("AssertPathExists=/flag/{}", random.below(8)));
  add(lines, random,
      {{6, "StopWhenUnneeded=yes"},
       {3, "RefuseManualStart=yes"},
       {3, "RefuseManualStop=yes"},
       {15, "AllowIsolate=yes"},
       {8, "IgnoreOnIsolate=yes"},
       {15, "CollectMode=inactive-or-failed"}});
  add_action(lines, random, 2, "JobTimeoutAction");
  add_action(lines, random, 2, "FailureAction");
  add_action(lines, random, 1, "SuccessAction");
  add_action(lines, random, 1, "StartLimitAction");
  add_time(lines, random, 6, "JobTimeoutSec");
  add_time(lines, random, 4, "JobRunningTimeoutSec");
  if (random.chance(25)) {
    lines.push_back(format("StartLimitIntervalSec={}", time_span(random)));
    lines.push_back(format("StartLimitBurst={}", random.below(6)));
  }
  if (random.chance(5))
    lines.push_back(
        format("OnFailureJobMode={}",
               random.pick<std::string_view>({"fail", "replace", "isolate", "flush",
                                              "ignore-dependencies", "replace-irreversibly"})));
}

// ---- [Service] --------------------------------------------------------------------

void add_commands(Lines& lines, Random& random, bool oneshot) {
  struct List {
    std::string_view key;
    unsigned percent;
  };
  constexpr std::array<List, 6> kLists{{{"ExecCondition", 8},
                                        {"ExecStartPre", 15},
                                        {"ExecStartPost", 15},
                                        {"ExecReload", 35},
                                        {"ExecStop", 25},
                                        {"ExecStopPost", 20}}};
  for (const List& list : kLists) {
    while (random.chance(list.percent))
      lines.push_back(format("{}={}/bin/x", list.key, random.chance(15) ? "-" : ""));
  }
  if (oneshot && random.chance(10)) return;  // RemainAfterExit=, ExecStop= alone
  lines.push_back(format("ExecStart={}/bin/x", random.chance(8) ? "-" : ""));
  while (oneshot && random.chance(30)) lines.emplace_back("ExecStart=/bin/x");
}

void add_ends(Lines& lines, Random& random) {
  add(lines, random,
      {{5, "KillMode=mixed"},
       {4, "KillMode=process"},
       {3, "KillMode=none"},
       {5, "SendSIGKILL=no"},
       {4, "SendSIGHUP=yes"},
       {4, "KillSignal=SIGINT"},
       {3, "RestartKillSignal=SIGUSR1"},
       {5, "SuccessExitStatus=1 SIGKILL"},
       {5, "RestartPreventExitStatus=2 SIGTERM"},
       {5, "RestartForceExitStatus=0 3 SIGABRT"},
       {4, "OOMPolicy=continue"},
       {4, "OOMPolicy=kill"}});
}

void add_times(Lines& lines, Random& random) {
  add_time(lines, random, 20, "TimeoutStartSec");
  add_time(lines, random, 20, "TimeoutStopSec");
  add_time(lines, random, 10, "TimeoutAbortSec");
  add_time(lines, random, 35, "RestartSec");
  add_time(lines, random, 10, "RuntimeMaxSec");
  add_time(lines, random, 15, "WatchdogSec");
  if (random.chance(8)) {
    lines.emplace_back("RestartSteps=3");
    lines.emplace_back("RestartMaxDelaySec=20s");
  }
  if (random.chance(10))
    lines.push_back(format("TimeoutStartFailureMode={}",
                           random.pick<std::string_view>({"terminate", "abort", "kill"})));
  if (random.chance(10))
    lines.push_back(format("TimeoutStopFailureMode={}",
                           random.pick<std::string_view>({"terminate", "abort", "kill"})));
}

void add_service_section(Lines& lines, Random& random, std::string_view name) {
  using namespace std::string_view_literals;
  lines.emplace_back("[Service]");
  const auto type =
      random.pick({"simple"sv, "simple"sv, "exec"sv, "forking"sv, "oneshot"sv, "oneshot"sv,
                   "notify"sv, "notify"sv, "notify-reload"sv, "idle"sv, "dbus"sv});
  if (!random.chance(10)) lines.push_back(format("Type={}", type));
  if (type == "dbus") lines.emplace_back("BusName=org.example.Name");
  // Not by the name: the unit of a template's file has none of its own.
  if (random.chance(type == "forking" ? 50 : 6))
    lines.push_back(format("PIDFile=/run/{}.pid", name));
  if (random.chance(55)) {
    auto restart = random.pick({"always"sv, "on-failure"sv, "on-success"sv, "on-abnormal"sv,
                                "on-abort"sv, "on-watchdog"sv, "on-failure"sv});
    if (type == "oneshot" && (restart == "always" || restart == "on-success"))
      restart = "on-failure";
    lines.push_back(format("Restart={}", restart));
  }
  add(lines, random,
      {{15, "RemainAfterExit=yes"},
       {4, "GuessMainPID=no"},
       {6, "ExitType=cgroup"},
       {10, "NotifyAccess=all"},
       {4, "NotifyAccess=exec"},
       {3, "NotifyAccess=none"},
       {2, "Slice=part.slice"}});
  add_commands(lines, random, type == "oneshot");
  add_times(lines, random);
  add_ends(lines, random);
}

// ---- further files ------------------------------------------------------------------

/// "== FILE": what follows is in that file, below the folder of units.
void add_links(Lines& lines, Random& random, const WorldPlan& plan, std::string_view name) {
  if (!random.chance(15)) return;
  const std::string& by = plan.units[random.below(nameable(plan))].name;
  const auto kind = random.pick<std::string_view>({"wants", "wants", "requires", "upholds"});
  lines.push_back(format("== {}.{}/{}", by, kind, name));
  lines.push_back(format("-> ../{}", name));
}

/// Of the unit, of its template, of all of its type.
/// Slices that let few in, and units that go into them: by draws of their own.
void add_slots(Lines& lines, const WorldPlan& plan, unsigned index) {
  const std::string& name = plan.units[index].name;
  Random draws(plan.seed ^ (0x51075 + index));
  if (plan.slots == 0 || is_given(name)) return;
  const std::string_view count = draws.pick<std::string_view>({"0", "1", "1", "2", "2", "3"});
  if (name.ends_with(".slice")) {
    lines.emplace_back("[Slice]");
    if (draws.chance(70)) lines.push_back(format("ConcurrencySoftMax={}", count));
    if (draws.chance(30)) lines.push_back(format("ConcurrencyHardMax={}", 1 + draws.below(4)));
  } else if (name.ends_with(".service") && draws.chance(60)) {
    const auto is_slice = [](const PlannedUnit& u) {
      return u.name.ends_with(".slice") && !is_given(u.name);
    };
    const auto slice = std::ranges::find_if(plan.units, is_slice);
    if (slice != plan.units.end()) lines.insert(lines.end(), {"[Service]", "Slice=" + slice->name});
  }
}

void add_dropin(Lines& lines, Random& random, const WorldPlan& plan, std::string_view name) {
  if (!random.chance(12)) return;
  const bool is_instance = name.find('@') != std::string_view::npos;
  const std::string_view type = name.substr(name.rfind('.') + 1);
  const bool is_of_type = random.chance(8);
  if (is_of_type) {
    lines.push_back(format("== {}.d/50-type.conf", type));
  } else if (is_instance && random.chance(50)) {
    lines.push_back(format("== t@.service.d/50-template.conf"));
  } else {
    lines.push_back(format("== {}.d/50-own.conf", name));
  }
  lines.emplace_back("[Unit]");
  // Of a whole type by draws of their own: the rest of the world stays what it was.
  Random aside = random;
  Random& draws = is_of_type ? aside : random;
  if (draws.chance(40)) add_dependencies(lines, draws, plan);
  add_action(lines, random, 4, "FailureAction");
  if (type != "service") return;
  lines.emplace_back("[Service]");
  add_times(lines, random);
  add_ends(lines, random);
  if (random.chance(20)) lines.insert(lines.end(), {"ExecStop=", "ExecStop=/bin/x"});
}

/// Later lines win.
void add_theme(Lines& lines, Random& random, Theme theme) {
  if (theme == Theme::None || random.chance(20)) return;
  const auto say = [&](std::initializer_list<std::string_view> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  switch (theme) {
    case Theme::None:
      break;
    case Theme::ReloadByNotify:
      say({"Type=notify-reload", "NotifyAccess=all", "RuntimeMaxSec=infinity", "TimeoutStartSec=5s",
           "OOMPolicy=stop", "PIDFile="});
      if (random.chance(55)) say({"ExecReload="});
      if (random.chance(20)) say({"OOMPolicy=kill"});
      if (random.chance(40)) say({"ExecStop=/bin/x"});
      break;
    case Theme::Lingers: {
      constexpr std::array<std::string_view, 9> kTypes{"dbus",          "dbus",   "notify",
                                                       "notify",        "notify", "forking",
                                                       "notify-reload", "dbus",   "oneshot"};
      const std::string_view type = random.pick<std::string_view>(kTypes);
      lines.push_back(format("Type={}", type));
      say({"NotifyAccess=all", "TimeoutStartSec=5s", "BusName=org.example.Name"});
      if (type != "oneshot" && random.chance(60)) say({"ExitType=cgroup"});
      if (random.chance(50)) say({"RemainAfterExit=yes"});
      if (random.chance(30)) say({"PIDFile=/run/lingers.pid"});
      if (random.chance(40)) say({"ExecReload=/bin/x", "ExecStop=/bin/x"});
      if (random.chance(40)) say({"TimeoutStartFailureMode=abort", "TimeoutStopFailureMode=abort"});
      break;
    }
    case Theme::StubbornAtTheEnd:
      say({"TimeoutStopFailureMode=abort", "TimeoutStopSec=1s", "TimeoutAbortSec=10s",
           "ExecStopPost=/bin/x", "KillMode=control-group", "Type=simple"});
      if (random.chance(25)) say({"ExecCondition=", "ExecCondition=/bin/x"});
      break;
    case Theme::Remains:
      say({"Type=oneshot", "Restart=no", "RemainAfterExit=yes", "KillMode=process",
           "OOMPolicy=stop", "ExecStop=/bin/x", "ExecStart=/bin/x"});
      break;
    case Theme::NoMemory:
      say({random.chance(50) ? "Restart=on-failure" : "Restart=always", "Type=exec",
           "StartLimitIntervalSec=0"});
      break;
  }
}

void set_mood(Mood& mood, Theme theme) {
  switch (theme) {
    case Theme::None:
      break;
    case Theme::ReloadByNotify:
      mood = {.requests = 30, .exits = 5, .notifications = 16, .time = 2, .faults = 1, .odd = 10};
      break;
    case Theme::Lingers:
      mood = {.requests = 14, .exits = 12, .notifications = 24, .time = 4, .faults = 12, .odd = 8};
      break;
    case Theme::StubbornAtTheEnd:
      mood = {.requests = 8, .exits = 16, .notifications = 2, .time = 12, .faults = 20, .odd = 4};
      break;
    case Theme::Remains:
      mood = {.requests = 12, .exits = 6, .notifications = 1, .time = 2, .faults = 12, .odd = 16};
      break;
    case Theme::NoMemory:
      mood = {.requests = 12, .exits = 16, .notifications = 4, .time = 8, .memory = 20, .odd = 4};
      break;
  }
}

std::string_view kind_of(Random& random) {
  using namespace std::string_view_literals;
  return random.pick({"service"sv, "service"sv, "service"sv, "service"sv, "service"sv, "service"sv,
                      "service"sv, "target"sv, "target"sv, "slice"sv, "instance"sv});
}

std::string name_of(Random& random, unsigned number) {
  const std::string_view kind = kind_of(random);
  if (kind == "instance") return format("t@{}.service", number);
  return format("{}{}.{}", kind == "service" ? "s" : "u", number, kind);
}

Mood make_mood(Random& random) {
  Mood mood;
  mood.requests = 2 + random.below(25);
  mood.exits = 4 + random.below(25);
  mood.notifications = random.below(20);
  mood.time = 4 + random.below(20);
  mood.faults = random.below(8);
  mood.reloads = random.below(3);
  mood.odd = random.below(8);
  return mood;
}

Lines make_boot_target(const WorldPlan& plan, Random& random) {
  Lines lines{"[Unit]", "AllowIsolate=yes"};
  for (unsigned i = 1; i < nameable(plan); ++i) {
    if (random.chance(50))
      lines.push_back(
          format("{}={}", random.chance(15) ? "Requires" : "Wants", plan.units[i].name));
  }
  return lines;
}

}  // namespace

std::vector<std::string> make_unit_lines(const WorldPlan& plan, unsigned index, Random& random) {
  const std::string& name = plan.units[index].name;
  if (is_given(name)) return {};
  Lines lines;
  if (index > 0 && random.chance(3)) {
    const std::string& other = plan.units[random.below(index)].name;
    const auto suffix = [](std::string_view n) { return n.substr(n.rfind('.')); };
    if (suffix(other) == suffix(name) && other.find('@') == std::string::npos &&
        name.find('@') == std::string::npos)
      return {"-> " + other};
  }
  if (index > 0 && random.chance(2)) return {"/dev/null"};
  if (index > 0 && random.chance(2)) return {};
  if (index == 0) return make_boot_target(plan, random);
  if (name.find('@') != std::string::npos) {
    // Its text is its own, or its template's, or there is none but that of others.
    if (random.chance(25)) return {};
    if (random.chance(65)) lines.emplace_back("== t@.service");
  }
  add_unit_section(lines, random, plan);
  const std::string_view stem = std::string_view(name).substr(0, name.find('.'));
  if (name.ends_with(".mount"))
    lines.insert(lines.end(), {"[Mount]", "What=none", format("Where=/{}", stem)});
  if (name.ends_with(".automount"))
    lines.insert(lines.end(), {"[Automount]", format("Where=/{}", stem)});
  if (name.ends_with(".service")) {
    add_service_section(lines, random, name);
    add_theme(lines, random, plan.theme);
  }
  add_slots(lines, plan, index);
  add_dropin(lines, random, plan, name);
  add_links(lines, random, plan, name);
  return lines;
}

WorldPlan make_plan(std::uint64_t seed) {
  Random random(seed);
  WorldPlan plan;
  plan.seed = seed;
  plan.mood = make_mood(random);
  // By a chance of their own: the worlds without a theme and with memory stay what they were.
  Random rare(seed ^ 0x3e3);
  if (rare.chance(30)) plan.mood.memory = 1 + rare.below(6);
  if (rare.chance(30))
    plan.theme = rare.pick({Theme::ReloadByNotify, Theme::StubbornAtTheEnd, Theme::Remains,
                            Theme::NoMemory, Theme::Lingers});
  set_mood(plan.mood, plan.theme);
  Random slots(seed ^ 0x51075);
  if (slots.chance(10)) plan.slots = 1 + slots.below(3);
  plan.steps = 100 + random.below(500);
  plan.steps_a_call = random.pick<unsigned>({kManySteps, kManySteps, kManySteps, 1, 3});
  plan.container = random.chance(75);
  if (plan.container && random.chance(70)) plan.shutdown_budget = std::chrono::seconds(9);
  const unsigned count = 2 + random.below(random.chance(20) ? 16 : 8);
  plan.units.push_back({"default.target", {}});
  for (unsigned i = 1; i <= count; ++i) plan.units.push_back({name_of(random, i), {}});
  if (rare.chance(15)) {  // types that need files, and that nothing runs yet
    for (PlannedUnit& unit : plan.units) {
      if (!unit.name.starts_with('u') || !unit.name.ends_with(".target")) continue;
      unit.name = unit.name.substr(0, unit.name.find('.') + 1);
      unit.name += rare.pick<std::string_view>(
          {"mount", "mount", "socket", "timer", "path", "swap", "automount", "device", "scope"});
    }
  }
  if (rare.chance(40)) plan.units.push_back({"-.slice", {}});
  if (rare.chance(15)) plan.units.push_back({"init.scope", {}});
  for (unsigned i = 1; i <= count; ++i) plan.units[i].lines = make_unit_lines(plan, i, random);
  plan.units[0].lines = make_boot_target(plan, random);
  return plan;
}

std::string text_of(const PlannedUnit& unit) {
  std::string text;
  for (const std::string& line : unit.lines) {
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace onset::sim
