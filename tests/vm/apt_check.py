"""Packages that are installed, run, started again and taken away by Debian's own tools.

Their scripts, emulated, take minutes: `tools/vm apt` runs this, tools/test does not.
"""

import re
import shutil
import tempfile
import unittest

from guest import Guest

PATIENCE = 1200  # seconds: what maintainer scripts do is emulated
REPOSITORY = r"""
mkdir -p /repository && mount -o ro /dev/vdb /repository || exit 1
echo 'deb [trusted=yes] file:/repository ./' > /etc/apt/sources.list
rm -rf /etc/apt/sources.list.d
apt-get -qq update
"""
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install {} </dev/null 2>&1"
NAMES = "dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames"
PAGE = r"""exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\r\n\r\n' >&3; cat <&3"""
DAEMONS = {"nginx": "nginx", "postgresql": "postgresql@15-main", "redis-server": "redis-server",
           "mariadb-server": "mariadb", "openssh-server": "ssh", "cron": "cron", "dbus": "dbus",
           "rsyslog": "rsyslog", "chrony": "chrony", "udev": "systemd-udevd"}


class Apt(unittest.TestCase):
    def boot(self, **kind):
        guest = Guest(disk=True, append="quiet", repository=True, options=["-m", "1024"], **kind)
        self.addCleanup(guest.end)
        guest.ok("mount -o remount,rw /")
        return guest

    def test_daemons_are_installed_and_run_again_after_a_reboot_and_are_purged(self):
        folder = tempfile.mkdtemp(prefix="onset-apt-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        guest = self.boot(keep=True)
        guest.ok(REPOSITORY, PATIENCE)
        self.install_nginx(guest)
        guest.ok(INSTALL.format(" ".join(DAEMONS)), PATIENCE)
        # deb-systemd-invoke starts no static unit that is not running.
        guest.ok("systemctl start dbus.socket")
        self.assertIn("org.freedesktop.DBus", guest.ok(NAMES))
        self.all_run(guest)
        self.assertEqual(guest.ok("systemctl is-enabled ssh cron redis-server chrony"), "enabled\n" * 4)
        guest.tell("systemctl --no-block reboot")
        self.assertRegex(guest.wait(), r"reboot: (Restarting system|machine restart)")
        image = shutil.move(guest.disk, folder + "/disk.img")

        guest = self.boot(keep=image)
        guest.ok("systemctl is-system-running --wait || true", PATIENCE)
        self.all_run(guest)
        self.purge_nginx(guest)
        guest.tell("systemctl --no-block poweroff")
        self.assertIn("reboot: Power down", guest.wait())

    def all_run(self, guest):
        names = " ".join(DAEMONS.values())
        states = dict(zip(DAEMONS.values(), guest.run(f"systemctl is-active {names}")[1].split()))
        down = [unit for unit, state in states.items() if state != "active"]
        why = guest.run(f"systemctl status --lines=20 {' '.join(down)}")[1] if down else ""
        self.assertEqual(down, [], why)
        # From the packages' own files.
        paths = guest.ok(f"systemctl show -P FragmentPath {names}").split()
        self.assertEqual([path for path in paths if not re.match("(/usr)?/lib/systemd/system/", path)], [])
        self.assertIn("org.freedesktop.DBus", guest.ok(NAMES))

    def install_nginx(self, guest):
        said = guest.ok(INSTALL.format("nginx"), PATIENCE)
        self.assertNotIn("Failed", said)
        self.assertEqual(guest.ok("systemctl is-enabled nginx; systemctl is-active nginx"), "enabled\nactive\n")
        self.assertIn("Welcome to nginx!", guest.ok(f"bash -c {quoted(PAGE)}"))
        self.assertRegex(guest.ok("service nginx status | cat"), r"Active: active \(running\)")
        pid = guest.ok("systemctl show -P MainPID nginx")
        guest.ok("invoke-rc.d nginx reload")
        self.assertEqual(guest.ok("systemctl show -P MainPID nginx"), pid)
        guest.ok("invoke-rc.d nginx restart")
        self.assertNotEqual(guest.ok("systemctl show -P MainPID nginx"), pid)
        guest.ok("service nginx stop")
        self.assertNotEqual(guest.run("service nginx status")[0], 0)
        guest.ok("service nginx start")
        self.assertIn("Welcome to nginx!", guest.ok(f"bash -c {quoted(PAGE)}"))

    def purge_nginx(self, guest):
        guest.ok("apt-get -qq -y purge nginx nginx-common 2>&1", PATIENCE)
        self.assertEqual(guest.run("systemctl is-active nginx"), (3, "inactive\n"))
        self.assertNotEqual(guest.run("systemctl is-enabled nginx")[0], 0)
        self.assertEqual(guest.ok("systemctl show -P LoadState nginx"), "not-found\n")
        self.assertEqual(guest.run("pgrep -x nginx"), (1, ""))
        left = guest.ok("find /etc/systemd /run/systemd /sys/fs/cgroup -name '*nginx*'")
        self.assertEqual(re.findall(r".+", left), [])


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


if __name__ == "__main__":
    unittest.main()
