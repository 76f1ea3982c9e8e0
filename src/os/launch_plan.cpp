#include "os/launch_plan.h"

#include <algorithm>

namespace onset {
namespace {

void find_pid_places(std::string& text, std::vector<char*>& slots) {
  for (std::size_t at = text.find(kPidPlace); at != std::string::npos;
       at = text.find(kPidPlace, at + kPidPlace.size())) {
    slots.push_back(text.data() + at);
  }
}

}  // namespace

bool LaunchPlan::needs_own_process() const noexcept {
  if (failed != LaunchStep::None) return false;
  const bool opens = std::ranges::any_of(streams, [](const StreamPlan& s) {
    return s.how == StreamPlan::How::File || s.how == StreamPlan::How::Terminal;
  });
  return opens || terminal.hang_up || terminal.reset || terminal.disallocate || !chowns.empty() ||
         !root.empty() || set_uid || set_gid || set_groups || !oom_score_adj.empty() ||
         own_memory_limit;
}

void LaunchPlan::seal() {
  argv.reserve(arguments.size() + 1);
  for (std::string& s : arguments) {
    argv.push_back(s.data());
    find_pid_places(s, pid_slots);
  }
  argv.push_back(nullptr);
  envp.reserve(environment.size() + 1);
  for (std::string& s : environment) {
    envp.push_back(s.data());
    find_pid_places(s, pid_slots);
  }
  envp.push_back(nullptr);
  paths.reserve(candidates.size());
  for (const std::string& s : candidates) paths.push_back(s.c_str());
}

}  // namespace onset
