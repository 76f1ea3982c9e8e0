"""A machine's end: what is left is killed, unmounted and detached, and nothing holds it up."""

import os
import subprocess
import tempfile
import unittest

from guest import Guest, kernel, static_program

SHOW = "#!/bin/sh\necho \"hook $1, $(grep -c ' /mnt' /proc/mounts) mounts, $(cat /proc/swaps | wc -l) line of swaps, $(ls /sys/class/block | grep -c dm-) mappings\"\n"
# Outlives its unit, ignores SIGTERM, and has a new child whenever one ends.
STAYS = "[Service]\nKillMode=process\nExecStart=/etc/stays\n"
STAYS_PROGRAM = "#!/bin/sh\n(trap '' TERM; while :; do sleep 1000; done) &\nexec sleep 1000\n"


class Power(unittest.TestCase):
    def disk(self, folder, name="disk.img", size="64M"):
        path = os.path.join(folder, name)
        subprocess.run(["mke2fs", "-qF", "-t", "ext4", path, size], check=True, capture_output=True)
        return path

    def boot(self, image=None, **kind):
        options = kind.pop("options", [])
        if image:
            options = [*options, "-drive", f"file={image},format=raw,if=virtio"]
        guest = Guest(disk=True, append="quiet", options=options, **kind)
        self.addCleanup(guest.end)
        return guest

    def end(self, guest, command):
        """Its console."""
        guest.tell(command)
        return guest.wait()

    def assert_clean(self, image):
        state = subprocess.run(["dumpe2fs", "-h", image], check=True, capture_output=True, text=True).stdout
        self.assertRegex(state, r"Filesystem state: +clean\n")
        self.assertNotIn("needs_recovery", state)

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="onset-power-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_d1_d2_what_is_left_is_killed_and_all_storage_is_detached(self):
        image = self.disk(self.folder())
        guest = self.boot(image, packages=["mapper-files"], files={
            "/usr/lib/systemd/system-shutdown/show": SHOW,
            "/usr/lib/systemd/system-shutdown/fails": "#!/bin/sh\nexit 3\n",
            "/etc/systemd/system/stays.service": STAYS, "/etc/stays": STAYS_PROGRAM})
        guest.ok("modprobe dm-mod && dmsetup create outer --table \"0 $(cat /sys/class/block/vdb/size) linear /dev/vdb 0\" && dmsetup mknodes")
        guest.ok("mount /dev/mapper/outer /mnt && mkdir /mnt/inner && echo kept > /mnt/file")
        guest.ok("dd if=/dev/zero of=/mnt/swap bs=1M count=8 && mkswap /mnt/swap && swapon /mnt/swap")
        guest.ok("insmod /lib/modules/*/kernel/drivers/block/loop.ko && dd if=/dev/zero of=/mnt/image bs=1M count=16 && mke2fs -q -t ext4 /mnt/image")
        guest.ok("mount $(losetup --show -f /mnt/image) /mnt/inner && echo inner > /mnt/inner/file")
        guest.ok("systemctl start stays.service")
        console = self.end(guest, "systemctl poweroff")
        self.assertIn("reboot: Power down", console)
        self.assertRegex(console, r"still running: (.*, )?stays \(\d+\)")
        self.assertIn("hook poweroff, 0 mounts, 1 line of swaps, 0 mappings", console)
        self.assertIn("system-shutdown/fails has failed", console)
        self.assertNotRegex(console, r"(unmounting|detaching|deactivating)")
        self.assert_clean(image)
        inner = os.path.join(self.folder(), "inner.img")
        subprocess.run(["debugfs", "-R", f"dump /image {inner}", image], check=True, capture_output=True)
        self.assert_clean(inner)

    def test_a_kernel_that_is_loaded_is_what_kexec_goes_on_with(self):
        image = self.disk(self.folder())
        with open(kernel()[0], "rb") as file:
            next_kernel = file.read()
        guest = self.boot(image, files={"/boot/next": next_kernel, "/usr/bin/load-kernel": static_program("load_kernel.c")})
        guest.ok("mount /dev/vdb /mnt && echo kept > /mnt/file")
        guest.ok("load-kernel /boot/next 'console=ttyS0 panic=-1 the_next_kernel'")
        console = self.end(guest, "systemctl kexec")
        self.assertNotIn("no kernel is loaded", console)
        self.assertIn("Command line: console=ttyS0 panic=-1 the_next_kernel", console)
        self.assertEqual(console.count("Booting from ROM"), 1)
        self.assert_clean(image)

    def test_the_power_button_powers_off_where_acpid_says_so(self):
        guest = self.boot(packages=["acpid-files"], files={
            "/etc/acpi/events/powerbtn": "event=button[ /]power\naction=shutdown -h -P now 'Power button pressed'\n"})
        guest.ok("modprobe button && systemctl start acpid.service")
        self.assertEqual(guest.ok("systemctl is-active acpid.socket acpid.service"), "active\nactive\n")
        guest.run("true")
        guest.monitor("system_powerdown")
        self.assertIn("reboot: Power down", guest.wait())

    def test_d3_a_disk_that_does_not_answer_does_not_hold_up_the_others(self):
        stuck, fine = self.disk(self.folder()), self.disk(self.folder())
        # Its unmounting is given up by its unit, what hangs in it and what is unwritten by the final phase.
        limits = {"/etc/systemd/system.conf": "[Manager]\nDefaultTimeoutStartSec=10s\nDefaultTimeoutStopSec=10s\n"}
        guest = self.boot(stuck, files=limits, options=["-drive", f"file={fine},format=raw,if=virtio"])
        guest.ok("mkdir /run/fine && mount /dev/vdb /run/fine && mount /dev/vdc /mnt")
        guest.ok("echo kept > /run/fine/file; echo lost > /mnt/file")
        guest.monitor("block_set_io_throttle virtio2 1 0 0 0 0 0")
        console = self.end(guest, "systemctl poweroff")
        self.assertIn("mnt.mount: failed with result 'timeout'", console)
        self.assertRegex(console, r"processes are left that can't be killed\n(\[.*\n)?still running: umount")
        self.assertRegex(console, r"disks do not take what is written, going on without it")
        self.assertIn("reboot: Power down", console)
        self.assert_clean(fine)

    def test_d8_without_a_process_to_be_had_the_end_comes_all_the_same(self):
        guest = Guest(append="quiet")
        self.addCleanup(guest.end)
        guest.ok("echo +pids > /sys/fs/cgroup/cgroup.subtree_control; echo 1 > /sys/fs/cgroup/init.scope/pids.max")
        console = self.end(guest, "systemctl poweroff")
        self.assertIn("no process can be made to detach storage, going on without it", console)
        self.assertIn("reboot: Power down", console)

    def test_busybox_ends_the_machine_as_it_ends_its_own(self):
        # Its shell runs its own applets, and these send signals.
        for command, last in (("poweroff", "Power down"), ("reboot", "machine restart|Restarting"), ("halt", "System halted")):
            with self.subTest(command=command):
                guest = Guest(append="quiet")
                self.addCleanup(guest.end)
                guest.until(r" login: ")
                guest.type("root\n")
                guest.until(r"^/root # ")
                guest.type(command + "\n")
                guest.until(rf"reboot: .*({last})")
                self.assertNotIn("multi-user.target: active", guest.console)

    def test_a_soft_reboot_begins_anew_below_the_same_kernel(self):
        guest = Guest(append="quiet")
        self.addCleanup(guest.end)
        def begin_anew():
            begin = len(guest.console)
            guest.tell("systemctl soft-reboot")
            guest.agent_is_ready = False
            guest.until(r" login: ", begin=begin)
        guest.until(r"^guest login: ")
        guest.ok("echo kept > /run/kept")
        guest.ok("sh -c 'trap \"\" HUP; exec sleep 77777' &")
        begin_anew()
        self.assertEqual(guest.ok("cat /run/kept"), "kept\n")
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        self.assertNotIn("77777", guest.ok("ps"))
        self.assertIn("\n0::/init.scope\n", "\n" + guest.ok("cat /proc/1/cgroup"))
        guest.ok("mkdir /run/nextroot && mount -t tmpfs none /run/nextroot && cp -a /bin /sbin /usr /etc /root /var /run/nextroot")
        guest.ok("echo next > /run/nextroot/etc/hostname")
        begin_anew()
        self.assertIn("next login: ", guest.console)
        self.assertEqual(guest.ok("cat /run/kept"), "kept\n")
        self.assertRegex(guest.ok("cat /proc/mounts"), r"(?m)^none / tmpfs ")
        console = self.end(guest, "systemctl poweroff")
        self.assertIn("reboot: Power down", console)
        self.assertEqual(console.count("Booting from ROM"), 1)

    def test_a_shutdown_for_later_is_announced_cancelled_and_comes(self):
        guest = Guest(append="quiet")
        self.addCleanup(guest.end)
        guest.until(r" login: ")
        guest.ok(r"(printf '\7\0\0\0\1\0\0\0ttyS0'; head -c 371 /dev/zero) > /run/utmp")  # somebody is logged in
        self.assertRegex(guest.ok("shutdown -r +20 later 2>&1"), r"^Reboot scheduled for .*, use 'shutdown -c' to cancel.\n$")
        self.assertRegex(guest.ok("cat /run/systemd/shutdown/scheduled"), r"^USEC=\d+\nWARN_WALL=1\nMODE=reboot\nWALL_MESSAGE=later\n$")
        self.assertEqual(guest.run("test -e /run/nologin")[0], 1)
        guest.ok("shutdown -P +4 soon && test -e /run/nologin")
        guest.until(r"Broadcast message from root@.*\n\nsoon\nThe system will power off at .*!")
        self.assertRegex(guest.ok("shutdown --show"), r"^Shutdown scheduled for ")
        guest.ok("shutdown -c not today")
        guest.until(r"not today\nThe system shutdown has been cancelled")
        self.assertEqual(guest.run("shutdown --show; test -e /run/nologin || test -e /run/systemd/shutdown/scheduled")[0], 1)
        guest.ok("shutdown")
        guest.until(r"The system will power off now!", seconds=180)
        self.assertIn("reboot: Power down", guest.wait())

    def test_a_failing_power_supply_is_a_target_and_what_a_reboot_is_told_reaches_the_kernel(self):
        warns = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo on batteries > /dev/console'\n"
        guest = Guest(append="quiet", files={"/etc/systemd/system/warn.service": warns,
                                             "/etc/systemd/system/sigpwr.target.d/warn.conf": "[Unit]\nWants=warn.service\n"})
        self.addCleanup(guest.end)
        guest.until(r" login: ")
        guest.ok("kill -PWR 1")
        guest.until(r"on batteries$")
        self.assertEqual(guest.ok("systemctl is-active sigpwr.target"), "active\n")
        console = self.end(guest, "systemctl reboot --reboot-argument=recovery")
        self.assertIn("reboot: Restarting system with command 'recovery'", console)

    def test_d4_ctrl_alt_del_over_and_over_does_not_wait(self):
        hangs = "[Unit]\nBefore=vm-agent.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n" \
                "ExecStart=/bin/true\nExecStop=/bin/sleep 100000\nTimeoutStopSec=infinity\n"
        guest = Guest(append="quiet", files={"/etc/systemd/system/hangs.service": hangs})
        self.addCleanup(guest.end)
        guest.ok("systemctl start hangs.service")
        for _ in range(10):
            guest.monitor(*["sendkey ctrl-alt-delete 1"] * 20)
            if "within 2 s: reboot-force" in guest.console or not guest._read(0):
                break
        console = guest.wait()
        self.assertIn("Ctrl-Alt-Del more than 7 times within 2 s: reboot-force", console)
        self.assertRegex(console, r"reboot: (Restarting system|machine restart)")

    def test_p13_a_process_that_can_not_be_killed_holds_up_nothing(self):
        image = self.disk(self.folder())
        unkillable = "[Service]\nTimeoutStopSec=2\nExecStart=/bin/sh -c 'echo x > /mnt/file'\n"
        guest = self.boot(image, files={"/etc/systemd/system/unkillable.service": unkillable})
        guest.ok("mount /dev/vdb /mnt && fsfreeze -f /mnt && systemctl start unkillable.service")
        guest.ok("until grep -q '^State:.D' /proc/$(systemctl show -P MainPID unkillable.service)/status; do :; done")
        guest.ok("systemctl stop unkillable.service; true")
        self.assertIn("ActiveState=failed\n", guest.ok("systemctl show -p ActiveState unkillable.service"))
        guest.ok("systemctl start e2scrub_reap.service || true; systemctl is-system-running || true")
        console = self.end(guest, "systemctl poweroff")
        self.assertIn("processes are left that can't be killed", console)
        self.assertIn("reboot: Power down", console)

    def test_an_action_that_forces_skips_the_services_one_that_is_immediate_all(self):
        for action, last, has_hook in (("reboot-force", "restart|Restarting", True), ("poweroff-immediate", "Power down", False)):
            with self.subTest(action=action):
                acts = f"[Unit]\nFailureAction={action}\n[Service]\nType=oneshot\nExecStart=/bin/false\n"
                stops = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nExecStop=/bin/sh -c 'echo stops > /dev/console'\n"
                guest = Guest(append="quiet", files={
                    "/etc/systemd/system/acts.service": acts, "/etc/systemd/system/stops.service": stops,
                    "/usr/lib/systemd/system-shutdown/show": SHOW})
                self.addCleanup(guest.end)
                guest.ok("systemctl start stops.service")
                console = self.end(guest, "systemctl start acts.service")
                self.assertRegex(console, rf"reboot: .*({last})")
                self.assertNotIn("stops", console)
                self.assertEqual("hook " in console, has_hook)

    def test_the_hardware_watchdog_is_set_told_handed_over_and_disarmed(self):
        place = "/sys/class/watchdog/watchdog0"
        guest = self.boot(files={
            "/etc/systemd/system.conf.d/watchdog.conf": "[Manager]\nRuntimeWatchdogSec=8s\nRebootWatchdogSec=5min\n",
            "/usr/lib/systemd/system-shutdown/show": f"#!/bin/sh\necho watchdog $(cat {place}/state {place}/timeout)\n"})
        guest.until(r"the hardware watchdog can't be set as configured: open: No such file or directory")
        guest.ok("cd /lib/modules/*/kernel/drivers/watchdog && insmod watchdog.ko; insmod softdog.ko && systemctl daemon-reload")
        self.assertEqual(guest.ok(f"cat {place}/state {place}/timeout"), "active\n8\n")
        self.assertIn("RuntimeWatchdogUSec=8s\n", guest.ok("systemctl show -p RuntimeWatchdogUSec"))
        guest.ok("sleep 20")  # far longer than the watchdog would wait for somebody who does not tell it
        console = self.end(guest, "systemctl reboot")
        self.assertIn("watchdog active 300\n", console)


if __name__ == "__main__":
    unittest.main()
