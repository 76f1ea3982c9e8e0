// What stands in /proc: stat, status, environ, cmdline, children, cgroup, loadavg, uid_map,
// pressure; and in a cgroup's folder: cgroup.events, cgroup.procs, cpu.stat. One text is given
// to all.
// Parsers: os/process_text.cpp

#include "base/format.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "os/conditions_machine.h"
#include "os/confinement.h"
#include "os/process_text.h"
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
  try_files(text);
  return 0;
}
