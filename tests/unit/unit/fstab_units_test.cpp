#include "unit/fstab_units.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

using namespace onset;

namespace {

/// What is generated: texts without their heads, and links with "->" before where they lead.
class Made {
 public:
  explicit Made(std::string_view text, bool of_sysroot = false, bool swap = true) {
    FstabFacts facts{text, "t", swap, of_sysroot, resolve, has_fsck};
    for (const GeneratedFile& file : fstab_units(facts, said)) {
      CHECK_FALSE(file.early);
      CHECK(
          files.emplace(file.path, file.link_to.empty() ? file.text : "->" + file.link_to).second);
    }
  }

  bool has(const std::string& path) const { return files.count(path) > 0; }
  bool has(const std::string& path, const std::string& line) const {
    const auto at = files.find(path);
    return at != files.end() && ("\n" + at->second).find("\n" + line + "\n") != std::string::npos;
  }
  std::string messages() const {
    std::string all;
    for (const Diagnostic& d : said) all += to_string(d) + "\n";
    return all;
  }

  std::map<std::string, std::string> files;
  Diagnostics said;

 private:
  static std::string resolve(const std::string& path) { return path == "/link" ? "/real" : path; }
  static bool has_fsck(std::string_view type) { return type == "ext4"; }
};

}  // namespace

TEST_CASE("an entry of fstab is a mount unit that its target requires", "[unit][boot]") {
  const Made made("/dev/vdb /home ext4 noatime 0 2\nsrv:/x /mnt/x nfs ro\n");
  CHECK(made.files.size() == 4);
  CHECK(made.files.at("home.mount") ==
        "# Automatically generated from t\n\n[Unit]\n"
        "Documentation=man:fstab(5) man:systemd-fstab-generator(8)\nSourcePath=t\n"
        "Before=local-fs.target\nRequires=systemd-fsck@dev-vdb.service\n"
        "After=systemd-fsck@dev-vdb.service\n"
        "\n[Mount]\nWhat=/dev/vdb\nWhere=/home\nType=ext4\nOptions=noatime\n");
  CHECK(made.files.at("local-fs.target.requires/home.mount") == "->../home.mount");
  CHECK(made.files.at("remote-fs.target.requires/mnt-x.mount") == "->../mnt-x.mount");
  CHECK(made.has("mnt-x.mount", "Before=remote-fs.target"));
  CHECK(made.said.empty());
}

TEST_CASE("nofail and noauto say who starts it, and the last word counts", "[unit][boot]") {
  struct Row {
    std::string_view options;
    bool wanted;
    bool required;
  };
  const Row rows[] = {{"nofail", true, false},      {"noauto", false, false},
                      {"noauto,auto", false, true}, {"nofail,fail", false, true},
                      {"fail,nofail", true, false}, {"auto,noauto,nofail", false, false},
                      {"nofailing", false, true}};
  for (const Row& row : rows) {
    CAPTURE(row.options);
    const Made made("tmpfs /a tmpfs " + std::string(row.options));
    CHECK(made.has("local-fs.target.wants/a.mount") == row.wanted);
    CHECK(made.has("local-fs.target.requires/a.mount") == row.required);
    CHECK(made.has("a.mount"));
  }
  CHECK_FALSE(Made("tmpfs /a tmpfs nofail").has("a.mount", "Before=local-fs.target"));
}

TEST_CASE("what is written keeps its meaning in a unit file", "[unit][boot]") {
  const Made made("/a%b\\040c /d%e none bind,x-systemd.requires-mounts-for=/m\\040n 0 0\n");
  CHECK(made.has("d\\x25e.mount", "What=/a%%b c"));
  CHECK(made.has("d\\x25e.mount", "Where=/d%%e"));
  CHECK(made.has("d\\x25e.mount", "RequiresMountsFor=\"/m n\""));
}

TEST_CASE("options of fstab name other units", "[unit][boot]") {
  const Made made(
      "tmpfs /a tmpfs x-systemd.requires=b.service,x-systemd.requires=/dev/vdq,"
      "x-systemd.after=/c/d,x-systemd.before=e,x-systemd.wanted-by=w.target,"
      "x-systemd.required-by=r.service\n");
  for (const char* line : {"Requires=b.service", "After=b.service", "Requires=dev-vdq.device",
                           "After=dev-vdq.device", "After=c-d.mount", "Before=e.mount"}) {
    CAPTURE(line);
    CHECK(made.has("a.mount", line));
  }
  CHECK(made.has("w.target.wants/a.mount"));
  CHECK(made.has("r.service.requires/a.mount"));
  CHECK_FALSE(made.has("local-fs.target.requires/a.mount"));
}

