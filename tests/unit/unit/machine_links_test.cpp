#include "unit/machine_links.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/builtin.h"

using namespace onset;

namespace {

struct Machine {
  std::string line = {};
  std::string fstab = {};
  bool in_initrd = false;
  bool has_rc_local = false;
};

/// "FOLDER/PATH -> TARGET" of each.
std::vector<std::string> links(const Machine& machine) {
  const KernelRequest kernel = read_kernel_command_line(machine.line, machine.in_initrd);
  const MachineFacts facts{kernel,     machine.line,      machine.fstab,
                           "a.target", machine.in_initrd, machine.has_rc_local};
  std::vector<std::string> found;
  for (const GeneratedFile& file : machine_links(facts)) {
    found.push_back((file.early ? "early/" : "") + file.path + " -> " +
                    (file.link_to.empty() ? file.text : file.link_to));
  }
  return found;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

const std::string kRemount =
    "local-fs.target.wants/systemd-remount-fs.service -> ../systemd-remount-fs.service";
const std::string kCheck =
    "local-fs.target.wants/systemd-fsck-root.service -> ../systemd-fsck-root.service";

}  // namespace

TEST_CASE("every unit that a machine wants is one of the binary's", "[unit][boot]") {
  const auto all = links({"rw systemd.debug_shell", "/dev/a / ext4 defaults 0 1\n", false, true});
  for (const std::string& link : all) {
    const std::string unit = link.substr(link.find("-> ../") + 6);
    CAPTURE(link);
    CHECK(std::ranges::any_of(builtin_units(false),
                              [&unit](const BuiltinUnit& b) { return b.name == unit; }));
  }
  CHECK(has(all, "multi-user.target.wants/rc-local.service -> ../rc-local.service"));
  CHECK_FALSE(has(links({}), "multi-user.target.wants/rc-local.service -> ../rc-local.service"));
}

TEST_CASE("the root is remounted where fstab or the kernel's command line says how",
          "[unit][boot]") {
  CHECK_FALSE(has(links({}), kRemount));
  CHECK_FALSE(has(links({"ro", "/dev/b /home ext4 defaults 0 2\n# /dev/a / ext4\n"}), kRemount));
  CHECK(has(links({"rw"}), kRemount));
  CHECK_FALSE(has(links({"rw ro"}), kRemount));
  CHECK(has(links({"ro", "UUID=1 / ext4 errors=remount-ro 0 1\n"}), kRemount));
  CHECK(has(links({"", "tmpfs /run tmpfs size=5%\n"}), kRemount));
  CHECK_FALSE(has(links({"rw", "/dev/a / ext4 defaults 0 1\n", true}), kRemount));
}

TEST_CASE("the root is checked where fstab has a pass for it", "[unit][boot]") {
  CHECK(has(links({"", "/dev/a / ext4 defaults 0 1\n"}), kCheck));
  CHECK(has(links({"", "/dev/a / ext4 defaults 0 1\n"}),
            "systemd-remount-fs.service.requires/systemd-fsck-root.service -> "
            "../systemd-fsck-root.service"));
  CHECK_FALSE(has(links({"", "/dev/a / ext4 defaults 0 0\n"}), kCheck));
  CHECK_FALSE(has(links({"", "/dev/a / ext4\n"}), kCheck));
  CHECK_FALSE(has(links({"", "/dev/a /usr ext4 defaults 0 2\n"}), kCheck));
}

TEST_CASE("the kernel's command line masks and adds units", "[unit][boot]") {
  const auto all =
      links({"systemd.mask=x.service systemd.wants=y.service systemd.mask=a/b "
             "rd.systemd.mask=z.service systemd.wants"});
  CHECK(has(all, "early/x.service -> /dev/null"));
  CHECK(has(all, "early/a.target.wants/y.service -> ../y.service"));
  CHECK(std::ranges::none_of(all, [](const std::string& s) {
    return s.find("z.service") != s.npos || s.find("a/b") != s.npos;
  }));
  CHECK(has(links({"rd.systemd.mask=z.service systemd.mask=x.service", "", true}),
            "early/z.service -> /dev/null"));
}

TEST_CASE("a debug shell comes where it is asked for, on its terminal", "[unit][boot]") {
  const std::string want =
      "early/sysinit.target.wants/debug-shell.service -> ../debug-shell.service";
  CHECK_FALSE(has(links({}), want));
  CHECK_FALSE(has(links({"systemd.debug_shell=no"}), want));
  CHECK(has(links({"systemd.debug-shell"}), want));
  CHECK(has(links({"systemd.debug_shell=/dev/ttyS1"}), want));
  CHECK(has(links({"systemd.debug_shell=ttyS1"}),
            "early/debug-shell.service.d/50-tty.conf -> [Unit]\nConditionPathExists=\n"
            "ConditionPathExists=/dev/ttyS1\n[Service]\nTTYPath=/dev/ttyS1\n"));
  CHECK_FALSE(has(links({"systemd.debug_shell=../x"}), want));
}

TEST_CASE("an initrd mounts what root= names, for as long as it may take", "[unit][boot]") {
  const auto all = links({"root=LABEL=a%b rootflags=x-systemd.device-timeout=7s", "", true});
  CHECK(has(all,
            "initrd-root-fs.target.requires/initrd-root-mount.service -> "
            "../initrd-root-mount.service"));
  CHECK(std::ranges::any_of(all, [](const std::string& s) {
    return s.starts_with("initrd-root-mount.service -> ") &&
           s.find("\nDescription=Root File System LABEL=a%%b\n") != s.npos &&
           s.find("\nTimeoutStartSec=7s\n") != s.npos;
  }));
  for (const Machine& machine : {Machine{"quiet", "", true}, Machine{"root=/dev/a", "", false}}) {
    CHECK(std::ranges::none_of(links(machine), [](const std::string& s) {
      return s.find("initrd-root-mount") != s.npos;
    }));
  }
}
