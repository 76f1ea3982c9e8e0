// Chains, rings, stars and random graphs of the size of a large machine (C5, C12),
// and properties that hold for every transaction.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <random>

#include "base/format.h"
#include "graph/applicable.h"
#include "graph/atoms.h"
#include "graph/builder.h"
#include "graph/transaction.h"

using namespace onset;

namespace {

using std::chrono::steady_clock;

/// The limit is far above what it takes, so that a busy machine does not fail it:
/// what is quadratic takes minutes.
constexpr auto kLimit = std::chrono::seconds(20);

class Generated final : public UnitSource {
 public:
  using Dependencies = std::vector<std::pair<DependencyKind, std::uint32_t>>;
  Generated(std::uint32_t count, std::function<Dependencies(std::uint32_t)> of)
      : count_(count), of_(std::move(of)) {}

  static std::string name(std::uint32_t i) { return format("u{}.service", i); }

  std::unique_ptr<Unit> load(std::string_view unit_name, Diagnostics&) override {
    auto unit = std::make_unique<Unit>();
    unit->id = unit_name;
    unit->type = unit_type_of(unit_name).value_or(UnitType::Service);
    std::uint32_t i = count_;
    if (unit_name.starts_with('u')) {
      i = static_cast<std::uint32_t>(std::stoul(unit->id.substr(1)));
    }
    if (i >= count_) {
      unit->load_state = LoadState::NotFound;
      return unit;
    }
    unit->load_state = LoadState::Loaded;
    unit->config.default_dependencies = false;
    for (const auto& [kind, other] : of_(i)) {
      unit->config.dependencies.push_back({kind, name(other)});
    }
    return unit;
  }

 private:
  std::uint32_t count_;
  std::function<Dependencies(std::uint32_t)> of_;
};

class AllInactive : public UnitStates {
 public:
  explicit AllInactive(const UnitGraph& graph) : graph_(graph) {}
  [[nodiscard]] ActiveState active_state(UnitId id) const override {
    const auto it = states.find(id.value);
    if (it != states.end()) return it->second;
    return graph_.unit(id).type == UnitType::Slice ? ActiveState::Active : ActiveState::Inactive;
  }
  [[nodiscard]] std::optional<QueuedJob> queued(UnitId) const override { return std::nullopt; }
  std::map<std::uint32_t, ActiveState> states;

 private:
  const UnitGraph& graph_;
};

struct Built {
  UnitGraph graph;
  UnitId first;
  Diagnostics diagnostics;
};

Built build(std::uint32_t count, std::function<Generated::Dependencies(std::uint32_t)> of) {
  Built b;
  Generated source(count, std::move(of));
  b.first = ensure_loaded(b.graph, source, Generated::name(0), false, b.diagnostics);
  return b;
}

using enum DependencyKind;
constexpr std::uint32_t kMany = 10000;

}  // namespace

