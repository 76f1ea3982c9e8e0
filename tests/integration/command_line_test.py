"""The command line against a manager that runs: what systemctl(1) promises of words, states
and exit statuses, and what status and show tell of a unit."""

import os
import signal
import re
import unittest

from harness import until
from manager_harness import OnsetSystemTest

STAY = "[Service]\nExecStart=/bin/sleep infinity\n"


class Files(OnsetSystemTest):
    def test_a_unit_whose_file_has_come_needs_no_daemon_reload(self):
        system = self.boot({"main.target": "[Unit]\nWants=late.service\n",
                            "user.service": "[Unit]\nRequires=needed.service\n" + STAY})
        self.assertEqual(system.cli("start", "new.service")[0], 5)
        self.assertEqual(system.cli("start", "user.service")[0], 5)
        system.write({"late.service": STAY, "new.service": STAY, "needed.service": STAY})
        self.ok(system, "start", "late.service", "new.service", "user.service")
        self.ok(system, "is-active", "late.service")
        self.assertEqual(system.show("needed.service", "ActiveState"), "active")

    def test_a_changed_file_is_told_of_until_it_is_read_again(self):
        system = self.boot({"a.service": STAY})
        warning = ("Warning: The unit file, source configuration file or drop-ins of a.service "
                   "changed on disk. Run 'onset daemon-reload' to reload units.\n")
        self.assertEqual(system.cli("start", "a.service"), (0, "", ""))
        for change in ({"a.service": STAY + "# other\n"},
                       {"a.service.d/x.conf": "[Unit]\nDescription=X\n"},
                       {"a.service.d/x.conf": "[Unit]\nDescription=Y\n"},
                       {"service.d/y.conf": "[Unit]\n"}):
            self.assertEqual(system.show("a.service", "NeedDaemonReload"), "no", change)
            system.write(change)
            self.assertEqual(system.show("a.service", "NeedDaemonReload"), "yes", change)
            self.assertEqual(system.cli("restart", "a.service"), (0, "", warning))
            self.assertIn(warning, system.cli("status", "a.service")[2])
            self.ok(system, "daemon-reload")
        os.remove(os.path.join(system.units, "a.service.d", "x.conf"))
        self.assertEqual(system.show("a.service", "NeedDaemonReload"), "yes")
        self.ok(system, "daemon-reload")
        os.remove(os.path.join(system.units, "a.service"))
        self.assertEqual(system.show("a.service", "NeedDaemonReload"), "yes")


