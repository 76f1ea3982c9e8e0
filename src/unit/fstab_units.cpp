#include "unit/fstab_units.h"

#include <set>

#include "base/format.h"
#include "base/text.h"
#include "unit/device_tag.h"
#include "unit/fstab.h"
#include "unit/mount_config.h"
#include "unit/name.h"
#include "unit/values.h"
#include "unit/words.h"

namespace onset {
namespace {

constexpr std::string_view kSysroot = "/sysroot";
constexpr std::string_view kAnyType = "auto";

/// In a unit file "%" begins a specifier.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%') out += '%';
    out += c;
  }
  return out;
}

/// An argument of a command line in a unit file, where "$" begins a variable too.
std::string argument(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return plain(quote_word(out));
}

/// Of two words that contradict each other the last one counts.
bool last_says(std::string_view options, std::string_view yes, std::string_view no) {
  bool is = false;
  for (const std::string_view option : split(options, ',')) {
    if (trim(option) == yes) is = true;
    if (trim(option) == no) is = false;
  }
  return is;
}

/// Of an option that may be there more than once.
std::vector<std::string> all_values(std::string_view options, std::string_view name) {
  std::vector<std::string> values;
  for (const std::string_view raw : split(options, ',')) {
    const std::string_view option = trim(raw);
    if (option.size() > name.size() && option.starts_with(name) && option[name.size()] == '=')
      values.emplace_back(option.substr(name.size() + 1));
  }
  return values;
}

std::string without_option(std::string_view options, std::string_view name) {
  std::string rest;
  for (const std::string_view option : split(options, ',')) {
    if (trim(option).empty() || has_mount_option(option, name)) continue;
    if (!rest.empty()) rest += ',';
    rest += option;
  }
  return rest;
}

bool is_device(std::string_view what) {
  return what.starts_with("/dev/");
}

/// What an entry says, as far as it is about units.
struct Entry {
  unsigned line = 0;
  MountConfig mount;  ///< of swap what and options alone
  int pass = 0;
  bool is_automatic = true;
  bool may_fail = false;
  bool is_automount = false;
};

Entry entry_of(const FstabEntry& from) {
  Entry entry;
  entry.line = from.line;
  entry.pass = from.pass;
  entry.mount.what = device_of_tag(from.what);
  entry.mount.where = from.where;
  entry.mount.type = from.type;
  std::string& options = entry.mount.options;
  options = from.options;
  // nfs(5): mount(8) would go on in the background, which is a unit's own way.
  const bool is_nfs = from.type == "nfs" || from.type == "nfs4";
  if (is_nfs && last_says(options, "bg", "fg"))
    options = format("x-systemd.mount-timeout=infinity,retry=10000,nofail,{},fg", options);
  entry.is_automatic = !last_says(options, "noauto", "auto");
  entry.may_fail = may_fail(entry.mount);
  entry.is_automount = has_mount_option(options, "x-systemd.automount") ||
                       mount_option(options, "comment") == "systemd.automount";
  return entry;
}

class FstabWriter {
 public:
  FstabWriter(const FstabFacts& facts, Diagnostics& diagnostics)
      : facts_(facts), diagnostics_(diagnostics) {}

  std::vector<GeneratedFile> take() {
    for (const FstabEntry& entry : parse_fstab(facts_.text, facts_.file, diagnostics_)) add(entry);
    return std::move(files_);
  }

 private:
  // ---- what is written ----------------------------------------------------------

  void complain(const Entry& entry, std::string why) {
    diagnostics_.push_back(
        {Severity::Warning, std::string(facts_.file), entry.line, std::move(why)});
  }

  /// False: it is there already.
  bool write(std::string path, std::string text) {
    if (!written_.insert(path).second) return false;
    files_.push_back({false, std::move(path), {}, std::move(text)});
    return true;
  }

  void link(std::string_view by, bool requires_it, std::string_view unit) {
    std::string path = format("{}.{}/{}", by, requires_it ? "requires" : "wants", unit);
    if (!written_.insert(path).second) return;
    files_.push_back({false, std::move(path), format("../{}", unit), {}});
  }

