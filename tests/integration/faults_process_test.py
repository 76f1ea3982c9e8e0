"""PID 1 in want of processes, descriptors, devices or system calls; a test's name
begins with the fault's id."""

import fcntl
import os
import pty
import shutil
import signal
import tempfile
import unittest

from failing_allocations import PROGRAM, Allocations
from harness import ONSET, PYTHON, REFUSES, SANITIZED, until
from manager_harness import OnsetSystemTest, System, say

STAY = "/bin/sleep infinity"
# Sends the lines of a FIFO to the manager as messages and prints the answers.
ASK = """
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect("/run/onset/control")
print("connected", flush=True)
for line in open(sys.argv[1]):
    s.sendall(line.strip().encode() + b"\\0")
    print(s.recv(65536), flush=True)
"""
FOREVER = f"[Service]\nExecStart={STAY}\n"


class Processes(OnsetSystemTest):
    HOG = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import notify
children = []
def free(*_):
    # Numbers below 300 are not given out a second time, kernel/pid.c.
    for pid in children[-60:]:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
signal.signal(signal.SIGUSR1, free)
notify.send("READY=1")
open(sys.argv[0] + ".go").read()
while True:
    try: pid = os.fork()
    except OSError: break
    if pid == 0:
        signal.pause()
        os._exit(0)
    children.append(pid)
