#include "os/uevent.h"

#include <catch2/catch.hpp>

#include <cstring>

#include "os/device_table.h"

using namespace onset;

namespace {

/// KEY=VALUE, each ended by NUL.
std::string properties(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\0';
  return text;
}

std::string kernel_message(const std::vector<std::string>& lines) {
  return std::string("add@/devices/x") + '\0' + properties(lines);
}

void append(std::string& text, std::uint32_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  text.append(bytes, sizeof number);
}

struct Header {
  std::string magic{"\xfe\xed\xca\xfe", 4};
  std::uint32_t begin = 40;
  std::uint32_t length = 0;
};

std::string udev_message(const std::vector<std::string>& lines, Header header = {}) {
  const std::string text = properties(lines);
  std::string message("libudev\0", 8);
  message += header.magic;
  append(message, 40);
  append(message, header.begin);
  append(message, header.length != 0 ? header.length : static_cast<std::uint32_t>(text.size()));
  message.append(16, '\0');
  return message + text;
}

const std::vector<std::string> kDisk = {
    "ACTION=add",      "DEVPATH=/devices/pci0/virtio1/block/vda",
    "SUBSYSTEM=block", "DEVNAME=vda",
    "DEVTYPE=disk",    "MAJOR=254",
    "MINOR=0",         "SEQNUM=12"};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a message of the kernel is read", "[os][uevent]") {
  const auto event = parse_kernel_uevent(kernel_message(kDisk));
  REQUIRE(event);
  CHECK(event->action == Uevent::Action::Add);
  CHECK(event->facts.syspath == "/sys/devices/pci0/virtio1/block/vda");
  CHECK(event->facts.subsystem == "block");
  CHECK(event->facts.node == "/dev/vda");
  CHECK(event->facts.number == DeviceNumber{254, 0});
  CHECK_FALSE(udev_says_ready(event->facts));
}

TEST_CASE("what is no message of the kernel is none", "[os][uevent]") {
  CHECK_FALSE(parse_kernel_uevent(""));
  CHECK_FALSE(parse_kernel_uevent("add@/devices/x"));
  CHECK_FALSE(parse_kernel_uevent(properties(kDisk)));
  CHECK_FALSE(parse_kernel_uevent(udev_message(kDisk)));
  const std::string whole = kernel_message(kDisk);
  CHECK_FALSE(parse_kernel_uevent(whole.substr(0, whole.size() - 1)));
  CHECK_FALSE(parse_kernel_uevent(kernel_message({"ACTION=add", "DEVPATH=/devices/x"})));
  CHECK_FALSE(parse_kernel_uevent(kernel_message({"ACTION=add", "SUBSYSTEM=block"})));
  CHECK_FALSE(parse_kernel_uevent(kernel_message({"DEVPATH=/devices/x", "SUBSYSTEM=block"})));
  for (const char* path : {"/../etc", "/devices/../x", "devices/x", "", "/"}) {
    CAPTURE(path);
    CHECK_FALSE(parse_kernel_uevent(
        kernel_message({"ACTION=add", "SUBSYSTEM=block", std::string("DEVPATH=") + path})));
  }
}

TEST_CASE("a message of udev is read behind its header", "[os][uevent]") {
  auto lines = kDisk;
  lines[3] = "DEVNAME=/dev/vda";
  for (const char* line :
       {"DEVLINKS=/dev/disk/by-uuid/12-34 /dev/block/254:0 /dev/../etc/x /etc/y", "TAGS=:systemd:",
        "CURRENT_TAGS=:seat:systemd:", "SYSTEMD_WANTS=a.service b@.service /dev/z c\xdc@.service",
        "SYSTEMD_ALIAS=/dev/alias /sys/alias relative", "ID_MODEL=QEMU_DISK", "ID_FS_LABEL=data"})
    lines.emplace_back(line);
  const auto event = parse_udev_message(udev_message(lines));
  REQUIRE(event);
  const DeviceFacts& facts = event->facts;
  CHECK(udev_says_ready(facts));
  CHECK(facts.links == Names{"/dev/disk/by-uuid/12-34", "/dev/block/254:0"});
  CHECK(device_units(facts, facts.links) ==
        Names{"sys-devices-pci0-virtio1-block-vda.device", "dev-vda.device",
              "dev-disk-by\\x2duuid-12\\x2d34.device", "dev-alias.device", "sys-alias.device"});
  CHECK(wanted_units(facts) == Names{"a.service", "b@sys-devices-pci0-virtio1-block-vda.service",
                                     "dev-z.device",
                                     "c\\xdc@sys-devices-pci0-virtio1-block-vda.service"});
  CHECK(device_description(facts, "/dev/vda") == "QEMU_DISK data");
}

TEST_CASE("a header of udev's that lies is no message", "[os][uevent]") {
  CHECK(parse_udev_message(udev_message(kDisk)));
  CHECK_FALSE(parse_udev_message(""));
  CHECK_FALSE(parse_udev_message("libudev"));
  CHECK_FALSE(parse_udev_message(kernel_message(kDisk)));
  Header header;
  SECTION("another magic") {
    header.magic = "abcd";
  }
  SECTION("before its end") {
    header.begin = 8;
  }
  SECTION("behind its end") {
    header.begin = 100000;
  }
  SECTION("beyond all") {
    header.begin = UINT32_MAX;
  }
  SECTION("too long") {
    header.length = 100000;
  }
  SECTION("longest") {
    header.length = UINT32_MAX;
  }
  CHECK_FALSE(parse_udev_message(udev_message(kDisk, header)));
}