  [[nodiscard]] std::string head() const {
    return format(
        "# Automatically generated from {0}\n\n[Unit]\n"
        "Documentation=man:fstab(5) man:systemd-fstab-generator(8)\nSourcePath={0}\n",
        facts_.file);
  }

  // ---- lines --------------------------------------------------------------------

  std::string dependencies(const Entry& entry);
  std::string check(const Entry& entry);
  std::string timeout(const Entry& entry);
  void add_device(const Entry& entry);
  bool add_makefs(const Entry& entry, std::string_view unit, std::string_view type);
  void add_growfs(const Entry& entry, std::string_view unit);

  // ---- entries ------------------------------------------------------------------

  void add(const FstabEntry& line);
  void add_root(const Entry& entry);
  void add_mount(Entry entry);
  void add_automount(const Entry& entry, std::string_view target);
  void start_mount(const Entry& entry, const std::string& unit, std::string_view target);
  void add_swap(const Entry& entry);

  const FstabFacts& facts_;
  Diagnostics& diagnostics_;
  std::vector<GeneratedFile> files_;
  std::set<std::string> written_;
};

/// x-systemd.requires= and its kin: a unit's name, or the path of a device or a mount.
std::string FstabWriter::dependencies(const Entry& entry) {
  struct Row {
    std::string_view option;
    bool requires_it;
    std::string_view order;
  };
  static constexpr Row kRows[] = {{"x-systemd.requires", true, "After"},
                                  {"x-systemd.after", false, "After"},
                                  {"x-systemd.before", false, "Before"}};
  std::string text;
  for (const Row& row : kRows) {
    for (const std::string& value : all_values(entry.mount.options, row.option)) {
      const auto unit = mangle(value, ".mount");
      if (!unit) {
        complain(entry, format("{}={} names no unit, ignored", row.option, c_escape(value)));
        continue;
      }
      if (row.requires_it) text += format("Requires={}\n", *unit);
      text += format("{}={}\n", row.order, *unit);
    }
  }
  constexpr std::string_view kMounts = "x-systemd.requires-mounts-for";
  for (const std::string& path : all_values(entry.mount.options, kMounts)) {
    if (path_is_absolute(path) && path_is_normalized(path)) {
      text += format("RequiresMountsFor={}\n", plain(quote_word(path)));
    } else {
      complain(entry, format("{}={} is no absolute path, ignored", kMounts, c_escape(path)));
    }
  }
  return text;
}

/// systemd-fsck@.service(8), before it is mounted.
std::string FstabWriter::check(const Entry& entry) {
  const MountConfig& mount = entry.mount;
  if (entry.pass == 0) return {};
  if (!is_device(mount.what)) {
    complain(entry, format("{} is not checked: it is no device", c_escape(mount.what)));
    return {};
  }
  const auto escaped = unit_escape_path(mount.what);
  if (!escaped) return {};
  if (mount.type != kAnyType && !facts_.has_fsck(mount.type)) {
    complain(entry, format("{} is not checked: there is no fsck.{}", c_escape(mount.what),
                           c_escape(mount.type)));
    return {};
  }
  const std::string unit = format("systemd-fsck@{}.service", *escaped);
  // /usr may be mounted already, and a system without it has nothing to run.
  return format("{}={}\nAfter={}\n", mount.where == "/usr" ? "Wants" : "Requires", unit, unit);
}

std::string FstabWriter::timeout(const Entry& entry) {
  const auto value = mount_option(entry.mount.options, "x-systemd.mount-timeout");
  if (!value) return {};
  const auto span = parse_span_zero_is_infinity(*value);
  if (span) return format("TimeoutSec={}\n", format_span(*span));
  complain(entry, format("x-systemd.mount-timeout={} is no time span, ignored", c_escape(*value)));
  return {};
}

