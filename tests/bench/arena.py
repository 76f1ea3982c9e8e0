"""One run of one init: the shared board that measured processes write to, the PID namespace that
arena.c makes, and what /proc says about the processes in it."""

import mmap
import os
import select
import struct
import subprocess
import time

STAMPS = 16384
BOARD_BYTES = 8 + 4 + 4 + 6 * 8 + STAMPS * 8


class Board:
    """The shared file of board.h."""

    def __init__(self, path):
        with open(path, "wb") as stream:
            stream.truncate(BOARD_BYTES)
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), BOARD_BYTES)

    def reset(self, target, mark=0):
        self.map[:BOARD_BYTES] = bytes(BOARD_BYTES)
        struct.pack_into("=I", self.map, 12, target)
        struct.pack_into("=Q", self.map, 16, mark)

    def begin(self):
        return struct.unpack_from("=Q", self.map, 0)[0]

    def count(self):
        return struct.unpack_from("=I", self.map, 8)[0]

    def marks(self):
        return struct.unpack_from("=6Q", self.map, 16)

    def stamps(self, number):
        return struct.unpack_from(f"={min(number, STAMPS)}Q", self.map, 64)

    def last_stamp(self):
        return max(self.stamps(self.count()), default=0)


class Run:
    """What one run gave: nanoseconds, or why there are none."""

    def __init__(self, ns=None, why="", **more):
        self.ns, self.why, self.more = ns, why, more


class Arena:
    """One PID namespace with an init in it."""

    def __init__(self, bench, manager, command):
        group = bench.cgroup if manager.cgroup else "-"
        self.log = os.path.join(bench.work, "log")
        self.process = subprocess.Popen(
            [os.path.join(bench.root, "bench", "arena"), bench.root, self.log, group, *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.text = b""
        self.pid = None

    def line(self, deadline):
        """The next line that the arena tells, None when the deadline has passed."""
        while b"\n" not in self.text:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                return None
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                return "exit 99 0 0"
            self.text += piece
        line, _, self.text = self.text.partition(b"\n")
        words = line.decode()
        if words.startswith("pid "):
            self.pid = int(words.split()[1])
        return words

    def wait_for(self, word, deadline):
        """Reads until a line starts with this word; None: it did not come in time."""
        while True:
            line = self.line(deadline)
            if line is None or line.startswith((word, "exit ")):
                return line

    def signal(self, number):
        """Sends PID 1 a signal; the time of its exit counts from here."""
        self.process.stdin.write(bytes([number]))

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def said(self):
        with open(self.log, errors="replace") as stream:
            lines = [line.strip() for line in stream.read().splitlines() if line.strip()]
        return lines[-1][:120] if lines else ""


def managers_of(pid):
    """The processes of the namespace whose PID 1 this is, without the services."""
    namespace = os.stat(f"/proc/{pid}/ns/pid").st_ino
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat(f"/proc/{name}/ns/pid").st_ino != namespace:
                continue
            if os.path.basename(os.readlink(f"/proc/{name}/exe")).startswith(("probe", "orphans")):
                continue
        except OSError:
            continue
        found.append(int(name))
    return found


def pss_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as stream:
                total += next((int(line.split()[1]) for line in stream if line.startswith("Pss:")), 0)
        except OSError:
            pass
    return total


def cpu_ns(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/schedstat") as stream:
                total += int(stream.read().split()[0])
        except OSError:
            pass
    return total


def switches(pids):
    """How often they were given a processor: none between two looks means that they ran no
    instruction, and so made no system call."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/schedstat") as stream:
                total += int(stream.read().split()[2])
        except OSError:
            pass
    return total
