// What stands in /proc: of processes stat, status, environ, cmdline, children, cgroup, loadavg,
// uid_map, mountinfo; of the machine the kernel's command line, pressure, cgroups, device-tree,
// sysinfo, osrelease; and in a cgroup's folder: cgroup.events, cgroup.procs, cpu.stat; and the
// vendor's words of DMI and CPUID. One text is given to all.
// Parsers: base/process_text.cpp os/machine_text.cpp

#include "base/format.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "os/conditions_machine.h"
#include "os/confinement.h"
#include "os/machine_text.h"
#include "base/process_text.h"
#include "os/virtualization.h"
#include "support/memory_files.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

constexpr std::size_t kLineMax = 400;

void try_stat(std::string_view text) {
  const auto status = parse_process_stat(text);
  if (!status) return;
  const std::string printed =
      format("1 ({}) {} {} {} {} 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 {}", status->name, status->state,
             status->parent, status->group, status->session, status->started);
  const auto again = parse_process_stat(printed);
  expect(again && again->name == status->name && again->parent == status->parent &&
             again->group == status->group && again->session == status->session &&
             again->started == status->started,
         "a printed stat is read as itself", printed);
  expect(status->parent >= 0 && status->group >= 0 && status->session >= 0, "no pid is negative");
}

void try_lists(std::string_view text) {
  std::vector<pid_t> pids;
  append_pids(text, pids);
  std::string printed;
  for (const pid_t pid : pids) {
    expect(pid >= 0, "no pid is negative");
    printed += format("{}\n", pid);
  }
  std::vector<pid_t> again;
  append_pids(printed, again);
  expect(again == pids, "a printed list is read as itself", printed);
  expect(parse_last_pid(text) >= 0, "no pid is negative");
}

void try_words(std::string_view text) {
  if (const auto value = find_variable(text, "container")) {
    expect(value->find('\0') == std::string_view::npos, "a value ends at its NUL");
    expect(find_variable(std::string("container=") + std::string(*value), "container") == value,
           "a printed variable is read as itself");
  }
  expect(command_line_text(text, kLineMax).size() <= kLineMax, "a command line has its limit");
  expect_same(command_line_text(text, kLineMax), command_line_text(text, kLineMax),
              "the same again");
  if (const auto group = unified_cgroup(text)) {
    expect(group->starts_with('/') && group->find('\n') == std::string_view::npos,
           "a cgroup is a path");
    expect(unified_cgroup(format("0::{}\n", *group)) == group,
           "a printed cgroup is read as itself");
  }
  if (const auto confinement = parse_confinement(text)) {
    const auto again =
        parse_confinement(format("NoNewPrivs:\t{}\nCapBnd:\t{:x}\n",
                                 confinement->no_new_privileges ? 1 : 0, confinement->bounding));
    expect(again == confinement, "a printed confinement is read as itself");
  }
}

void try_cgroup(std::string_view text) {
  const bool is_dead = !is_populated(text);
  if (is_dead) expect(text.find("populated 0") != text.npos, "only what says so is empty");
  expect(!is_populated("populated 0\n" + std::string(text)), "what says so is empty");
  if (const auto used = parse_cpu_nsec(text)) {
    expect(parse_cpu_nsec(format("user_usec 1\nusage_usec {}\n", *used / 1000)) == used,
           "a printed time is read as itself");
  }
}

void try_command_line(std::string_view text) {
  constexpr std::string_view kName = "systemd.condition-first-boot";
  const std::string_view first = trim(text.substr(0, text.find_first_of(" \n")));
  for (const std::string_view wanted : {std::string_view("quiet"), std::string_view("a=b"), first})
    (void)has_kernel_argument(text, wanted);
  const std::string line(text);
  expect(has_kernel_argument("quiet root=/dev/a " + line, "quiet"), "an argument is found");
  expect(has_kernel_argument("quiet root=/dev/a " + line, "root"), "also one with a value");
  expect(has_kernel_argument("quiet root=/dev/a " + line, "root=/dev/a"), "and its value");
  if (line.find("qu") == line.npos) {
    expect(!has_kernel_argument("quieter " + line, "quiet"), "no part of a word is an argument");
  }
  const auto given = kernel_switch(text, kName);
  expect(kernel_switch(line, kName) == given, "the same again");
  for (const bool on : {false, true}) {
    const std::string last = format("{}={}", kName, on ? "yes" : "no");
    expect(kernel_switch(format("{} {}", line, last), kName) == on, "the last switch counts");
    expect(kernel_switch(format("{} {}", last, line), kName) == given.value_or(on),
           "a switch that is given counts");
  }
  if (given) expect(line.find(kName) != line.npos, "a switch is given by its name");
}

/// A word of systemd-detect-virt(1), or nothing.
void expect_word(std::string_view word) {
  expect(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == word.npos, "a word", word);
}

void try_machine(std::string_view text) {
  for (const std::string& name : enabled_controllers(text)) {
    expect(!name.empty() && name.find_first_of(" \t\n") == name.npos, "a controller is a word");
    const auto again = enabled_controllers(format("{}\t0\t1\t1\n", name));
    expect(again.size() == 1, "a printed controller is read as one");
  }
  for (const char* line : {"some", "full"}) {
    for (const char* window : {"avg10=", "avg60=", "avg300="}) {
      const auto share = parse_pressure(text, line, window);
      if (!share) continue;
      expect(*share <= 10000, "no more than the whole is lost");
      const std::string printed =
          format("{} {}{}.{:02}\n", line, window, *share / 100, *share % 100);
      expect(parse_pressure(printed, line, window) == share, "a printed pressure is read as itself",
             printed);
    }
  }
  const std::string_view name = text.substr(0, text.find('\0'));
  expect(is_compatible(text, name), "what is compatible is found");
  expect(may_hide_processes(text) == (text.find("hidepid=") != text.npos), "hidepid= hides");
  (void)maps_ids(text);
  (void)is_wsl_release(text);
  expect_word(container_word(text));
  expect(container_word(container_word(text)) == container_word(text), "a container's word is one");
  expect(container_word(text).empty() == text.empty(), "any word is of a container");
  expect_word(vm_of_cpuid(text));
  expect_word(vm_of_dmi(text));
  expect_word(vm_of_device_tree(text, ""));
  expect_word(vm_of_device_tree("", text));
  expect_word(vm_of_sysinfo(text));
}

/// What is read through the interface of files: a tree in memory.
void try_files(std::string_view text) {
  test::MemoryFiles files;
  files.add("/proc/self/uid_map", text);
  files.add("/proc/self/gid_map", "0 0 4294967295");
  expect(in_user_namespace(files) == in_user_namespace(files), "the same again");
  for (const char* kind : {"cpu", "memory", "io"}) {
    files.add(format("/proc/pressure/{}", kind), text);
    files.add(format("/sys/fs/cgroup/a.slice/a-b.slice/{}.pressure", kind), text);
    for (const char* value :
         {"10%", "5%/10s", "1%/1min", "a-b.slice:20%/5min", "1%/7s", "x", "1%/x"}) {
      (void)test_pressure(kind, value, files, false);
    }
    // And as the condition's own value.
    (void)test_pressure(kind, std::string(text), files, false);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  try_stat(text);
  try_lists(text);
  try_words(text);
  try_cgroup(text);
  try_command_line(text);
  try_machine(text);
  try_files(text);
  return 0;
}
