#pragma once
// Users and groups from /etc/passwd and /etc/group, read by onset itself: no
// NSS, so that a static binary answers the same everywhere (passwd(5), group(5)).
//
// What names a user in a unit is decided here, strictly (faults C1, C2): a text
// of digits is a number and never a name, a number has no sign, no leading zero
// and no other base, and 65535, 4294967295 and anything larger name nobody. A
// number must stand in the database too, as systemd has it. root (0) and nobody
// (65534) exist even where the files do not.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unit/file_source.h"

namespace onset {

struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;   ///< empty: none worth setting ("/" and relative ones count as none)
  std::string shell;  ///< empty: none (nologin and false count as none)
};

struct GroupEntry {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

/// The lines of passwd(5); lines that do not parse are skipped.
std::vector<Account> parse_passwd(std::string_view text);
/// The lines of group(5); lines that do not parse are skipped.
std::vector<GroupEntry> parse_group(std::string_view text);
/// A user or group number: decimal digits without a leading zero, not 65535
/// and not 4294967295. Empty if the text is none.
std::optional<std::uint32_t> parse_account_number(std::string_view text);

/// Looks accounts up; reads each file again only when it has changed.
class Accounts {
 public:
  /// `root`: the files are looked for below it; empty: /etc/… as it stands.
  explicit Accounts(FileSource& files, std::string root = {});

  /// By name or number; the error is a sentence. A name given twice in the
  /// file is its first line; a number keeps the name of its first line.
  Result<Account, std::string> user(std::string_view name_or_number);
  Result<gid_t, std::string> group(std::string_view name_or_number);
  std::optional<std::string> user_name(uid_t uid);
  std::optional<std::string> group_name(gid_t gid);
  /// initgroups(3): `primary`, then every group that lists the user.
  /// An error where group(5) can't be read: a process without its groups is another one.
  Result<std::vector<gid_t>, std::string> groups_of(std::string_view user, gid_t primary);

 private:
  struct Stamp {
    std::int64_t mtime_ns = -1;
    std::uint64_t size = 0;
    bool operator==(const Stamp&) const = default;
  };
  Result<std::optional<std::string>, std::string> read_if_changed(const std::string& path,
                                                                  Stamp& stamp);
  Result<void, std::string> refresh_users();
  Result<void, std::string> refresh_groups();
  bool changed(const std::string& path, Stamp& stamp);

  FileSource& files_;
  std::string passwd_path_;
  std::string group_path_;
  Stamp passwd_stamp_;
  Stamp group_stamp_;
  std::vector<Account> users_;
  std::vector<GroupEntry> groups_;
};

}  // namespace onset
