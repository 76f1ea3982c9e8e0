// passwd(5) and group(5), and who is found in them. The records: passwd, group, a user, a group.
// Parsers: os/accounts.cpp

#include "os/accounts.h"
#include "base/format.h"
#include "fuzz/fuzz.h"
#include "support/memory_files.h"

using namespace onset;
using namespace onset::fuzz;

namespace {

void try_texts(std::string_view passwd, std::string_view group) {
  const std::vector<Account> users = parse_passwd(passwd);
  std::string printed;
  for (const Account& user : users) {
    expect(!user.name.empty() && user.name.find(':') == std::string::npos, "a user has a name");
    expect(user.uid != UINT32_MAX && user.gid != UINT32_MAX, "4294967295 is nobody");
    expect(user.home.empty() || user.home.front() == '/', "a home is an absolute path");
    expect(user.shell.empty() || user.shell.front() == '/', "a shell is an absolute path");
    printed += format("{}:x:{}:{}::{}:{}\n", user.name, user.uid, user.gid, user.home, user.shell);
  }
  const std::vector<Account> again = parse_passwd(printed);
  expect(again.size() == users.size(), "a printed file has the same users", printed);
  for (std::size_t i = 0; i < users.size(); ++i) {
    expect(again[i].name == users[i].name && again[i].uid == users[i].uid &&
               again[i].home == users[i].home && again[i].shell == users[i].shell,
           "a printed user is read as itself", users[i].name);
  }
  for (const GroupEntry& entry : parse_group(group)) {
    expect(!entry.name.empty() && entry.gid != UINT32_MAX, "a group has a name and a number");
    for (const std::string& member : entry.members) expect(!member.empty(), "a member has a name");
  }
}

/// Faults C1 and C2: what names a user, and what never does.
void try_user(Accounts& accounts, std::string_view name) {
  const auto user = accounts.user(name);
  if (!user) {
    expect(!user.error().empty(), "an error is a sentence");
    return;
  }
  expect(user->uid != 65535U && user->uid != UINT32_MAX, "no user is 65535 or 4294967295");
  const bool is_number = !name.empty() && name.find_first_not_of("0123456789") == name.npos;
  if (is_number) expect(format("{}", user->uid) == name, "a number is itself and no name");
  if (!is_number) expect(user->name == name, "a name is found as it is");
  const auto first = accounts.user_name(user->uid);
  const bool is_made_up = user->uid == 65534 || user->uid == 0;
  expect(first.has_value() || is_made_up, "a number that was found has a name");
  const auto groups = accounts.groups_of(user->name, user->gid);
  expect(groups && !groups->empty() && groups->front() == user->gid,
         "the primary group is the first");
}

void try_group(Accounts& accounts, std::string_view name) {
  const auto gid = accounts.group(name);
  if (!gid) return;
  expect(*gid != 65535U && *gid != UINT32_MAX, "no group is 65535 or 4294967295");
  const auto shown = accounts.group_name(*gid);
  expect(shown || *gid == 65534 || *gid == 0, "a number that was found has a name");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  const std::string_view passwd = take(rest);
  const std::string_view group = take(rest);
  const std::string_view user_name = take(rest);
  const std::string_view group_name = rest;
  try_texts(passwd, group);
  test::MemoryFiles files;
  if (!passwd.empty()) files.add("/etc/passwd", passwd);
  if (!group.empty()) files.add("/etc/group", group);
  Accounts accounts(files);
  for (const std::string_view name : {user_name, group_name, std::string_view("root")}) {
    try_user(accounts, name);
    try_group(accounts, name);
  }
  for (const Account& user : parse_passwd(passwd)) try_user(accounts, user.name);
  for (const GroupEntry& entry : parse_group(group)) try_group(accounts, entry.name);
  if (const auto number = parse_account_number(user_name)) {
    expect(format("{}", *number) == user_name, "a number has one spelling");
  }
  return 0;
}
