// Order: transactions and the whole engine respect After= and Before=, and what they do does not
// depend on the order in which files, lines and units come.
#include <map>
#include <set>

#include "base/format.h"
#include "graph/job_type.h"
#include "properties/property.h"
#include "properties/random_units.h"
#include "support/engine_world.h"
#include "support/plan_world.h"

using namespace onset;
using namespace onset::test;

namespace {

constexpr std::string_view kAnchor = "t.target";

/// What starting t.target comes to.
struct Outcome {
  std::set<std::string> jobs;  ///< "a.service/start"
  std::optional<TransactionErrorKind> error;
  std::string message;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const std::string& job : outcome.jobs) out << job << " ";
  return out << outcome.message;
}

/// Loads the units in the order of the rows, and then what they name.
void load(PlanWorld& world, const UnitTable::Rows& rows) {
  for (const auto& [name, text] : rows) world.table.set(name, text);
  for (const auto& [name, text] : rows)
    if (name.find('/') == std::string::npos) world.load(name);
}

Outcome plan(PlanWorld& world, JobType type = JobType::Start) {
  Outcome outcome;
  const auto transaction = world.build(kAnchor, type);
  if (!transaction) {
    outcome.error = transaction.error().kind;
    outcome.message = transaction.error().message;
    return outcome;
  }
  world.messages = transaction->messages;
  for (const PlannedJob& job : transaction->jobs) outcome.jobs.insert(world.name(job));
  return outcome;
}

using Order = std::set<std::pair<std::string, std::string>>;

/// "earlier, later" of all.
Order order_of(const DrawnUnits& units) {
  Order order;
  for (const DrawnEdge& e : units.edges) {
    if (e.kind == "After") order.emplace(e.to, e.from);
    if (e.kind == "Before") order.emplace(e.from, e.to);
  }
  // A target is ordered after what it pulls in, unless its file orders them otherwise.
  for (const DrawnEdge& e : units.edges) {
    if (e.from != kAnchor || e.kind == "After" || e.kind == "Before" || e.kind == "Conflicts")
      continue;
    if (!order.contains({e.from, e.to})) order.emplace(e.to, e.from);
  }
  return order;
}

std::set<std::string> units_of(const Outcome& outcome) {
  std::set<std::string> units;
  for (const std::string& job : outcome.jobs) units.insert(job.substr(0, job.find('/')));
  return units;
}

/// Whether the order among these units has a ring.
bool has_ring(const Order& order, std::set<std::string> left) {
  for (bool found = true; found;) {
    found = false;
    for (const std::string& unit : left) {
      const bool waits = std::any_of(order.begin(), order.end(), [&](const auto& pair) {
        return pair.second == unit && left.contains(pair.first);
      });
      if (waits) continue;
      left.erase(unit);
      found = true;
      break;
    }
  }
  return !left.empty();
}

/// What the anchor can't do without, by the files: over what is required.
std::set<std::string> required(const DrawnUnits& units) {
  std::set<std::string> found = {std::string(kAnchor)};
  for (bool more = true; more;) {
    more = false;
    for (const DrawnEdge& e : units.edges)
      if (found.contains(e.from) && (e.kind == "Requires" || e.kind == "BindsTo"))
        more |= found.insert(e.to).second;
  }
  return found;
}

constexpr const char* kOneshot = "Type=oneshot\nRemainAfterExit=yes\n";

/// Starts t.target, ends processes in an order that is drawn, and gives what happened in order:
/// "+unit" for a process, "-unit" for its end.
std::vector<std::string> run(const UnitTable::Rows& rows, bool draws) {
  EngineWorld world{rows};
  std::vector<std::string> events;
  RC_ASSERT(world.start(kAnchor) == "");
  std::size_t seen = 0;
  for (;;) {
    for (; seen < world.os.history.size(); ++seen)
      events.push_back("+" + world.os.history[seen].unit_name);
    std::vector<std::string> running;
    for (const auto& [pid, process] : world.os.alive) running.push_back(process.unit_name);
    if (running.empty()) break;
    const auto which = draws ? *within<std::size_t>(0, running.size()) : 0;
    world.exit(running[which], 0);
    events.push_back("-" + running[which]);
  }
  RC_ASSERT(world.state(kAnchor) == "active");
  RC_ASSERT(!world.has_job(kAnchor));
  return events;
}

