"""A child that does not come to its execve holds up its own unit and nothing else;
a test's name begins with the fault's id."""

import os
import signal
import unittest

from harness import until
from manager_harness import OnsetSystemTest, cgroups_can_be_made, say

STAY = "/bin/sleep infinity"
UNITS = {
    "a.service": f"[Service]\nType=exec\nExecStart={STAY}\n",
    "s.service": f"[Service]\nExecStart={STAY}\n",
    "bad.service": "[Service]\nType=exec\nExecStart=/nowhere/program\n",
    "late.service": f"[Service]\nType=exec\nTimeoutStartSec=300ms\nTimeoutStopSec=300ms\nExecStart={STAY}\n",
    "abort.service": "[Service]\nType=exec\nTimeoutStartSec=300ms\nTimeoutStartFailureMode=abort\n"
                     f"TimeoutAbortSec=300ms\nExecStart={STAY}\n",
    "other.service": f"[Service]\nSlice=other.slice\nType=exec\nExecStart={STAY}\n",
    "done.service": "[Service]\nSlice=other.slice\nType=oneshot\nExecStart=" + say("done") + "\n",
}


@unittest.skipUnless(cgroups_can_be_made(), "no writable cgroup v2 hierarchy")
class FrozenGroup(OnsetSystemTest):
    def boot_frozen(self):
        system = self.boot(UNITS, cgroup=True)
        self.ok(system, "start", "s.service")
        self.ok(system, "stop", "s.service")
        system.group_file("system.slice/cgroup.freeze", 1)
        return system

    def others_go_on(self, system):
        self.ok(system, "start", "other.service")
        self.ok(system, "start", "done.service")
        self.assertIn("done", system.said())
        self.ok(system, "stop", "other.service")

    def test_P12_a_launch_into_a_frozen_group_is_over_when_the_group_is_thawed(self):
        system = self.boot_frozen()
        self.ok(system, "start", "--no-block", "a.service", "s.service", "bad.service")
        self.others_go_on(system)
        self.assertEqual(system.show("a.service", "SubState"), "start")
        self.assertEqual(system.show("s.service", "SubState"), "running")  # Type=simple waits for nothing
        self.assertEqual(system.cli("status", "a.service")[0], 3)
        system.group_file("system.slice/cgroup.freeze", 0)
        system.until_state("a.service", "active/running")
        system.until_state("bad.service", "failed")
        self.assertEqual(system.show("bad.service", "ExecMainStatus"), "203")
        for unit in ("a.service", "s.service"):
            until(lambda: "sleep" in os.readlink(f"/proc/{system.main_pid(unit)}/exe")
                  or "coreutils" in os.readlink(f"/proc/{system.main_pid(unit)}/exe"), "sleep runs")
        self.ok(system, "stop", "a.service", "s.service")
        self.assertEqual(system.leave(), 0)

    def test_a_signal_to_a_slice_reaches_the_units_in_it(self):
        system = self.boot(UNITS, cgroup=True)
        self.ok(system, "start", "other.service")
        self.ok(system, "kill", "--fail", "other.slice")
        system.until_state("other.service", "inactive")
        self.assertEqual(system.cli("kill", "--fail", "other.slice"),
                         (1, "", "Failed to kill unit other.slice: No matching processes to kill\n"))

    def test_P12_a_frozen_slice_that_was_stopped_runs_what_is_started_in_it_again(self):
        system = self.boot(UNITS, cgroup=True)
        self.ok(system, "start", "other.service")
        self.ok(system, "stop", "other.service")
        self.ok(system, "freeze", "other.slice")
        self.ok(system, "stop", "other.slice")
        self.ok(system, "start", "done.service")
        self.assertIn("done", system.said())

    def test_P12_a_start_that_stands_still_ends_with_its_time(self):
        system = self.boot_frozen()
        for unit in ("late.service", "abort.service"):
            self.assertEqual(system.cli("start", unit)[0], 1, system.log())
            self.assertEqual(system.show(unit, "Result"), "timeout")
            self.assertEqual(system.show(unit, "MainPID"), "0")
        self.others_go_on(system)

    def test_P12_fifty_launches_into_a_frozen_group_leave_the_manager_answering(self):
        names = [f"f{i}.service" for i in range(50)]
        system = self.boot({**UNITS, **{name: UNITS["a.service"] for name in names}}, cgroup=True)
        self.ok(system, "start", "s.service")
        descriptors = system.descriptors()
        system.group_file("system.slice/cgroup.freeze", 1)
        self.ok(system, "start", "--no-block", *names)
        self.others_go_on(system)
        system.group_file("system.slice/cgroup.freeze", 0)
        for name in names:
            system.until_state(name, "active/running")
        self.ok(system, "restart", *names)
        until(lambda: system.descriptors() <= descriptors, "what late launches held is closed")

    def test_P12_a_pipe_that_a_frozen_child_has_too_does_not_keep_the_manager_awake(self):
        # Launched with memory of their own, and not heard of when the frozen child is made.
        beside = {f"b{i}.service": "[Service]\nSlice=other.slice\nType=exec\nOOMScoreAdjust=100\n"
                  f"ExecStart=/bin/sh -c 'echo b{i} >> @work@/said; exec {STAY}'\n" for i in range(4)}
        # Before and after them in whichever order they are started.
        frozen = {name: UNITS["a.service"] for name in ("a.service", "c.service")}
        main = "[Unit]\nWants=a.service " + " ".join(beside) + " c.service\n"
        system = self.boot({**beside, **frozen, "main.target": main}, cgroup=True, traces="epoll_wait", wait=False,
                           setup=["slice=/sys/fs/cgroup/$(basename $(dirname @work@))/system.slice",
                                  "mkdir $slice && echo 1 > $slice/cgroup.freeze"])
        for i in range(4):
            system.until_said(f"b{i}")
        system.state()  # and its launch is heard of
        before = system.read("trace").count("epoll_wait(")
        for _ in range(20):
            system.state()
        # A question is a connection, a message and an end of it.
        self.assertLess(system.read("trace").count("epoll_wait(") - before, 20 * 20)

    def test_P12_a_shutdown_ends_what_stands_still(self):
        system = self.boot_frozen()
        self.ok(system, "start", "--no-block", "a.service")
        self.assertEqual(system.leave(), 0)


