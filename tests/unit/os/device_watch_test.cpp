// Devices of a tree of sysfs that a test has made, and messages as they come from the socket.
#include "os/device_watch.h"

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace onset;
namespace fs = std::filesystem;

namespace {

constexpr unsigned kKernel = 1;
constexpr unsigned kUdev = 2;

class Tree {
 public:
  Tree() {
    char name[] = "/tmp/onset-devices-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
    for (const char* folder : {"sys/class/block", "sys/class/net", "sys/class/tty", "sys/dev/block",
                               "sys/dev/char", "dev", "run/data", "run/tags/systemd"})
      fs::create_directories(root_ / folder);
  }
  ~Tree() { fs::remove_all(root_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  [[nodiscard]] DevicePlaces places() const {
    return {root_ / "sys", root_ / "dev", root_ / "run", {root_ / "rules"}};
  }
  void write(const std::string& path, std::string_view text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  /// A device of a class, at devices/PLACE.
  void add(const std::string& subsystem, const std::string& place, std::string_view uevent = "") {
    write("sys/devices/" + place + "/uevent", uevent);
    const std::string name = fs::path(place).filename();
    fs::create_symlink("../../devices/" + place, root_ / "sys/class" / subsystem / name);
  }
  void number(const std::string& number, const std::string& place) {
    fs::create_symlink("../../devices/" + place, root_ / "sys/dev" / number);
  }
  void udev_starts() { write("run/control", ""); }
  void has_systemds_rules() { write("rules/99-systemd.rules", ""); }
  void udev_knows(const std::string& id, std::string_view data) {
    write("run/data/" + id, data);
    write("run/tags/systemd/" + id, "");
  }
  void remove(const std::string& path) { fs::remove_all(root_ / path); }

 private:
  fs::path root_;
};

std::string properties(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\0';
  return text;
}

std::string kernel(const std::string& action, const std::string& place,
                   const std::string& subsystem, const std::vector<std::string>& more) {
  std::vector<std::string> lines{"ACTION=" + action, "DEVPATH=/devices/" + place,
                                 "SUBSYSTEM=" + subsystem};
  lines.insert(lines.end(), more.begin(), more.end());
  return action + "@/devices/" + place + '\0' + properties(lines);
}

std::string udev(const std::string& action, const std::string& place,
                 const std::vector<std::string>& more) {
  std::vector<std::string> lines{"ACTION=" + action, "DEVPATH=/devices/" + place,
                                 "SUBSYSTEM=block"};
  lines.insert(lines.end(), more.begin(), more.end());
  const std::string text = properties(lines);
  std::string message("libudev\0\xfe\xed\xca\xfe", 12);
  for (const std::size_t number : {std::size_t{40}, std::size_t{40}, text.size()}) {
    const auto n = static_cast<std::uint32_t>(number);
    message.append(reinterpret_cast<const char*>(&n), sizeof n);
  }
  return message + std::string(16, '\0') + text;
}

bool is_there(const DeviceWatch& watch, std::string_view unit) {
  return watch.found(unit).is_plugged;
}

}  // namespace

TEST_CASE("without udev what the kernel has is there", "[os][device]") {
  Tree tree;
  tree.add("block", "pci0/block/vda");
  tree.write("sys/devices/pci0/block/vda/vda1/partition", "1\n");
  tree.add("block", "pci0/block/vda/vda1");
  tree.add("block", "virtual/block/loop0");
  tree.add("block", "virtual/block/loop1");
  tree.write("sys/devices/virtual/block/loop1/loop/backing_file", "/x\n");
  tree.add("block", "virtual/block/dm-0");
  tree.write("sys/devices/virtual/block/dm-0/dm/name", "vg-root\n");
  tree.add("block", "pci0/block/cciss!c0d0");
  tree.add("net", "virtual/net/lo");
  tree.add("tty", "platform/serial/tty/ttyS0");
  tree.add("tty", "virtual/tty/tty1");
  DeviceWatch watch(tree.places());
  (void)watch.open();
  for (const char* unit :
       {"dev-vda.device", "sys-devices-pci0-block-vda.device", "dev-vda1.device",
        "dev-loop1.device", "dev-dm\\x2d0.device", "dev-mapper-vg\\x2droot.device",
        "dev-cciss-c0d0.device", "sys-subsystem-net-devices-lo.device", "dev-ttyS0.device"}) {
    CAPTURE(unit);
    CHECK(is_there(watch, unit));
  }
  for (const char* unit : {"dev-loop0.device", "dev-vdb.device", "dev-tty1.device", "dev.device"}) {
    CAPTURE(unit);
    CHECK_FALSE(is_there(watch, unit));
  }
  CHECK(watch.syspath("dev-vda1.device") == "/sys/devices/pci0/block/vda/vda1");
  // Nobody's yet, but a device all the same.
  CHECK(is_there(watch, "sys-devices-virtual-tty-tty1.device"));
  CHECK_FALSE(is_there(watch, "sys-devices-virtual-tty.device"));
  Unit unit;
  unit.id = "dev-vda.device";
  watch.describe(unit);
  CHECK(unit.config.description == "/dev/vda");
}

TEST_CASE("messages of the kernel are news, of each device once", "[os][device]") {
  Tree tree;
  DeviceWatch watch(tree.places());
  (void)watch.open();
  watch.forget_news();
  tree.write("sys/devices/pci0/block/vdb/uevent", "");
  const std::string comes = kernel("add", "pci0/block/vdb", "block", {"DEVNAME=vdb"});
  watch.take(comes, kKernel, true);
  REQUIRE(watch.news().size() == 2);
  CHECK(watch.news()[0].unit == "sys-devices-pci0-block-vdb.device");
  CHECK(watch.news()[1].unit == "dev-vdb.device");
  CHECK(watch.news()[1].loads);
  watch.forget_news();
  watch.take(comes, kKernel, true);
  CHECK(watch.news().empty());

  SECTION("not from a process, nor as a message of udev's") {
    const std::string goes = kernel("remove", "pci0/block/vdb", "block", {"DEVNAME=vdb"});
    watch.take(goes, kKernel, false);
    watch.take(goes, kUdev, false);
    watch.take(goes, 0, true);
    CHECK(is_there(watch, "dev-vdb.device"));
    watch.take(goes, kKernel, true);
    CHECK_FALSE(is_there(watch, "dev-vdb.device"));
    CHECK(watch.news().size() == 2);
  }
  SECTION("an interface has another name") {
    watch.take(kernel("add", "virtual/net/eth0", "net", {"INTERFACE=eth0"}), kKernel, true);
    CHECK(is_there(watch, "sys-subsystem-net-devices-eth0.device"));
    watch.take(kernel("move", "virtual/net/lan", "net",
                      {"INTERFACE=lan", "DEVPATH_OLD=/devices/virtual/net/eth0"}),
               kKernel, true);
    CHECK_FALSE(is_there(watch, "sys-subsystem-net-devices-eth0.device"));
    CHECK(is_there(watch, "sys-subsystem-net-devices-lan.device"));
  }
  SECTION("a loop is there while something is behind it") {
    watch.take(kernel("add", "virtual/block/loop0", "block", {"DEVNAME=loop0"}), kKernel, true);
    CHECK_FALSE(is_there(watch, "dev-loop0.device"));
    tree.write("sys/devices/virtual/block/loop0/loop/backing_file", "/x\n");
    watch.take(kernel("change", "virtual/block/loop0", "block", {"DEVNAME=loop0"}), kKernel, true);
    CHECK(is_there(watch, "dev-loop0.device"));
    tree.remove("sys/devices/virtual/block/loop0/loop");
    watch.take(kernel("change", "virtual/block/loop0", "block", {"DEVNAME=loop0"}), kKernel, true);
    CHECK_FALSE(is_there(watch, "dev-loop0.device"));
  }
  SECTION("what nobody has asked for loads no unit") {
    watch.take(kernel("add", "virtual/misc/fuse", "misc", {"DEVNAME=fuse"}), kKernel, true);
    REQUIRE(watch.news().size() == 2);
    CHECK_FALSE(watch.news()[1].loads);
    CHECK(is_there(watch, "dev-fuse.device"));
  }
}

TEST_CASE("where udev runs its database is the list, and its messages the news", "[os][device]") {
  Tree tree;
  tree.add("block", "pci0/block/vda", "MAJOR=254\nMINOR=0\nDEVNAME=vda\n");
  tree.number("block/254:0", "pci0/block/vda");
  tree.add("block", "pci0/block/vdb", "MAJOR=254\nMINOR=16\nDEVNAME=vdb\n");
  tree.add("net", "virtual/net/eth0", "INTERFACE=eth0\nIFINDEX=3\n");
  tree.write("sys/devices/virtual/net/eth0/ifindex", "3\n");
  tree.udev_starts();
  tree.has_systemds_rules();
  tree.udev_knows("b254:0",
                  "S:disk/by-uuid/1-2\nE:SYSTEMD_WANTS=a.service\nG:systemd\nQ:systemd\n");
  tree.udev_knows("n3", "E:SYSTEMD_ALIAS=/sys/subsystem/net/devices/eth0\nG:systemd\nQ:systemd\n");
  tree.udev_knows("b9:9", "G:systemd\nQ:systemd\n");
  tree.udev_knows("+usb:1-1", "G:systemd\nQ:systemd\n");
  DeviceWatch watch(tree.places());
  (void)watch.open();
  CHECK(is_there(watch, "dev-vda.device"));
  CHECK(is_there(watch, "dev-disk-by\\x2duuid-1\\x2d2.device"));
  CHECK(is_there(watch, "sys-subsystem-net-devices-eth0.device"));
  CHECK_FALSE(is_there(watch, "dev-vdb.device"));
  Unit unit;
  unit.id = "sys-devices-pci0-block-vda.device";
  watch.describe(unit);
  REQUIRE(unit.config.dependencies.size() == 1);
  CHECK(unit.config.dependencies[0].name == "a.service");

  const std::vector<std::string> vdb{"DEVNAME=/dev/vdb",
                                     "TAGS=:systemd:", "DEVLINKS=/dev/disk/by-label/x"};
  SECTION("the kernel's are left to udev") {
    watch.take(kernel("add", "pci0/block/vdb", "block", {"DEVNAME=vdb"}), kKernel, true);
    CHECK_FALSE(is_there(watch, "dev-vdb.device"));
    watch.take(udev("add", "pci0/block/vdb", vdb), kUdev, false);
    CHECK(is_there(watch, "dev-vdb.device"));
    CHECK(is_there(watch, "dev-disk-by\\x2dlabel-x.device"));
    watch.take(udev("remove", "pci0/block/vdb", vdb), kUdev, false);
    CHECK_FALSE(is_there(watch, "dev-vdb.device"));
    CHECK_FALSE(is_there(watch, "dev-disk-by\\x2dlabel-x.device"));
  }
  SECTION("a link goes, and a device is held back") {
    watch.take(udev("add", "pci0/block/vdb", vdb), kUdev, false);
    watch.take(udev("change", "pci0/block/vdb", {"DEVNAME=/dev/vdb", "TAGS=:systemd:"}), kUdev,
               false);
    CHECK(is_there(watch, "dev-vdb.device"));
    CHECK_FALSE(is_there(watch, "dev-disk-by\\x2dlabel-x.device"));
    watch.take(
        udev("change", "pci0/block/vdb", {"DEVNAME=/dev/vdb", "TAGS=:systemd:", "SYSTEMD_READY=0"}),
        kUdev, false);
    CHECK_FALSE(is_there(watch, "dev-vdb.device"));
  }
}

TEST_CASE("what the kernel said holds until udev says otherwise", "[os][device]") {
  Tree tree;
  tree.add("block", "pci0/block/vda", "DEVNAME=vda\n");
  tree.add("block", "pci0/block/vdb", "DEVNAME=vdb\n");
  DeviceWatch watch(tree.places());
  (void)watch.open();
  tree.udev_starts();
  tree.has_systemds_rules();
  watch.take(udev("add", "pci0/block/vda", {"DEVNAME=/dev/vda", "TAGS=:seat:"}), kUdev, false);
  CHECK_FALSE(is_there(watch, "dev-vda.device"));
  CHECK(is_there(watch, "dev-vdb.device"));
}

TEST_CASE("udev without systemd's rules tags nothing, and its links count all the same",
          "[os][device]") {
  Tree tree;
  tree.add("block", "pci0/block/vda", "MAJOR=254\nMINOR=0\nDEVNAME=vda\n");
  tree.add("block", "pci0/block/vdb", "MAJOR=254\nMINOR=16\nDEVNAME=vdb\n");
  tree.add("block", "pci0/block/vdc", "MAJOR=254\nMINOR=32\nDEVNAME=vdc\n");
  tree.add("net", "virtual/net/eth0", "INTERFACE=eth0\nIFINDEX=3\n");
  tree.udev_starts();
  tree.udev_knows("b254:0", "S:disk/by-uuid/1-2\n");
  tree.udev_knows("b254:32", "E:SYSTEMD_READY=0\n");
  tree.udev_knows("n3", "E:ID_X=y\n");
  DeviceWatch watch(tree.places());
  (void)watch.open();
  CHECK(is_there(watch, "dev-vda.device"));
  CHECK(is_there(watch, "dev-disk-by\\x2duuid-1\\x2d2.device"));
  CHECK(is_there(watch, "sys-subsystem-net-devices-eth0.device"));
  CHECK_FALSE(is_there(watch, "dev-vdb.device"));  // it has not been looked at
  CHECK_FALSE(is_there(watch, "dev-vdc.device"));
  watch.take(udev("add", "pci0/block/vdb", {"DEVNAME=/dev/vdb", "DEVLINKS=/dev/disk/by-label/x"}),
             kUdev, false);
  CHECK(is_there(watch, "dev-disk-by\\x2dlabel-x.device"));
}

TEST_CASE("what is lost is listed again, and only what differs is news", "[os][device]") {
  Tree tree;
  tree.add("block", "pci0/block/vda");
  tree.add("block", "pci0/block/vdb");
  DeviceWatch watch(tree.places());
  (void)watch.open();
  watch.forget_news();
  watch.lost();
  CHECK(watch.is_behind());
  watch.drain();
  CHECK_FALSE(watch.is_behind());
  tree.remove("sys/class/block/vda");
  tree.add("block", "pci0/block/vdc");
  watch.lost();
  watch.drain();
  std::vector<std::string> told;
  for (const DeviceNews& n : watch.news()) told.push_back((n.is_there ? "+" : "-") + n.unit);
  CHECK(told == std::vector<std::string>{"+sys-devices-pci0-block-vdc.device", "+dev-vdc.device",
                                         "-sys-devices-pci0-block-vda.device", "-dev-vda.device"});
}
