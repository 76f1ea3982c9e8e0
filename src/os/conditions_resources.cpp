// The conditions about power, memory, processors and pressure.

#include <sched.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/format.h"
#include "base/process_text.h"
#include "base/text.h"
#include "os/comparison.h"
#include "os/conditions_machine.h"
#include "os/cpu_features.h"
#include "os/kernel.h"
#include "os/machine_text.h"
#include "unit/values.h"

namespace onset {
namespace {

constexpr std::size_t kLimit = 1U << 20U;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string read_text(FileSource& files, std::string_view path) {
  auto text = files.read(path, kLimit);
  return text ? std::string(without_line_end(*text)) : std::string();
}

Failure<SysError> invalid(const char* what) {
  return Failure{SysError{what, EINVAL}};
}

}  // namespace

Result<bool> test_ac_power(const std::string& value, FileSource& files) {
  auto wanted = parse_bool(value);
  if (!wanted) return invalid("ConditionACPower");
  bool online = false;
  bool offline = false;
  bool battery_discharging = false;
  if (auto supplies = files.list("/sys/class/power_supply")) {
    for (const DirectoryItem& supply : *supplies) {
      const std::string folder = "/sys/class/power_supply/" + supply.name;
      const std::string type = read_text(files, folder + "/type");
      if (type == "Battery") {
        battery_discharging |= read_text(files, folder + "/status") == "Discharging" &&
                               read_text(files, folder + "/scope") != "Device";
      } else if (type == "Mains" || type == "USB") {
        const std::string on = read_text(files, folder + "/online");
        online |= on == "1" || on == "2";
        offline |= on == "0";
      }
    }
  }
  const bool on_ac = online || !(offline && battery_discharging);
  return on_ac == *wanted;
}

namespace {

std::vector<std::string> available_controllers(FileSource& files) {
  std::vector<std::string> found;
  const std::string unified = read_text(files, "/sys/fs/cgroup/cgroup.controllers");
  for (const auto word : split_whitespace(unified)) found.emplace_back(word);
  if (exists("/sys/fs/cgroup/cgroup.controllers")) return found;
  for (std::string& name : enabled_controllers(read_text(files, "/proc/cgroups")))
    found.push_back(std::move(name));
  return found;
}

}  // namespace

Result<bool> test_cgroup_controller(const std::string& value, FileSource& files) {
  if (value == "v2") return exists("/sys/fs/cgroup/cgroup.controllers");
  if (value == "v1") return !exists("/sys/fs/cgroup/cgroup.controllers");
  static constexpr std::array<std::string_view, 4> kKnown{"cpu", "io", "memory", "pids"};
  const std::vector<std::string> found = available_controllers(files);
  for (const auto word : split_whitespace(value)) {
    if (std::ranges::find(kKnown, word) == kKnown.end()) continue;
    if (std::ranges::find(found, word) == found.end()) return false;
  }
  return true;
}

namespace {

/// What the machine has, or the least that a cgroup above us allows.
std::uint64_t memory_here(FileSource& files) {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return 0;
  std::uint64_t memory = static_cast<std::uint64_t>(info.totalram) * info.mem_unit;
  std::string group(unified_cgroup(read_text(files, "/proc/self/cgroup")).value_or(""));
  while (true) {
    while (group.ends_with('/')) group.pop_back();
    const std::string limit = read_text(files, "/sys/fs/cgroup" + group + "/memory.max");
    if (const auto number = parse_uint<std::uint64_t>(limit)) memory = std::min(memory, *number);
    if (group.empty()) break;
    group.resize(group.rfind('/'));
  }
  const std::string legacy = read_text(files, "/sys/fs/cgroup/memory/memory.limit_in_bytes");
  if (const auto number = parse_uint<std::uint64_t>(legacy)) memory = std::min(memory, *number);
  return memory;
}

}  // namespace

Result<bool> test_memory(const std::string& value, FileSource& files) {
  std::string_view text = value;
  const Operator op = take_operator(text, Operator::GreaterOrEqual);
  auto wanted = parse_size(trim(text));
  if (!wanted) return invalid("ConditionMemory");
  return number_holds(op, memory_here(files), *wanted);
}

Result<bool> test_cpus(const std::string& value) {
  std::string_view text = value;
  const Operator op = take_operator(text, Operator::GreaterOrEqual);
  const auto wanted = parse_uint<std::uint32_t>(trim(text));
  if (!wanted) return invalid("ConditionCPUs");
  std::array<unsigned long, 1024> mask{};  // 65536 processors
  const long bytes = ::sched_getaffinity(0, sizeof mask, reinterpret_cast<cpu_set_t*>(mask.data()));
  if (bytes < 0) return Failure{SysError{"sched_getaffinity", errno}};
  std::uint64_t count = 0;
  for (const unsigned long word : mask) count += static_cast<unsigned>(__builtin_popcountl(word));
  return number_holds(op, count, *wanted);
}

Result<bool> test_cpu_feature(const std::string& value) {
  std::string name = value;
  std::ranges::transform(name, name.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return cpu_has_feature(name);
}

namespace {

/// Where a slice's pressure is told: slices nest by dash.
std::string slice_file(std::string_view slice, std::string_view kind) {
  std::string path = "/sys/fs/cgroup";
  const auto stem = slice.substr(0, slice.rfind('.'));
  for (std::size_t at = stem.find('-', 1); slice != "-.slice"; at = stem.find('-', at + 1)) {
    path += format("/{}.slice", stem.substr(0, at));
    if (at == std::string_view::npos) break;
  }
  return format("{}/{}.pressure", path, kind);
}

}  // namespace

Result<bool> test_pressure(std::string_view kind, const std::string& value, FileSource& files,
                           bool /*user_manager*/) {
  std::string_view text = value;
  std::string path = format("/proc/pressure/{}", kind);
  // All of a machine can't wait for its CPU: the kernel has 0 there.
  std::string_view line = kind == "cpu" ? "some" : "full";
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    path = slice_file(trim(text.substr(0, colon)), kind);
    line = "full";
    text = trim(text.substr(colon + 1));
  }
  std::string_view window = "avg300=";
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    auto span = parse_span(trim(text.substr(slash + 1)));
    if (!span) return invalid("pressure");
    if (*span == std::chrono::seconds(10)) {
      window = "avg10=";
    } else if (*span == std::chrono::minutes(1)) {
      window = "avg60=";
    } else if (*span != std::chrono::minutes(5)) {
      return invalid("pressure");
    }
    text = trim(text.substr(0, slash));
  }
  auto limit = parse_permyriad(text);
  if (!limit) return invalid("pressure");
  auto measured = files.read(path, kLimit);
  if (!measured) return true;  // nothing is measured here: nothing is too much
  auto now = parse_pressure(*measured, line, window);
  if (!now) now = parse_pressure(*measured, "some", window);
  return !now || *now <= *limit;
}

}  // namespace onset
