"""A machine's life: from the kernel's hand-over to a login prompt, and off again."""

import re
import unittest

from guest import Guest


class Boot(unittest.TestCase):
    def boot(self, **kind):
        guest = Guest(**kind)
        self.addCleanup(guest.end)
        return guest

    def test_from_an_initramfs_to_a_login_prompt_and_off(self):
        guest = self.boot(append="quiet systemd.hostname=box.example")
        guest.until(r"^box\.example login: ")
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        mounts = dict(line.split()[1:3] for line in guest.ok("cat /proc/mounts").splitlines())
        for place, kind in {"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/dev/pts": "devpts",
                            "/dev/shm": "tmpfs", "/run": "tmpfs", "/sys/fs/cgroup": "cgroup2",
                            "/sys/kernel/security": "securityfs", "/sys/fs/bpf": "bpf"}.items():
            self.assertEqual(mounts.get(place), kind, place)
        self.assertRegex(guest.ok("cat /etc/machine-id"), r"^[0-9a-f]{32}\n$")
        self.assertEqual(guest.ok("hostname"), "box.example\n")
        self.assertIn("inet 127.0.0.1/8", guest.ok("ip addr show lo"))
        self.assertEqual(guest.ok("readlink /dev/fd; readlink /dev/stdout").split(), ["/proc/self/fd", "/proc/self/fd/1"])
        guest.type("root\n")
        guest.until(r"# $")
        guest.type("/sbin/poweroff\n")
        self.assertIn("reboot: Power down", guest.wait())

    def test_from_a_disk_to_a_login_prompt_and_off(self):
        guest = self.boot(disk=True, append="quiet")
        guest.until(r" login: ")
        self.assertIn(" / ext4 ", guest.ok("cat /proc/mounts"))
        self.assertEqual(guest.ok("systemctl is-system-running"), "running\n")
        guest.tell("systemctl poweroff")
        self.assertIn("reboot: Power down", guest.wait())

    def test_the_kernel_command_line_asks_for_a_target_and_settings_and_ctrl_alt_del_reboots(self):
        target = "[Unit]\nDescription=Mine\nRequires=basic.target vm-agent.service\nAfter=basic.target\n"
        guest = self.boot(append="systemd.unit=mine.target systemd.setenv=A=1 onset.log_level=debug onset.nonsense=1",
                          files={"/etc/systemd/system/mine.target": target})
        self.assertEqual(guest.ok("systemctl is-active mine.target"), "active\n")
        self.assertNotEqual(guest.run("systemctl is-active multi-user.target")[0], 0)
        self.assertIn("A=1\n", guest.ok("tr '\\0' '\\n' < /proc/self/environ"))
        self.assertEqual(guest.ok("systemctl show -p LogLevel --value"), "debug\n")
        self.assertTrue(re.search(r"onset\.nonsense=1 is not honoured yet", guest.console), guest.console)
        guest.monitor("sendkey ctrl-alt-delete")
        self.assertRegex(guest.wait(), r"reboot: (Restarting system|machine restart)")


if __name__ == "__main__":
    unittest.main()
