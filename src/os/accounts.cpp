#include "os/accounts.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/format.h"

namespace onset {
namespace {

constexpr std::size_t kDatabaseLimit = 32U << 20U;

/// The next field of a line, up to `separator`.
std::string_view take(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto field = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return field;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Any decimal that a database may hold, leading zeros too.
std::optional<std::uint32_t> database_number(std::string_view text) {
  if (!all_digits(text) || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  if (value >= UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

bool starts_a_line_of_nis(std::string_view line) {
  return line.starts_with('+') || line.starts_with('-') || line.starts_with('#');
}

std::string usable_home(std::string_view home) {
  const bool only_slashes = home.find_first_not_of('/') == std::string_view::npos;
  if (only_slashes || !home.starts_with('/')) return {};
  return std::string(home);
}

/// A shell that lets nobody in says nothing about what to run.
std::string usable_shell(std::string_view shell) {
  if (!shell.starts_with('/')) return {};
  const auto base = shell.substr(shell.rfind('/') + 1);
  if (base == "nologin" || base == "false" || base == "true") return {};
  return std::string(shell);
}

std::string missing(std::string_view what, std::string_view name) {
  return format("there is no {} \"{}\"", what, name);
}

}  // namespace

std::vector<Account> parse_passwd(std::string_view text) {
  std::vector<Account> users;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    if (starts_a_line_of_nis(line)) continue;
    const auto name = take(line, ':');
    take(line, ':');  // the password
    const auto uid = database_number(take(line, ':'));
    const auto gid = database_number(take(line, ':'));
    take(line, ':');  // the comment
    const auto home = take(line, ':');
    if (name.empty() || !uid || !gid) continue;
    users.push_back({std::string(name), *uid, *gid, usable_home(home), usable_shell(line)});
  }
  return users;
}

std::vector<GroupEntry> parse_group(std::string_view text) {
  std::vector<GroupEntry> groups;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    if (starts_a_line_of_nis(line)) continue;
    const auto name = take(line, ':');
    take(line, ':');  // the password
    const auto gid = database_number(take(line, ':'));
    if (name.empty() || !gid) continue;
    GroupEntry group{std::string(name), *gid, {}};
    while (!line.empty()) {
      const auto member = take(line, ',');
      if (!member.empty()) group.members.emplace_back(member);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::optional<std::uint32_t> parse_account_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  const auto number = database_number(text);
  if (number == 65535U) return std::nullopt;
  return number;
}

Accounts::Accounts(FileSource& files, std::string root)
    : files_(files), passwd_path_(root + "/etc/passwd"), group_path_(root + "/etc/group") {}

bool Accounts::changed(const std::string& path, Stamp& stamp) {
  Stamp now{0, 0};  // a file that is not there is an empty one
  if (auto status = files_.stat(path)) now = {status->mtime_ns, status->size};
  return std::exchange(stamp, now) != now;
}

/// The text, where it is another one now. What can't be read is tried again the next time.
Result<std::optional<std::string>, std::string> Accounts::read_if_changed(const std::string& path,
                                                                          Stamp& stamp) {
  if (!changed(path, stamp)) return std::optional<std::string>();
  auto text = files_.read(path, kDatabaseLimit);
  if (text) return std::optional<std::string>(std::move(*text));
  const bool is_gone = text.error().err == ENOENT;
  if (!is_gone || stamp != Stamp{0, 0}) stamp = Stamp();  // it was there when it was looked at
  if (is_gone) return std::optional<std::string>(std::string());
  return Failure{format("{} can't be read: {}", path, errno_text(text.error().err))};
}

Result<void, std::string> Accounts::refresh_users() {
  auto text = read_if_changed(passwd_path_, passwd_stamp_);
  if (!text) return Failure{text.error()};
  if (*text) users_ = parse_passwd(**text);
  return {};
}

Result<void, std::string> Accounts::refresh_groups() {
  auto text = read_if_changed(group_path_, group_stamp_);
  if (!text) return Failure{text.error()};
  if (*text) groups_ = parse_group(**text);
  return {};
}

Result<Account, std::string> Accounts::user(std::string_view name_or_number) {
  if (auto read = refresh_users(); !read) return Failure{read.error()};
  const bool by_number = all_digits(name_or_number);
  const auto number = parse_account_number(name_or_number);
  if (by_number && !number) {
    return Failure{format("\"{}\" is not a valid user number", name_or_number)};
  }
  const auto found = std::ranges::find_if(users_, [&](const Account& a) {
    return by_number ? a.uid == *number : a.name == name_or_number;
  });
  if (found != users_.end()) {
    // 65535 is "no change" in the old 16-bit calls: nobody's, under any name.
    if (found->uid == 65535U) return Failure{missing("user", name_or_number)};
    return *found;
  }
  if (name_or_number == "root" || name_or_number == "0") {
    return Account{"root", 0, 0, "/root", "/bin/sh"};
  }
  if (name_or_number == "nobody" || name_or_number == "65534") {
    return Account{"nobody", 65534, 65534, {}, {}};
  }
  return Failure{missing("user", name_or_number)};
}

Result<gid_t, std::string> Accounts::group(std::string_view name_or_number) {
  if (auto read = refresh_groups(); !read) return Failure{read.error()};
  const bool by_number = all_digits(name_or_number);
  const auto number = parse_account_number(name_or_number);
  if (by_number && !number) {
    return Failure{format("\"{}\" is not a valid group number", name_or_number)};
  }
  const auto found = std::ranges::find_if(groups_, [&](const GroupEntry& g) {
    return by_number ? g.gid == *number : g.name == name_or_number;
  });
  if (found != groups_.end() && found->gid != 65535U) return found->gid;
  if (name_or_number == "root" || name_or_number == "0") return gid_t{0};
  if (name_or_number == "nogroup" || name_or_number == "65534") return gid_t{65534};
  return Failure{missing("group", name_or_number)};
}

std::optional<std::string> Accounts::user_name(uid_t uid) {
  (void)refresh_users();
  for (const Account& a : users_) {
    if (a.uid == uid) return a.name;
  }
  if (uid == 0) return "root";
  return std::nullopt;
}

std::optional<std::string> Accounts::group_name(gid_t gid) {
  (void)refresh_groups();
  for (const GroupEntry& g : groups_) {
    if (g.gid == gid) return g.name;
  }
  if (gid == 0) return "root";
  return std::nullopt;
}

Result<std::vector<gid_t>, std::string> Accounts::groups_of(std::string_view user, gid_t primary) {
  if (auto read = refresh_groups(); !read) return Failure{read.error()};
  std::vector<gid_t> gids{primary};
  for (const GroupEntry& g : groups_) {
    if (std::ranges::find(g.members, user) == g.members.end()) continue;
    if (std::ranges::find(gids, g.gid) == gids.end()) gids.push_back(g.gid);
  }
  return gids;
}

}  // namespace onset
