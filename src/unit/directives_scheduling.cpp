// SCHEDULING of systemd.exec(5), but for Nice=. systemd prints policies and classes
// as the kernel's numbers, and takes those as well as their names.

#include <sched.h>

#include <array>

#include "unit/directive_codecs.h"
#include "unit/directive_rooms.h"
#include "unit/resource_parsers.h"

namespace onset {
namespace {

using C = SchedulingConfig;
constexpr Section S = Section::Service;

struct Word {
  std::string_view name;
  int value;
};
constexpr std::array<Word, 5> kPolicies{{{"other", SCHED_OTHER},
                                         {"batch", SCHED_BATCH},
                                         {"idle", SCHED_IDLE},
                                         {"fifo", SCHED_FIFO},
                                         {"rr", SCHED_RR}}};
/// linux/mempolicy.h
constexpr std::array<Word, 5> kNumaPolicies{
    {{"default", 0}, {"preferred", 1}, {"bind", 2}, {"interleave", 3}, {"local", 4}}};
/// linux/ioprio.h
constexpr std::array<Word, 4> kIoClasses{
    {{"none", 0}, {"realtime", 1}, {"best-effort", 2}, {"idle", 3}}};
constexpr int kBestEffort = 2;
constexpr int kBestEffortPriority = 4;
constexpr std::uint64_t kKernelsTimerSlack = 50000;  ///< ns, prctl(2)

/// A word or its number; empty resets.
template <auto Member, const auto& Words>
std::string parse_word(ParseContext& context, std::string_view value) {
  auto& to = member_of<Member>(context.unit);
  if (value.empty()) {
    to.reset();
    return {};
  }
  const auto number = parse_uint<unsigned>(value);
  std::string expected = "one of ";
  for (const Word& word : Words) {
    if (word.name == value || (number && static_cast<int>(*number) == word.value)) {
      to = word.value;
      return {};
    }
    expected += word.name;
    if (&word != &Words.back()) expected += ", ";
  }
  return expected;
}

template <int Lowest, int Highest>
Parsed<int> number_in(std::string_view text) {
  auto number = parse_int(text, Lowest, Highest);
  if (!number) return Failure{std::move(number).error()};
  return static_cast<int>(*number);
}

/// An empty value takes both settings of I/O back.
template <auto Parse>
std::string parse_io(ParseContext& context, std::string_view value) {
  if (!value.empty()) return Parse(context, value);
  auto& config = config_of<C>(context.unit);
  config.io_class.reset();
  config.io_priority.reset();
  return {};
}

std::string parse_affinity(ParseContext& context, std::string_view value) {
  auto& config = config_of<C>(context.unit);
  config.affinity_of_nodes = value == "numa";
  if (!config.affinity_of_nodes) return parse_numbers(context, value, config.affinity);
  config.affinity.clear();
  return {};
}
std::string show_affinity(const Unit& unit) {
  const auto& config = config_of<C>(unit);
  return config.affinity_of_nodes ? "numa" : format_numbers(config.affinity);
}

std::string parse_nodes(ParseContext& context, std::string_view value) {
  auto& config = config_of<C>(context.unit);
  config.all_numa_nodes = value == "all";
  if (!config.all_numa_nodes) return parse_numbers(context, value, config.numa_nodes);
  config.numa_nodes.clear();
  return {};
}
std::string show_nodes(const Unit& unit) {
  const auto& config = config_of<C>(unit);
  return config.all_numa_nodes ? "all" : format_numbers(config.numa_nodes);
}

std::string show_policy(const Unit& unit) {
  return shown(config_of<C>(unit).policy.value_or(SCHED_OTHER));
}
std::string show_priority(const Unit& unit) {
  return shown(config_of<C>(unit).priority.value_or(0));
}
std::string show_numa_policy(const Unit& unit) {
  return shown(config_of<C>(unit).numa_policy);
}
std::string show_io_class(const Unit& unit) {
  return shown(config_of<C>(unit).io_class.value_or(kBestEffort));
}
std::string show_io_priority(const Unit& unit) {
  return shown(config_of<C>(unit).io_priority.value_or(kBestEffortPriority));
}
std::string show_timer_slack(const Unit& unit) {
  return shown(config_of<C>(unit).timer_slack_ns.value_or(kKernelsTimerSlack));
}

constexpr Directive kRows[] = {
    honoured(S, "CPUSchedulingPolicy", {parse_word<&C::policy, kPolicies>, show_policy},
             "CPU scheduling policy: other, batch, idle, fifo or rr."),
    honoured(S, "CPUSchedulingPriority",
             {parse_or_reset<&C::priority, number_in<0, 99>>, show_priority},
             "Its real-time priority."),
    honoured(S, "CPUSchedulingResetOnFork", kBool<&C::reset_on_fork>,
             "Children do not inherit them."),
    honoured(S, "CPUAffinity", {parse_affinity, show_affinity}, "The CPUs to run on."),
    honoured(S, "NUMAPolicy", {parse_word<&C::numa_policy, kNumaPolicies>, show_numa_policy},
             "NUMA memory policy: default, preferred, bind, interleave or local."),
    honoured(S, "NUMAMask", {parse_nodes, show_nodes}, "Its nodes."),
    honoured(S, "IOSchedulingClass",
             {parse_io<parse_word<&C::io_class, kIoClasses>>, show_io_class},
             "I/O scheduling class: none, realtime, best-effort or idle."),
    honoured(S, "IOSchedulingPriority",
             {parse_io<parse_or_reset<&C::io_priority, number_in<0, 7>>>, show_io_priority},
             "Its priority, 0 to 7."),
    honoured(S, "TimerSlackNSec",
             {parse_or_reset<&C::timer_slack_ns, parse_span_ns>, show_timer_slack},
             "How late timers may be."),
};

}  // namespace

std::span<const Directive> scheduling_directives() {
  return kRows;
}

}  // namespace onset
