"""A boot in which something is wrong: it ends in what can be reached, or in a shell for root."""

import re
import unittest

from guest import Guest

# Of all of root's accounts this one has no password; Debian's own is locked.
NO_PASSWORD = "root::19000:0:99999:7:::\n"


class Trouble(unittest.TestCase):
    def boot(self, **kind):
        guest = Guest(**kind)
        self.addCleanup(guest.end)
        return guest

    def test_p18_a_root_that_can_not_be_mended_ends_in_an_emergency_shell(self):
        fails = "#!/bin/sh\necho \"fsck $*\"\nexit 4\n"
        guest = self.boot(disk=True, append="quiet", files={"/usr/sbin/fsck": fails, "/etc/shadow": NO_PASSWORD})
        guest.until(r"^fsck -a -T /dev/vda$")
        guest.until(r"^fsck of /dev/vda: errors are left uncorrected \(exit status 4\)$")
        guest.until(r"^\[FAILED\] Failed to start systemd-fsck-root\.service - File System Check on Root Device\.$")
        guest.until(r"^\[DEPEND\] Dependency failed for systemd-remount-fs\.service - ")
        guest.until(r"^You are in emergency mode\.")
        # Nobody has logged in, and nothing of the default target runs.
        self.assertNotIn("login:", guest.console)
        guest.until(r"Press Enter for maintenance\s+\(or press Control-D to continue\): ")
        guest.type("\n")
        guest.until(r"# $")
        guest.type("systemctl is-system-running; grep -c ' / ext4 ro' /proc/mounts; systemctl is-active emergency.target\n")
        guest.until(r"^maintenance\s+1\s+active$")
        guest.until(r"# $", begin=guest.until(r"^maintenance\s+1\s+active$").end())
        # Whoever knows better says so, and the boot goes on.
        at = len(guest.console)
        guest.type("mount -o remount,rw / && exit\n")
        guest.until(r" login: ", begin=at)
        self.assertEqual(guest.run("systemctl is-system-running"), (1, "degraded\n"))  # its check has failed

    def test_the_word_emergency_gives_a_shell_and_broken_files_are_told_and_passed_over(self):
        guest = self.boot(append="quiet emergency", files={
            "/etc/fstab": "nonsense\n/dev/none / ext4 defaults 0 1\n\\777 /\x01 x\n",
            "/etc/sysctl.d/x.conf": "nonsense\nkernel.panic_print=1\n", "/etc/rc.local": "#!/no/such/shell\n",
            "/etc/hostname": "-bad name-\n"})
        guest.until(r"^You are in emergency mode\.")
        self.assertIn('"-bad name-" is no host name, ignored', guest.console)
        guest.until(r"# $")  # no password is set, and no sulogin asks for it
        guest.type("systemctl is-active sysinit.target; echo $((6 * 7))\n")
        guest.until(r"^inactive\s+42$")
        at = len(guest.console)
        guest.type("exit\n")
        guest.until(r"login: ", begin=at)
        self.assertEqual(guest.ok("cat /proc/sys/kernel/panic_print"), "1\n")
        for line in (r"^/etc/sysctl\.d/x\.conf:1: expected KEY=VALUE, not \"nonsense\"$",
                     r"^rc-local\.service: cannot execute /etc/rc\.local: No such file or directory"):
            self.assertRegex(guest.console, re.compile(line, re.MULTILINE))
        self.assertEqual(guest.run("systemctl is-system-running"), (1, "degraded\n"))

    def test_a_disk_that_never_comes_is_waited_for_and_named(self):
        guest = self.boot(disk=True, initrd=True,
                          append="quiet root=/dev/vdz rootfstype=ext4 rootflags=x-systemd.device-timeout=9s")
        guest.until(r"waiting for /dev/vdz$")
        guest.until(r"A start job is running for initrd-root-mount\.service - Root File System /dev/vdz \([5-9]s / 9s\)")
        guest.until(r"^\[FAILED\] Failed to start initrd-root-mount\.service - Root File System /dev/vdz\.$")
        guest.until(r"^\[DEPEND\] Dependency failed for initrd-root-fs\.target - Initrd Root File System\.$")
        guest.until(r"^You are in emergency mode\.")
        guest.until(r"# $")
        # The disk that is there has been found, its modules loaded.
        guest.type("ls /dev/vda; echo $((6 * 7))\n")
        guest.until(r"^/dev/vda\s+42$")

    def test_p18_a_root_without_a_free_block_comes_up_runs_and_goes_down(self):
        first = self.boot(disk=True, keep=True, append="quiet")
        first.until(r" login: ")
        # Whatever is free, down to the last block that is root's alone.
        first.ok("for size in 1G 64M 4M 256K 16K 4K; do i=0; while fallocate -l $size /fill.$size.$i; do i=$((i+1)); done; done 2>&1")
        self.assertIn("No space left on device", first.run("cp /bin/sh /etc/more")[1])
        first.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", first.wait())
        guest = self.boot(disk=True, keep=first.disk, append="quiet", files={"/etc/systemd/system/later.service": ""})
        guest.until(r" login: ")
        self.assertEqual(guest.ok("df --output=avail / | tail -n 1").strip(), "0")
        self.assertEqual(guest.ok("systemctl is-active multi-user.target"), "active\n")
        self.assertEqual(guest.ok("systemd-run --quiet --pipe --wait echo run"), "run\n")
        code, text = guest.run("systemctl enable systemd-sysctl.service; systemctl set-property vm-agent.service CPUWeight=7")
        self.assertNotEqual(code, 0)
        self.assertIn("No space left on device", text)
        guest.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", guest.wait())

    def test_p19_without_controllers_units_run_and_what_limits_need_is_named(self):
        limited = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nMemoryMax=10M\nTasksMax=7\n"
        guest = self.boot(append="quiet cgroup_disable=memory cgroup_disable=pids",
                          files={"/etc/systemd/system/limited.service": limited})
        guest.until(r" login: ")
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        guest.ok("systemctl start limited.service")
        status = guest.ok("systemctl status limited.service")
        for directive in ("MemoryMax=", "TasksMax="):
            self.assertRegex(status, f"not enforced.*{directive}|{directive}.*controller")


if __name__ == "__main__":
    unittest.main()
