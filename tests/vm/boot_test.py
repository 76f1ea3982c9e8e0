"""A machine's life: from the kernel's hand-over to a login prompt, and off again."""

import hashlib
import os
import re
import subprocess
import unittest

from guest import PARTS, Guest

# What early services of a machine read.
MACHINE_FILES = {
    "/etc/sysctl.d/50-test.conf": "kernel.panic_print = 3\nnet.ipv4.conf.*.arp_filter=1\nno.such.key=1\n",
    "/etc/modules-load.d/test.conf": "# one a line\ndummy\n",
    "/etc/tmpfiles.d/test.conf": "d /run/from-tmpfiles 0750\n",
    "/etc/rc.local": "#!/bin/sh\necho \"$1\" >/run/from-rc-local\n",
}


# A boot in which something is missing, and something is slow.
WRONG = {
    "/etc/systemd/system/mine.target": "[Unit]\nDescription=Mine\nRequires=basic.target vm-agent.service\n"
                                       "Wants=bad.service needs.service slow.service masked.service\n"
                                       "After=basic.target slow.service bad.service needs.service\n",
    "/etc/systemd/system/bad.service": "[Unit]\nDescription=Bad\n[Service]\nType=exec\nExecStart=/no/such/program\n",
    "/etc/systemd/system/needs.service": "[Unit]\nDescription=Needs\nRequires=bad.service\nAfter=bad.service\n"
                                         "[Service]\nExecStart=/bin/sleep 1000\n",
    "/etc/systemd/system/slow.service": "[Unit]\nDescription=Slow\n[Service]\nType=oneshot\nTimeoutStartSec=12\n"
                                        "RemainAfterExit=yes\nExecStart=/bin/sleep 7\n",
    "/etc/systemd/system/masked.service": "[Service]\nExecStart=/bin/sleep 1000\n",
    "/etc/systemd/system/wanted.service": "[Service]\nExecStart=/bin/sleep 1000\n",
}


FIRST = """#!/bin/sh
echo "first of the disk: $$" > /dev/console
exec /sbin/init "$@"
"""