class Surroundings(OnsetSystemTest):
    def test_what_a_test_changes_is_not_the_hosts(self):
        system = self.boot({"a.service": STAY + "[Install]\nWantedBy=main.target\n"})
        hosts = {path: os.stat(path).st_ino for path in ("/dev/null", "/dev/tty", "/dev/full")}
        self.ok(system, "enable", "a.service")
        script = (r"cd /etc && find systemd onset -mindepth 1 ! -type d && touch onset/x systemd/x x-onset-test; "
                  r"stat -c '%n %i' /dev/null /dev/tty /dev/full; test ! -e /dev/console && echo no console")
        code, out, err = system.inside(["sh", "-c", script])
        self.assertEqual((code, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[0], "systemd/system/main.target.wants/a.service")
        self.assertEqual(lines[-1], "no console")
        self.assertEqual(len(lines), 2 + len(hosts))
        for line in lines[1:-1] if os.geteuid() == 0 else []:
            name, inode = line.split()
            there = os.stat(f"/proc/{system.pid()}/root{name}")
            self.assertNotEqual((there.st_dev, int(inode)), (os.stat(name).st_dev, hosts[name]))
        for path in ("/etc/systemd/x", "/etc/onset/x", "/etc/x-onset-test",
                     "/etc/systemd/system/main.target.wants/a.service"):
            self.assertFalse(os.path.lexists(path), path)


class Status(OnsetSystemTest):
    def test_an_ended_process_is_told_with_its_number(self):
        system = self.boot({"a.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                                         "ExecStartPre=/bin/true\nExecStart=/bin/sh -c 'exit 0'\n"})
        self.ok(system, "start", "a.service")
        pid = system.show("a.service", "ExecMainPID")
        self.assertNotEqual(pid, "0")
        self.assertEqual(system.show("a.service", "MainPID"), "0")
        text = self.ok(system, "status", "a.service")
        self.assertIn(f"   Main PID: {pid} (code=exited, status=0/SUCCESS)\n", text)
        self.assertRegex(text, r"    Process: \d+ ExecStartPre=/bin/true \(code=exited, "
                               r"status=0/SUCCESS\)\n")
        self.assertRegex(system.show("a.service", "ExecStart"),
                         rf"start_time=\[.+\] ; stop_time=\[.+\] ; pid={pid} ; code=exited ; "
                         r"status=0 }")

    def test_failed_checks_are_shown(self):
        system = self.boot({"main.target": "[Unit]\nAfter=a.service c.service\n",  # stay loaded
                            "c.service": "[Unit]\nConditionPathExists=/none\n" + STAY,
                            "a.service": "[Unit]\nAssertPathExists=/none\n" + STAY})
        self.ok(system, "start", "c.service")
        code, out, _ = system.cli("status", "c.service")
        self.assertEqual(code, 3)
        self.assertRegex(out, r"  Condition: start condition failed at .*\n"
                              r"             └─ ConditionPathExists=/none was not met\n")
        code, _, err = system.cli("start", "a.service")
        self.assertEqual(code, 1)
        self.assertTrue(err.startswith("Assertion failed on job for a.service.\n"), err)
        self.assertRegex(system.cli("status", "a.service")[1],
                         r"     Assert: start assertion failed at .*\n"
                         r"             AssertPathExists=/none was not met\n")

    def test_without_cgroups_nothing_is_measured(self):
        system = self.boot({"a.service": STAY})
        self.ok(system, "start", "a.service")
        for name in ("MemoryCurrent", "TasksCurrent", "CPUUsageNSec"):
            self.assertEqual(system.show("a.service", name), "[not set]")
        self.assertNotIn("Memory:", self.ok(system, "status", "a.service"))

    def test_the_whole_is_a_tree_of_slices(self):
        system = self.boot({"a.service": STAY, "t@.service": STAY})
        self.ok(system, "start", "a.service", "t@x-y.service")
        self.assertEqual(system.show("t@x-y.service", "Slice"), "system-t.slice")
        self.assertEqual(system.show("system-t.slice", "ActiveState"), "active")
        self.assertRegex(self.ok(system, "status"),
                         r"           └─system\.slice\n"
                         r"             ├─a\.service\n"
                         r"             │ └─\d+ /bin/sleep infinity\n"
                         r"             └─system-t\.slice\n"
                         r"               └─t@x-y\.service\n"
                         r"                 └─\d+ /bin/sleep infinity\n")


    def test_without_cgroups_a_process_stands_below_its_parent(self):
        system = self.boot({"a.service": "[Service]\nExecStart=/bin/sh -c \"sleep 901 & "
                                         "sh -c 'sleep 902 & echo up >> @work@/said; wait'; wait\"\n"})
        self.ok(system, "start", "a.service")
        system.until_said("up")
        # Each child shows its parent's command line until it has executed its own.
        def both_sleep():
            out = self.ok(system, "status", "a.service")
            return out if set(re.findall(r"\d sleep (\d+)\n", out)) == {"901", "902"} else ""
        text = until(both_sleep, "both children have executed sleep")
        number = r"( *\d+)"
        tree = (rf"\n {{13}}└─{number} /bin/sh -c .*; wait\"\n"
                rf" {{15}}├─{number} sleep 901\n"
                rf" {{15}}└─{number} sh -c .*; wait\"?\n"
                rf" {{17}}└─{number} sleep 902\n$")
        self.assertRegex(text, tree)
        main, *others = map(int, re.search(tree, text).groups())
        self.assertEqual(str(main), system.show("a.service", "MainPID"))
        self.assertEqual(len({main, *others}), 4)

    def test_units_are_taken_by_type_and_state_without_a_name(self):
        system = self.boot({"fail.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
                            "a.service": STAY})
        system.cli("start", "fail.service", "a.service")
        code, out, _ = system.cli("status", "--failed")
        self.assertEqual(code, 3)
        self.assertTrue(out.startswith("× fail.service\n"), out)
        self.assertEqual(self.ok(system, "show", "-P", "Id", "--state=running"), "a.service\n")


class End(OnsetSystemTest):
    def test_the_reason_of_a_shutdown_is_in_the_log(self):
        system = self.boot()
        code, _, err = system.cli("poweroff", "--message=a new\nkernel")
        self.assertIn((code, err), ((0, ""), (-signal.SIGKILL, "")))  # its namespace may end before it
        system.wait()
        self.assertIn("the system is going down: a new\\nkernel", system.log())

    def test_with_force_twice_no_manager_is_asked(self):
        system = self.boot({"a.service": "[Service]\nExecStart=/bin/sleep infinity\n"
                                         "ExecStop=/bin/touch @work@/stopped\n"})
        self.ok(system, "start", "a.service")
        system.cli("reboot", "-ff")
        system.wait()
        self.assertIsNone(system.read("stopped"))


class Reload(OnsetSystemTest):
    def test_what_other_units_files_have_wrong_is_not_told_with_a_change(self):
        system = self.boot({"main.target": "[Unit]\nWants=bad.service\n", "a.service": STAY,
                            "bad.service": "[Service]\nExecStart=\n"})
        code, _, err = system.cli("daemon-reload")
        self.assertEqual(code, 0)
        self.assertIn("bad.service", err)
        for verb in ("mask", "unmask"):
            code, _, err = system.cli(verb, "--runtime", "a.service")
            self.assertEqual(code, 0, err)
            self.assertNotIn("bad.service", err)


class Words(OnsetSystemTest):
    """Exit status, output and errors, line by line as systemctl has them."""

    def test_what_can_not_be_done_is_said_in_systemctls_words(self):
        system = self.boot({
            "fail.service": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
            "manual.service": "[Unit]\nRefuseManualStart=yes\n" + STAY,
            "a.service": STAY,
            "b.service": STAY + "ExecReload=/bin/true\n"})
        os.symlink("/dev/null", os.path.join(system.units, "masked.service"))
        self.ok(system, "start", "a.service")
        rows = [
            (("start", "none"), 5, "Failed to start none.service: Unit none.service not found."),
            (("stop", "none"), 5, "Failed to stop none.service: Unit none.service not loaded."),
            (("start", "masked"), 1,
             "Failed to start masked.service: Unit masked.service is masked."),
            (("reload", "a"), 3, "Failed to reload a.service: Job type reload is not applicable "
                                 "for unit a.service."),
            (("start", "manual"), 4,
             "Failed to start manual.service: Operation refused, unit manual.service may be "
             "requested by dependency only"),
            (("start", "fail"), 1, "Job for fail.service failed because the control process "
                                   "exited with error code."),
            (("start", "--job-mode=x", "a"), 1, "Failed to start a.service: Job mode x invalid"),
            (("kill", "--kill-whom=x", "a"), 1,
             "Failed to kill unit a.service: Invalid who argument x"),
            (("status", "none"), 4, "Unit none.service could not be found."),
            (("status", "99999"), 1, "Failed to get unit for PID 99999: PID 99999 does not "
                                     "belong to any loaded unit."),
            (("kill", "none"), 1, "Failed to kill unit none.service: Unit none.service not loaded."),
            (("kill", "--fail", "b"), 1,
             "Failed to kill unit b.service: No matching processes to kill"),
            (("reset-failed", "none"), 1, "Failed to reset failed state of unit none.service: "
                                          "Unit none.service not loaded."),
            (("reload", "b"), 1, "b.service is not active, cannot reload."),
            (("start", "--wait", "none"), 5,
             "Failed to start none.service: Unit none.service not found."),
            (("cancel", "99"), 1, "Failed to cancel job 99: Job 99 does not exist."),
            (("cat", "none"), 1, "No files found for none.service."),
            (("is-enabled", "none"), 1, "Failed to get unit file state for none.service: No such "
                                        "file or directory"),
            (("frobnicate",), 1, "Unknown command verb frobnicate."),
        ]
        for words, status, line in rows:
            with self.subTest(words=words):
                code, _, err = system.cli(*words)
                self.assertEqual(code, status, err)
                self.assertTrue(err.startswith(line), err)
        self.assertEqual(system.cli("list-jobs")[1], "No jobs running.\n")
        self.assertEqual(system.cli("list-dependencies", "none")[:2], (0, "none.service\n"))


if __name__ == "__main__":
    unittest.main()
