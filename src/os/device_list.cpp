#include "os/device_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/text.h"
#include "os/files.h"
#include "os/kernel.h"

namespace onset {
namespace {

/// udev's own entries are some kilobytes.
constexpr std::size_t kDataMax = std::size_t{1} << 20;
constexpr std::size_t kUeventMax = 65536;

bool is_there(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

/// "../../devices/pci0/sda" of a link in sysfs; empty: it is none of a device.
std::string syspath_of_link(RealFiles& files, const std::string& link) {
  auto target = files.read_link(link);
  if (!target) return {};
  std::string_view rest = *target;
  while (rest.starts_with("../")) rest.remove_prefix(3);
  if (!rest.starts_with("devices/") || !path_is_normalized(format("/{}", rest))) return {};
  return format("/sys/{}", rest);
}

/// The kernel writes the slashes of a node's name as "!".
std::string node_of_name(std::string_view name) {
  std::string node = format("/dev/{}", name);
  std::ranges::replace(node, '!', '/');
  return node;
}

std::string_view last_component(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// Those of one class, by `take`.
template <class Take>
void list_class(const DevicePlaces& places, std::string_view subsystem, Take take) {
  RealFiles files;
  const std::string folder = format("{}/class/{}", places.sys, subsystem);
  const auto items = files.list(folder);
  if (!items) return;
  for (const DirectoryItem& item : *items) {
    DeviceFacts facts;
    facts.subsystem = subsystem;
    if (subsystem == "net") {
      facts.interface = item.name;
    } else {
      facts.node = node_of_name(item.name);
    }
    if (!has_units_without_tags(facts)) continue;
    facts.syspath = syspath_of_link(files, format("{}/{}", folder, item.name));
    if (!facts.syspath.empty()) take(facts);
  }
}

template <class Take>
void list_classes(const DevicePlaces& places, Take take) {
  for (const std::string_view subsystem : {"block", "net", "tty"})
    list_class(places, subsystem, take);
}

/// A file of one word.
std::string word_of(const std::string& path) {
  const auto text = read_kernel_file(path.c_str(), kUeventMax);
  return text ? std::string(without_line_end(*text)) : std::string();
}

/// "b8:0", "c4:64", "n2", "+platform:pcspkr" → the syspath.
std::string syspath_of_id(const DevicePlaces& places, std::string_view id) {
  RealFiles files;
  const std::string_view rest = id.substr(std::min<std::size_t>(1, id.size()));
  if (rest.empty()) return {};
  if (id.front() == 'b' || id.front() == 'c') {
    if (!filename_is_valid(rest)) return {};
    const std::string_view kind = id.front() == 'b' ? "block" : "char";
    return syspath_of_link(files, format("{}/dev/{}/{}", places.sys, kind, rest));
  }
  if (id.front() == 'n') {
    const auto items = files.list(format("{}/class/net", places.sys));
    for (const DirectoryItem& item : items ? *items : std::vector<DirectoryItem>{}) {
      const std::string link = format("{}/class/net/{}", places.sys, item.name);
      if (word_of(link + "/ifindex") == rest) return syspath_of_link(files, link);
    }
    return {};
  }
  const std::size_t colon = rest.find(':');
  if (id.front() != '+' || colon == std::string_view::npos) return {};
  const std::string_view subsystem = rest.substr(0, colon);
  const std::string_view name = rest.substr(colon + 1);
  if (!filename_is_valid(subsystem) || !filename_is_valid(name)) return {};
  std::string found =
      syspath_of_link(files, format("{}/bus/{}/devices/{}", places.sys, subsystem, name));
  if (found.empty())
    found = syspath_of_link(files, format("{}/class/{}/{}", places.sys, subsystem, name));
  return found;
}

void read_uevent_of(const DevicePlaces& places, DeviceFacts& facts) {
  const auto uevent =
      read_kernel_file((in_places(places, facts.syspath) + "/uevent").c_str(), kUeventMax);
  if (uevent) read_sysfs_uevent(*uevent, facts);
}

/// False: udev has not looked at it yet.
bool read_udev_entry(const DevicePlaces& places, std::string_view id, DeviceFacts& facts) {
  const auto data = read_kernel_file(format("{}/data/{}", places.udev, id).c_str(), kDataMax);
  if (data) read_udev_data(*data, facts);
  return data.ok();
}

std::optional<KnownDevice> read_tagged_device(const DevicePlaces& places, std::string_view id) {
  DeviceFacts facts;
  if (!read_udev_entry(places, id, facts) || !udev_says_ready(facts)) return std::nullopt;
  facts.syspath = syspath_of_id(places, id);
  if (facts.syspath.empty()) return std::nullopt;
  read_uevent_of(places, facts);
  return udev_device(places, facts);
}

/// "b8:0", "c4:64", "n2": its entry's name.
std::string id_of(const DeviceFacts& facts) {
  if (facts.index) return format("n{}", *facts.index);
  if (!facts.number) return {};
  const std::string_view kind = facts.subsystem == "block" ? "b" : "c";
  return format("{}{}:{}", kind, facts.number->major, facts.number->minor);
}

bool has_systemds_rules(const DevicePlaces& places) {
  return std::ranges::any_of(places.rules, [](const std::string& folder) {
    return is_there(folder + "/99-systemd.rules");
  });
}

/// Where it is no link to another device.
bool leads_to(const DevicePlaces& places, const std::string& link, const DeviceFacts& facts) {
  if (!facts.number) return true;
  struct stat st {};
  const std::string path = in_places(places, link);
  if (fstatat(AT_FDCWD, path.c_str(), &st, AT_NO_AUTOMOUNT) < 0) return true;
  if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) return false;
  return major(st.st_rdev) == facts.number->major && minor(st.st_rdev) == facts.number->minor;
}

KnownDevice known(const DeviceFacts& facts, std::vector<std::string> units) {
  KnownDevice device;
  device.syspath = facts.syspath;
  device.units = std::move(units);
  device.description = device_description(facts, {});
  return device;
}

}  // namespace

std::string in_places(const DevicePlaces& places, std::string_view path) {
  if (path.starts_with("/sys/")) return format("{}{}", places.sys, path.substr(4));
  if (path.starts_with("/dev/")) return format("{}{}", places.dev, path.substr(4));
  return std::string(path);
}

bool udev_runs(const DevicePlaces& places) {
  return is_there(places.udev + "/control");
}

bool kernel_says_ready(const DevicePlaces& places, const DeviceFacts& facts) {
  if (facts.subsystem != "block") return true;
  const std::string_view name = last_component(facts.syspath);
  const std::string folder = in_places(places, facts.syspath);
  // A partition has none of these files, and is there with what it lies on.
  if (is_there(folder + "/partition")) return true;
  if (name.starts_with("loop")) return is_there(folder + "/loop/backing_file");
  if (name.starts_with("nbd")) return is_there(folder + "/pid");
  if (name.starts_with("md")) {
    const std::string state = word_of(folder + "/md/array_state");
    return state != "clear" && state != "inactive";
  }
  return !name.starts_with("dm-") || word_of(folder + "/dm/suspended") != "1";
}

KnownDevice kernel_device(const DevicePlaces& places, const DeviceFacts& facts) {
  std::vector<std::string> links;
  if (!facts.interface.empty()) links.push_back(interface_alias(facts.interface));
  if (last_component(facts.syspath).starts_with("dm-")) {
    const std::string name = word_of(in_places(places, facts.syspath) + "/dm/name");
    if (filename_is_valid(name)) links.push_back(format("/dev/mapper/{}", name));
  }
  KnownDevice device = known(facts, device_units(facts, links));
  device.is_kernels = true;
  device.loads = has_units_without_tags(facts);
  return device;
}

KnownDevice udev_device(const DevicePlaces& places, const DeviceFacts& facts) {
  std::vector<std::string> links;
  for (const std::string& link : facts.links) {
    if (leads_to(places, link, facts)) links.push_back(link);
  }
  // What systemd's rules would say.
  if (!facts.is_tagged && !facts.interface.empty())
    links.push_back(interface_alias(facts.interface));
  KnownDevice device = known(facts, device_units(facts, links));
  device.wants = wanted_units(facts);
  return device;
}

bool is_ready_with_udev(const DevicePlaces& places, const DeviceFacts& facts) {
  if (facts.is_tagged || facts.is_held_back) return udev_says_ready(facts);
  return has_units_without_tags(facts) && kernel_says_ready(places, facts) &&
         !has_systemds_rules(places);
}

std::vector<KnownDevice> list_kernel_devices(const DevicePlaces& places) {
  std::vector<KnownDevice> devices;
  list_classes(places, [&](const DeviceFacts& facts) {
    if (kernel_says_ready(places, facts)) devices.push_back(kernel_device(places, facts));
  });
  return devices;
}

std::vector<KnownDevice> list_udev_devices(const DevicePlaces& places) {
  std::vector<KnownDevice> devices;
  if (!has_systemds_rules(places)) {
    list_classes(places, [&](DeviceFacts& facts) {
      read_uevent_of(places, facts);
      if (read_udev_entry(places, id_of(facts), facts) && is_ready_with_udev(places, facts))
        devices.push_back(udev_device(places, facts));
    });
    return devices;
  }
  RealFiles files;
  const auto items = files.list(places.udev + "/tags/systemd");
  for (const DirectoryItem& item : items ? *items : std::vector<DirectoryItem>{}) {
    if (auto device = read_tagged_device(places, item.name)) devices.push_back(std::move(*device));
  }
  return devices;
}

}  // namespace onset
