"""Devices that come and go: what waits for them, what is bound to them, and what never comes."""

import os
import re
import subprocess
import tempfile
import unittest

from guest import DISK_MODULES, Guest

SYSTEM = "/etc/systemd/system/"
UUID = "1c4e7f0e-5d6b-4a4c-9d3e-0a1b2c3d4e5f"
BY_UUID = "dev-disk-by\\x2duuid-" + UUID.replace("-", "\\x2d") + ".device"

BOUND = """[Unit]
BindsTo={device}
After={device}
[Service]
ExecStart=/bin/sh -c 'echo service of {name} runs > /dev/console; exec sleep infinity'
ExecStopPost=/bin/sh -c 'echo service of {name} is over > /dev/console'
"""
WANTED = """[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo what the device wants runs > /dev/console'
[Install]
WantedBy=dev-vda.device
"""
NEVER = """[Unit]
DefaultDependencies=no
BindsTo=dev-never.device
After=dev-never.device
[Service]
ExecStart=/bin/true
"""
LATE = "[Unit]\nJobRunningTimeoutSec=12\n"
MOUNT = "[Mount]\nWhat={what}\nWhere=/data\nType=ext4\n"


def bound(device, name):
    return BOUND.format(device=device, name=name)


def image(test):
    """A disk with a file system, whose UUID and label are known."""
    folder = tempfile.TemporaryDirectory(prefix="onset-disk-")
    test.addCleanup(folder.cleanup)
    path = os.path.join(folder.name, "hot.img")
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", UUID, "-L", "hot", path, "8M"], check=True)
    return path


