"""Units that are made while the system runs: systemd-run's services, and scopes of processes that
somebody else has started."""

import os
import subprocess
import unittest

from harness import ENVIRONMENT, ONSET, until
from manager_harness import OnsetSystemTest

TARGET = "[Unit]\nDefaultDependencies=no\n"
TRANSIENT = "/run/systemd/transient"


class Transient(OnsetSystemTest):
    def system(self, **kind):
        system = self.boot({"main.target": TARGET, **kind.pop("units", {})}, **kind)
        os.symlink(ONSET, system.path("systemd-run"))
        return system

    def run_in(self, system, *words):
        """systemd-run with these words: exit code, output, errors."""
        return system.inside([system.path("systemd-run"), *words])

    def units(self, system):
        return system.inside(["ls", TRANSIENT])[1].split()

    def until_gone(self, system, unit):
        until(lambda: system.show(unit, "LoadState") == "not-found", f"{unit} is unloaded")
        self.assertEqual(self.units(system), [])

    def scope(self, system, *words, command):
        """A scope from outside: its client's process; the command is a shell's."""
        line = system.inside_line([system.path("systemd-run"), "--scope", *words, "sh", "-c", command])
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=ENVIRONMENT)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    # ---- services -----------------------------------------------------------------

    def services(self, **kind):
        system = self.system(**kind)
        for status, words in ((0, ["true"]), (7, ["sh", "-c", "exit 7"]), (255, ["sh", "-c", "kill -9 $$$$"])):
            code, _, err = self.run_in(system, "--wait", "-G", "--unit", "once", *words)
            self.assertEqual((code, words), (status, words), err + system.log())
            self.assertIn("Running as unit: once.service\nFinished with result: ", err)
            self.until_gone(system, "once.service")
        return system

    def test_a_command_runs_as_a_service_and_its_end_is_told(self):
        self.services()

    def test_a_command_runs_as_a_service_in_a_cgroup(self):
        self.services(cgroup=True)

    def test_a_service_is_what_the_options_say(self):
        system = self.system()
        code, _, err = self.run_in(system, "-q", "--unit=x", "--description=An x", "--slice=xs", "-E", "A=b c", "-E", "HERE",
                                   "-p", "SuccessExitStatus=3", "-p", "LimitNOFILE=77", "--working-directory=/dev", "--nice=3",
                                   "sh", "-c", f'echo "$A $(pwd) $(nice) $(ulimit -n)" >{system.path("said")}; exec sleep 1000')
        self.assertEqual((code, err), (0, ""))
        until(lambda: system.said() == ["b c /dev 3 77"], "what the service says")
        for name, value in (("Description", "An x"), ("Slice", "xs.slice"), ("Transient", "yes"),
                            ("FragmentPath", f"{TRANSIENT}/x.service"), ("SuccessExitStatus", "3"),
                            ("UnitFileState", "transient")):
            self.assertEqual((name, system.show("x.service", name)), (name, value))
        self.assertIn("Transient: yes", system.cli("status", "x.service")[1])
        code, _, err = self.run_in(system, "--unit=x", "true")
        self.assertEqual((code, err), (1, "Failed to start transient service unit: "
                                          "Unit x.service was already loaded or has a fragment file.\n"))
        self.ok(system, "daemon-reload")
        self.assertEqual(system.show("x.service", "ActiveState"), "active")
        self.ok(system, "stop", "x.service")
        self.until_gone(system, "x.service")

    def test_standard_streams_are_passed(self):
        system = self.system()
        line = ["sh", "-c", 'echo in | "$0" -q --pipe sh -c "cat; echo err >&2; exit 4"', system.path("systemd-run")]
        code, out, err = system.inside(line)
        self.assertEqual((code, out, err), (4, "in\n", "err\n"), system.log())

    def test_a_failed_unit_stays_until_it_is_reset(self):
        system = self.system()
        self.assertEqual(self.run_in(system, "--wait", "--unit=f", "false")[0], 1)
        self.assertEqual(system.show("f.service", "ActiveState"), "failed")
        self.assertEqual(self.units(system), ["f.service"])
        self.ok(system, "reset-failed", "f.service")
        self.until_gone(system, "f.service")

    def test_what_is_wrong_is_told_and_leaves_nothing(self):
        system = self.system()
        for words, told in ((["-p", "Nonsense=1", "true"], "Unknown assignment: Nonsense=1"),
                            (["nothing-of-that-name"], "Failed to find executable nothing-of-that-name"),
                            (["-p", "CapabilityBoundingSet=CAP_NONSENSE", "true"], "expected"),
                            (["--on-active=1", "true"], "--on-active is not supported yet.")):
            code, _, err = self.run_in(system, "--unit=w", *words)
            self.assertEqual((code, words), (1, words))
            self.assertIn(told, err)
            self.until_gone(system, "w.service")

    def test_onset_run_is_systemd_run(self):
        system = self.system()
        self.assertEqual(system.cli("run", "-q", "--wait", "sh", "-c", "exit 5")[0], 5)
        self.assertIn("systemd-run [OPTIONS", system.cli("run", "--help")[1])

    # ---- scopes ---------------------------------------------------------------------

    def scopes(self, **kind):
        system = self.system(**kind)
        process = self.scope(system, "--unit=s", "--slice=ss", "-E", "A=b", "-p", "TimeoutStopSec=20s",
                             command=f'echo $A >{system.path("said")}; sleep 1000 & read never; wait')
        until(lambda: system.said() == ["b"], "the scope's command runs")
        system.until_state("s.scope", "active/running")
        self.assertEqual(system.show("s.scope", "Slice"), "ss.slice")
        self.assertEqual(system.show("s.scope", "TimeoutStopUSec"), "20s")
        self.assertRegex(system.cli("status", "s.scope")[1], r"[0-9]+ sleep 1000\n")
        self.ok(system, "stop", "s.scope")
        self.assertEqual(process.wait(20), -15)
        self.assertEqual(process.stderr.read(), "Running scope as unit: s.scope\n")
        self.until_gone(system, "s.scope")
        # It ends by itself with its last process, whatever that one's status is.
        process = self.scope(system, "-q", "--unit=s", command="exit 3")
        self.assertEqual(process.wait(20), 3)
        self.until_gone(system, "s.scope")
        return system

    def test_a_scope_is_stopped_and_ends_with_its_processes(self):
        self.scopes()

    def test_a_scope_is_stopped_and_ends_with_its_processes_in_a_cgroup(self):
        self.scopes(cgroup=True)

    def lasting(self, **kind):
        system = self.system(**kind)
        self.scope(system, "--unit=s", command=f"trap '' TERM; setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >{system.path('said')}; exit 0")
        child = until(system.said, "the pid of the scope's child")[0]
        # The child has outlasted its parent, and is the scope's.
        self.assertEqual(system.show("s.scope", "SubState"), "running")
        self.assertIn(child, system.cli("status", "s.scope")[1])
        self.ok(system, "kill", "--signal=KILL", "s.scope")
        self.until_gone(system, "s.scope")

    def test_what_outlasts_its_parent_stays_in_its_scope(self):
        self.lasting()

    def test_what_outlasts_its_parent_stays_in_its_scope_in_a_cgroup(self):
        self.lasting(cgroup=True)

    def test_a_scope_has_a_time_and_is_killed_where_it_does_not_end(self):
        system = self.system(cgroup=True)
        process = self.scope(system, "--unit=s", "-p", "RuntimeMaxSec=200ms", "-p", "TimeoutStopSec=200ms",
                             command="trap '' TERM; while :; do sleep 1000; done")
        self.assertEqual(process.wait(20), -9)
        system.until_state("s.scope", "failed")
        self.assertEqual(system.show("s.scope", "Result"), "timeout")

    def test_processes_that_may_not_be_moved_are_left(self):
        system = self.system(cgroup=True)
        call = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect('/run/onset/control')\n" \
               "s.sendall(sys.argv[1].encode() + b'\\0')\nprint(s.recv(65536).split(b'\\0')[0].decode())\n"
        for pid, error in ((1, "InvalidParameter"), (999999, "NoSuchProcess"), (-1, "InvalidParameter")):
            text = '{"method":"io.onset.Manager.StartTransient","parameters":{"unit":"s.scope","text":"[Scope]\\n","pids":[%d]}}' % pid
            code, out, err = system.inside(["python3", "-S", "-E", "-c", call, text])
            self.assertEqual(code, 0, err)
            self.assertIn(error, out)
        self.until_gone(system, "s.scope")


if __name__ == "__main__":
    unittest.main()
