"""Lives of the small system in which allocations of PID 1 fail: each in turn.

onset is linked anew for it, with an allocator that counts and fails (support/failing_malloc.c).
There are thousands of allocations in a life; so a life fails every so manyth (sweep.py: more than
a third of those up to the first launch, where what fails is tried three times and no more), and a
sweep of as many lives has failed each. A life that goes wrong is taken apart into lives of one failure.
What fails does so from main() on; while PID 1 is looked at nothing does, and in the lives of the
shutdown nothing does before.
"""

import mmap
import os
import struct

from harness import ROOT
from small_system import Faults, Life, insist

BUILD_OF_TESTS = os.path.join(os.environ.get("ONSET_BUILD_DIR") or os.path.join(ROOT, "build"), "tests")
PROGRAM = os.path.join(BUILD_OF_TESTS, "onset-failing-malloc")
PAGE = struct.Struct("=5Q")  # made, failed, first, stride, least


class Allocations(Faults):
    """The page that the program shares with us. `when`: "life" or "end". What memory is wanted for
    comes when there is some: nothing else is forgiven."""

    spoil_files = spoil_stop = False

    def __init__(self, folder, first=0, stride=0, when="life", least=0):
        self.path = os.path.join(folder, "allocations")
        with open(self.path, "wb") as file:
            file.write(PAGE.pack(0, 0, first if when == "life" else 0, stride, least))
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), PAGE.size)
        self.first, self.when = first, when

    def made(self):
        return PAGE.unpack(self.page)[0]

    def count(self):
        return PAGE.unpack(self.page)[1]

    def _set_first(self, first):
        struct.pack_into("=Q", self.page, 16, first)

    def pause(self):
        self._set_first(0)

    def resume(self):
        if self.when == "end":
            self._set_first(self.made() + self.first)

    def end(self):
        self.page.close()


class Counting(Allocations):
    """Nothing fails: how many there were by when."""

    looked_at = asked_to_end_at = 0

    def pause(self):
        self.looked_at = self.made()

    def resume(self):
        self.asked_to_end_at = self.made()


class Lives:
    """Of the allocations in the life or the shutdown those numbered first, first + stride, … up to
    last; stride 0: that one."""

    call, errno = "(allocation)", "ENOMEM"

    def __init__(self, when, first, stride, last):
        self.when, self.first, self.stride, self.last = when, first, stride, last

    def describe(self):
        return {"call": self.call, "errno": self.errno, "when": self.when, "first": self.first,
                "stride": self.stride}

    def cases(self):
        return len(range(self.first, self.last + 1, self.stride)) if self.stride else 1

    def apart(self):
        return [Lives(self.when, number, 0, number) for number in range(self.first, self.last + 1, self.stride)]

    def surest(self):
        return Lives("life", 1, 0, 1)

    def live(self, arena):
        """The life, and what failed in it, a line each."""
        faults = Allocations(arena.folder, self.first, self.stride, self.when)
        life = Life(arena, PROGRAM, {"ONSET_ALLOCATIONS": faults.path}, log_level="info")
        try:
            life.live(faults)
            return life, [f"allocation {self.first}"] * faults.count()
        finally:
            life.end()
            faults.end()


def measure(arena):
    """How many allocations there are up to the look at PID 1, and how many in a shutdown."""
    counts = [insist(live_without_a_fault, arena) for _ in range(3)]
    return tuple(map(max, zip(*counts)))


def live_without_a_fault(arena):
    faults = Counting(arena.folder)
    life = Life(arena, PROGRAM, {"ONSET_ALLOCATIONS": faults.path}, log_level="info")
    try:
        life.live(faults)
        life.must_be_faultless()
        arena.expected = life.found
        return faults.looked_at, faults.made() - faults.asked_to_end_at
    finally:
        life.end()
        faults.end()


def occurrences(counts):
    return {Lives.call: sum(counts)}


def always_made(counts):
    return [Lives.call]


def unknown(counts):
    return []


def all_lives(counts, stride, only=()):
    for when, count in zip(("life", "end"), counts):
        for first in range(1, min(stride, count) + 1):
            yield Lives(when, first, stride, count)
