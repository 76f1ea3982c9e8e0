"""Automount units on a real kernel: who looks waits for the mount, idle ones go, nobody waits for
PID 1 in vain, and PID 1 waits for nobody."""

import os
import signal
import subprocess
import unittest

from harness import until
from manager_harness import OnsetSystemTest

MAIN = "[Unit]\nDefaultDependencies=no\n"
BARE = "[Unit]\nDefaultDependencies=no\n"


def name_of(path, suffix):
    return path.strip("/").replace("-", "\\x2d").replace("/", "-") + suffix


@unittest.skipUnless(os.path.exists("/dev/autofs"), "this kernel has no autofs")
class Automounts(OnsetSystemTest):
    def boot_with(self, mount="What=tmpfs\nType=tmpfs\n", automount="", unit=""):
        system = self.boot({"main.target": MAIN, "other.service": "[Service]\nExecStart=/bin/sleep infinity\n" + BARE},
                           setup=["mknod /dev/autofs c 10 235"])
        self.where = system.path("auto")
        self.mount, self.automount = name_of(self.where, ".mount"), name_of(self.where, ".automount")
        system.write({self.automount: BARE + "[Automount]\n" + automount,
                      self.mount: BARE + unit + "[Mount]\n" + mount})
        self.ok(system, "daemon-reload")
        self.ok(system, "start", self.automount)
        self.assertEqual(system.show(self.automount, "SubState"), "waiting")
        self.assertEqual(system.show(self.mount, "ActiveState"), "inactive")
        return system

    def look(self, system, script):
        """A process inside that looks; not of the manager's group."""
        process = subprocess.Popen(system.inside_line(["sh", "-c", script]), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def table(self, system):
        return system.inside(["cat", "/proc/1/mountinfo"])[1]

    def test_who_looks_has_it_mounted_and_a_stop_takes_both_away(self):
        system = self.boot_with()
        self.assertIn(f" {self.where} ", self.table(system))
        # To see the point itself does not mount it.
        self.assertEqual(self.look(system, f"ls {system.work}").communicate(timeout=30)[0], "auto\n")
        self.assertEqual(system.show(self.automount, "SubState"), "waiting")
        looks = self.look(system, f"touch {self.where}/file && ls {self.where}")
        self.assertEqual(looks.communicate(timeout=30)[0], "file\n")
        self.assertEqual(system.show(self.mount, "SubState"), "mounted")
        self.assertEqual(system.show(self.automount, "SubState"), "running")
        # Reading all files anew changes nothing of it.
        self.ok(system, "daemon-reload")
        self.assertEqual(system.show(self.automount, "SubState"), "running")
        self.assertEqual(self.look(system, f"ls {self.where}").communicate(timeout=30)[0], "file\n")
        # Once more, after it was unmounted by hand.
        self.ok(system, "stop", self.mount)
        self.assertEqual(system.show(self.automount, "SubState"), "waiting")
        self.ok(system, "daemon-reload")
        self.assertEqual(self.look(system, f"cd {self.where} && pwd").communicate(timeout=30)[0], self.where + "\n")
        self.assertEqual(system.show(self.mount, "SubState"), "mounted")
        out = self.ok(system, "list-automounts", "--no-pager")
        self.assertEqual(out.splitlines()[1].split(), ["tmpfs", self.where, "yes", "-", self.automount])
        self.assertIn("1 automounts listed.", out)
        self.ok(system, "stop", self.automount)
        self.assertNotIn(f" {self.where} ", self.table(system))
        until(lambda: system.show(self.mount, "ActiveState") == "inactive", "the mount is seen to be gone")
        self.assertEqual(self.look(system, f"ls {self.where}").communicate(timeout=30)[0], "")

    def test_a_mount_that_fails_is_an_error_for_who_looks(self):
        system = self.boot_with(mount="What=/nowhere/at/all\nType=ext4\n")
        for _ in range(2):
            looks = self.look(system, f"ls {self.where}/")
            self.assertIn("No such device", looks.communicate(timeout=30)[0])
        self.assertEqual(system.show(self.mount, "ActiveState"), "failed")
        self.assertEqual(system.show(self.automount, "SubState"), "waiting")

    def test_pid_1_serves_others_while_somebody_waits(self):
        unit = "Requires=slow.service\nAfter=slow.service\n"
        system = self.boot_with(unit=unit)
        os.mkfifo(system.path("go"))
        system.write({"slow.service": BARE + f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'read x < {system.path('go')}'\n"})
        self.ok(system, "daemon-reload")
        looks = self.look(system, f"ls -d {self.where}/.")
        until(lambda: system.show("slow.service", "ActiveState") == "activating", "the mount waits")
        self.assertEqual(system.show(self.automount, "SubState"), "running")
        self.ok(system, "start", "other.service")
        self.ok(system, "daemon-reload")
        self.assertEqual(system.show("other.service", "ActiveState"), "active")
        self.assertIsNone(looks.poll())
        with open(system.path("go"), "w") as file:
            file.write("x\n")
        self.assertEqual(looks.communicate(timeout=30)[0], self.where + "/.\n")

    def test_who_waits_is_let_go_when_the_automount_is_stopped(self):
        system = self.boot_with(unit="Requires=slow.service\nAfter=slow.service\n")
        os.mkfifo(system.path("go"))
        system.write({"slow.service": BARE + f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'read x < {system.path('go')}'\n"})
        self.ok(system, "daemon-reload")
        looks = self.look(system, f"ls {self.where}/.")
        until(lambda: system.show("slow.service", "ActiveState") == "activating", "the mount waits")
        self.ok(system, "stop", self.automount)
        self.assertIn("Host is down", looks.communicate(timeout=30)[0])
        self.assertEqual(system.show(self.automount, "ActiveState"), "inactive")

    def test_what_is_idle_is_unmounted_and_comes_back(self):
        system = self.boot_with(automount="TimeoutIdleSec=1\n")
        self.assertEqual(self.look(system, f"ls -d {self.where}/.").communicate(timeout=30)[0], self.where + "/.\n")
        until(lambda: system.show(self.mount, "ActiveState") == "inactive", "it is unmounted")
        until(lambda: system.show(self.automount, "SubState") == "waiting", "it waits again")
        self.assertEqual(self.look(system, f"ls -d {self.where}/.").communicate(timeout=30)[0], self.where + "/.\n")
        self.assertEqual(system.show(self.mount, "ActiveState"), "active")

    def test_a_shutdown_takes_it_down(self):
        system = self.boot_with()
        self.assertEqual(self.look(system, f"ls -d {self.where}/.").communicate(timeout=30)[0], self.where + "/.\n")
        system.process.signal(signal.SIGTERM)
        self.assertEqual(system.process.wait(), 0)


if __name__ == "__main__":
    unittest.main()
