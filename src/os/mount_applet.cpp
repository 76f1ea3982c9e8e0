#include "os/mount_applet.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "base/format.h"
#include "base/text.h"
#include "os/autofs.h"
#include "os/kernel.h"
#include "unit/device_tag.h"
#include "unit/mount_config.h"

namespace onset {
namespace {

constexpr int kFailed = 32;
constexpr int kPassed = 3;  // the first descriptor that a process is handed

int complain(std::string_view what, int error) {
  const std::string text = format("{}: {}\n", what, errno_text(error));
  (void)!::write(STDERR_FILENO, text.data(), text.size());
  return kFailed;
}

// ---- options ----------------------------------------------------------------

struct FlagWord {
  std::string_view word;
  unsigned long set = 0;
  unsigned long clear = 0;
};
constexpr FlagWord kFlagWords[] = {
    {"defaults"},
    {"ro", MS_RDONLY},
    {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID},
    {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV},
    {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC},
    {"exec", 0, MS_NOEXEC},
    {"sync", MS_SYNCHRONOUS},
    {"async", 0, MS_SYNCHRONOUS},
    {"dirsync", MS_DIRSYNC},
    {"remount", MS_REMOUNT},
    {"bind", MS_BIND},
    {"rbind", MS_BIND | MS_REC},
    {"noatime", MS_NOATIME},
    {"atime", 0, MS_NOATIME},
    {"nodiratime", MS_NODIRATIME},
    {"diratime", 0, MS_NODIRATIME},
    {"relatime", MS_RELATIME},
    {"norelatime", 0, MS_RELATIME},
    {"strictatime", MS_STRICTATIME},
    {"nostrictatime", 0, MS_STRICTATIME},
    {"lazytime", MS_LAZYTIME},
    {"nolazytime", 0, MS_LAZYTIME},
    {"silent", MS_SILENT},
    {"loud", 0, MS_SILENT},
    {"mand", MS_MANDLOCK},
    {"nomand", 0, MS_MANDLOCK},
    {"user", MS_NOEXEC | MS_NOSUID | MS_NODEV},
    {"users", MS_NOEXEC | MS_NOSUID | MS_NODEV},
    {"owner", MS_NOSUID | MS_NODEV},
    {"group", MS_NOSUID | MS_NODEV},
    {"nouser"},
    {"noowner"},
    {"nogroup"},
    {"_netdev"},
    {"nofail"},
    {"auto"},
    {"noauto"},
};
constexpr FlagWord kPropagations[] = {
    {"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
    {"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
    {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
    {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
};

template <std::size_t N>
const FlagWord* find_word(const FlagWord (&words)[N], std::string_view word) {
  const auto* at = std::find_if(std::begin(words), std::end(words),
                                [word](const FlagWord& row) { return row.word == word; });
  return at == std::end(words) ? nullptr : at;
}

// ---- mounting -----------------------------------------------------------------

struct Request {
  mode_t mode = 0755;
  std::string what;
  std::string where;
  std::string type;
  std::string options;
  bool is_sloppy = false;
  bool is_read_write_only = false;
  bool is_remount = false;
};

/// File systems of the kernel alone: no device, no helper of theirs.
bool is_kernels_own(std::string_view type) {
  static constexpr std::array<std::string_view, 18> kTypes = {
      "proc",       "sysfs",  "devtmpfs",  "devpts",   "tmpfs",   "ramfs",
      "cgroup2",    "mqueue", "hugetlbfs", "debugfs",  "tracefs", "configfs",
      "securityfs", "bpf",    "pstore",    "efivarfs", "fusectl", "binfmt_misc"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

/// Parents with 0755, as systemd makes them.
int make_directory(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) < 0 && errno != EEXIST && errno != EROFS)
      return errno;
  }
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return 0;
  const int err = errno;
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? 0 : err;
}

/// A file that is to be mounted over a file needs no folder.
int make_mount_point(const Request& request) {
  struct stat st {};
  const bool is_bind = has_mount_option(request.options, "bind") ||
                       has_mount_option(request.options, "rbind") || request.type == "bind";
  if (is_bind && ::stat(request.what.c_str(), &st) == 0 && !S_ISDIR(st.st_mode)) {
    if (::stat(request.where.c_str(), &st) == 0) return 0;
    const std::size_t slash = request.where.rfind('/');
    if (slash > 0) {
      if (const int err = make_directory(request.where.substr(0, slash), 0755)) return err;
    }
    const auto made = open_path(request.where.c_str(), O_WRONLY | O_CREAT, 0644);
    return made ? 0 : made.error().err;
  }
  if (is_bind && ::stat(request.what.c_str(), &st) < 0 && errno == ENOENT)
    (void)make_directory(request.what, request.mode);
  return make_directory(request.where, request.mode);
}

/// A link on the way would have something else mounted than the unit's name says.
bool is_canonical(const std::string& where) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(where.c_str(), nullptr), ::free);
  return real == nullptr || where == real.get();
}

void hand_over(const char* const* places, std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  for (const char* const* place = places; *place != nullptr; ++place) {
    std::string name = *place;
    argv[0] = name.data();
    ::execv(*place, argv.data());
  }
}

constexpr const char* kMount[] = {"/bin/mount", "/usr/bin/mount", "/sbin/mount", nullptr};
constexpr const char* kUmount[] = {"/bin/umount", "/usr/bin/umount", "/sbin/umount", nullptr};
constexpr const char* kSwapon[] = {"/sbin/swapon", "/usr/sbin/swapon", "/bin/swapon", nullptr};
constexpr const char* kSwapoff[] = {"/sbin/swapoff", "/usr/sbin/swapoff", "/bin/swapoff", nullptr};

void hand_over_mount(const Request& request) {
  std::vector<std::string> arguments = {"mount", request.what, request.where};
  if (request.is_sloppy) arguments.emplace_back("-s");
  if (request.is_read_write_only) arguments.emplace_back("-w");
  if (!request.type.empty()) arguments.insert(arguments.end(), {"-t", request.type});
  std::string options = request.options;
  if (request.is_remount) options = options.empty() ? "remount" : "remount," + options;
  if (!options.empty()) arguments.insert(arguments.end(), {"-o", options});
  hand_over(kMount, std::move(arguments));
}

/// 0 or the errno.
int call_mount(const Request& request, const char* type, unsigned long flags,
               const std::string& data) {
  if (::mount(request.what.c_str(), request.where.c_str(), type, flags, data.c_str()) == 0)
    return 0;
  const int err = errno;
  const bool may_be_read_only = !request.is_read_write_only && (flags & MS_RDONLY) == 0 &&
                                (flags & (MS_REMOUNT | MS_BIND)) == 0;
  if ((err == EROFS || err == EACCES) && may_be_read_only &&
      ::mount(request.what.c_str(), request.where.c_str(), type, flags | MS_RDONLY, data.c_str()) ==
          0)
    return 0;
  return err;
}

/// The kernel's types that have a device, one after the other.
int try_types(const Request& request, const MountFlags& wanted) {
  const auto types = read_kernel_file("/proc/filesystems");
  int err = ENODEV;
  if (!types) return err;
  for (const std::string_view line : split(*types, '\n')) {
    if (line.empty() || line.starts_with("nodev")) continue;
    const std::string type(trim(line));
    const int tried = call_mount(request, type.c_str(), wanted.flags, wanted.data);
    if (tried == 0) return 0;
    if (tried != EINVAL) err = tried;
  }
  return err;
}

int mount_without_help(const Request& request) {
  MountFlags wanted = parse_mount_flags(request.options);
  if (request.is_remount) wanted.flags |= MS_REMOUNT;
  if (request.type == "bind") wanted.flags |= MS_BIND;
  int err = 0;
  const bool is_bind = (wanted.flags & MS_BIND) != 0;
  const bool needs_no_type = is_bind || request.is_remount;
  if (!needs_no_type && (request.type.empty() || request.type == "auto")) {
    err = try_types(request, wanted);
  } else if (is_bind && !request.is_remount) {
    // The kernel takes the other flags of a bind mount from a second call alone.
    err = call_mount(request, nullptr, wanted.flags & (MS_BIND | MS_REC), "");
    const unsigned long rest = wanted.flags & ~static_cast<unsigned long>(MS_BIND | MS_REC);
    if (err == 0 && rest != 0) err = call_mount(request, nullptr, rest | MS_BIND | MS_REMOUNT, "");
  } else {
    err = call_mount(request, request.type.empty() ? nullptr : request.type.c_str(), wanted.flags,
                     wanted.data);
  }
  if (err == 0 && wanted.propagation != 0 &&
      ::mount(nullptr, request.where.c_str(), nullptr, wanted.propagation, nullptr) < 0)
    err = errno;
  if (err == 0) return 0;
  return complain(format("cannot mount {} at {}", request.what, request.where), err);
}

int run_mount(Request request) {
  if (!is_canonical(request.where)) return complain(request.where + " is reached by a link", ELOOP);
  if (!request.is_remount) {
    if (const int err = make_mount_point(request))
      (void)complain("cannot make the mount point " + request.where, err);
  }
  struct stat st {};
  if (const std::string tag = tag_of_link(request.what);
      !tag.empty() && ::lstat(request.what.c_str(), &st) < 0)
    request.what = tag;
  // mount(8) knows names of users and groups.
  const bool names_owner =
      has_mount_option(request.options, "uid") || has_mount_option(request.options, "gid");
  if (!is_kernels_own(request.type) || names_owner) hand_over_mount(request);
  return mount_without_help(request);
}

// ---- the others -----------------------------------------------------------------

int run_umount(const std::string& where, std::string_view flags) {
  const bool is_lazy = flags.find('l') != std::string_view::npos;
  const bool is_forced = flags.find('f') != std::string_view::npos;
  std::vector<std::string> arguments = {"umount", where};
  if (is_lazy) arguments.emplace_back("-l");
  if (is_forced) arguments.emplace_back("-f");
  hand_over(kUmount, std::move(arguments));
  const int kernel = UMOUNT_NOFOLLOW | (is_lazy ? MNT_DETACH : 0) | (is_forced ? MNT_FORCE : 0);
  if (::umount2(where.c_str(), kernel) == 0) return 0;
  return complain("cannot unmount " + where, errno);
}

int run_swapon(std::string what, const std::string& options) {
  struct stat st {};
  if (const std::string tag = tag_of_link(what); !tag.empty() && ::lstat(what.c_str(), &st) < 0)
    what = tag;
  std::vector<std::string> arguments = {"swapon"};
  if (!options.empty()) arguments.insert(arguments.end(), {"-o", options});
  arguments.push_back(what);
  hand_over(kSwapon, std::move(arguments));
  int flags = 0;
  if (const auto value = mount_option(options, "pri")) {
    if (const auto priority = parse_uint<unsigned>(*value); priority && *priority <= 32767)
      flags |= SWAP_FLAG_PREFER | static_cast<int>(*priority << SWAP_FLAG_PRIO_SHIFT);
  }
  if (has_mount_option(options, "discard")) flags |= SWAP_FLAG_DISCARD;
  if (::swapon(what.c_str(), flags) == 0) return 0;
  return complain("cannot swap to " + what, errno);
}

int run_swapoff(const std::string& what) {
  hand_over(kSwapoff, {"swapoff", what});
  if (::swapoff(what.c_str()) == 0) return 0;
  return complain("cannot stop swapping to " + what, errno);
}

// ---- automounts -----------------------------------------------------------------

int end_autofs(const SysResult& done, const std::string& what) {
  return done ? 0 : complain(format("{}: {}", what, done.error().op), done.error().err);
}

int run_autofs_mount(const AutofsWish& wish) {
  if (!is_canonical(wish.where)) return complain(wish.where + " is reached by a link", ELOOP);
  if (const int err = make_directory(wish.where, wish.mode))
    return complain("cannot make the mount point " + wish.where, err);
  return end_autofs(make_autofs(wish, BorrowedFd(kPassed)), wish.where);
}

}  // namespace

MountFlags parse_mount_flags(std::string_view options) {
  MountFlags found;
  for (const std::string_view raw : split(options, ',')) {
    const std::string_view option = trim(raw);
    if (option.empty() || option.starts_with("x-") || option.starts_with("X-") ||
        option.starts_with("comment="))
      continue;
    if (const FlagWord* row = find_word(kFlagWords, option)) {
      found.flags = (found.flags & ~row->clear) | row->set;
    } else if (const FlagWord* propagation = find_word(kPropagations, option)) {
      found.propagation = propagation->set;
    } else {
      if (!found.data.empty()) found.data += ',';
      found.data += option;
    }
  }
  return found;
}

int run_mount_applet(const std::vector<std::string>& arguments) {
  const std::string_view verb = arguments.empty() ? std::string_view() : arguments.front();
  const std::size_t count = arguments.size();
  if ((verb == "mount" || verb == "remount") && count == 7) {
    Request request;
    request.mode = parse_uint<mode_t>(arguments[1], 8).value_or(0755);
    request.what = arguments[2];
    request.where = arguments[3];
    request.type = arguments[4];
    request.options = arguments[5];
    request.is_sloppy = arguments[6].find('s') != std::string::npos;
    request.is_read_write_only = arguments[6].find('w') != std::string::npos;
    request.is_remount = verb == "remount";
    return run_mount(std::move(request));
  }
  if (verb == "umount" && count == 3) return run_umount(arguments[1], arguments[2]);
  if (verb == "swapon" && count == 3) return run_swapon(arguments[1], arguments[2]);
  if (verb == "swapoff" && count == 2) return run_swapoff(arguments[1]);
  if (verb == "autofs-mount" && count == 5) {
    return run_autofs_mount({parse_uint<mode_t>(arguments[1], 8).value_or(0755), arguments[2],
                             arguments[3], parse_uint<std::uint64_t>(arguments[4]).value_or(0)});
  }
  if (verb == "autofs-expire" && count == 1)
    return end_autofs(expire_autofs(BorrowedFd(kPassed), BorrowedFd(kPassed + 1)), "autofs");
  if (verb == "autofs-unmount" && count == 2)
    return end_autofs(remove_autofs(arguments[1]), arguments[1]);
  constexpr std::string_view kText = "onset-mount: run by mount and swap units\n";
  (void)!::write(STDERR_FILENO, kText.data(), kText.size());
  return 1;
}

}  // namespace onset
