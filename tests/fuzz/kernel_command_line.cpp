// The kernel's command line, /etc/hostname, /etc/machine-id, the list of consoles.
// Parsers: unit/kernel_command_line.cpp unit/machine_identity.cpp unit/getty_units.cpp

#include "unit/kernel_command_line.h"

#include <algorithm>

#include "base/format.h"
#include "fuzz/fuzz.h"
#include "unit/getty_units.h"
#include "unit/machine_identity.h"
#include "unit/name.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

void try_command_line(std::string_view text, bool in_initrd) {
  for (const KernelArgument& word : split_kernel_command_line(text)) {
    expect(word.name.find('=') == word.name.npos, "a name has no =", word.text);
    const std::size_t length = word.name.size() + (word.value ? word.value->size() + 1 : 0);
    expect(length == word.text.size(), "a word is its name and its value", word.text);
  }
  const KernelRequest request = read_kernel_command_line(text, in_initrd);
  for (const Diagnostic& d : request.diagnostics) {
    expect(!d.message.empty(), "what is told says something");
  }
  // What comes last counts.
  const std::string line = format("{} 'systemd.hostname=a b' 3 rd.rescue", text);
  const KernelRequest later = read_kernel_command_line(line, in_initrd);
  if (text.find_first_of("'\"") != text.npos) return;  // may be open
  expect(later.unit == (in_initrd ? "rescue.target" : "multi-user.target"), "the last unit counts");
  expect(later.hostname == "a b", "the last name counts", later.hostname);
}

void try_identity(std::string_view text) {
  const std::string name = hostname_of_file(text);
  if (hostname_is_valid(name)) {
    expect(hostname_of_file(name) == name, "a host name is read as itself", name);
  }
  const std::string id = plain_machine_id(text);
  expect(id.empty() || id.size() == kMachineIdBytes * 2, "an id has its length", id);
  expect(plain_machine_id(id) == id, "an id is read as itself", id);
}

void try_consoles(std::string_view text) {
  for (const std::string& unit : gettys_of_consoles(text, [](std::string_view) { return true; })) {
    expect(unit.size() > 255 || unit_name_is_valid(unit), "a login is a unit", unit);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  try_command_line(text, false);
  try_command_line(text, true);
  try_identity(text);
  try_consoles(text);
  return 0;
}
