#include "cli/usage_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/format.h"
#include "base/process_text.h"
#include "base/text.h"
#include "cli/reply.h"
#include "control/json.h"
#include "unit/name.h"

namespace onset {
namespace {

using json = Json;

constexpr std::size_t kFileMax = std::size_t{1} << 20;
constexpr unsigned kTicksASecond = 100;  // USER_HZ, as the kernel tells times everywhere

std::string text_in(FileSource& files, const std::string& path) {
  auto text = files.read(path, kFileMax);
  return text ? std::move(*text) : std::string();
}

std::optional<std::uint64_t> number_in_file(FileSource& files, const std::string& path) {
  return parse_uint<std::uint64_t>(trim(text_in(files, path)));
}

/// "8:0 rbytes=1 wbytes=2 rios=…", a line for each device.
std::optional<std::uint64_t> sum_of(std::string_view stat, std::string_view key) {
  std::optional<std::uint64_t> sum;
  for (const std::string_view word : split_whitespace(stat)) {
    if (!word.starts_with(key)) continue;
    if (const auto n = parse_uint<std::uint64_t>(word.substr(key.size())))
      sum = sum.value_or(0) + *n;
  }
  return sum;
}

void add(std::optional<std::uint64_t>& sum, std::optional<std::uint64_t> more) {
  if (more) sum = sum.value_or(0) + *more;
}

/// A folder's name: a unit that is called as one of the kernel's own files has a "_" before it.
std::optional<std::string> unit_of_folder(std::string_view name) {
  if (name.starts_with('_')) name.remove_prefix(1);
  if (!unit_type_of(name)) return std::nullopt;
  return std::string(name);
}

}  // namespace

Result<Uses, CallProblem> UsageReader::read() {
  if (!is_found_) {
    if (auto found = find_groups(); !found) return Failure{found.error()};
    is_found_ = true;
  }
  return root_.empty() ? read_processes() : Result<Uses, CallProblem>(read_groups());
}

Result<void, CallProblem> UsageReader::find_groups() {
  json reply;
  if (auto got = manager_.call("GetManagerProperties", json::object(), reply); !got) {
    return Failure{got.error()};
  }
  const json& properties = object_of(reply, "properties");
  const std::string group = raw_text_of(properties, "ControlGroup");
  if (group.empty()) return {};
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const std::string folder = mount + group;
    // Of the two mounts of a hybrid set-up, the one in which the manager has its leaf.
    if (files_.stat(folder + "/init.scope/cgroup.procs").ok()) {
      root_ = folder;
      return {};
    }
  }
  return {};
}

// ---- groups -------------------------------------------------------------------------

Uses UsageReader::read_groups() {
  Uses uses;
  std::vector<std::string> folders{root_};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    const auto items = files_.list(folder);
    if (!items) continue;  // it has ended
    for (const DirectoryItem& item : *items) {
      if (item.kind != FileKind::Directory) continue;
      const std::string path = folder + '/' + item.name;
      const auto unit = unit_of_folder(item.name);
      if (!unit) continue;
      uses.insert_or_assign(*unit, read_group(path));
      // Below a slice are units; below others is what they make of it.
      if (unit_type_of(*unit) == UnitType::Slice) folders.push_back(path);
    }
  }
  return uses;
}

UnitUse UsageReader::read_group(const std::string& folder) {
  UnitUse use;
  if (const auto nsec = parse_cpu_nsec(text_in(files_, folder + "/cpu.stat"))) {
    use.cpu_us = *nsec / 1000;
  }
  use.memory = number_in_file(files_, folder + "/memory.current");
  use.tasks = number_in_file(files_, folder + "/pids.current");
  const std::string io = text_in(files_, folder + "/io.stat");
  use.read = sum_of(io, "rbytes=");
  use.written = sum_of(io, "wbytes=");
  const auto pressure = [&](const char* file) {
    return parse_pressure(text_in(files_, folder + file), "some", "avg10=");
  };
  use.cpu_pressure = pressure("/cpu.pressure");
  use.memory_pressure = pressure("/memory.pressure");
  use.io_pressure = pressure("/io.pressure");
  if (use.memory && use.tasks) return use;
  // A controller is off here: its own processes are asked.
  std::vector<pid_t> pids;
  append_pids(text_in(files_, folder + "/cgroup.procs"), pids);
  UnitUse own;
  for (const pid_t pid : pids) add_process(own, pid);
  if (!use.tasks) use.tasks = own.tasks;
  if (!use.memory) {
    use.memory = own.memory;
    use.memory_is_resident = own.memory.has_value();
  }
  return use;
}

// ---- processes ----------------------------------------------------------------------

Result<Uses, CallProblem> UsageReader::read_processes() {
  json units;
  const json asked = {{"all", false}, {"types", {"service", "scope", "socket", "mount", "swap"}}};
  if (auto got = manager_.collect("ListUnitStatus", asked, "units", units); !got) {
    return Failure{got.error()};
  }
  Uses uses;
  for (const json& unit : units) {
    const json& processes = array_of(unit, "processes");
    if (processes.empty()) continue;
    UnitUse& use = uses[raw_text_of(unit, "name")];
    for (const json& process : processes) add_process(use, number_of(process, "pid").value_or(0));
  }
  return uses;
}

void UsageReader::add_process(UnitUse& use, std::int64_t pid) {
  const std::string folder = format("/proc/{}/", pid);
  const auto status = parse_process_stat(text_in(files_, folder + "stat"));
  if (!status) return;  // it has ended
  add(use.tasks, status->threads);
  add(use.cpu_us, status->cpu_ticks * (1'000'000 / kTicksASecond));
  add(use.memory, find_kilobytes(text_in(files_, folder + "status"), "VmRSS:"));
  use.memory_is_resident = true;
  const std::string io = text_in(files_, folder + "io");
  add(use.read, find_count(io, "read_bytes:"));
  add(use.written, find_count(io, "write_bytes:"));
}

}  // namespace onset
