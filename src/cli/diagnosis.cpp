//   the unit's processes → their threads, locks and limits
//   /proc/locks          → who waits for whom → rings
//   its cgroup           → limits, pressure, what has happened at them
#include "cli/diagnosis.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/render.h"
#include "cli/reply.h"
#include "cli/wait_graph.h"
#include "unit/exit_status.h"
#include "unit/name.h"
#include "unit/signals.h"

namespace onset {
namespace {

using json = Json;

constexpr std::size_t kLocksMax = std::size_t{4} << 20;
constexpr std::size_t kFileMax = std::size_t{64} * 1024;

// ---- locks of files -----------------------------------------------------------------

std::string kind_word(std::string_view kind) {
  if (kind == "FLOCK") return "flock";
  if (kind == "OFDLCK") return "OFD";
  if (kind == "LEASE") return "lease";
  return std::string(kind);
}

std::string mode_word(std::string_view mode) {
  if (mode == "WRITE") return "write";
  return mode == "READ" ? "read" : std::string(mode);
}

class LockReader {
 public:
  LockReader(FileSource& files, std::vector<FileLock> locks, Diagnosis& found)
      : files_(files), found_(found), locks_(std::move(locks)) {
    for (const ProcessFacts& p : found.processes) own_.emplace(p.pid, &p);
  }

  /// Who waits for whom, of all that the table shows.
  void read(WaitGraph& graph) {
    for (const FileLock& request : locks_) {
      if (!request.waits || request.pid == 0) continue;
      const std::vector<pid_t> holders = holders_of(request);
      for (const pid_t holder : holders) graph.add(request.pid, holder);
      const bool is_ours = own_.contains(request.pid) ||
                           std::ranges::any_of(holders, [&](pid_t p) { return own_.contains(p); });
      LockWait wait = in_words(request, holders);
      if (is_ours) found_.waits.push_back(wait);
      waits_.insert_or_assign(request.pid, std::move(wait));
    }
  }

  [[nodiscard]] const LockWait* wait_of(pid_t pid) const {
    const auto found = waits_.find(pid);
    return found == waits_.end() ? nullptr : &found->second;
  }

  LockHolder holder(pid_t pid) const {
    LockHolder h{pid, {}, {}};
    if (const auto own = own_.find(pid); own != own_.end()) {
      h.name = own->second->name;
    } else if (const auto comm = files_.read(format("/proc/{}/comm", pid), kFileMax)) {
      h.name = trim(*comm);
    }
    if (const auto text = files_.read(format("/proc/{}/cgroup", pid), kFileMax)) {
      for (std::string_view part : split(unified_cgroup(*text).value_or(""), '/')) {
        if (unit_type_of(part) && !part.ends_with(".slice")) h.unit = part;
      }
    }
    return h;
  }

 private:
  /// Whom the table names, and for an open file's lock those of the unit that have it open.
  std::vector<pid_t> holders_of(const FileLock& request) const {
    std::vector<pid_t> holders;
    const auto add = [&](pid_t pid) {
      if (pid != 0 && pid != request.pid && std::ranges::find(holders, pid) == holders.end()) {
        holders.push_back(pid);
      }
    };
    for (const FileLock& lock : locks_) {
      if (lock.waits || lock.number != request.number) continue;
      add(lock.pid);
      if (lock.pid != 0 && lock.kind != "FLOCK") continue;
      for (const auto& [pid, process] : own_) {
        const auto is_it = [&](const FileLock& held) {
          return held.kind == lock.kind && held.file == lock.file;
        };
        if (std::ranges::any_of(process->held, is_it)) add(pid);
      }
    }
    return holders;
  }

  LockWait in_words(const FileLock& request, const std::vector<pid_t>& holders) const {
    LockWait wait{request.pid, kind_word(request.kind), mode_word(request.mode), request.file, {}};
    if (const auto own = own_.find(request.pid); own != own_.end()) {
      for (const ThreadFacts& t : own->second->threads) {
        if (!t.lock_path.empty()) wait.file = t.lock_path;
      }
    }
    for (const pid_t pid : holders) wait.holders.push_back(holder(pid));
    return wait;
  }