class Devices(unittest.TestCase):
    def started(self, **how):
        guest = Guest(**how)
        self.addCleanup(guest.end)
        return guest

    def plug(self, guest, path):
        guest.monitor(f"drive_add 0 if=none,id=hot,format=raw,file={path}",
                      "device_add virtio-blk-pci,drive=hot,id=hot")

    def test_without_udev_devices_come_and_go_as_the_kernel_says(self):
        guest = self.started(
            append="quiet", modules=(*DISK_MODULES, "dummy"),
            files={SYSTEM + "hot.service": bound("dev-vda.device", "vda"), SYSTEM + "wanted.service": WANTED,
                   SYSTEM + "data.mount": MOUNT.format(what="/dev/vda"), SYSTEM + "never.service": NEVER,
                   SYSTEM + "basic.target.d/never.conf": "[Unit]\nWants=never.service\n",
                   SYSTEM + "dev-never.device.d/late.conf": LATE})
        # A device that never comes, by name and with its limit.
        guest.until(r"A start job is running for /dev/never \(\d+s / 12s\)")
        guest.until(r"Timed out waiting for device dev-never\.device - /dev/never")
        guest.until(r"Dependency failed for never\.service")
        self.assertIn("/dev/never has not come within 12s", guest.run("systemctl status never.service")[1])

        # What is there from the beginning: a terminal, an interface.
        self.assertEqual(guest.ok("systemctl is-active dev-ttyS0.device sys-subsystem-net-devices-lo.device"),
                         "active\nactive\n")
        path = guest.ok("systemctl show -P SysFSPath dev-ttyS0.device").strip()
        self.assertRegex(path, r"^/sys/devices/.*/tty/ttyS0$")
        self.assertIn("Device: " + path, guest.ok("systemctl status dev-ttyS0.device"))
        listed = guest.ok("systemctl list-units -t device --no-legend --plain")
        self.assertRegex(listed, r"(?m)^sys-devices-\S*ttyS0.* +loaded +active +plugged")
        self.assertNotRegex(listed, r"(?m)^dev-ttyS0\.device")
        self.assertRegex(guest.ok("systemctl list-units -t device --all --no-legend --plain"),
                         r"(?m)^dev\S*ttyS0.* +loaded +active +plugged")

        # An interface that comes; nobody has to look for it again.
        guest.ok("systemctl start --no-block sys-subsystem-net-devices-dummy0.device; insmod /lib/modules/dummy.ko")
        guest.ok("systemctl start sys-subsystem-net-devices-dummy0.device")

        # A disk: a service and a mount wait for it, another service is wanted by it.
        guest.ok("systemctl start --no-block hot.service data.mount")
        self.assertEqual(guest.run("systemctl is-active hot.service data.mount")[1], "inactive\ninactive\n")
        self.assertEqual(guest.ok("systemctl list-jobs --no-legend | grep -c 'dev-vda.device *start *running'"), "1\n")
        for name in DISK_MODULES:
            guest.ok(f"insmod /lib/modules/{name}.ko")
        disk = image(self)
        self.plug(guest, disk)
        guest.until(r"service of vda runs")
        guest.ok("systemctl start data.mount hot.service")
        self.assertIn("/data", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.ok("systemctl show -P BindsTo data.mount"), "dev-vda.device\n")
        guest.monitor("device_del hot")
        guest.until(r"service of vda is over")
        guest.ok("systemctl stop data.mount hot.service")
        self.assertNotIn("/data", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.run("systemctl is-active dev-vda.device")[1], "inactive\n")
        # Nobody waits for it, and it brings what it wants.
        guest.ok("systemctl enable wanted.service")
        self.plug(guest, disk)
        guest.until(r"what the device wants runs")
        guest.monitor("sendkey ctrl-alt-delete")
        self.assertRegex(guest.wait(), r"reboot: (Restarting system|machine restart)")

    def test_with_udev_its_tags_links_and_wishes_count(self):
        rules = 'SUBSYSTEM=="block", ENV{ID_FS_LABEL}=="hot", ENV{SYSTEMD_WANTS}+="wanted.service"\n'
        guest = self.started(
            disk=True, append="quiet", packages=("udev-files",),
            files={SYSTEM + "hot.service": bound(BY_UUID, "uuid"), SYSTEM + "wanted.service": WANTED,
                   SYSTEM + "data.mount": MOUNT.format(what="UUID=" + UUID),
                   "/etc/udev/rules.d/99-zz-test.rules": rules,
                   SYSTEM + "systemd-udev-trigger.service.d/order.conf": "[Unit]\nAfter=systemd-udevd.service\n"})
        self.assertEqual(guest.ok("systemctl is-active systemd-udevd.service"), "active\n")
        guest.ok("udevadm settle && systemctl start dev-vda.device dev-ttyS0.device")
        links = guest.ok("systemctl list-units -t device --all --no-legend --plain 'dev-disk-*'")
        self.assertRegex(links, r"(?m)^dev-disk-by\\x2duuid-\S+ +loaded +active +plugged")
        self.assertEqual(guest.ok("systemctl show -P BindsTo data.mount"), BY_UUID + "\n")
        guest.ok("systemctl start --no-block hot.service data.mount")
        self.assertEqual(guest.run("systemctl is-active hot.service data.mount")[1], "inactive\ninactive\n")
        self.plug(guest, image(self))
        guest.until(r"service of uuid runs")
        guest.until(r"what the device wants runs")
        guest.ok("systemctl start hot.service data.mount dev-vdb.device dev-disk-by\\\\x2dlabel-hot.device")
        name = guest.ok(f"systemctl show -P Following '{BY_UUID}'").strip()
        self.assertRegex(name, r"^sys-devices-.*-vdb\.device$")
        self.assertIn("wanted.service", guest.ok(f"systemctl show -P Wants '{name}'"))
        # Another label: the link goes, and with it its unit.
        guest.ok("umount /data; e2label /dev/vdb cold && udevadm trigger --settle /dev/vdb")
        self.assertEqual(guest.run("systemctl is-active dev-disk-by\\\\x2dlabel-hot.device "
                                   "dev-disk-by\\\\x2dlabel-cold.device")[1], "inactive\nactive\n")
        guest.monitor("device_del hot")
        guest.until(r"service of uuid is over")
        self.assertEqual(guest.run(f"systemctl is-active '{BY_UUID}'")[1], "inactive\n")


if __name__ == "__main__":
    unittest.main()