/// How long its device is waited for, and what for besides.
void FstabWriter::add_device(const Entry& entry) {
  constexpr std::string_view kTimeout = "x-systemd.device-timeout";
  const MountConfig& mount = entry.mount;
  const auto value = mount_option(mount.options, kTimeout);
  const auto device = is_device(mount.what) ? name_from_path(mount.what, ".device") : std::nullopt;
  if (value && !device) {
    complain(entry, format("{} is ignored, {} is no device", kTimeout, c_escape(mount.what)));
  } else if (value && !parse_span(*value)) {
    complain(entry, format("{}={} is no time span, ignored", kTimeout, c_escape(*value)));
  } else if (value) {
    write(format("{}.d/50-device-timeout.conf", *device),
          format("[Unit]\nJobRunningTimeoutSec={}\n", *value));
  }
  const bool is_of_the_network = has_mount_option(mount.options, "_netdev") &&
                                 mount.type != "swap" && !stays_mounted(mount.where);
  if (device && is_of_the_network) {
    write(format("{}.d/50-netdev-dependencies.conf", *device),
          "[Unit]\nAfter=network-online.target network.target\nWants=network-online.target\n");
  }
}

/// x-systemd.makefs: systemd-makefs@.service(8), systemd-mkswap@.service(8). False: it can't be.
bool FstabWriter::add_makefs(const Entry& entry, std::string_view unit, std::string_view type) {
  if (!has_mount_option(entry.mount.options, "x-systemd.makefs")) return true;
  const std::string& what = entry.mount.what;
  const auto escaped = is_device(what) ? unit_escape_path(what) : std::nullopt;
  if (!escaped) {
    complain(entry, format("{} is no device to make a file system on", c_escape(what)));
    return false;
  }
  const bool is_swap = type == "swap";
  const std::string maker =
      format("systemd-{}@{}.service", is_swap ? "mkswap" : "makefs", *escaped);
  write(maker,
        head() + format("Description=Make {} on %f\nDefaultDependencies=no\n"
                        "Conflicts=shutdown.target\nAfter=%i.device\n"
                        "Before=shutdown.target {}{}\n\n"
                        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                        "ExecStart=@/proc/1/exe onset machine makefs {} {}\nTimeoutSec=0\n",
                        is_swap ? "Swap" : "File System", is_swap ? "" : "systemd-fsck@%i.service ",
                        plain(unit), argument(type), argument(what)));
  link(unit, true, maker);
  return true;
}

/// x-systemd.growfs: systemd-growfs@.service(8).
void FstabWriter::add_growfs(const Entry& entry, std::string_view unit) {
  const std::string& where = entry.mount.where;
  const auto escaped = unit_escape_path(where);
  if (!has_mount_option(entry.mount.options, "x-systemd.growfs") || !escaped) return;
  const bool is_root = where == "/";
  const std::string grower = format("systemd-growfs@{}.service", *escaped);
  // The root's is there already, but read-only until it is remounted.
  write(grower,
        head() + format("Description=Grow File System on %f\nDefaultDependencies=no\n{}"
                        "Conflicts=shutdown.target\nBefore=shutdown.target local-fs.target\n\n"
                        "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                        "ExecStart=@/proc/1/exe onset machine growfs {}\nTimeoutSec=0\n",
                        is_root ? "After=systemd-remount-fs.service\n"
                                : "BindsTo=%i.mount\nAfter=%i.mount\n",
                        argument(where)));
  link(is_root ? "local-fs.target" : unit, false, grower);
}

void FstabWriter::add(const FstabEntry& line) {
  Entry entry = entry_of(line);
  if (facts_.is_of_sysroot && !is_for_initrd(line)) return;
  if (line.type == "swap") {
    if (facts_.use_swap) add_swap(entry);
    return;
  }
  if (line.type == "autofs") return;  // its own daemon's
  if (!path_is_absolute(line.where) || !path_is_normalized(line.where)) {
    complain(entry, format("\"{}\" is no mount point, ignored", c_escape(line.where)));
    return;
  }
  std::string& where = entry.mount.where;
  if (where == "/") return add_root(entry);
  if (facts_.is_of_sysroot) where = format("{}{}", kSysroot, where);
  where = facts_.resolve(where);
  if (!is_api_mount_point(where) && where != "/") add_mount(std::move(entry));
}

void FstabWriter::add_root(const Entry& entry) {
  add_device(entry);
  add_growfs(entry, {});
}