TEST_CASE("a device's time is the device's, a mount's its own", "[unit][boot]") {
  const Made made(
      "/dev/vdb /a xfs x-systemd.device-timeout=5s,ro,x-systemd.mount-timeout=1h,_netdev\n"
      "/dev/vdc /b xfs x-systemd.device-timeout=x,x-systemd.mount-timeout=x\n"
      "tmpfs /c tmpfs x-systemd.device-timeout=5s,x-systemd.mount-timeout=0,x-systemd.rw-only\n");
  CHECK(made.has("dev-vdb.device.d/50-device-timeout.conf", "JobRunningTimeoutSec=5s"));
  CHECK(made.has("dev-vdb.device.d/50-netdev-dependencies.conf", "Wants=network-online.target"));
  CHECK(made.has("a.mount", "Options=ro,x-systemd.mount-timeout=1h,_netdev"));
  CHECK(made.has("a.mount", "TimeoutSec=1h"));
  CHECK_FALSE(made.has("dev-vdc.device.d/50-device-timeout.conf"));
  CHECK(made.has("c.mount", "TimeoutSec=infinity"));
  CHECK(made.has("c.mount", "ReadWriteOnly=yes"));
  CHECK(made.messages() ==
        "t:2: x-systemd.mount-timeout=x is no time span, ignored\n"
        "t:2: x-systemd.device-timeout=x is no time span, ignored\n"
        "t:3: x-systemd.device-timeout is ignored, tmpfs is no device\n");
}

TEST_CASE("only a device whose type has a fsck is checked", "[unit][boot]") {
  const Made made(
      "UUID=1 /a ext4 ro 0 2\n/dev/vdb /b xfs ro 0 2\n/dev/vdc /c auto ro 0 1\n"
      "tmpfs /d tmpfs ro 0 1\n/dev/vde /usr ext4 ro 0 1\n");
  const std::string check = "systemd-fsck@dev-disk-by\\x2duuid-1.service";
  CHECK(made.has("a.mount", "Requires=" + check));
  CHECK(made.has("a.mount", "After=" + check));
  CHECK(made.has("a.mount", "What=/dev/disk/by-uuid/1"));
  CHECK(made.files.at("b.mount").find("fsck@") == std::string::npos);
  CHECK(made.has("c.mount", "Requires=systemd-fsck@dev-vdc.service"));
  CHECK(made.has("usr.mount", "Wants=systemd-fsck@dev-vde.service"));
  CHECK(made.messages() ==
        "t:2: /dev/vdb is not checked: there is no fsck.xfs\n"
        "t:4: tmpfs is not checked: it is no device\n");
}

TEST_CASE("an automount is started in the mount's place", "[unit][boot]") {
  constexpr std::string_view kText =
      "srv:/a /a nfs noauto,x-systemd.automount,x-systemd.idle-timeout=2min\n"
      "/dev/vdb /b ext4 nofail,comment=systemd.automount\n";
  const Made made(kText);
  CHECK(made.has("a.automount", "Where=/a"));
  CHECK(made.has("a.automount", "TimeoutIdleSec=2min"));
  CHECK(made.has("a.mount"));
  CHECK(made.has("remote-fs.target.requires/a.automount"));
  CHECK(made.has("local-fs.target.wants/b.automount"));
  CHECK(made.files.size() == 6);
}

TEST_CASE("a swap is a swap unit, unless swaps are not wanted", "[unit][boot]") {
  constexpr std::string_view kText =
      "/dev/vdb none swap pri=5,discard\nLABEL=s swap swap defaults,nofail\n"
      "/s none swap noauto\nnone none swap\n";
  const Made made(kText);
  CHECK(made.has("dev-vdb.swap", "What=/dev/vdb"));
  CHECK(made.has("dev-vdb.swap", "Options=pri=5,discard"));
  CHECK(made.has("swap.target.requires/dev-vdb.swap"));
  CHECK(made.has("swap.target.wants/dev-disk-by\\x2dlabel-s.swap"));
  CHECK(made.has("s.swap"));
  CHECK(made.files.size() == 5);
  CHECK(made.messages() == "t:4: \"none\" is no swap, ignored\n");
  CHECK(Made(kText, false, false).files.empty());
}

