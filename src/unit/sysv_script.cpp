#include "unit/sysv_script.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"

namespace onset {
namespace {

constexpr std::array<SysvRunlevel, 5> kRunlevels{{{"rc1.d", "rescue.target"},
                                                  {"rc2.d", "multi-user.target"},
                                                  {"rc3.d", "multi-user.target"},
                                                  {"rc4.d", "multi-user.target"},
                                                  {"rc5.d", "graphical.target"}}};

struct Facility {
  std::string_view name;
  std::string_view target;  ///< empty: always there
};
constexpr std::array<Facility, 7> kFacilities{{{"local_fs", ""},
                                               {"network", "network-online.target"},
                                               {"named", "nss-lookup.target"},
                                               {"portmap", "rpcbind.target"},
                                               {"remote_fs", "remote-fs.target"},
                                               {"syslog", ""},
                                               {"time", "time-sync.target"}}};

constexpr std::array<std::string_view, 12> kLeftBehind{
    "~",        ".bak",      ".old",      ".orig",     ".rpmnew",    ".rpmorig",
    ".rpmsave", ".dpkg-bak", ".dpkg-new", ".dpkg-old", ".dpkg-dist", ".swp"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool starts_ignoring_case(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && equals_ignoring_case(text.substr(0, part.size()), part);
}

std::string_view without_sh(std::string_view name) {
  return name.ends_with(".sh") ? name.substr(0, name.size() - 3) : name;
}

std::string_view file_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// Invalid characters are escaped, as systemctl does with what it is given.
std::optional<std::string> service_of(std::string_view name) {
  std::string unit = format("{}.service", name);
  if (!unit_name_is_valid(unit)) unit = format("{}.service", unit_escape(name));
  if (!unit_name_is_valid(unit) || is_template(unit)) return std::nullopt;
  return unit;
}

/// The unit behind a word of Required-Start: and its kin; none: nothing to wait for.
std::optional<std::string> unit_of_facility(const SysvScript& script, std::string_view word) {
  const bool is_virtual = word.starts_with('$');
  const std::string_view name = is_virtual ? word.substr(1) : word;
  for (const Facility& facility : kFacilities) {
    if (facility.name != name) continue;
    if (facility.target.empty()) return std::nullopt;
    return std::string(facility.target);
  }
  if (is_virtual) {
    std::string target = format("{}.target", name);
    if (!unit_name_is_valid(target)) return std::nullopt;
    return target;
  }
  if (name == without_sh(file_of(script.path))) return std::nullopt;
  return service_of(without_sh(name));
}

/// Appends unless it is there: several runlevels have the same target.
void add(std::vector<std::string>& list, std::string_view unit) {
  if (std::ranges::find(list, unit) == list.end()) list.emplace_back(unit);
}

/// What a script provides: services are its aliases, a target is pulled in by it.
void provide(SysvScript& script, std::string_view words) {
  for (const std::string_view word : split_whitespace(words)) {
    const auto unit = unit_of_facility(script, word);
    if (!unit) continue;
    if (unit->ends_with(".service")) {
      add(script.aliases, *unit);
    } else {
      add(script.before, *unit);
      add(script.wants, *unit);
      // Who is the network makes it usable as well as online.
      if (*unit == "network-online.target") {
        add(script.before, "network.target");
        add(script.wants, "network.target");
      }
    }
  }
}

void depend(SysvScript& script, std::vector<std::string>& list, std::string_view words) {
  for (const std::string_view word : split_whitespace(words)) {
    const auto unit = unit_of_facility(script, word);
    if (!unit) continue;
    add(list, *unit);
    // Nothing else would bring it about.
    if (*unit == "network-online.target") add(script.wants, *unit);
  }
}

/// The heuristic: a line that tells the usage, with "reload" among the words.
bool usage_has_reload(std::string_view line) {
  constexpr std::array<std::string_view, 6> kForms{"{reload|", "{reload}", "{reload\"",
                                                   "|reload|", "|reload}", "|reload\""};
  return std::ranges::any_of(kForms,
                             [&](std::string_view f) { return contains_ignoring_case(line, f); });
}

class Reader {
 public:
  explicit Reader(SysvScript& script) : script_(script) {}

  void take(std::string_view line) {
    const std::string_view text = trim(line);
    if (!text.starts_with('#')) return take_code(text);
    if (state_ == State::Normal && text == "### BEGIN INIT INFO") {
      state_ = State::Lsb;
      script_.has_lsb = true;
      return;
    }
    const bool in_lsb = state_ == State::Lsb || state_ == State::LsbDescription;
    if (in_lsb && text == "### END INIT INFO") {
      state_ = State::Normal;
      return;
    }
    const std::string_view comment = trim(text.substr(1));
    switch (state_) {
      case State::Normal:
        return take_chkconfig(comment);
      case State::Description:
        return continue_description(comment);
      case State::Lsb:
      case State::LsbDescription:
        return take_lsb(line, comment);
      case State::Usage:
        return;
    }
  }

  void finish() {
    const std::string_view kind = script_.has_lsb ? "LSB" : "SYSV";
    for (const std::string* text : {&short_, &chkconfig_, &long_}) {
      if (text->empty()) continue;
      script_.description = format("{}: {}", kind, *text);
      return;
    }
  }

 private:
  enum class State : std::uint8_t { Normal, Description, Lsb, LsbDescription, Usage };

  void take_code(std::string_view text) {
    const bool is_usage = state_ == State::Usage ||
                          (state_ == State::Normal && contains_ignoring_case(text, "usage"));
    if (!is_usage) return;
    if (usage_has_reload(text)) script_.can_reload = true;
    state_ = !usage_has_reload(text) && text.ends_with('\\') ? State::Usage : State::Normal;
  }

  /// Red Hat's: only a description and a PID file say something here.
  void take_chkconfig(std::string_view comment) {
    constexpr std::string_view kDescription = "description:";
    constexpr std::string_view kPidFile = "pidfile:";
    if (starts_ignoring_case(comment, kDescription)) {
      comment.remove_prefix(kDescription.size());
      chkconfig_.clear();
      state_ = State::Description;
      continue_description(comment);
    } else if (starts_ignoring_case(comment, kPidFile)) {
      const std::string_view path = trim(comment.substr(kPidFile.size()));
      if (path_is_absolute(path)) script_.pid_file = path;
    }
  }

  void continue_description(std::string_view comment) {
    const bool goes_on = comment.ends_with('\\');
    if (goes_on) comment.remove_suffix(1);
    append(chkconfig_, trim(comment));
    if (!goes_on) state_ = State::Normal;
  }

  void take_lsb(std::string_view line, std::string_view comment) {
    const auto value = [&](std::string_view key) -> std::optional<std::string_view> {
      if (!starts_ignoring_case(comment, key)) return std::nullopt;
      return trim(comment.substr(key.size()));
    };
    const bool continues = state_ == State::LsbDescription;
    state_ = State::Lsb;
    if (const auto v = value("Provides:")) return provide(script_, *v);
    for (const std::string_view key : {"Required-Start:", "Should-Start:", "X-Start-After:"}) {
      if (const auto v = value(key)) return depend(script_, script_.after, *v);
    }
    if (const auto v = value("X-Start-Before:")) return depend(script_, script_.before, *v);
    if (const auto v = value("Short-Description:")) {
      short_ = *v;
    } else if (const auto text = value("Description:")) {
      long_ = *text;
      state_ = State::LsbDescription;
    } else if (continues && (line.starts_with("#\t") || line.starts_with("#  "))) {
      append(long_, comment);
      state_ = State::LsbDescription;
    }
  }

  static void append(std::string& text, std::string_view more) {
    if (more.empty()) return;
    if (!text.empty()) text += ' ';
    text += more;
  }

  SysvScript& script_;
  State state_ = State::Normal;
  std::string short_;
  std::string chkconfig_;
  std::string long_;
};

std::string escape_specifiers(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%') escaped += '%';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::optional<std::string> sysv_unit_name(std::string_view file) {
  const bool is_left_behind =
      file.empty() || file.starts_with('.') ||
      std::ranges::any_of(kLeftBehind, [&](std::string_view end) { return file.ends_with(end); });
  if (is_left_behind) return std::nullopt;
  return service_of(without_sh(file));
}

void read_sysv_script(SysvScript& script, std::string_view text) {
  Reader reader(script);
  for (const std::string_view line : split(text, '\n')) reader.take(line);
  reader.finish();
}

std::span<const SysvRunlevel> sysv_runlevels() noexcept {
  return kRunlevels;
}

std::optional<SysvLink> read_sysv_link(std::string_view file) {
  if (file.size() < 4 || file[0] != 'S' || !is_digit(file[1]) || !is_digit(file[2])) {
    return std::nullopt;
  }
  auto name = sysv_unit_name(file.substr(3));
  if (!name) return std::nullopt;
  return SysvLink{(file[1] - '0') * 10 + (file[2] - '0'), std::move(*name)};
}

void add_to_runlevel(SysvScript& script, int priority, std::string_view target) {
  script.priority = std::max(script.priority, priority);
  add(script.before, target);
  add(script.wanted_by, target);
}

void order_sysv_scripts(std::vector<SysvScript>& scripts) {
  for (SysvScript& script : scripts) {
    if (script.priority < 0) continue;
    for (const SysvScript& other : scripts) {
      if (&other == &script || other.priority < 0 || (script.has_lsb && other.has_lsb)) continue;
      if (other.priority < script.priority) add(script.after, other.name);
      if (other.priority > script.priority) add(script.before, other.name);
    }
  }
}

std::string sysv_unit_text(const SysvScript& script) {
  const std::string path = escape_specifiers(script.path);
  std::string text =
      "# Generated from an init script.\n\n[Unit]\n"
      "Documentation=man:systemd-sysv-generator(8)\n";
  text += format("SourcePath={}\n", path);
  if (!script.description.empty()) {
    text += format("Description={}\n", escape_specifiers(script.description));
  }
  for (const std::string& unit : script.before) text += format("Before={}\n", unit);
  for (const std::string& unit : script.after) text += format("After={}\n", unit);
  for (const std::string& unit : script.wants) text += format("Wants={}\n", unit);
  text +=
      "\n[Service]\nType=forking\nRestart=no\nTimeoutSec=5min\nIgnoreSIGPIPE=no\n"
      "KillMode=process\nGuessMainPID=no\n";
  // Without a file that tells of it, what the script has started can't be watched.
  text += format("RemainAfterExit={}\n", script.pid_file.empty() ? "yes" : "no");
  if (!script.pid_file.empty()) text += format("PIDFile={}\n", escape_specifiers(script.pid_file));
  // LSB's "not installed" and "not configured".
  if (script.has_lsb) text += "SuccessExitStatus=5 6\n";
  text += format("ExecStart={} start\nExecStop={} stop\n", path, path);
  if (script.can_reload) text += format("ExecReload={} reload\n", path);
  return text;
}

}  // namespace onset