TEST_CASE("udev holds a device back, or has taken its tag away", "[os][uevent]") {
  const auto ready = [](std::vector<std::string> more) {
    auto lines = kDisk;
    lines.insert(lines.end(), more.begin(), more.end());
    const auto event = parse_udev_message(udev_message(lines));
    return event && udev_says_ready(event->facts);
  };
  CHECK(ready({"TAGS=:systemd:"}));
  CHECK(ready({"TAGS=:systemd:", "SYSTEMD_READY=1"}));
  CHECK_FALSE(ready({"TAGS=:seat:uaccess:"}));
  CHECK_FALSE(ready({"TAGS=:xsystemd:"}));
  CHECK_FALSE(ready({"TAGS=:systemd:", "SYSTEMD_READY=0"}));
  CHECK_FALSE(ready({"TAGS=:systemd:", "CURRENT_TAGS=:seat:"}));
  CHECK_FALSE(ready({"CURRENT_TAGS=:seat:", "TAGS=:systemd:"}));
  CHECK_FALSE(ready({"TAGS=:systemd:", "ID_RENAMING=1"}));
  CHECK_FALSE(ready({"TAGS=:systemd:", "UDEV_WORKER_FAILED=1"}));
}

TEST_CASE("an entry of udev's database is read", "[os][uevent]") {
  DeviceFacts facts;
  facts.syspath = "/sys/devices/x";
  read_udev_data(
      "S:disk/by-uuid/1\nS:../etc\nL:0\nI:99\nE:SYSTEMD_WANTS=a.service\nE:ID_X=y\n"
      "G:systemd\nG:seat\nQ:systemd\nV:1\n\nx\nE:\n",
      facts);
  CHECK(udev_says_ready(facts));
  CHECK(facts.links == Names{"/dev/disk/by-uuid/1"});
  CHECK(facts.wants == Names{"a.service"});
  DeviceFacts other;
  read_udev_data("G:systemd\nQ:seat\n", other);
  CHECK_FALSE(udev_says_ready(other));
  DeviceFacts old;
  read_udev_data("G:systemd\n", old);
  CHECK(udev_says_ready(old));
}

TEST_CASE("without udev disks, interfaces and real terminals have units", "[os][uevent]") {
  const auto has = [](std::string subsystem, std::string node) {
    DeviceFacts facts;
    facts.subsystem = std::move(subsystem);
    facts.node = std::move(node);
    return has_units_without_tags(facts);
  };
  CHECK(has("block", "/dev/vda"));
  CHECK(has("net", ""));
  for (const char* node : {"/dev/ttyS0", "/dev/ttyUSB3", "/dev/hvc0", "/dev/ttyprintk"})
    CHECK(has("tty", node));
  for (const char* node : {"/dev/tty", "/dev/tty1", "/dev/tty63", "/dev/console", "/dev/ptmx"})
    CHECK_FALSE(has("tty", node));
  CHECK_FALSE(has("misc", "/dev/fuse"));
}

TEST_CASE("a name that changes its device stays, what is left is gone", "[os][device]") {
  DeviceTable table;
  const auto device = [](std::string path, Names units) {
    KnownDevice d;
    d.syspath = std::move(path);
    d.units = std::move(units);
    return d;
  };
  const auto told = [&table] {
    Names names;
    for (const DeviceNews& n : table.news()) names.push_back((n.is_there ? "+" : "-") + n.unit);
    table.forget_news();
    return names;
  };
  table.plug(device("/sys/a", {"sys-a.device", "dev-a.device", "dev-link.device"}));
  CHECK(told() == Names{"+sys-a.device", "+dev-a.device", "+dev-link.device"});
  table.plug(device("/sys/a", {"sys-a.device", "dev-a.device", "dev-link.device"}));
  CHECK(told().empty());
  table.plug(device("/sys/b", {"sys-b.device", "dev-link.device"}));
  CHECK(told() == Names{"+sys-b.device"});
  CHECK(table.find("dev-link.device")->syspath == "/sys/b");
  table.unplug("/sys/a");
  CHECK(told() == Names{"-sys-a.device", "-dev-a.device"});
  table.move("/sys/b", device("/sys/c", {"sys-c.device", "dev-link.device"}));
  CHECK(told() == Names{"+sys-c.device", "-sys-b.device"});
  table.replace({device("/sys/d", {"sys-d.device"})}, [](const KnownDevice&) { return false; });
  CHECK(told() == Names{"+sys-d.device", "-sys-c.device", "-dev-link.device"});
  table.use({"dev-m.device", "dev-n.device"});
  table.use({"dev-n.device"});
  CHECK(told() == Names{"+dev-m.device", "+dev-n.device", "-dev-m.device"});
  CHECK(table.is_used("dev-n.device"));
  CHECK_FALSE(table.is_used("dev-m.device"));
}
