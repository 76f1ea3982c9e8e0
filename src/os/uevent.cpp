#include "os/uevent.h"

#include <algorithm>
#include <cstring>

#include "base/format.h"
#include "base/text.h"
#include "unit/name.h"
#include "unit/values.h"

namespace onset {
namespace {

/// sysfs holds no path that is near it.
constexpr std::size_t kLongestValue = kPathMax;
/// Of a text in all: udev's own messages are some kilobytes.
constexpr std::size_t kMostNames = 256;

bool is_safe_path(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path_is_valid(path) &&
         path_is_normalized(path) && !path.ends_with('/');
}

void add_once(std::vector<std::string>& all, std::string text) {
  if (all.size() < kMostNames && std::ranges::find(all, text) == all.end())
    all.push_back(std::move(text));
}

void add_paths(std::vector<std::string>& all, std::string_view words, std::string_view folder) {
  for (const std::string_view word : split_whitespace(words)) {
    if (is_safe_path(word, folder)) add_once(all, std::string(word));
  }
}

/// ":systemd:seat:"
bool has_tag(std::string_view tags) {
  return std::ranges::any_of(split(tags, ':'), [](std::string_view t) { return t == "systemd"; });
}

void set_path(std::string& place, std::string_view value, std::string_view folder) {
  if (is_safe_path(value, folder)) place = value;
}

void set_number(DeviceFacts& facts, std::string_view key, std::string_view value) {
  const auto number = parse_uint<unsigned>(value);
  if (!number) return;
  if (!facts.number) facts.number.emplace();
  (key == "MAJOR" ? facts.number->major : facts.number->minor) = *number;
}

/// The kernel's is below /dev, udev's has it in front.
void set_node(DeviceFacts& facts, std::string_view value) {
  set_path(facts.node, value.starts_with('/') ? std::string(value) : format("/dev/{}", value),
           "/dev/");
}

void take_about_systemd(DeviceFacts& facts, std::string_view key, std::string_view value) {
  if (key == "SYSTEMD_READY") {
    facts.is_held_back |= !parse_bool(value).value_or(true);
  } else if (key == "SYSTEMD_ALIAS") {
    add_paths(facts.aliases, value, "/");
  } else if (key == "SYSTEMD_WANTS") {
    for (const std::string_view word : split_whitespace(value))
      add_once(facts.wants, std::string(word));
  } else if (key == "SYSTEMD_USER_WANTS") {
    facts.has_user_wants = !trim(value).empty();
  }
}

void take_property(DeviceFacts& facts, std::string_view key, std::string_view value) {
  if (value.size() > kLongestValue && key != "DEVLINKS") return;
  if (key.starts_with("SYSTEMD_")) {
    take_about_systemd(facts, key, value);
  } else if (key == "SUBSYSTEM") {
    if (filename_is_valid(value)) facts.subsystem = value;
  } else if (key == "DEVPATH") {
    set_path(facts.syspath, format("/sys{}", value), "/sys/");
  } else if (key == "DEVNAME") {
    set_node(facts, value);
  } else if (key == "DEVLINKS") {
    add_paths(facts.links, value, "/dev/");
  } else if (key == "INTERFACE") {
    if (filename_is_valid(value)) facts.interface = value;
  } else if (key == "IFINDEX") {
    facts.index = parse_uint<unsigned>(value);
  } else if (key == "MAJOR" || key == "MINOR") {
    set_number(facts, key, value);
  } else if (key == "TAGS") {
    if (!facts.has_current_tags) facts.is_tagged = has_tag(value);
  } else if (key == "CURRENT_TAGS") {
    facts.has_current_tags = true;
    facts.is_tagged = has_tag(value);
  } else if (key == "ID_RENAMING") {
    facts.is_held_back |= parse_bool(value).value_or(false);
  } else if (key == "UDEV_WORKER_FAILED") {
    facts.is_held_back |= parse_bool(value).value_or(true);
  } else if (key == "ID_MODEL_FROM_DATABASE" || (key == "ID_MODEL" && facts.model.empty())) {
    facts.model = c_escape(value);
  } else if (key == "ID_FS_LABEL" || (key == "ID_PART_ENTRY_NAME" && facts.label.empty())) {
    facts.label = c_escape(value);
  }
}

void take_line(DeviceFacts& facts, std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) return;
  take_property(facts, line.substr(0, equals), line.substr(equals + 1));
}

Uevent::Action action_of(std::string_view word) {
  if (word == "add") return Uevent::Action::Add;
  if (word == "remove") return Uevent::Action::Remove;
  if (word == "change") return Uevent::Action::Change;
  if (word == "move") return Uevent::Action::Move;
  return Uevent::Action::Other;
}

/// KEY=VALUE, each ended by NUL.
std::optional<Uevent> parse_properties(std::string_view text) {
  Uevent event;
  bool has_action = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;  // cut off
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.starts_with("ACTION=")) {
      has_action = true;
      event.action = action_of(line.substr(std::strlen("ACTION=")));
    } else if (line.starts_with("DEVPATH_OLD=")) {
      set_path(event.moved_from, format("/sys{}", line.substr(std::strlen("DEVPATH_OLD="))),
               "/sys/");
    } else {
      take_line(event.facts, line);
    }
  }
  if (!has_action || event.facts.syspath.empty() || event.facts.subsystem.empty())
    return std::nullopt;
  return event;
}

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char c : four) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