void FstabWriter::add_mount(Entry entry) {
  MountConfig& mount = entry.mount;
  const auto name = name_from_path(mount.where, ".mount");
  if (!name) return complain(entry, "the mount point is too long for the name of a unit, ignored");
  const std::string_view target = facts_.is_of_sysroot      ? "initrd-fs.target"
                                  : is_network_mount(mount) ? "remote-fs.target"
                                                            : "local-fs.target";
  std::string text = head() + dependencies(entry);
  if (!entry.may_fail) text += format("Before={}\n", target);
  text += check(entry);
  text += format("\n[Mount]\nWhat={}\nWhere={}\n", plain(mount.what), plain(mount.where));
  if (mount.type != kAnyType) text += format("Type={}\n", plain(mount.type));
  text += timeout(entry);
  if (has_mount_option(mount.options, "x-systemd.rw-only")) text += "ReadWriteOnly=yes\n";
  const std::string options = without_option(mount.options, "x-systemd.device-timeout");
  if (!options.empty() && options != "defaults") text += format("Options={}\n", plain(options));
  if (!write(*name, std::move(text)))
    return complain(entry, format("{} has another entry already, ignored", c_escape(mount.where)));
  add_device(entry);
  if (!add_makefs(entry, *name, mount.type)) return;
  add_growfs(entry, *name);
  start_mount(entry, *name, target);
}

/// x-systemd.wanted-by= and x-systemd.required-by= stand in for the target.
void FstabWriter::start_mount(const Entry& entry, const std::string& unit,
                              std::string_view target) {
  if (entry.is_automount) return add_automount(entry, target);
  bool is_named = false;
  for (const bool requires_it : {false, true}) {
    const std::string_view option = requires_it ? "x-systemd.required-by" : "x-systemd.wanted-by";
    for (const std::string& value : all_values(entry.mount.options, option)) {
      is_named = true;
      if (const auto by = mangle(value, ".mount")) {
        link(*by, requires_it, unit);
      } else {
        complain(entry, format("{}={} names no unit, ignored", option, c_escape(value)));
      }
    }
  }
  if (!is_named && entry.is_automatic) link(target, !entry.may_fail, unit);
}

/// It is started in the mount's place, whatever "noauto" says.
void FstabWriter::add_automount(const Entry& entry, std::string_view target) {
  const MountConfig& mount = entry.mount;
  const auto name = name_from_path(mount.where, ".automount");
  if (!name) return complain(entry, "the mount point is too long for the name of a unit, ignored");
  std::string text = head() + format("\n[Automount]\nWhere={}\n", plain(mount.where));
  if (const auto idle = mount_option(mount.options, "x-systemd.idle-timeout")) {
    if (const auto span = parse_span(*idle)) {
      text += format("TimeoutIdleSec={}\n", format_span(*span));
    } else {
      complain(entry,
               format("x-systemd.idle-timeout={} is no time span, ignored", c_escape(*idle)));
    }
  }
  write(*name, std::move(text));
  link(target, !entry.may_fail, *name);
}

void FstabWriter::add_swap(const Entry& entry) {
  const std::string& what = entry.mount.what;
  const std::string& options = entry.mount.options;
  const auto name = path_is_absolute(what) ? name_from_path(what, ".swap") : std::nullopt;
  if (!name) return complain(entry, format("\"{}\" is no swap, ignored", c_escape(what)));
  std::string text = head() + format("\n[Swap]\nWhat={}\n", plain(what));
  if (!options.empty() && options != "defaults") text += format("Options={}\n", plain(options));
  if (!write(*name, std::move(text)))
    return complain(entry, format("{} has another entry already, ignored", c_escape(what)));
  add_device(entry);
  if (!add_makefs(entry, *name, "swap")) return;
  if (entry.is_automatic) link("swap.target", !entry.may_fail, *name);
}

}  // namespace

std::vector<GeneratedFile> fstab_units(const FstabFacts& facts, Diagnostics& diagnostics) {
  return FstabWriter(facts, diagnostics).take();
}

}  // namespace onset