  FileSource& files_;
  Diagnosis& found_;
  std::map<pid_t, const ProcessFacts*> own_;
  std::vector<FileLock> locks_;
  std::map<pid_t, LockWait> waits_;
};

// ---- rings --------------------------------------------------------------------------

std::string named(pid_t pid, std::string_view name) {
  return name.empty() ? format("{}", pid) : format("{} ({})", pid, printable(name));
}

/// Of processes, by the locks of files.
void find_lock_rings(const WaitGraph& graph, const LockReader& locks, Diagnosis& found) {
  for (const std::vector<int>& ring : graph.rings()) {
    const bool is_ours = std::ranges::any_of(ring, [&](int pid) {
      return std::ranges::any_of(found.processes,
                                 [&](const ProcessFacts& p) { return p.pid == pid; });
    });
    if (!is_ours) continue;
    Deadlock deadlock;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const LockHolder next = locks.holder(ring[(i + 1) % ring.size()]);
      const LockWait* wait = locks.wait_of(ring[i]);
      const LockHolder here = locks.holder(ring[i]);
      deadlock.push_back(
          {ring[i],
           format("{} waits for the {} lock of {}, which {} has", named(here.pid, here.name),
                  wait == nullptr ? "" : printable(wait->mode),
                  wait == nullptr ? "a file" : printable(wait->file), named(next.pid, next.name))});
    }
    found.deadlocks.push_back(std::move(deadlock));
  }
}

/// Of threads, by mutexes and by waiting for each other's end.
void find_thread_rings(Diagnosis& found) {
  WaitGraph graph;
  std::map<int, std::pair<const ProcessFacts*, const ThreadFacts*>> threads;
  for (const ProcessFacts& process : found.processes) {
    for (const ThreadFacts& thread : process.threads) {
      threads[thread.tid] = {&process, &thread};
      if (thread.wait) graph.add(thread.tid, thread.wait->thread);
    }
  }
  for (const std::vector<int>& ring : graph.rings()) {
    Deadlock deadlock;
    for (const int tid : ring) {
      const auto& [process, thread] = threads.at(tid);
      const bool is_mutex = thread->wait->what == ThreadWait::For::Mutex;
      const pid_t next = thread->wait->thread;
      deadlock.push_back(
          {tid, format("thread {} of {} waits for {} thread {} {}", named(tid, thread->name),
                       process->pid, is_mutex ? "a mutex that" : "the end of",
                       named(next, threads.at(next).second->name), is_mutex ? "has" : "")});
      if (!is_mutex) deadlock.back().text.pop_back();
    }
    found.deadlocks.push_back(std::move(deadlock));
  }
}

// ---- its cgroup ---------------------------------------------------------------------

class GroupReader {
 public:
  GroupReader(FileSource& files, const std::string& group) : files_(files) {
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      folder_ = mount + group + "/";
      if (files.stat(folder_ + "cgroup.events").ok()) return;
    }
    folder_.clear();
  }

  void read(Diagnosis& found) {
    if (folder_.empty()) return;
    add_limit(found, "memory", "memory.current", "memory.max");
    add_limit(found, "memory before it is slowed down", "memory.current", "memory.high");
    add_limit(found, "swap space", "memory.swap.current", "memory.swap.max");
    add_limit(found, "tasks", "pids.current", "pids.max");
    for (const Scarce what : kAllScarce) {
      const std::string text = file(format("{}.pressure", pressure_word(what)));
      const auto some = parse_pressure(text, "some", "avg10=");
      if (!some) continue;
      found.pressures.push_back({what, *some, parse_pressure(text, "full", "avg10=").value_or(0)});
    }
    const std::string memory = file("memory.events");
    add_event(found, memory, "oom_kill", "processes were killed by the kernel for want of memory");
    add_event(found, memory, "max", "times memory was at its limit");
    add_event(found, memory, "high", "times it was slowed down for its memory");
    add_event(found, file("pids.events"), "max", "forks were refused by TasksMax=");
    const std::string cpu = file("cpu.stat");
    if (const auto us = find_count(cpu, "throttled_usec"); us.value_or(0) > 0) {
      found.events.push_back(format("{} spent waiting because of CPUQuota=",
                                    format_lasting(static_cast<std::int64_t>(*us))));
    }
  }