std::uint32_t native(std::string_view four) {
  std::uint32_t value = 0;
  std::memcpy(&value, four.data(), sizeof value);
  return value;
}

/// 3270/tty1 is none either.
bool is_terminal(std::string_view node) {
  const std::string_view name = node.substr(node.rfind('/') + 1);
  if (name.starts_with("hvc") || name.starts_with("xvc") || name.starts_with("hvsi")) return true;
  return name.starts_with("tty") && name.size() > 3 && is_alpha(name[3]);
}

}  // namespace

std::optional<Uevent> parse_kernel_uevent(std::string_view datagram) {
  const std::size_t end = datagram.find('\0');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string_view title = datagram.substr(0, end);
  const std::size_t at = title.find('@');
  if (at == std::string_view::npos || title.substr(at + 1, 1) != "/") return std::nullopt;
  return parse_properties(datagram.substr(end + 1));
}

// prefix[8], then numbers of four bytes: magic (of the network's order), the header's size, where
// the properties begin and how long they are; filters follow.
std::optional<Uevent> parse_udev_message(std::string_view datagram) {
  using namespace std::string_view_literals;
  constexpr std::string_view kPrefix = "libudev\0"sv;
  constexpr std::uint32_t kMagic = 0xfeedcafe;
  constexpr std::size_t kNumber = 4;
  constexpr std::size_t kHeader = 8 + 8 * kNumber;
  if (datagram.size() < kHeader || !datagram.starts_with(kPrefix)) return std::nullopt;
  if (big_endian(datagram.substr(kPrefix.size(), kNumber)) != kMagic) return std::nullopt;
  const std::size_t begin = native(datagram.substr(kPrefix.size() + 2 * kNumber, kNumber));
  const std::size_t length = native(datagram.substr(kPrefix.size() + 3 * kNumber, kNumber));
  if (begin < kHeader || begin > datagram.size() || length > datagram.size() - begin)
    return std::nullopt;
  return parse_properties(datagram.substr(begin, length));
}

void read_sysfs_uevent(std::string_view text, DeviceFacts& facts) {
  for (const std::string_view line : split(text, '\n')) take_line(facts, line);
}

void read_udev_data(std::string_view text, DeviceFacts& facts) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.size() < 3 || line[1] != ':') continue;
    const std::string_view value = line.substr(2);
    switch (line[0]) {
      case 'S':
        add_paths(facts.links, format("/dev/{}", value), "/dev/");
        break;
      case 'E':
        take_line(facts, value);
        break;
      case 'G':
        if (!facts.has_current_tags) facts.is_tagged |= value == "systemd";
        break;
      case 'Q':
        if (!facts.has_current_tags) facts.is_tagged = false;
        facts.has_current_tags = true;
        facts.is_tagged |= value == "systemd";
        break;
      default:
        break;  // I: since when, L: which link is whose, V: the version
    }
  }
}

bool udev_says_ready(const DeviceFacts& facts) {
  return facts.is_tagged && !facts.is_held_back;
}

bool has_units_without_tags(const DeviceFacts& facts) {
  if (facts.subsystem == "block" || facts.subsystem == "net") return true;
  return facts.subsystem == "tty" && is_terminal(facts.node);
}

std::string interface_alias(std::string_view interface) {
  return format("/sys/subsystem/net/devices/{}", interface);
}

std::vector<std::string> device_units(const DeviceFacts& facts,
                                      const std::vector<std::string>& links) {
  std::vector<std::string> units;
  const auto add = [&units](std::string_view path) {
    if (auto name = name_from_path(path, ".device")) add_once(units, std::move(*name));
  };
  add(facts.syspath);
  if (!facts.node.empty()) add(facts.node);
  for (const std::string& link : links) {
    if (!link.starts_with("/dev/block/") && !link.starts_with("/dev/char/")) add(link);
  }
  for (const std::string& alias : facts.aliases) add(alias);
  return units;
}

std::vector<std::string> wanted_units(const DeviceFacts& facts) {
  std::vector<std::string> units;
  for (const std::string& word : facts.wants) {
    auto name = mangle(word);
    if (name && is_template(*name)) {
      const auto instance = unit_escape_path(facts.syspath);
      name = instance ? instantiate(*name, *instance) : std::nullopt;
    }
    if (name) add_once(units, std::move(*name));
  }
  return units;
}

std::string device_description(const DeviceFacts& facts, std::string_view path) {
  if (facts.model.empty()) return std::string(path);
  return facts.label.empty() ? facts.model : format("{} {}", facts.model, facts.label);
}

}  // namespace onset