# Twenty lines of processes, each of which makes the next and ends; none hears SIGTERM.
RESPAWN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(20):
    if os.fork() == 0:
        while True:
            if os.fork(): os._exit(0)
while True: signal.pause()
"""


@unittest.skipUnless(cgroups_can_be_made(), "no writable cgroup v2 hierarchy")
class Respawn(OnsetSystemTest):
    def boot_bomb(self):
        return self.boot({"a.service": "[Service]\nTimeoutStopSec=200ms\nExecStart=@python@ @work@/respawn.py\n"},
                         cgroup=True, work={"respawn.py": RESPAWN})

    def group_is_gone(self, system):
        path = f"/sys/fs/cgroup/{system.group}/system.slice/a.service"
        until(lambda: system.inside(["test", "!", "-e", path])[0] == 0, "its group is empty and gone")

    def test_P14_what_forks_without_end_leaves_nothing_when_it_is_stopped(self):
        system = self.boot_bomb()
        self.ok(system, "start", "a.service")
        self.ok(system, "stop", "a.service")
        self.group_is_gone(system)

    def test_D2_what_forks_without_end_does_not_hold_up_a_shutdown(self):
        system = self.boot_bomb()
        self.ok(system, "start", "a.service")
        self.assertEqual(system.leave(), 0)


class StoppedChild(OnsetSystemTest):
    """The child meets SIGSTOP, or a call that takes its time, on its way to execve."""

    UNITS = {**UNITS, "a.service": UNITS["a.service"] + "Nice=1\n"}

    def test_P12_a_child_that_is_stopped_before_its_execve_holds_up_its_unit_alone(self):
        system = self.boot(self.UNITS, traces="setpriority", injects="setpriority:signal=SIGSTOP")
        self.ok(system, "start", "--no-block", "a.service")
        self.ok(system, "start", "other.service")
        self.assertEqual(system.show("a.service", "SubState"), "start")
        os.kill(system.main_pid("a.service"), signal.SIGCONT)
        system.until_state("a.service", "active/running")
        self.ok(system, "stop", "a.service")

    def test_P13_a_call_that_does_not_return_holds_up_its_unit_alone(self):
        system = self.boot(self.UNITS, traces="setpriority", injects="setpriority:delay_enter=3600s")
        self.ok(system, "start", "--no-block", "a.service")
        self.ok(system, "start", "other.service")
        self.assertEqual(system.show("a.service", "SubState"), "start")
        self.ok(system, "start", "done.service")


if __name__ == "__main__":
    unittest.main()
