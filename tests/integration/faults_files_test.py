"""Unit files, users and paths that lead PID 1 astray; a test's name begins with the
fault's id."""

import os
import signal
import unittest

from harness import ORDINARY_UID, until
from manager_harness import OnsetSystemTest, say

STAY = "/bin/sleep infinity"


class Configuration(OnsetSystemTest):
    def refused(self, system, *units):
        for unit in units:
            with self.subTest(unit=unit):
                code, _, err = system.cli("start", unit)
                self.assertNotEqual(code, 0)
                self.assertTrue(err)
                self.assertNotEqual(system.show(unit, "ActiveState"), "active")
        self.assertEqual(system.said(), [])

    def test_C1_an_invalid_or_missing_user_never_means_root(self):
        users = ["no-such-user", "a b", "..", "*", "$(id)", "@", "x:y"]
        units = {f"u{i}.service": f"[Service]\nType=oneshot\nUser={user}\nExecStart={say('ran')}\n"
                 for i, user in enumerate(users)}
        system = self.boot(units)
        self.refused(system, *units)

    def test_C2_numbers_that_are_no_uid_are_refused(self):
        users = ["-1", "+0", "65535", "4294967295", "1e3"]
        units = {f"u{i}.service": f"[Service]\nType=oneshot\nUser={user}\nExecStart={say('ran')}\n"
                 for i, user in enumerate(users)}
        units |= {f"g{i}.service": f"[Service]\nType=oneshot\nGroup={user}\nExecStart={say('ran')}\n"
                  for i, user in enumerate(users)}
        system = self.boot(units)
        self.refused(system, *units)

    def test_C3_a_user_that_is_gone_at_the_start_is_a_failure(self):
        system = self.boot(
            {"a.service": "[Service]\nType=oneshot\nUser=shortlived\nExecStart=/bin/sh -c 'id -u >> @work@/said'\n"},
            setup=["cp /etc/passwd /run/passwd", "echo 'shortlived:x:4321:4321::/:/bin/sh' >> /run/passwd",
                   "mount --bind /run/passwd /etc/passwd"])
        self.ok(system, "start", "a.service")
        self.assertEqual(system.said(), ["4321"])
        code = "sed /shortlived/d /etc/passwd > /run/less && cat /run/less > /etc/passwd"
        self.assertEqual(system.inside(["sh", "-c", code])[0], 0)
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        self.assertEqual(system.show("a.service", "ExecMainStatus"), "217")
        self.assertEqual(system.said(), ["4321"])

    def test_C7_what_is_no_file_never_hangs_the_loader(self):
        system = self.boot({name + ".service": f"[Service]\nType=oneshot\nExecStart={say(name)}\n"
                            for name in ("good", "dropped")})
        folder = system.units
        os.mkfifo(os.path.join(folder, "fifo.service"))
        os.symlink("loop-b.service", os.path.join(folder, "loop-a.service"))
        os.symlink("loop-a.service", os.path.join(folder, "loop-b.service"))
        os.symlink("/dev/zero", os.path.join(folder, "zero.service"))
        os.symlink("/dev/tty", os.path.join(folder, "tty.service"))
        os.mkdir(os.path.join(folder, "folder.service"))
        os.mkdir(os.path.join(folder, "dropped.service.d"))
        os.mkfifo(os.path.join(folder, "dropped.service.d", "a.conf"))
        self.ok(system, "daemon-reload")
        self.refused(system, *(f"{name}.service" for name in ("fifo", "loop-a", "zero", "tty", "folder")))
        self.ok(system, "start", "good.service", "dropped.service")
        self.assertIn("a.conf: not a regular file; ignored as a drop-in", system.log())

    def test_C7_a_folder_of_the_search_path_that_loops_hides_no_unit_of_others(self):
        system = self.boot({"main.target": "[Unit]\nWants=a.service\n",
                            "a.service": f"[Service]\nType=oneshot\nExecStart={say('a')}\n"},
                           setup=["ln -s loop /run/loop", "ln -s @work@/../units /run/units"],
                           options=["--unit-path=/run/loop:/run/units"])
        self.assertEqual((system.state_at_start, system.said()), ("running", ["a"]))
        self.ok(system, "start", "a.service")
        self.assertEqual(system.log().count("/run/loop: "), 1)
        self.assertIn("/run/loop: can't be listed, its units are missing: Too many levels of symbolic links", system.log())

    def test_C8_a_unit_file_that_everybody_may_write_is_named(self):
        system = self.boot({"a.service": f"[Service]\nType=oneshot\nExecStart={say('a')}\n"})
        os.chmod(os.path.join(system.units, "a.service"), 0o666)
        self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertRegex(system.log(), r"/a\.service: the file can be written by everyone")

    def test_C11_a_pid_file_that_names_what_is_not_the_units_is_refused(self):
        forking = ("[Service]\nType=forking\nPIDFile=@work@/{0}.pid\nTimeoutStartSec=2\n"
                   "ExecStart=/bin/sh -c 'sleep infinity & {1}'\n")
        system = self.boot({
            "victim.service": f"[Service]\nExecStart={STAY}\n",
            "init.service": forking.format("init", "echo 1 > @work@/init.pid"),
            "other.service": forking.format("other", "cat @work@/victim > @work@/other.pid"),
            "text.service": forking.format("text", "echo x > @work@/text.pid"),
            "big.service": forking.format("big", "echo 99999999999 > @work@/big.pid"),
            "zombie.service": forking.format("zombie", "sh -c \"exit 0\" & echo $! > @work@/zombie.pid")})
        self.ok(system, "start", "victim.service")
        victim = system.show("victim.service", "MainPID")
        with open(system.path("victim"), "w") as file:
            file.write(victim + "\n")
        for name in ("init", "other", "text", "big", "zombie"):
            with self.subTest(pid_file=name):
                system.cli("start", f"{name}.service")
                self.assertNotIn(system.show(f"{name}.service", "MainPID"), ("1", victim))
                system.cli("stop", f"{name}.service")
        self.assertEqual(system.show("victim.service", "ActiveState"), "active")

    def test_C11_CVE_2018_16888_a_pid_file_of_an_ordinary_user_cannot_name_a_process_of_nobody(self):
        system = self.boot({
            "a.service": f"[Service]\nType=forking\nUser={ORDINARY_UID}\nPIDFile=@work@/a.pid\nTimeoutStartSec=2\n"
                         "ExecStart=/bin/sh -c 'sleep infinity & cat @work@/alien > @work@/a.pid'\n"})
        alien = self.start_inside(system, ["/bin/sleep", "infinity"])
        until(lambda: self.inner_pid(alien), "it runs")
        with open(system.path("alien"), "w") as file:
            file.write(self.inner_pid(alien))
        self.assertNotEqual(system.cli("start", "a.service")[0], 0)
        self.assertNotEqual(system.show("a.service", "MainPID"), self.inner_pid(alien))
        system.cli("stop", "a.service")
        # Whatever onset has sent by then is taken first: lower numbers come before higher ones.
        alien.signal(signal.SIGVTALRM)
        self.assertEqual(alien.wait(), -signal.SIGVTALRM)

    @staticmethod
    def inner_pid(process):
        try:
            with open(f"/proc/{process.pid()}/status") as file:
                text = file.read()
        except (IndexError, OSError):
            return None
        if "Name:\tsleep" not in text:
            return None
        return next(l for l in text.splitlines() if l.startswith("NSpid:")).split()[-1]

    def test_C13_a_runtime_directory_that_was_swapped_for_a_link_harms_nothing(self):
        system = self.boot({
            "a.service": "[Service]\nRuntimeDirectory=mine\n"
                         "ExecStart=/bin/sh -c 'rm -rf /run/mine; ln -s /run/precious /run/mine; "
                         "echo swapped >> @work@/said; chmod 666 @work@/said; exec sleep infinity'\n",
            "b.service": f"[Service]\nRuntimeDirectory=deep\nUser={ORDINARY_UID}\n"
                         "ExecStart=@python@ @work@/dig.py\n"}, work={"dig.py": """
import os, signal, sys
os.chdir("/run/deep")
os.symlink("/run/precious", "soft")
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
os.symlink("/run/precious", "soft")
open(os.path.dirname(sys.argv[0]) + "/said", "a").write("dug\\n")
while True: signal.pause()
"""})
        code = "mkdir -m 755 /run/precious && echo kept > /run/precious/file && chmod 644 /run/precious/file"
        self.assertEqual(system.inside(["sh", "-c", code])[0], 0)
        self.ok(system, "start", "a.service", "b.service")
        system.until_said("swapped")
        system.until_said("dug")
        self.ok(system, "stop", "a.service", "b.service")
        root = f"/proc/{system.pid()}/root"
        with open(f"{root}/run/precious/file") as file:
            self.assertEqual(file.read(), "kept\n")
        status = os.stat(f"{root}/run/precious/file")
        self.assertEqual((status.st_uid, status.st_mode & 0o7777), (os.geteuid(), 0o644))
        self.assertFalse(os.path.exists(f"{root}/run/deep"))

    def test_C13_a_users_link_in_the_place_of_a_runtime_directory_changes_no_owner(self):
        system = self.boot({
            "a.service": f"[Service]\nType=oneshot\nRuntimeDirectory=mine\nUser={ORDINARY_UID}\nExecStart=/bin/true\n"})
        os.mkdir(system.path("precious"))
        # A link that root made in root's folder is root's wish; this one is not.
        code = f"ln -s {system.path('precious')} /run/mine && chown -h {ORDINARY_UID} /run/mine"
        self.assertEqual(system.inside(["sh", "-c", code])[0], 0)
        system.cli("start", "a.service")
        self.assertEqual(os.stat(system.path("precious")).st_uid, os.geteuid())


if __name__ == "__main__":
    unittest.main()