open(sys.argv[0] + ".full", "w").close()
while True: signal.pause()
"""

    def boot_hog(self):
        """A system whose every pid hog.service takes, until it gets USR1."""
        system = self.boot({
            "main.target": "[Unit]\nWants=hog.service\n",
            "hog.service": "[Service]\nType=notify\nExecStart=@python@ @work@/hog.py @support@\n",
            "late.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=" + say("late") + "\n",
            "other.service": FOREVER,
        }, wait=False, setup=["echo 400 > /proc/sys/kernel/pid_max"], work={"hog.py": self.HOG})
        os.mkfifo(system.path("hog.py.go"))
        self.assertEqual(system.wait_until_up(), "running")
        self.ok(system, "start", "other.service")
        return system

    def fill_pids(self, system):
        with open(system.path("hog.py.go"), "w"):
            pass
        until(lambda: system.read("hog.py.full") is not None, "no pid is left")

    def test_P3_a_start_without_a_free_pid_is_retried_until_there_is_one(self):
        system = self.boot_hog()
        hog = system.main_pid("hog.service")
        # Has its pid before there are none left, and asks once there are none.
        os.mkfifo(system.path("ask"))
        asks = self.start_inside(system, [PYTHON, "-S", "-E", "-c", ASK, system.path("ask")])
        self.assertEqual(asks.out.line(), "connected")
        self.fill_pids(system)
        with open(system.path("ask"), "w") as fifo:
            fifo.write('{"method":"io.onset.Manager.Enqueue",'
                       '"parameters":{"units":["late.service"],"type":"start"}}\n')
        self.assertIn('"job"', asks.out.line())
        # Instrumented code wants a stack that is known.
        call = "fork" if SANITIZED or "clone3" in str(REFUSES) else "clone3"
        system.until_logged(f"late.service: {call}: Resource temporarily unavailable; trying again")
        self.assertEqual(system.said(), [])
        os.kill(hog, signal.SIGUSR1)
        system.until_said("late")

    def test_P3_a_shutdown_needs_no_free_pid(self):
        system = self.boot_hog()
        self.fill_pids(system)
        self.assertEqual(system.leave(), 0)

    def test_P8_twenty_thousand_zombies_are_reaped_while_the_manager_answers(self):
        system = self.boot({"a.service": f"[Service]\nType=oneshot\nTimeoutStartSec=10min\nExecStart={self.build('orphans')} 20000\n"})
        self.ok(system, "start", "--no-block", "a.service")
        while system.show("a.service", "ActiveState") == "activating":
            self.assertEqual(system.state(), "running")
        self.assertEqual(system.show("a.service", "Result"), "success")

        def zombies():
            children = f"/proc/{system.pid()}/task/{system.pid()}/children"
            with open(children) as file:
                return len(file.read().split())
        until(lambda: zombies() == 0, "no zombie is left")

    def test_P9_children_that_end_while_pid_1_is_stopped_are_all_noticed(self):
        names = [f"s{i}.service" for i in range(20)]
        system = self.boot({name: FOREVER for name in names})
        self.ok(system, "start", *names)
        pids = [system.main_pid(name) for name in names]
        watches = [self.watch(pid) for pid in pids]
        os.kill(system.pid(), signal.SIGSTOP)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for watch in watches:
            watch.wait()
        os.kill(system.pid(), signal.SIGCONT)
        for name in names:
            system.until_state(name, "failed")
            self.assertEqual(system.show(name, "Result"), "signal")

    def test_P10_a_storm_of_signals_loses_no_term(self):
        system = self.boot({"main.target": "[Unit]\nWants=a.service\n",
                            "a.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
                                         "ExecStop=" + say("stopped") + "\n"})
        pid = system.pid()
        for _ in range(3000):
            for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1, signal.SIGWINCH, signal.SIGRTMIN + 20):
                os.kill(pid, number)
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(system.wait(60), 0)
        self.assertEqual(system.said(), ["stopped"])

    def test_P11_a_launch_that_is_killed_before_its_program_runs_is_a_failure_and_no_deadlock(self):
        # Opening a pipe that nobody writes to holds the child of the launch, not PID 1.
        system = self.boot({"a.service": "[Service]\nStandardInput=file:@work@/pipe\nExecStart=/bin/sleep infinity\n",
                            "b.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n"},
                           setup=["mkfifo @work@/pipe"])
        self.ok(system, "start", "--no-block", "a.service")
        until(lambda: system.main_pid("a.service"), "the launch has a process")
        child = system.main_pid("a.service")
        self.assertEqual(os.readlink(f"/proc/{child}/exe"), os.readlink(f"/proc/{system.pid()}/exe"))
        self.ok(system, "start", "b.service")
        os.kill(child, signal.SIGKILL)
        system.until_state("a.service", "failed")
        self.assertEqual(system.show("a.service", "Result"), "signal")
        self.ok(system, "start", "b.service")

    def test_P12_a_stopped_service_is_continued_to_react_to_term(self):
        system = self.boot({"a.service": "[Service]\nType=notify\nNotifyAccess=all\n"
                                         "ExecStart=@python@ @support@/family.py @work@/family\n"})
        self.ok(system, "start", "a.service")
        os.kill(system.main_pid("a.service"), signal.SIGSTOP)
        self.ok(system, "stop", "a.service")
        self.assertIn("parent TERM", system.said("family"))
        self.assertEqual(system.show("a.service", "Result"), "success")

    def test_P12_a_shutdown_ends_stopped_services(self):
        system = self.boot({"main.target": "[Unit]\nWants=a.service\n", "a.service": FOREVER})
        os.kill(system.main_pid("a.service"), signal.SIGSTOP)
        self.assertEqual(system.leave(), 0)


class Streams(OnsetSystemTest):
    def test_P15_a_flood_of_output_leaves_the_manager_answering(self):
        with open("/dev/null", "wb") as null:
            system = self.boot({"a.service": "[Service]\nExecStart=/bin/sh -c 'exec yes'\n", "b.service": FOREVER},
                               popen={"stdout": null, "stderr": null})
        self.ok(system, "start", "a.service")
        for _ in range(5):
            self.assertEqual(system.state(), "running")
        self.ok(system, "start", "b.service")
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.leave(), 0)

    def test_P5_a_console_without_room_costs_lines_and_nothing_else(self):
        with open("/dev/full", "wb") as full:
            system = self.boot({"a.service": FOREVER}, popen={"stdout": full, "stderr": full})
        for _ in range(5):
            self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.ok(system, "stop", "a.service")
        self.assertEqual(system.leave(), 0)

    def test_P16_a_pipe_that_nobody_reads_never_blocks_pid_1(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 512)
        except BlockingIOError:
            os.set_blocking(writing, True)
        system = self.boot({"a.service": FOREVER}, popen={"stdout": writing, "stderr": writing})
        os.close(writing)
        for _ in range(20):
            self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.leave(), 0)

    def test_P16_a_pipe_whose_reader_is_gone_does_not_end_pid_1(self):
        reading, writing = os.pipe()
        os.close(reading)
        system = self.boot({"a.service": FOREVER}, popen={"stdout": writing, "stderr": writing})
        os.close(writing)
        self.ok(system, "start", "a.service")
        self.assertEqual(system.leave(), 0)

    def test_P16_a_stopped_terminal_never_blocks_pid_1(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        # Fills what the terminal buffers; nobody reads the other side.
        os.set_blocking(slave, False)
        try:
            while True:
                os.write(slave, b"x" * 512)
        except BlockingIOError:
            os.set_blocking(slave, True)
        system = self.boot({"a.service": FOREVER}, popen={"stdout": slave, "stderr": slave})
        os.close(slave)
        for _ in range(20):
            self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.assertEqual(system.leave(), 0)


class SharedConsole(OnsetSystemTest):
    """One that can't be opened anew: root's, and onset is another user, or without /proc.
    There is some room in it, but less than a line needs."""

    UNITS = {"a.service": FOREVER, "loud.service": FOREVER + "\x01" * 1900 + "=1\n"}

    def a_pipe(self):
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 8192)
        os.write(writing, b"x" * 4096)  # a page of the two
        return reading, writing

    def a_terminal(self):
        capacity = None
        while True:
            reading, writing = pty.openpty()
            os.set_blocking(writing, False)
            written = 0
            try:
                while capacity is None or written < capacity - 40:
                    written += os.write(writing, b"x")
            except BlockingIOError:
                pass
            os.set_blocking(writing, True)
            if capacity is not None:
                return reading, writing
            capacity = written
            os.close(reading)
            os.close(writing)

    def life(self, ends, **kind):
        reading, writing = ends
        self.addCleanup(os.close, reading)
        system = self.boot(self.UNITS, popen={"stdout": writing, "stderr": writing}, **kind)
        os.close(writing)
        system.cli("status", "loud.service")  # loads it, with a line that does not fit
        for _ in range(20):
            self.ok(system, "daemon-reload")
        self.ok(system, "start", "a.service")
        self.ok(system, "stop", "a.service")
        # Somebody reads again: what was lost is said with the next line.
        os.set_blocking(reading, False)

        def told():
            system.cli("start", "a.service")
            system.cli("stop", "a.service")
            try:
                self.said += os.read(reading, 65536)
            except BlockingIOError:
                pass
            return b"lines lost, the console was full" in self.said
        self.said = b""
        until(told, "the loss is told")
        self.assertEqual(system.leave(), 0)

    def test_P16_a_pipe_of_another_user(self):
        self.life(self.a_pipe(), ordinary=True)

    def test_P16_a_terminal_of_another_user(self):
        self.life(self.a_terminal(), ordinary=True)

    def test_P16_a_pipe_without_proc(self):
        self.life(self.a_pipe(), no_proc=True)

    def test_P16_a_terminal_without_proc(self):
        self.life(self.a_terminal(), no_proc=True)


class Losses(OnsetSystemTest):
    """A basic life of a system in a place that lacks something."""

    UNITS = {
        "main.target": "[Unit]\nWants=a.service b.service\n",
        "a.service": f"[Service]\nExecStart={STAY}\nExecStop=" + say("stopped") + "\nRestart=always\nRestartSec=0\n",
        "b.service": "[Service]\nType=forking\nExecStart=setsid --fork sleep infinity\n",
        "n.service": "[Service]\nType=notify\nExecStart=@notify@ --stay READY=1\n",
        "bad.service": "[Service]\nType=exec\nExecStart=/nowhere/program\n",
    }

    def life(self, losses=(), **kind):
        system = self.boot(self.UNITS, **kind)
        self.assertEqual(system.state_at_start, "running", system.log())
        log = system.log()
        for loss in losses:
            found = [line for line in log.splitlines() if loss in line]
            self.assertEqual(len(found), 1, f"{loss}: {log}")
        first = system.show("a.service", "MainPID")
        self.ok(system, "kill", "--signal=KILL", "--kill-whom=main", "a.service")
        until(lambda: system.show("a.service", "NRestarts") == "1", "the restart")
        system.until_state("a.service", "active/running")
        self.assertNotEqual(system.show("a.service", "MainPID"), first)
        self.ok(system, "start", "n.service")
        self.assertEqual(system.cli("start", "bad.service")[0], 1)
        self.assertEqual(system.show("bad.service", "ExecMainStatus"), "203")
        self.ok(system, "stop", "b.service", "n.service")
        self.ok(system, "daemon-reload")
        self.assertEqual(system.leave(), 0, system.log())
        self.assertEqual(system.said(), ["stopped"], system.log())

    def test_P18_without_proc(self):
        self.life(no_proc=True, losses=["no /proc here"])

    def test_P18_without_dev_null(self):
        self.life(no_dev=True, losses=["no /dev/null here"])

    def test_P18_without_sys(self):
        self.life(no_sys=True)

    def test_P18_with_a_read_only_root(self):
        self.life(read_only=True)

    def test_P18_with_a_read_only_root_and_run(self):
        self.life(read_only=True, read_only_run=True, losses=["/run/onset can't be used"])

    def test_P18_without_any_of_them(self):
        self.life(no_proc=True, no_dev=True, no_sys=True, read_only=True,
                  losses=["no /proc here", "no /dev/null here"])

    def test_P19_with_a_read_only_cgroup(self):
        self.life(setup=["mount -t cgroup2 none /sys/fs/cgroup && mount -o remount,bind,ro /sys/fs/cgroup"])

    def test_P19_with_folders_of_cgroup_v1_alone(self):
        self.life(setup=["mkdir -p /sys/fs/cgroup/memory /sys/fs/cgroup/pids /sys/fs/cgroup/systemd"])

    def test_P19_with_a_unified_hierarchy_beside_those_of_v1(self):
        self.life(setup=["mkdir -p /sys/fs/cgroup/memory /sys/fs/cgroup/unified",
                         "mount -t cgroup2 none /sys/fs/cgroup/unified"])

    def test_P4_a_full_run_stops_what_needs_it_and_nothing_else(self):
        units = {**self.UNITS, "dir.service": f"[Service]\nType=exec\nRuntimeDirectory=d\nExecStart={STAY}\n"}
        system = self.boot(units, setup=["mount -o remount,nr_inodes=64,size=256k /run"])
        fill = "dd if=/dev/zero of=/run/fill bs=4k; i=0; while : > /run/f$i; do i=$((i + 1)); done"
        system.inside(["sh", "-c", fill])
        self.assertNotEqual(system.inside(["mkdir", "/run/more"])[0], 0)
        self.assertEqual(system.cli("start", "dir.service")[0], 1)
        self.assertEqual(system.show("dir.service", "ExecMainStatus"), "233")
        self.ok(system, "daemon-reload")
        self.ok(system, "restart", "a.service", "n.service")
        self.assertEqual(system.inside(["sh", "-c", "rm /run/f*"])[0], 0)
        self.ok(system, "start", "dir.service")
        self.assertEqual(system.leave(), 0)

    def test_P23_four_thousand_mounts_are_not_read_at_each_event(self):
        mounts = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.mkdir("/run/many")
for _ in range(4000):
    assert libc.mount(b"none", b"/run/many", b"tmpfs", 0, None) == 0, os.strerror(ctypes.get_errno())
"""
        system = self.boot(self.UNITS, work={"mounts.py": mounts}, setup=["@python@ @work@/mounts.py"],
                           traces="open,openat")
        for _ in range(4):  # a fifth start would be one too many in ten seconds
            self.ok(system, "restart", "a.service", "n.service")
        self.ok(system, "daemon-reload")
        self.assertEqual(system.leave(), 0)
        reads = sum(word in line for line in system.read("trace").splitlines() for word in ("mountinfo", "/mounts"))
        # One of these is the table that is kept open and watched.
        self.assertLess(reads, 5)

    def test_P20_as_root_of_a_user_namespace(self):
        self.life(user_namespace=True)

    def test_P20_as_an_ordinary_user(self):
        self.life(ordinary=True)

    def test_P20_a_user_that_cannot_be_taken_on_is_named(self):
        system = self.boot({"a.service": "[Service]\nUser=daemon\nType=oneshot\nExecStart=" + say("ran") + "\n"}, ordinary=True)
        self.assertEqual(system.cli("start", "a.service")[0], 1)
        self.assertEqual(system.said(), [])
        self.assertIn(system.show("a.service", "ExecMainStatus"), ("216", "217"))


