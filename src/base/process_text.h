#pragma once
// What the kernel tells of processes as text: files of /proc (proc(5)) and of cgroup v2
// (cgroup-v2.rst). Pure: who reads the files are the rooms beside. Any bytes are survived, as
// what stands at /proc may be lxcfs's, or a file that somebody else has mounted there.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onset {

/// From /proc/PID/stat.
struct ProcessStatus {
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  std::uint64_t started = 0;  ///< clock ticks since boot: tells two of one number apart
  std::uint64_t cpu_ticks = 0;
  std::uint32_t threads = 0;
  std::string name;  ///< comm: at most 15 bytes
};
std::optional<ProcessStatus> parse_process_stat(std::string_view text);

/// A process number as the kernel writes it: no more than fits pid_t; 0, where it stands in
/// for a process of another PID namespace, too.
std::optional<pid_t> parse_pid(std::string_view text);
/// /proc/PID/task/TID/children and cgroup.procs: numbers between blanks and line ends. What
/// is no number is left out.
void append_pids(std::string_view text, std::vector<pid_t>& out);
/// /proc/loadavg: the number that was given last; 0 if that is not there.
pid_t parse_last_pid(std::string_view loadavg);

/// A variable's value in /proc/PID/environ, the first of that name.
std::optional<std::string_view> find_variable(std::string_view environment, std::string_view name);
/// /proc/PID/cmdline on one line: words as a shell would take them, or what a process calls
/// itself, which has no NUL. At most `limit` bytes; hostile all the same.
std::string command_line_text(std::string_view cmdline, std::size_t limit);

/// /proc/PID/cgroup: the path in cgroup v2, "/…"; none if there is no such line.
std::optional<std::string_view> unified_cgroup(std::string_view text);
/// cgroup.events: false only where it says so.
bool is_populated(std::string_view events);
/// io.stat: a figure ("rbytes") added up over all devices.
std::uint64_t sum_of_devices(std::string_view io_stat, std::string_view key);
/// cpu.stat: the processor time used.
std::optional<std::uint64_t> parse_cpu_nsec(std::string_view stat);
/// A file of lines "KEY NUMBER", as memory.events, pids.events and cpu.stat are.
std::optional<std::uint64_t> find_count(std::string_view text, std::string_view key);
/// A row "KEY: NUMBER kB" of /proc/PID/status, in bytes; `key` with its colon.
std::optional<std::uint64_t> find_kilobytes(std::string_view text, std::string_view key);
/// /proc/pressure/KIND and KIND.pressure of a cgroup, in hundredths of a percent; `line` is
/// "some" or "full", `window` "avg10=", "avg60=" or "avg300=".
std::optional<unsigned> parse_pressure(std::string_view text, std::string_view line,
                                       std::string_view window);

}  // namespace onset
