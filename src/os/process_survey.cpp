// Which units are just the processes that were spawned for them: what spares the table from
// looking below each process and listing all of onset's children at each exit.
//
// A survey reads the numbers in /proc once and looks only at those that are no tops, so that
// it costs about a tenth of looking below each top. What it finds holds until something forks;
// if that was during the survey, nothing was found. An order counts: a process between a top
// and another that ends meanwhile leaves the other to onset, and only a list of children
// made after the numbers were read has it.

#include <algorithm>

#include "base/text.h"
#include "os/kernel.h"
#include "os/machine_text.h"
#include "os/process_table.h"

namespace onset {
namespace {

constexpr std::size_t kOthersLimit = 1024;
constexpr std::size_t kMountsLimit = 16U << 20U;
constexpr std::size_t kSurveyedForOneLooked = 16;
constexpr std::uint64_t kMostPatience = 64;

}  // namespace

bool ProcessTable::all_childless(UnitId id, std::uint32_t generation) const {
  return generation != 0 && std::ranges::all_of(tops(id), [&](pid_t pid) {
           const auto top = top_owner_.find(pid);
           return top != top_owner_.end() && top->second.childless == generation;
         });
}

/// True: no process of the unit is anything but one of its tops. False: not known.
bool ProcessTable::is_just_its_tops(UnitId id) {
  if (std::ranges::find(lost_, id) != lost_.end()) return false;
  if (tops(id).empty()) return true;  // its orphans would be tops
  if (all_childless(id, forks_.generation())) return true;
  if (!is_survey_due()) return false;
  survey();
  return all_childless(id, forks_.generation());
}

/// When looking one by one has cost about as much as a survey will.
bool ProcessTable::is_survey_due() {
  const std::uint32_t now = forks_.known();
  if (now == 0 || now == surveyed_) return false;
  if (looked_at_ < patience_ * (4 + top_owner_.size() / kSurveyedForOneLooked)) return false;
  if (!hides_) {  // proc(5), hidepid=
    const auto mounts = read_kernel_file_at(proc_, "self/mountinfo", kMountsLimit);
    hides_ = !mounts || may_hide_processes(*mounts);
  }
  return !*hides_;
}

void ProcessTable::survey() {
  looked_at_ = 0;
  const std::uint32_t generation = forks_.generation();
  const auto rest = others();
  listed_ = false;
  adopt_orphans();
  const auto parents = rest ? tops_above(*rest) : std::nullopt;
  if (!parents || forks_.generation() != generation) {
    patience_ = std::min(2 * patience_, kMostPatience);
    return;
  }
  patience_ = 1;
  surveyed_ = generation;
  for (auto& [pid, top] : top_owner_) top.childless = parents->contains(pid) ? 0 : generation;
}

/// All processes in /proc but tops and onset; empty where there are too many.
std::optional<std::vector<pid_t>> ProcessTable::others() const {
  const Folder all = open_folder(proc_.get(), ".");
  if (!all) return std::nullopt;
  std::vector<pid_t> found;
  while (const dirent* entry = ::readdir(all.get())) {
    const auto number = parse_uint<std::uint32_t>(entry->d_name);
    if (!number) continue;
    const auto pid = static_cast<pid_t>(*number);
    if (pid == self_ || top_owner_.contains(pid)) continue;
    found.push_back(pid);
    if (found.size() > kOthersLimit) break;
  }
  if (found.size() > kOthersLimit) return std::nullopt;
  return found;
}

/// The tops that these descend from. Empty where an orphan appeared that is in no list yet.
std::optional<std::unordered_set<pid_t>> ProcessTable::tops_above(
    const std::vector<pid_t>& others) const {
  std::unordered_set<pid_t> above;
  for (pid_t pid : others) {
    for (unsigned depth = 0; depth < kDepthLimit && pid > 0 && pid != self_; ++depth) {
      if (top_owner_.contains(pid)) {
        if (depth > 0) above.insert(pid);
        break;
      }
      const auto seen = status(pid);
      const bool ended = !seen || seen->state == 'Z';
      if (ended && depth > 0) return std::nullopt;  // what it was the parent of is onset's now
      if (!seen || (ended && seen->parent == self_)) break;
      if (seen->parent == self_ && !strangers_.contains(pid)) return std::nullopt;
      pid = seen->parent;
    }
  }
  return above;
}

}  // namespace onset