class Boot(unittest.TestCase):
    def boot(self, **kind):
        guest = Guest(**kind)
        self.addCleanup(guest.end)
        return guest

    def test_from_an_initramfs_to_a_login_prompt_and_off(self):
        # Programs that run before anything is mounted.
        environment = "/usr/lib/systemd/system-environment-generators/10-test"
        guest = self.boot(append="quiet systemd.hostname=box.example",
                          files={environment: "#!/bin/sh\necho GIVEN=by-a-generator\n"})
        guest.until(r"^box\.example login: ")
        self.assertNotIn("[  OK  ]", guest.console)  # quiet
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        self.assertEqual(guest.ok("systemctl list-units --failed --plain --no-legend"), "")
        self.assertIn("GIVEN=by-a-generator\n", guest.ok("systemctl show-environment"))
        mounts = dict(line.split()[1:3] for line in guest.ok("cat /proc/mounts").splitlines())
        for place, kind in {"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/dev/pts": "devpts",
                            "/dev/shm": "tmpfs", "/run": "tmpfs", "/sys/fs/cgroup": "cgroup2",
                            "/sys/kernel/security": "securityfs", "/sys/fs/bpf": "bpf"}.items():
            self.assertEqual(mounts.get(place), kind, place)
        self.assertEqual(guest.ok("cat /sys/kernel/rcu_expedited"), "0\n")  # it was 1 for a moment
        self.assertRegex(guest.ok("cat /proc/1/cgroup"), r"^0::/init.scope$")
        self.assertRegex(guest.ok("cat /etc/machine-id"), r"^[0-9a-f]{32}\n$")
        self.assertEqual(guest.ok("hostname"), "box.example\n")
        self.assertIn("inet 127.0.0.1/8", guest.ok("ip addr show lo"))
        self.assertEqual(guest.ok("readlink /dev/fd; readlink /dev/stdout").split(), ["/proc/self/fd", "/proc/self/fd/1"])
        guest.type("root\n")
        guest.until(r"# $")
        guest.type("/sbin/poweroff\n")
        self.assertIn("reboot: Power down", guest.wait())

    def test_from_a_disk_to_a_login_prompt_and_off_and_the_disk_is_clean(self):
        guest = self.boot(disk=True, keep=True, append="quiet modules_load=fuse", files=MACHINE_FILES)
        guest.until(r" login: ")
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        # Checked while it was read-only, then mounted as fstab has it.
        self.assertRegex(guest.ok("cat /proc/mounts"), r"(?m)^/dev/\S+ / ext4 rw,.*errors=remount-ro")
        for unit in ("systemd-fsck-root", "systemd-remount-fs", "systemd-sysctl", "systemd-modules-load",
                     "systemd-tmpfiles-setup", "systemd-tmpfiles-setup-dev", "systemd-random-seed",
                     "systemd-machine-id-commit", "kmod-static-nodes", "rc-local"):
            self.assertEqual(guest.ok(f"systemctl show -p ActiveState -p Result {unit}"),
                             "ActiveState=active\nResult=success\n", unit)
        self.assertEqual(guest.ok("cat /proc/sys/kernel/panic_print /proc/sys/net/ipv4/conf/lo/arp_filter"), "3\n1\n")
        self.assertRegex(guest.ok("lsmod"), r"(?m)^dummy .*(\n.*)*^fuse ")
        self.assertEqual(guest.ok("stat -c '%a %s' /var/lib/systemd/random-seed /run/from-tmpfiles /run/lock"),
                         "600 512\n750 40\n1777 40\n")
        self.assertEqual(guest.ok("cat /run/from-rc-local"), "start\n")
        # There was none, and no place for one: now it is kept.
        self.assertRegex(guest.ok("cat /etc/machine-id"), r"^[0-9a-f]{32}\n$")
        self.assertEqual(guest.ok("ls /run/machine-id 2>&1 || true"),
                         "ls: cannot access '/run/machine-id': No such file or directory\n")
        for unit, place in {"dev-hugepages": "/dev/hugepages hugetlbfs", "dev-mqueue": "/dev/mqueue mqueue",
                            "sys-kernel-debug": "/sys/kernel/debug debugfs",
                            "sys-kernel-tracing": "/sys/kernel/tracing tracefs",
                            "sys-fs-fuse-connections": "/sys/fs/fuse/connections fusectl"}.items():
            self.assertEqual(guest.ok(f"systemctl is-active {unit}.mount"), "active\n", unit)
            self.assertIn(f" {place} ", guest.ok("cat /proc/mounts"))
        # What the starts took orders the next boot's.
        guest.ok("systemctl start --wait onset-boot-times.service")
        times = guest.ok("cat /var/lib/onset/boot-times")
        self.assertRegex(times, r"\Aonset boot-times 1\n(?:[0-9]+ \S+\n)*[0-9]+ systemd-remount-fs\.service\n")
        self.assertRegex(guest.ok("onset time"), r"\AStartup finished in [0-9a-z. ]+ \(kernel\) \+ [0-9a-z. ]+ \(userspace\)"
                                                 r" = [0-9a-z. ]+\n\S+\.target reached after [0-9a-z. ]+ in userspace\n\Z")
        self.assertIn("systemd-remount-fs.service", guest.ok("onset critical-chain systemd-random-seed.service"))
        self.assertIn(">systemd-remount-fs.service (", guest.ok("onset plot"))
        self.assertRegex(guest.ok("who -b"), r"\A +system boot +\S")
        self.assertEqual(guest.ok("ln -s /usr/bin/onset /run/runlevel && /run/runlevel"), "N 5\n")
        seed = guest.ok("sha256sum /var/lib/systemd/random-seed").split()[0]
        guest.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", guest.wait())
        self.assert_clean(guest.disk)
        dumped = subprocess.run(["debugfs", "-R", "cat /var/lib/systemd/random-seed", guest.disk], capture_output=True)
        self.assertEqual(len(dumped.stdout), 512)
        wtmp = subprocess.run(["debugfs", "-R", "cat /var/log/wtmp", guest.disk], capture_output=True).stdout
        users = [wtmp[at + 44:at + 76].rstrip(b"\0") for at in range(0, len(wtmp), 384)]
        self.assertEqual((users[0], users[-1]), (b"reboot", b"shutdown"))
        self.assertNotEqual(hashlib.sha256(dumped.stdout).hexdigest(), seed, "a seed is used once")

    def test_from_an_initrd_of_onset_to_the_disk_by_its_uuid(self):
        disk = os.path.join(PARTS, "disk.img")
        uuid = subprocess.run(["dumpe2fs", "-h", disk], capture_output=True, text=True).stdout
        uuid = re.search(r"Filesystem UUID: +(\S+)", uuid).group(1)
        # In the system that comes after the initrd nobody wants this one.
        early = "tmpfs /mnt tmpfs size=1M,x-initrd.mount,x-systemd.wanted-by=initrd-fs.target 0 0\n"
        guest = self.boot(disk=True, initrd=True, append=f"quiet root=UUID={uuid} rootflags=noatime ro init=/etc/first",
                          files={"/etc/fstab": "/dev/vda / ext4 errors=remount-ro 0 1\n" + early,
                                 "/etc/first": FIRST})
        guest.until(r"^first of the disk: 1$")
        guest.until(r" login: ")
        self.assertEqual(guest.ok("systemctl is-active mnt.mount; mountpoint /mnt"),
                         "active\n/mnt is a mountpoint\n")
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        self.assertRegex(guest.ok("cat /proc/mounts"), r"(?m)^/dev/\S+ / ext4 rw,")
        # Nothing of the initrd is in sight, and its manager has given way.
        self.assertEqual(guest.ok("ls -d /init /onto-disk /etc/initrd-release 2>/dev/null || true"), "")
        self.assertEqual(guest.ok("readlink /proc/1/exe"), "/usr/bin/onset\n")
        self.assertRegex(guest.ok("onset time"), r"\(kernel\) \+ [0-9a-z. ]+ \(initrd\) \+ [0-9a-z. ]+ \(userspace\) = ")
        guest.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", guest.wait())

    def assert_clean(self, disk):
        """Nothing is left to replay or to mend."""
        look = subprocess.run(["dumpe2fs", "-h", disk], capture_output=True, text=True)
        self.assertRegex(look.stdout, r"Filesystem state: +clean\n")
        self.assertNotIn("needs_recovery", look.stdout)
        check = subprocess.run(["e2fsck", "-fn", disk], capture_output=True, text=True)
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_p18_the_console_tells_of_a_boot_that_goes_wrong_and_ctrl_alt_del_reboots(self):
        guest = self.boot(append="systemd.unit=mine.target systemd.setenv=A=1 onset.log_level=debug onset.nonsense=1 "
                          "systemd.mask=masked.service systemd.wants=wanted.service", files=WRONG)
        guest.until(r"Reached target mine\.target")
        self.assertEqual(guest.ok("systemctl is-active mine.target"), "active\n")
        self.assertNotEqual(guest.run("systemctl is-active multi-user.target")[0], 0)
        self.assertIn("A=1\n", guest.ok("tr '\\0' '\\n' < /proc/self/environ"))
        self.assertEqual(guest.ok("systemctl show -p LogLevel --value"), "debug\n")
        self.assertEqual(guest.ok("systemctl is-active wanted.service"), "active\n")
        self.assertNotEqual(guest.run("systemctl is-active masked.service")[0], 0)
        self.assertEqual(guest.ok("systemctl show -p LoadState --value masked.service"), "masked\n")
        for line in (r"kernel command line: onset\.nonsense=1 is not honoured yet, ignored$",
                     r"^\[  OK  \] Reached target basic\.target - Basic System\.$",
                     r"^         Starting slow\.service - Slow\.\.\.$",
                     r"A start job is running for slow\.service - Slow \([5-9]s / 12s\)",
                     r"^\[  OK  \] Finished slow\.service - Slow\.$",
                     # A missing binary fails what needs it, and nothing else.
                     r"bad\.service: .*/no/such/program",
                     r"^\[FAILED\] Failed to start bad\.service - Bad\.$",
                     r"^ +See 'systemctl status bad\.service' for details\.$",
                     r"^\[DEPEND\] Dependency failed for needs\.service - Needs\.$"):
            self.assertRegex(guest.console, re.compile(line, re.MULTILINE))
        # Of what was started before there is no second word.
        self.assertEqual(guest.console.count("Starting slow.service"), 1)
        guest.monitor("sendkey ctrl-alt-delete")
        console = guest.wait()
        self.assertRegex(console, r"(?m)^\[  OK  \] Stopped target mine\.target")
        self.assertRegex(console, r"reboot: (Restarting system|machine restart)")


if __name__ == "__main__":
    unittest.main()
