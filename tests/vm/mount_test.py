"""Mounts of a machine: what is there has units, what units mount is unmounted in order."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from guest import Guest

DATA = "[Mount]\nWhat=tmpfs\nWhere=/srv/data\nType=tmpfs\nOptions=size=2M\n"
BELOW = "[Mount]\nWhat=/srv/data/sub\nWhere=/opt/below\nOptions=bind,ro\n"
USER = ("[Unit]\nRequiresMountsFor=/opt/below/x\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
        "ExecStart=/bin/grep -q /opt/below /proc/mounts\n")


class Mounts(unittest.TestCase):
    def test_a_machine_has_units_of_its_mounts_and_runs_those_of_files(self):
        folder = "/etc/systemd/system/"
        guest = Guest(append="quiet", files={folder + "srv-data.mount": DATA, folder + "opt-below.mount": BELOW,
                                             folder + "user.service": USER})
        self.addCleanup(guest.end)
        self.assertEqual(guest.ok("systemctl is-active -- -.mount"), "active\n")
        self.assertEqual(guest.ok("systemctl start user.service; systemctl is-active user.service"), "active\n")
        self.assertIn("/srv/data", guest.ok("cat /proc/mounts"))
        # Nobody has a file for it.
        guest.ok("mkdir -p /mnt/x && mount -t tmpfs none /mnt/x")
        self.assertEqual(guest.ok("systemctl is-active mnt-x.mount"), "active\n")
        self.assertEqual(guest.ok("systemctl show -P Where mnt-x.mount"), "/mnt/x\n")
        guest.ok("systemctl stop mnt-x.mount")
        self.assertNotIn("/mnt/x", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.run("systemctl stop -- -.mount")[0] == 0, False)
        guest.ok("systemctl stop srv-data.mount")
        self.assertNotIn("/opt/below", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.run("systemctl is-active user.service")[1], "inactive\n")
        guest.ok("systemctl start user.service")
        # The mounts of a running service go before the machine does.
        guest.monitor("sendkey ctrl-alt-delete")
        self.assertRegex(guest.wait(), r"reboot: (Restarting system|machine restart)")


TABLE = """/dev/vda / ext4 errors=remount-ro 0 1
tmpfs /srv/mem tmpfs size=2M,mode=0710 0 0
/srv/mem /opt/same none bind 0 0
LABEL=second /srv/second ext4 noatime 0 2
/dev/vdc /srv/made ext4 x-systemd.makefs,x-systemd.requires-mounts-for=/srv/second 0 2
/dev/vdd /srv/grown ext4 x-systemd.growfs 0 0
/swapfile none swap pri=7 0 0
/dev/vdx /srv/missing ext4 nofail,x-systemd.device-timeout=7s 0 2
nonsense
/dev/vdb relative ext4 defaults 0 0
tmpfs /srv/later tmpfs noauto 0 0
tmpfs /srv/auto tmpfs size=1M,x-systemd.automount,x-systemd.idle-timeout=2 0 0
/dev/vdy /srv/never ext4 x-systemd.automount,x-systemd.device-timeout=3s 0 0
"""
SWAP_BYTES = 1 << 20


class Fstab(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="onset-vm-disks-")
        self.addCleanup(shutil.rmtree, self.folder)

    def disk(self, name, size, *file_system):
        """QEMU's words for one more disk."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.truncate(size)
        if file_system:
            subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", *file_system[:-1], path, file_system[-1]], check=True)
        return path, ["-drive", f"file={path},format=raw,if=virtio"]

    def test_what_fstab_has_is_mounted_and_what_fails_is_named(self):
        second, first_words = self.disk("second", 8 << 20, "-L", "second", "8M")
        # As after a crash: fsck has something to say.
        subprocess.run(["debugfs", "-w", "-R", "ssv state 0", second], check=True, capture_output=True)
        swap = os.path.join(self.folder, "swap")
        with open(swap, "wb") as file:
            file.write(bytes(SWAP_BYTES))
        subprocess.run(["mkswap", swap], check=True, capture_output=True)
        with open(swap, "rb") as file:
            swap_bytes = file.read()
        guest = Guest(disk=True, append="quiet", options=[*first_words, *self.disk("made", 8 << 20)[1],
                                                          *self.disk("grown", 16 << 20, "4M")[1]],
                      files={"/etc/fstab": TABLE, "/swapfile": swap_bytes})
        self.addCleanup(guest.end)
        guest.until(r" login: ")
        # What may fail is waited for by nobody but itself.
        guest.until(r"^\[DEPEND\] Dependency failed for srv-missing\.mount - /srv/missing\.$")
        self.assertEqual(guest.ok("systemctl is-active local-fs.target swap.target default.target"), "active\n" * 3)
        mounts = guest.ok("cat /proc/mounts")
        for line in (r"tmpfs /srv/mem tmpfs rw,\S*size=2048k,mode=710", r"tmpfs /opt/same tmpfs ",
                     r"/dev/vdb /srv/second ext4 rw,noatime", r"/dev/vdc /srv/made ext4 rw", r"/dev/vdd /srv/grown ext4 rw"):
            self.assertRegex(mounts, re.compile("^" + line, re.MULTILINE))
        for path in ("/srv/missing", "/srv/later", "relative"):
            self.assertNotIn(path, mounts)
        self.assertRegex(guest.ok("cat /proc/swaps"), r"(?m)^/swapfile\s+file\s+\d+\s+0\s+7$")
        # It was looked at before it was mounted; the kernel would have warned.
        self.assertEqual(guest.ok("systemctl is-active 'systemd-fsck@dev-disk-by\\x2dlabel-second.service'"), "active\n")
        self.assertNotIn("unchecked fs", guest.ok("dmesg"))
        blocks = int(guest.ok("stat -f -c %b /srv/grown")) * int(guest.ok("stat -f -c %S /srv/grown"))
        self.assertGreater(blocks, 8 << 20)
        self.assertEqual(guest.ok("systemctl show -P SourcePath srv-mem.mount"), "/etc/fstab\n")
        self.assertEqual(guest.ok("systemctl --failed --plain --no-legend | cut -d' ' -f1"), "")
        self.assertIn("/dev/vdx has not come within 7s", guest.run("systemctl status srv-missing.mount")[1])
        self.assertEqual(guest.ok("systemctl show -P BindsTo srv-made.mount srv-second.mount"), "dev-vdc.device\n\n\n")
        for line in (r"/etc/fstab:9: a line has a device, a mount point and a type, ignored$",
                     r'/etc/fstab:10: "relative" is no mount point, ignored$',
                     r"\[ TIME \] Timed out waiting for device dev-vdx\.device - /dev/vdx\.$"):
            self.assertRegex(guest.console, re.compile(line, re.MULTILINE))
        # The kernel has loaded its module for the first of them.
        self.assertEqual(guest.ok("systemctl is-active srv-auto.automount srv-never.automount"), "active\n" * 2)
        self.assertEqual(guest.ok("systemctl is-active srv-auto.mount || true"), "inactive\n")
        self.assertEqual(guest.ok("touch /srv/auto/x; ls /srv/auto"), "x\n")
        self.assertEqual(guest.ok("systemctl is-active srv-auto.mount"), "active\n")
        self.assertIn("No such device", guest.run("ls /srv/never/ 2>&1")[1])
        # Idle, it goes, and comes back.
        guest.ok("while grep -q '/srv/auto tmpfs' /proc/mounts; do :; done")
        self.assertEqual(guest.ok("ls /srv/auto; grep -c '/srv/auto tmpfs' /proc/mounts"), "1\n")
        # What is made anew at a reload is what was there.
        guest.ok("echo 'tmpfs /srv/new tmpfs size=1M' >> /etc/fstab; systemctl daemon-reload; systemctl start srv-new.mount")
        self.assertIn("/srv/new", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.ok("systemctl is-active srv-second.mount swapfile.swap srv-auto.automount"), "active\n" * 3)
        guest.ok("ls /srv/auto")
        guest.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", guest.wait())
        state = subprocess.run(["dumpe2fs", "-h", second], capture_output=True, text=True).stdout
        self.assertRegex(state, r"Filesystem state: +clean\n")

    def test_a_mount_that_must_not_fail_ends_in_the_emergency_shell_that_says_which(self):
        guest = Guest(append="quiet", files={"/etc/fstab": "tmpfs /srv/fine tmpfs\n"
                                                         "/dev/vdx /srv/missing ext4 x-systemd.device-timeout=7s\n"})
        self.addCleanup(guest.end)
        guest.until(r"A start job is running for /dev/vdx \([56]s / 7s\)")
        guest.until(r"\[ TIME \] Timed out waiting for device dev-vdx\.device - /dev/vdx\.$")
        guest.until(r"^\[DEPEND\] Dependency failed for srv-missing\.mount - /srv/missing\.$")
        guest.until(r"^\[DEPEND\] Dependency failed for local-fs\.target - Local File Systems\.$")
        guest.until(r"^You are in emergency mode\.")
        guest.until(r"# $")
        self.assertNotIn("login:", guest.console)
        guest.type("grep -c /srv/ /proc/mounts; echo $((6 * 7))\n")
        guest.until(r"^1\s+42$")
        at = len(guest.console)
        guest.type("echo 'tmpfs /srv/fine tmpfs' > /etc/fstab; systemctl daemon-reload; exit\n")
        guest.until(r"login: ", begin=at)
        self.assertEqual(guest.ok("systemctl is-active local-fs.target"), "active\n")


if __name__ == "__main__":
    unittest.main()