 private:
  std::string file(const std::string& name) {
    auto text = files_.read(folder_ + name, kFileMax);
    return text ? std::move(*text) : std::string();
  }
  void add_limit(Diagnosis& found, const char* what, const char* used, const char* limit) {
    const auto u = parse_uint<std::uint64_t>(trim(file(used)));
    const auto l = parse_uint<std::uint64_t>(trim(file(limit)));  // not of "max"
    if (u && l && is_near(*u, *l)) found.limits.push_back({what, *u, *l});
  }
  static void add_event(Diagnosis& found, std::string_view text, std::string_view key,
                        std::string_view words) {
    const std::uint64_t count = find_count(text, key).value_or(0);
    if (count > 0) found.events.push_back(format("{} {}", count, words));
  }

  FileSource& files_;
  std::string folder_;
};

// ---- how it ended -------------------------------------------------------------------

std::string_view result_words(std::string_view result) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"protocol", "it did not keep to what its Type= promises"},
      {"timeout", "a step took longer than its Timeout…Sec="},
      {"exit-code", "a process ended with an exit status that counts as failure"},
      {"signal", "a process was killed by a signal"},
      {"core-dump", "a process was killed by a signal and left a core dump"},
      {"watchdog", "it did not report within WatchdogSec="},
      {"start-limit-hit", "it was started too often, StartLimitBurst="},
      {"resources", "the system had not what its start needs"},
      {"exec-condition", "ExecCondition= said no"},
      {"oom-kill", "the kernel killed a process of it for want of memory"},
  };
  for (const auto& [name, words] : kWords) {
    if (name == result) return words;
  }
  return {};
}

std::string ending_words(const json& record) {
  const std::string code = text_of(record, "code");
  const int status = static_cast<int>(number_of(record, "status").value_or(0));
  if (code == "exited") {
    const std::string_view name = exit_status_name(status);
    return format("exited with {}{}", status, name.empty() ? "" : format(" ({})", name));
  }
  return format("was killed by {}{}", signal_name_long(status),
                code == "dumped" ? ", core dumped" : "");
}

}  // namespace

Diagnosis diagnose(const json& unit, FileSource& files, ProcessMemory* memory) {
  Diagnosis found;
  // First: who waits in this table is seen in its call afterwards.
  const auto locks_text = files.read("/proc/locks", kLocksMax);
  for (const json& process : array_of(unit, "processes")) {
    const auto pid = static_cast<pid_t>(number_of(process, "pid").value_or(0));
    if (auto facts = read_process(files, memory, pid)) found.processes.push_back(std::move(*facts));
  }
  WaitGraph graph;
  LockReader locks(files, parse_locks(locks_text ? *locks_text : std::string()), found);
  locks.read(graph);
  find_lock_rings(graph, locks, found);
  find_thread_rings(found);
  if (const std::string group = raw_text_of(unit, "cgroup"); !group.empty()) {
    GroupReader(files, group).read(found);
  }
  return found;
}

std::vector<std::string> last_ends(const json& unit) {
  std::vector<std::string> lines;
  for (const char* which : {"main", "control"}) {
    const json& record = object_of(unit, which);
    if (record.is_null() || flag_of(record, "running") || text_of(record, "code").empty()) continue;
    lines.push_back(format("the {} process {} {}", which, number_of(record, "pid").value_or(0),
                           ending_words(record)));
  }
  const std::string result = text_of(unit, "result");
  if (!result.empty() && result != "success") {
    const std::string_view words = result_words(result);
    lines.push_back(words.empty() ? result : format("{}: {}", result, words));
  }
  return lines;
}

}  // namespace onset
