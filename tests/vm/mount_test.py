"""Mounts of a machine: what is there has units, what units mount is unmounted in order."""

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


if __name__ == "__main__":
    unittest.main()