TEST_CASE("a chain of 10,000 units is started in one transaction", "[graph][transaction][scale]") {
  const auto begin = steady_clock::now();
  const Built b = build(kMany, [](std::uint32_t i) -> Generated::Dependencies {
    if (i + 1 == kMany) return {};
    return {{Requires, i + 1}, {After, i + 1}};
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE(transaction);
  CHECK(transaction->jobs.size() == kMany);
  AllInactive up(b.graph);
  for (std::uint32_t i = 0; i < b.graph.size(); ++i) up.states[i] = ActiveState::Active;
  auto stop =
      build_transaction(b.graph, up, {b.graph.find(Generated::name(kMany - 1)), JobType::Stop});
  REQUIRE(stop);
  CHECK(stop->jobs.size() == kMany);
  CHECK(steady_clock::now() - begin < kLimit);
}

TEST_CASE("a requirement missing at the end of 10,000 fails the first",
          "[graph][transaction][scale]") {
  const Built b = build(kMany, [](std::uint32_t i) -> Generated::Dependencies {
    return {{Requires, i + 1}};
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().message ==
        "Unit u10000.service not found. It is required by u9999.service.");
}

TEST_CASE("C5: a ring of 10,000 required units is refused, the path named",
          "[graph][transaction][scale][C5]") {
  const auto begin = steady_clock::now();
  const Built b = build(kMany, [](std::uint32_t i) -> Generated::Dependencies {
    return {{Requires, (i + 1) % kMany}, {After, (i + 1) % kMany}};
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().kind == TransactionErrorKind::OrderIsCyclic);
  for (std::uint32_t i : {0U, 1U, 5000U, 9999U}) {
    CHECK(transaction.error().message.find(Generated::name(i)) != std::string::npos);
  }
  CHECK(steady_clock::now() - begin < kLimit);
}

TEST_CASE("C5: 5,000 small rings are each broken once", "[graph][transaction][scale][C5]") {
  const auto begin = steady_clock::now();
  const Built b = build(kMany, [](std::uint32_t i) -> Generated::Dependencies {
    if (i == 0) {
      Generated::Dependencies all;
      for (std::uint32_t k = 1; k < kMany; ++k) all.emplace_back(Wants, k);
      return all;
    }
    return {{After, i % 2 == 1 ? (i + 1) % kMany : i - 1}};
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE(transaction);
  CHECK(transaction->messages.size() == (kMany - 2) / 2);
  CHECK(transaction->jobs.size() == kMany - (kMany - 2) / 2);
  CHECK(steady_clock::now() - begin < kLimit);
}

TEST_CASE("10,000 units with 100 dependencies each are loaded and planned",
          "[graph][transaction][scale]") {
  const auto begin = steady_clock::now();
  const Built b = build(kMany, [](std::uint32_t i) -> Generated::Dependencies {
    Generated::Dependencies d;
    std::minstd_rand random(i + 1);
    for (int k = 0; k < 50 && i + 1 < kMany; ++k) {
      const auto other = i + 1 + static_cast<std::uint32_t>(random() % (kMany - i - 1));
      d.emplace_back(Wants, other);
      d.emplace_back(After, other);
    }
    d.emplace_back(Wants, (i + 1) % kMany);
    return d;
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE(transaction);
  CHECK(transaction->jobs.size() == kMany);
  CHECK(transaction->messages.empty());
  CHECK(steady_clock::now() - begin < kLimit);
}

TEST_CASE("units that all want and follow one another leave the anchor",
          "[graph][transaction][scale]") {
  const auto begin = steady_clock::now();
  constexpr std::uint32_t kDense = 400;
  const Built b = build(kDense, [](std::uint32_t i) -> Generated::Dependencies {
    Generated::Dependencies d;
    for (std::uint32_t k = 0; k < kDense; ++k) {
      if (k == i) continue;
      d.emplace_back(Wants, k);
      d.emplace_back(After, k);
    }
    return d;
  });
  auto transaction = build_transaction(b.graph, AllInactive(b.graph), {b.first, JobType::Start});
  REQUIRE(transaction);
  CHECK(transaction->jobs.size() == 1);
  CHECK(steady_clock::now() - begin < kLimit);
}

// ---- properties -------------------------------------------------------------------

namespace {

Generated::Dependencies random_dependencies(std::mt19937& random, std::uint32_t count) {
  constexpr std::array kKinds{Requires, Wants, BindsTo,   Requisite,         PartOf, Upholds,
                              Before,   After, Conflicts, PropagatesStopTo,  After,  Before,
                              Wants,    Wants, Requires,  PropagatesReloadTo};
  Generated::Dependencies d;
  for (auto n = random() % 4; n > 0; --n) {
    // One name in 40 is of a unit that does not exist.
    const std::uint32_t other =
        random() % 40 == 0 ? count : static_cast<std::uint32_t>(random() % count);
    d.emplace_back(kKinds[random() % kKinds.size()], other);
  }
  return d;
}

/// The jobs in an order that ordering allows; empty if there is none.
std::vector<std::size_t> sort(const UnitGraph& graph, const std::vector<PlannedJob>& jobs) {
  std::map<std::uint32_t, std::size_t> by_unit;
  for (std::size_t i = 0; i < jobs.size(); ++i) by_unit[jobs[i].unit.value] = i;
  std::vector<std::size_t> waits(jobs.size(), 0);
  std::vector<std::vector<std::size_t>> next(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const Dependency& d : graph.dependencies(jobs[i].unit)) {
      const auto other = by_unit.find(d.other.value);
      if (other == by_unit.end()) continue;
      if (!must_wait(jobs[i].type, d.kinds, jobs[other->second].type)) continue;
      ++waits[i];
      next[other->second].push_back(i);
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (waits[i] == 0) order.push_back(i);
  }
  for (std::size_t n = 0; n < order.size(); ++n) {
    for (std::size_t i : next[order[n]]) {
      if (--waits[i] == 0) order.push_back(i);
    }
  }
  return order.size() == jobs.size() ? order : std::vector<std::size_t>{};
}

/// A present job, or a unit in the state that such a job leads to.
bool is_met(const UnitGraph& graph, const AllInactive& states,
            const std::map<std::uint32_t, JobType>& jobs, UnitId unit, JobType wanted) {
  const auto job = jobs.find(unit.value);
  if (job != jobs.end() && is_superset(job->second, wanted)) return true;
  return is_redundant(wanted, states.active_state(unit)) || !is_applicable(graph, unit, wanted);
}

}  // namespace

TEST_CASE("whatever the graph, a transaction holds what it promises",
          "[graph][transaction][scale]") {
  constexpr std::array kTypes{JobType::Start, JobType::Start, JobType::Stop, JobType::Restart};
  constexpr std::array kStates{ActiveState::Active,     ActiveState::Inactive,
                               ActiveState::Inactive,   ActiveState::Failed,
                               ActiveState::Activating, ActiveState::Deactivating};
  unsigned built = 0;
  unsigned with_messages = 0;
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    const auto count = static_cast<std::uint32_t>(3 + random() % 25);
    std::vector<Generated::Dependencies> units(count);
    for (auto& d : units) d = random_dependencies(random, count);
    std::vector<std::uint32_t> permutation(count);
    for (std::uint32_t i = 0; i < count; ++i) permutation[i] = i;
    const auto type = kTypes[random() % kTypes.size()];

    // The same units, loaded in another order the second time.
    std::optional<TransactionErrorKind> errors[2];
    for (int round = 0; round < 2; ++round) {
      UnitGraph graph;
      Diagnostics diagnostics;
      Generated source(count, [&](std::uint32_t i) { return units[i]; });
      for (std::uint32_t i : permutation) {
        ensure_loaded(graph, source, Generated::name(i), false, diagnostics);
      }
      AllInactive states(graph);
      std::mt19937 choice(seed);
      for (std::uint32_t i = 0; i < count; ++i) {
        states.states[graph.find(Generated::name(i)).value] = kStates[choice() % kStates.size()];
      }
      std::shuffle(permutation.begin(), permutation.end(), random);

      const UnitId anchor = graph.find(Generated::name(0));
      auto transaction = build_transaction(graph, states, {anchor, type});
      INFO("seed " << seed << " round " << round);
      if (!transaction) {
        errors[round] = transaction.error().kind;
        CHECK_FALSE(transaction.error().message.empty());
        continue;
      }
      ++built;
      with_messages += !transaction->messages.empty();

      std::map<std::uint32_t, JobType> jobs;
      for (const PlannedJob& job : transaction->jobs) {
        CHECK(jobs.emplace(job.unit.value, job.type).second);  // one a unit
        CHECK(graph.unit(job.unit).load_state ==
              (job.type == JobType::Stop ? graph.unit(job.unit).load_state : LoadState::Loaded));
        CHECK(job.type <= JobType::Nop);
      }
      REQUIRE(transaction->jobs.front().is_anchor);
      CHECK(transaction->jobs.front().unit == anchor);
      CHECK(sort(graph, transaction->jobs).size() == transaction->jobs.size());
      for (const auto& [unit, job] : jobs) {
        for (const Dependency& d : graph.dependencies(UnitId{unit})) {
          if (job == JobType::Start || job == JobType::Restart) {
            if (d.kinds.any(kinds_with(Atom::PullInStart))) {
              CHECK(is_met(graph, states, jobs, d.other, JobType::Start));
            }
            if (d.kinds.any(kinds_with(Atom::PullInStop))) {
              CHECK(is_met(graph, states, jobs, d.other, JobType::Stop));
            }
          }
          if (job == JobType::Restart && d.kinds.any(kinds_with(Atom::PropagateRestart)) &&
              !is_inactive_or_deactivating(states.active_state(d.other))) {
            CHECK(is_met(graph, states, jobs, d.other, JobType::Restart));
          }
          if (job == JobType::Stop && d.kinds.any(kinds_with(Atom::PropagateStop))) {
            CHECK(is_met(graph, states, jobs, d.other, JobType::Stop));
          }
        }
      }
    }
    // Whether what is required can be is no matter of the order of loading.
    CHECK(errors[0].has_value() == errors[1].has_value());
  }
  CHECK(built > 1000);
  CHECK(with_messages > 50);
}