std::size_t position(const std::vector<std::string>& events, const std::string& event) {
  return static_cast<std::size_t>(std::find(events.begin(), events.end(), event) - events.begin());
}

}  // namespace

TEST_CASE("the jobs of a transaction are the same for any order of files, lines and units",
          "[properties][transaction]") {
  holds([] {
    const DrawnUnits drawn = *units();
    RC_LOG() << drawn << "\n";
    PlanWorld first{{}};
    load(first, files(drawn));
    PlanWorld second{{}};
    load(second, other_files(drawn));
    const Outcome outcome = plan(first);
    RC_ASSERT(!outcome.error);
    RC_ASSERT(plan(second) == outcome);
  });
}

TEST_CASE("what a stop takes along is the same for any order of files, lines and units",
          "[properties][transaction]") {
  holds([] {
    const DrawnUnits drawn = *units();
    RC_LOG() << drawn << "\n";
    PlanWorld first{{}};
    load(first, files(drawn));
    PlanWorld second{{}};
    load(second, other_files(drawn));
    for (const std::string& name : drawn.names) {
      const auto state = *rc::gen::element(ActiveState::Active, ActiveState::Inactive,
                                           ActiveState::Activating, ActiveState::Failed);
      first.set_state(name, state);
      second.set_state(name, state);
    }
    for (const JobType type : {JobType::Stop, JobType::Restart, JobType::TryRestart})
      RC_ASSERT(plan(second, type) == plan(first, type));
  });
}

TEST_CASE("with conflicts, a request is refused or not for any order of files, lines and units",
          "[properties][transaction]") {
  holds([] {
    const DrawnUnits drawn = *units({.conflicts = true});
    RC_LOG() << drawn << "\n";
    PlanWorld first{{}};
    load(first, files(drawn));
    PlanWorld second{{}};
    load(second, other_files(drawn));
    const Outcome a = plan(first);
    const Outcome b = plan(second);
    RC_LOG() << a << "\n" << b << "\n";
    RC_ASSERT(a.error == b.error);
    if (a.error) return;
    for (const Outcome& outcome : {a, b}) {
      RC_ASSERT(outcome.jobs.contains("t.target/start"));
      RC_ASSERT(units_of(outcome).size() == outcome.jobs.size());  // one job a unit
      for (const DrawnEdge& e : drawn.edges) {
        if (e.kind != "Conflicts") continue;
        RC_ASSERT(
            !(outcome.jobs.contains(e.from + "/start") && outcome.jobs.contains(e.to + "/start")));
      }
      for (const std::string& name : required(drawn))
        RC_ASSERT(outcome.jobs.contains(name + "/start"));
    }
  });
}

TEST_CASE("a ring is broken at what is not required, or named, for any order of files",
          "[properties][transaction]") {
  holds([] {
    const DrawnUnits drawn = *units({.acyclic = false});
    RC_LOG() << drawn << "\n";
    const Order order = order_of(drawn);
    std::optional<bool> refused;
    for (const bool as_drawn : {true, false}) {
      PlanWorld world{{}};
      load(world, as_drawn ? files(drawn) : other_files(drawn));
      const Outcome outcome = plan(world);
      RC_LOG() << outcome << "\n";
      if (refused) RC_ASSERT(*refused == outcome.error.has_value());
      refused = outcome.error.has_value();
      const auto needed = required(drawn);
      RC_ASSERT(*refused == has_ring(order, needed));
      if (outcome.error) {
        RC_ASSERT(*outcome.error == TransactionErrorKind::OrderIsCyclic);
        // It names a ring: what it names has one.
        std::set<std::string> named;
        for (const std::string& name : drawn.names)
          if (outcome.message.find(name + "/start") != std::string::npos) named.insert(name);
        RC_ASSERT(has_ring(order, named));
        continue;
      }
      const auto left = units_of(outcome);
      RC_ASSERT(!has_ring(order, left));
      for (const std::string& name : needed) RC_ASSERT(left.contains(name));
    }
  });
}

