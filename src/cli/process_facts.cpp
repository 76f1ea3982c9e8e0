// One process, then each of its threads, then what its descriptors and limits tell.
#include "cli/process_facts.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr std::size_t kFileMax = std::size_t{64} * 1024;
/// A process may have a million descriptors: of so many the locks are looked for.
constexpr std::size_t kDescriptorsAsked = 4096;

std::string read_line(FileSource& files, const std::string& path) {
  const auto text = files.read(path, kFileMax);
  return text ? std::string(trim(*text)) : std::string();
}

std::vector<pid_t> numbers_in(FileSource& files, const std::string& folder) {
  std::vector<pid_t> numbers;
  const auto items = files.list(folder);
  if (!items) return numbers;
  for (const DirectoryItem& item : *items) {
    if (const auto number = parse_pid(item.name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

// ---- a thread -----------------------------------------------------------------------

/// "[<0>] futex_wait_queue+0x5e/0x90" of each line the name.
std::vector<std::string> parse_stack(std::string_view text) {
  constexpr std::size_t kDeepest = 16;
  std::vector<std::string> frames;
  for (std::string_view line : split(text, '\n')) {
    const std::size_t name = line.find("] ");
    if (name == std::string_view::npos || frames.size() == kDeepest) continue;
    line.remove_prefix(name + 2);
    frames.emplace_back(line.substr(0, line.find('+')));
  }
  return frames;
}

/// What a thread waits for in futex(2). A mutex of glibc is its word, 2 while somebody waits,
/// and behind two words the thread that has it; one that hands down priorities has the owner in
/// the word; who waits for a thread's end waits for its number to become 0.
std::optional<ThreadWait> futex_wait(const ThreadCall& call, ProcessMemory& memory, pid_t pid) {
  constexpr std::uint64_t kWanted = 2;
  constexpr std::size_t kOwnerAt = 8;
  const auto operation = call.arguments[1] & FUTEX_CMD_MASK;
  const bool is_plain = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
  const bool is_heir = operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2;
  if (!is_plain && !is_heir) return std::nullopt;
  const auto bytes = memory.read(pid, call.arguments[0], kOwnerAt + sizeof(std::uint32_t));
  if (!bytes || bytes->size() < kOwnerAt + sizeof(std::uint32_t)) return std::nullopt;
  std::uint32_t word = 0;
  std::uint32_t owner = 0;
  std::memcpy(&word, bytes->data(), sizeof word);
  std::memcpy(&owner, bytes->data() + kOwnerAt, sizeof owner);
  const auto thread = [](std::uint32_t number) {
    return static_cast<pid_t>(number & FUTEX_TID_MASK);
  };
  if (is_heir) return ThreadWait{ThreadWait::For::Mutex, thread(word)};
  const std::uint64_t expected = call.arguments[2] & UINT32_MAX;
  if (expected != word) return std::nullopt;  // it is about to go on
  if (expected == kWanted) return ThreadWait{ThreadWait::For::Mutex, thread(owner)};
  return ThreadWait{ThreadWait::For::End, thread(word)};
}

/// A number that is no thread's was no mutex's owner.
bool is_thread(FileSource& files, pid_t tid) {
  return tid > 0 && files.stat(format("/proc/{}/comm", tid)).ok();
}

ThreadFacts read_thread(FileSource& files, ProcessMemory* memory, pid_t pid, pid_t tid) {
  const std::string folder = format("/proc/{}/task/{}/", pid, tid);
  ThreadFacts thread;
  thread.tid = tid;
  if (const auto stat = files.read(folder + "stat", kFileMax)) {
    if (const auto status = parse_process_stat(*stat)) {
      thread.state = status->state;
      thread.name = status->name;
    }
  }
  thread.wait_channel = read_line(files, folder + "wchan");
  if (thread.wait_channel == "0") thread.wait_channel.clear();
  if (const auto stack = files.read(folder + "stack", kFileMax)) {
    thread.stack = parse_stack(*stack);
  }
  const auto text = files.read(folder + "syscall", kFileMax);
  const auto call = text ? parse_thread_call(*text) : std::nullopt;
  if (!call) return thread;
  if (call->number == SYS_futex && memory != nullptr) {
    thread.wait = futex_wait(*call, *memory, pid);
    if (thread.wait && (thread.wait->thread == tid || !is_thread(files, thread.wait->thread))) {
      thread.wait.reset();
    }
  } else if (call->number == SYS_flock || call->number == SYS_fcntl) {
    const auto path = files.read_link(format("/proc/{}/fd/{}", pid, call->arguments[0]));
    if (path) thread.lock_path = *path;
  }
  return thread;
}

// ---- limits -------------------------------------------------------------------------

/// The soft limit of a row "Max open files  1024  524288  files"; 0: none, or not there.
std::uint64_t soft_limit(std::string_view limits, std::string_view row) {
  for (std::string_view line : split(limits, '\n')) {
    if (!line.starts_with(row)) continue;
    const auto words = split_whitespace(line.substr(row.size()));
    return words.empty() ? 0 : parse_uint<std::uint64_t>(words[0]).value_or(0);
  }
  return 0;
}

void read_limits(FileSource& files, const std::string& folder, std::size_t descriptors,
                 ProcessFacts& process) {
  const auto limits = files.read(folder + "limits", kFileMax);
  const auto status = files.read(folder + "status", kFileMax);
  if (!limits || !status) return;
  const auto bytes = [&](std::string_view row) { return find_kilobytes(*status, row).value_or(0); };
  const LimitUse uses[] = {
      {"open files", descriptors, soft_limit(*limits, "Max open files")},
      {"locked memory", bytes("VmLck:"), soft_limit(*limits, "Max locked memory")},
      {"address space", bytes("VmSize:"), soft_limit(*limits, "Max address space")},
      {"stack", bytes("VmStk:"), soft_limit(*limits, "Max stack size")},
  };
  for (const LimitUse& use : uses) {
    if (is_near(use.used, use.limit)) process.limits.push_back(use);
  }
}

}  // namespace

std::optional<ThreadCall> parse_thread_call(std::string_view text) {
  // "202 0x7f01 0x80 0x2 0x0 0x0 0x0 SP PC", "-1 SP PC" outside of any, or "running".
  const auto words = split_whitespace(text);
  ThreadCall call;
  if (words.size() < std::size(call.arguments) + 1) return std::nullopt;
  const auto number = parse_uint<std::uint32_t>(words[0]);
  if (!number) return std::nullopt;
  call.number = *number;
  for (std::size_t i = 0; i < std::size(call.arguments); ++i) {
    if (!words[i + 1].starts_with("0x")) return std::nullopt;
    const auto argument = parse_uint<std::uint64_t>(words[i + 1].substr(2), 16);
    if (!argument) return std::nullopt;
    call.arguments[i] = *argument;
  }
  return call;
}

std::optional<ProcessFacts> read_process(FileSource& files, ProcessMemory* memory, pid_t pid) {
  const std::string folder = format("/proc/{}/", pid);
  const std::vector<pid_t> threads = numbers_in(files, folder + "task");
  if (threads.empty()) return std::nullopt;
  ProcessFacts process;
  process.pid = pid;
  process.name = read_line(files, folder + "comm");
  process.thread_count = threads.size();
  for (const pid_t tid : threads) {
    if (process.threads.size() == kThreadsShown) break;
    process.threads.push_back(read_thread(files, memory, pid, tid));
  }
  const std::vector<pid_t> descriptors = numbers_in(files, folder + "fd");
  for (std::size_t i = 0; i < std::min(descriptors.size(), kDescriptorsAsked); ++i) {
    const auto info = files.read(format("{}fdinfo/{}", folder, descriptors[i]), kFileMax);
    if (!info) continue;
    for (FileLock& lock : parse_fdinfo_locks(*info)) process.held.push_back(std::move(lock));
  }
  read_limits(files, folder, descriptors.size(), process);
  return process;
}

}  // namespace onset
