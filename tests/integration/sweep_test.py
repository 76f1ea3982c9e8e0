"""A slice of what tools/sweep does as a whole: a few of the system calls and allocations of PID 1
fail, always the same; what would harm is noticed; and what no sweep comes to."""

import os
import signal
import subprocess
import sys
import unittest

from harness import PYTHON, SANITIZED
from manager_harness import OnsetSystemTest, cgroups_can_be_made
from small_system import build_service, enter_arena

SWEEP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sweep.py")


def sweep(kind):
    return subprocess.run([PYTHON, "-B", SWEEP, "all", kind, "--slice"], capture_output=True, text=True, check=False)


@unittest.skipIf(SANITIZED, "a sanitizer's own calls and allocations are not onset's")
class Sweep(unittest.TestCase):
    def survives(self, kind):
        done = sweep(kind)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        last = done.stdout.splitlines()[-1]
        self.assertRegex(last, r"^[1-9]\d+ lives, [1-9]\d+ cases, \d+ missed, 0 death, 0 hang, ")

    def test_P2_D8_pid_1_survives_a_system_call_that_fails(self):
        self.survives("calls")

    def test_P1_pid_1_survives_an_allocation_that_fails(self):
        self.survives("allocations")


@unittest.skipIf(SANITIZED, "a sanitizer's own calls and allocations are not onset's")
class Notices(unittest.TestCase):
    """What a sweep has to notice, brought about in another way."""

    @classmethod
    def setUpClass(cls):
        from failing_allocations import BUILD_OF_TESTS

        cls.service = build_service(BUILD_OF_TESTS)

    def lived(self, *fault):
        """The lines of its details, of the steps that failed, and of what it came to."""
        line = [PYTHON, "-B", os.path.abspath(__file__), "--life", self.service, *fault]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def verdict(self, *fault):
        return self.lived(*fault)[-1]

    def test_a_life_without_a_fault_has_none(self):
        self.assertEqual(self.verdict("getpid", "delay_exit=1"), "fine")

    def test_a_death(self):
        self.assertEqual(self.verdict("sendto", "signal=SIGKILL:when=2"), "death")

    def test_that_no_client_is_heard(self):
        self.assertEqual(self.verdict("recvfrom", "error=EIO:when=1+"), "deaf")

    def test_that_no_notification_is_heard(self):
        self.assertEqual(self.verdict("recvmsg", "error=EAGAIN:when=1+"), "broken")

    def test_a_descriptor_that_stays(self):
        self.assertEqual(self.verdict("close", "error=EIO:when=1", "of=/etc/passwd"), "leak")

    def test_that_pid_1_spins(self):
        self.assertEqual(self.verdict("read", "error=EAGAIN:when=1+", "of=anon_inode:[eventfd]"), "spin")

    def test_a_shutdown_that_does_not_end(self):
        self.assertEqual(self.verdict("epoll_wait", "error=EINTR:when=1+", "at-the-end"), "hang")

    def test_a_pid_file_that_cannot_be_read_for_a_moment_is_read_all_the_same(self):
        self.assertEqual(self.lived("read", "error=EIO:when=1..2", "of=/run/forking.pid"), ["[]", "[]", "fine"])

    def test_P1_no_memory_for_a_reload_is_in_no_shutdown_s_way(self):
        self.assertEqual(self.verdict("reload"), "fine")


@unittest.skipUnless(cgroups_can_be_made(), "no writable cgroup v2 hierarchy")
class RefusedWrites(OnsetSystemTest):
    """What the filters of tools/sweep refuse of cgroups is asked for."""

    def runs(self, error):
        system = self.boot({"a.service": "[Service]\nExecStart=/bin/sleep infinity\n"}, cgroup=True,
                           refuses=("cgroup-write", error))
        self.ok(system, "start", "a.service")
        self.assertEqual(system.show("a.service", "ActiveState"), "active")
        self.assertEqual(system.leave(), 0)
        self.assertGreater(system.process.refusals.refused, 0)

    def test_P21_units_run_where_writes_to_cgroups_answer_EPERM(self):
        self.runs("EPERM")

    def test_P21_units_run_where_writes_to_cgroups_answer_ENOSYS(self):
        self.runs("ENOSYS")


def live(service, call, what, where=""):
    """In an arena: the verdict of one life in which strace does this to PID 1; `where`: "at-the-end",
    or "of=" and the name of an open file."""
    from failing_calls import Tracer, measure
    from small_system import Arena, Faults, Life

    class AtTheEnd(Faults):
        def resume(self):
            tracers.append(Tracer(life, options))

    options = ["-e", "trace=" + call, "-e", f"inject={call}:{what}"]
    options += ["-P", where.removeprefix("of=")] if where.startswith("of=") else []
    tracers = []
    arena = Arena(service, cgroup=False)
    try:
        measure(arena)
        life = Life(arena)
        faults = AtTheEnd() if where == "at-the-end" else Tracer(life, options)
        tracers += [] if where == "at-the-end" else [faults]
        try:
            life.live(faults)
        finally:
            life.end()
            for tracer in tracers:
                tracer.end()
        print(life.details, life.steps, life.verdict or "fine", sep="\n")
    finally:
        arena.remove()


def live_short_of_memory(service):
    """One in which, at the end, no piece of memory is large enough for one of the unit files: PID 1
    is asked to read them again, and to shut down."""
    from failing_allocations import PROGRAM, Allocations
    from small_system import Arena, Life

    class Reload(Allocations):
        def resume(self):
            with open(arena.path("units/notify.service"), "a", encoding="ascii") as file:
                file.write(("#" * 1000 + "\n") * 4000)
            super().resume()
            os.kill(life.pid, signal.SIGHUP)

    arena = Arena(service, cgroup=False)
    faults = Reload(arena.folder, first=1, stride=1, when="end", least=2_000_000)
    try:
        life = Life(arena, PROGRAM, {"ONSET_ALLOCATIONS": faults.path})
        try:
            life.live(faults)
        finally:
            life.end()
        print(life.verdict or ("fine" if faults.count() else "nothing failed"))
    finally:
        faults.end()
        arena.remove()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--life"]:
        enter_arena([PYTHON, "-B", os.path.abspath(__file__), "--in-arena", *sys.argv[2:]])
    if sys.argv[1:2] == ["--in-arena"]:
        live_short_of_memory(sys.argv[2]) if sys.argv[3:] == ["reload"] else live(*sys.argv[2:])
    else:
        unittest.main()