TEST_CASE("every unit of a plan brings what it requires", "[properties][transaction]") {
  holds([] {
    const DrawnUnits drawn = *units({.acyclic = false, .conflicts = true});
    RC_LOG() << drawn << "\n";
    PlanWorld world{{}};
    load(world, other_files(drawn));
    const Outcome outcome = plan(world);
    for (const DrawnEdge& e : drawn.edges)
      if (outcome.jobs.contains(e.from + "/start") && (e.kind == "Requires" || e.kind == "BindsTo"))
        RC_ASSERT(outcome.jobs.contains(e.to + "/start"));
  });
}

TEST_CASE("the engine starts units in their order, however their files and ends come",
          "[properties][engine]") {
  holds([] {
    const DrawnUnits drawn = *units();
    RC_LOG() << drawn << "\n";
    const auto plain = run(files(drawn, kOneshot), false);
    const auto events = run(other_files(drawn, kOneshot), true);
    for (const auto& [earlier, later] : order_of(drawn)) {
      for (const auto& all : {plain, events}) {
        const std::size_t start = position(all, "+" + later);
        if (start == all.size() || position(all, "+" + earlier) == all.size()) continue;
        RC_LOG() << earlier << " before " << later << ": " << rc::toString(all) << "\n";
        RC_ASSERT(position(all, "-" + earlier) < start);
      }
    }
    RC_ASSERT(std::set(events.begin(), events.end()) == std::set(plain.begin(), plain.end()));
    RC_ASSERT(events.size() == plain.size());  // nothing is started twice
  });
}

TEST_CASE("the engine stops units in the reverse of their order", "[properties][engine]") {
  holds([] {
    const DrawnUnits drawn = *units({.only_wants = true});
    RC_LOG() << drawn << "\n";
    auto rows = other_files(drawn);
    rows.emplace_back("x.target", "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n");
    EngineWorld world{rows};
    RC_ASSERT(world.start(kAnchor) == "");
    RC_ASSERT(world.state(kAnchor) == "active");
    RC_ASSERT(world.request("x.target", JobType::Start, JobMode::Isolate) == "");
    for (;;) {
      std::vector<std::string> told;  // to end
      for (const auto& [pid, process] : world.os.alive)
        if (!process.signals.empty()) told.push_back(process.unit_name);
      if (told.empty()) break;
      const std::string unit = told[*within<std::size_t>(0, told.size())];
      // Nobody is told to end while one that is after it is still there.
      for (const auto& [earlier, later] : order_of(drawn))
        if (earlier == unit) RC_ASSERT(world.os.pid_of(later) == 0);
      world.die(unit, 15);
    }
    RC_ASSERT(world.os.alive.empty());
  });
}

TEST_CASE("jobs for one unit merge to the same in any order", "[properties][job_type]") {
  holds([] {
    const auto types = *rc::gen::container<std::vector<JobType>>(
        rc::gen::map(within(0U, kJobTypes), [](unsigned t) { return static_cast<JobType>(t); }));
    RC_PRE(!types.empty());
    const auto merged = [](const std::vector<JobType>& all) {
      std::optional<JobType> sum = all.front();
      for (const JobType t : all) sum = sum ? merge(*sum, t) : std::nullopt;
      return sum;
    };
    const auto sum = merged(types);
    RC_ASSERT(merged(permuted(types)) == sum);
    for (const JobType t : types)
      if (sum) RC_ASSERT(is_superset(*sum, t));
  });
}

TEST_CASE("doing more is an order of the job types, and a collapsed one stays as it is",
          "[properties][job_type]") {
  holds([] {
    const auto type =
        rc::gen::map(within(0U, kJobTypes), [](unsigned t) { return static_cast<JobType>(t); });
    const JobType a = *type;
    const JobType b = *type;
    const JobType c = *type;
    RC_ASSERT(is_superset(a, a));
    if (is_superset(a, b) && is_superset(b, a)) RC_ASSERT(a == b);
    if (is_superset(a, b) && is_superset(b, c)) RC_ASSERT(is_superset(a, c));
    const auto state = static_cast<ActiveState>(*within(0, 7));
    const JobType collapsed = collapse(a, state);
    RC_ASSERT(collapsed <= JobType::Nop);
    RC_ASSERT(collapse(collapsed, state) == collapsed);
    // What is done already is done by what does no more.
    if (a <= JobType::Nop && b <= JobType::Nop && is_superset(a, b) && is_redundant(a, state) &&
        a != JobType::Stop)
      RC_ASSERT((is_redundant(b, state) || b == JobType::Nop));
  });
}