TEST_CASE("file systems are made and grown by services of their own", "[unit][boot]") {
  const Made made(
      "/dev/vdb /a ext4 x-systemd.makefs,x-systemd.growfs\n/dev/vdc none swap x-systemd.makefs\n"
      "tmpfs /b tmpfs x-systemd.makefs\n/dev/vda / ext4 x-systemd.growfs\n");
  CHECK(made.has("systemd-makefs@dev-vdb.service",
                 "ExecStart=@/proc/1/exe onset machine makefs ext4 /dev/vdb"));
  CHECK(made.has("systemd-makefs@dev-vdb.service",
                 "Before=shutdown.target systemd-fsck@%i.service a.mount"));
  CHECK(made.has("a.mount.requires/systemd-makefs@dev-vdb.service"));
  CHECK(made.has("systemd-growfs@a.service", "ExecStart=@/proc/1/exe onset machine growfs /a"));
  CHECK(made.has("a.mount.wants/systemd-growfs@a.service"));
  CHECK(made.has("dev-vdc.swap.requires/systemd-mkswap@dev-vdc.service"));
  CHECK(made.has("systemd-mkswap@dev-vdc.service",
                 "ExecStart=@/proc/1/exe onset machine makefs swap /dev/vdc"));
  CHECK(made.has("local-fs.target.wants/systemd-growfs@-.service"));
  // What can't be made is not mounted either.
  CHECK_FALSE(made.has("local-fs.target.requires/b.mount"));
  CHECK(made.messages() == "t:3: tmpfs is no device to make a file system on\n");
}

TEST_CASE("nfs in the background is a mount that may fail and take its time", "[unit][boot]") {
  const Made made("s:/a /a nfs bg,ro\ns:/b /b nfs4 bg,fg\n");
  CHECK(
      made.has("a.mount", "Options=x-systemd.mount-timeout=infinity,retry=10000,nofail,bg,ro,fg"));
  CHECK(made.has("a.mount", "TimeoutSec=infinity"));
  CHECK(made.has("remote-fs.target.wants/a.mount"));
  CHECK(made.has("b.mount", "Options=bg,fg"));
}

TEST_CASE("links are resolved, and no mount point has two entries", "[unit][boot]") {
  const Made made("tmpfs /link tmpfs\ntmpfs /real tmpfs ro\ntmpfs /a/../b tmpfs\ntmpfs b tmpfs\n");
  CHECK(made.files.size() == 2);
  CHECK(made.has("real.mount", "Where=/real"));
  CHECK(made.messages() ==
        "t:2: /real has another entry already, ignored\n"
        "t:3: \"/a/../b\" is no mount point, ignored\n"
        "t:4: \"b\" is no mount point, ignored\n");
}

TEST_CASE("the root, the kernel's own file systems and autofs are no units of fstab's",
          "[unit][boot]") {
  const Made made(
      "/dev/vda / ext4 noauto 0 1\nproc /proc proc\ntmpfs /run tmpfs\nx /a autofs\n"
      "none /sys/fs/cgroup cgroup\n");
  CHECK(made.files.empty());
  CHECK(made.said.empty());
}

TEST_CASE("of the root's table an initrd mounts /usr and what asks for it", "[unit][boot]") {
  const Made made(
      "/dev/vda / ext4\n/dev/vdb /usr ext4 ro 0 1\n/dev/vdc /home ext4\n"
      "tmpfs /a tmpfs x-initrd.mount,nofail\n/dev/vdd none swap x-initrd.mount\n",
      true);
  CHECK(made.has("sysroot-usr.mount", "Where=/sysroot/usr"));
  CHECK(made.has("sysroot-usr.mount", "Before=initrd-fs.target"));
  CHECK(made.has("initrd-fs.target.requires/sysroot-usr.mount"));
  CHECK(made.has("initrd-fs.target.wants/sysroot-a.mount"));
  CHECK(made.files.size() == 4);
}