def refusing(call, error):
    def test(self):
        self.life(refuses=(call, error))
    test.__name__ = f"test_P21_{call}_answers_{error}"
    return test


class RefusedCalls(Losses):
    pass


# The life of Losses, not its tests, once for each call and answer.
for name in [name for name in dir(Losses) if name.startswith("test_")]:
    setattr(RefusedCalls, name, None)
for call in ("clone3", "pidfd_open", "openat2", "faccessat2", "close_range", "pidfd_send_signal", "execveat"):
    for error in ("ENOSYS", "EPERM"):
        function = refusing(call, error)
        setattr(RefusedCalls, function.__name__, function)


class ShortOfMemory(System):
    """Its PID 1 has an allocator that fails as `allocations` says."""

    def __init__(self, allocations, **kind):
        super().__init__({"main.target": "[Unit]\nDescription=All\n"}, log_level="info",
                         env={"ONSET_ALLOCATIONS": allocations.path}, **kind)

    def _line(self):
        return [PROGRAM if word == ONSET else word for word in super()._line()]

    def running_pid(self):
        try:
            pid = self.pid()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return pid if file.read().startswith(PROGRAM.encode() + b"\0") else 0
        except (IndexError, OSError):
            return 0


@unittest.skipIf(SANITIZED, "a sanitizer's own allocations are not onset's")
class Memory(OnsetSystemTest):
    """From one allocation on all fail, until so many have: what has ended by then has given up."""

    def boot_with(self, first, when="life", **kind):
        folder = tempfile.mkdtemp(prefix="onset-test-")
        self.addCleanup(shutil.rmtree, folder)
        allocations = Allocations(folder, first=first, stride=1, when=when)
        self.addCleanup(allocations.end)
        system = ShortOfMemory(allocations, **kind)
        self.addCleanup(system.end)
        return system, allocations

    def until_failed(self, count, system, allocations):
        """Or it has ended."""
        until(lambda: allocations.count() >= count or system.process.popen.poll() is not None,
              "allocations have failed")
        allocations.pause()

    def test_P1_pid_1_comes_up_when_there_is_memory_again(self):
        for first in (1, 40, 400):
            with self.subTest(first=first):
                system, allocations = self.boot_with(first)
                self.until_failed(40, system, allocations)
                self.assertEqual(system.wait_until_up(), "running")
                self.assertEqual(system.leave(), 0)

    def test_P1_who_is_not_pid_1_gives_up_in_the_end(self):
        for first in (1, 40):
            with self.subTest(first=first):
                system, _ = self.boot_with(first, pid1=False)
                self.assertEqual(system.wait(), 1)

    def test_D8_a_shutdown_that_finds_no_memory_at_its_end_is_one(self):
        system, allocations = self.boot_with(0)
        system.wait_until_up()
        before = allocations.made()
        self.assertEqual(system.leave(), 0)
        whole = allocations.made() - before
        for last in range(3):
            with self.subTest(last=last):
                again, failing = self.boot_with(whole - last, when="end")
                again.wait_until_up()
                failing.resume()
                again.process.signal(signal.SIGTERM)
                self.until_failed(150, again, failing)
                self.assertEqual(again.wait(), 0)


if __name__ == "__main__":
    unittest.main()
