"""Lives of the small system in which system calls of PID 1 fail.

A case is a call, one occurrence of it, and one errno of its manual page (tests/oracle/errnos.tsv).
A life meets the cases of one call and one errno: one occurrence, up to the first launch, since
what fails there is tried three times and no more; every so manyth from there until PID 1 is looked
at, or, in other lives, from then on to its end. strace(1) is attached from outside while PID 1
waits at the gate, to that process alone, so that the calls of its children do not count; it makes
the call fail in place of making it. What libc calls before main() is left out: nothing of onset's
runs yet that could go on.
"""

import collections
import os
import re
import select
import subprocess

from harness import ROOT
from small_system import Faults, Life, insist

ERRNOS = os.path.join(ROOT, "tests", "oracle", "errnos.tsv")
MEASURES = 3  # lives without a fault, of which the most occurrences of a call count
BEYOND = 1  # more occurrences than were seen: a life in which something fails has its own
CALL = re.compile(r"^(\w+)\(")
NEVER_RETURN = ("exit_group", "rt_sigreturn", "restart_syscall")
# Their pages give no error, or say that there is none.
CANNOT_FAIL = ("getegid", "geteuid", "getgid", "getpid", "getppid", "gettid", "getuid", "umask")
# The kernel has no error for it but gives the break as it was; to libc all below its wish is one.
INJECTED_AS = {"brk": "retval=0"}
FIRST_OF_MAIN = "getpid"
LAST_OF_SET_UP = "listen"
LAUNCHES = ("clone3", "clone", "vfork")


def errnos_by_call():
    with open(ERRNOS, encoding="ascii") as file:
        return {call: names.split() for call, names in (line.rstrip("\n").split("\t") for line in file)}


class Tracer(Faults):
    """strace, attached to PID 1, with options of its own. `lasts`: beyond the look at PID 1, too."""

    def __init__(self, life, options=(), lasts=True):
        self.path = life.arena.path("trace")
        self.lasts = lasts
        self.lines_at_look = 0
        self.process = subprocess.Popen(["strace", "-o", self.path, "-p", str(life.pid), *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = b""
        while b"attached" not in said:
            is_heard = select.select([self.process.stderr], [], [], 10)[0]
            piece = os.read(self.process.stderr.fileno(), 4096) if is_heard else b""
            if not piece:
                raise RuntimeError(f"strace does not attach: {said.decode()}")
            said += piece

    def lines(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def injected(self):
        return [line for line in self.lines() if line.endswith("(INJECTED)")]

    def count(self):
        return len(self.injected())

    def pause(self):
        self.lines_at_look = len(self.lines())
        if not self.lasts:
            self.process.terminate()  # lets PID 1 go
            self.process.wait(10)

    def end(self):
        """With its tracee, or now."""
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


class Calls:
    """How often a call is made, at most: before main(), until the first launch, until PID 1 is
    looked at, and from then on. `always`: how often at least, in all of a life."""

    def __init__(self):
        self.before, self.starting, self.living, self.ending = (collections.Counter() for _ in range(4))
        self.always = None

    def add(self, names, look):
        """Of a life without a fault; `look`: how many there were when PID 1 was looked at."""
        main = names.index(FIRST_OF_MAIN, names.index("execve"))
        set_up = names.index(LAST_OF_SET_UP, main)
        launch = next(i for i, name in enumerate(names) if i > set_up and name in LAUNCHES)
        spans = (names[:main], names[main:launch], names[launch:look], names[look:])
        for counter, span in zip((self.before, self.starting, self.living, self.ending), spans):
            counter |= collections.Counter(name for name in span if name and name not in NEVER_RETURN)
        made = collections.Counter(name for name in names[main:] if name and name not in NEVER_RETURN)
        self.always = made if self.always is None else self.always & made

    def made(self):
        return self.starting | self.living | self.ending


def measure(arena):
    """The most of some lives; and the belongings of PID 1 in one that knew no fault."""
    counts = Calls()
    for _ in range(MEASURES):
        counts.add(*insist(live_without_a_fault, arena))
    return counts


def live_without_a_fault(arena):
    """The names of the calls, and how many there were when PID 1 was looked at."""
    life = Life(arena)
    tracer = Tracer(life)
    try:
        life.live(tracer)
        life.must_be_faultless()
    finally:
        life.end()
        tracer.end()
    arena.expected = life.found
    names = [match.group(1) if (match := CALL.match(line)) else "" for line in tracer.lines()]
    return names, tracer.lines_at_look


class Lives:
    """Occurrences first, first + stride, … of a call since main(); stride 0: that one. `last`: the
    last that was seen, beyond which none is missed.
    `when`: "start", "life" or "end"."""

    def __init__(self, call, errno, when, first, stride, last, before):
        self.call, self.errno, self.when = call, errno, when
        self.first, self.stride, self.last = first, stride, last
        self.before = before  # occurrences before main(), which strace counts

    def describe(self):
        return {"call": self.call, "errno": self.errno, "when": self.when, "first": self.first, "stride": self.stride}

    def cases(self):
        return len(range(self.first, self.last + 1, self.stride or 1))

    def apart(self):
        return [Lives(self.call, self.errno, self.when, occurrence, 0, occurrence, self.before)
                for occurrence in range(self.first, self.last + BEYOND + 1, self.stride)]

    def surest(self):
        """The first occurrence, whenever it comes."""
        return Lives(self.call, self.errno, "life", 1, 0, 1, self.before)

    def live(self, arena):
        """The life, and what failed in it, a line each."""
        life = Life(arena)
        count = self.before + self.first
        which = f"{count}+{self.stride}" if self.stride else count
        how = INJECTED_AS.get(self.call, "error=" + self.errno)
        options = ["-e", "trace=" + self.call, "-e", f"inject={self.call}:{how}:when={which}"]
        tracer = Tracer(life, options, lasts=self.when == "end" or not self.stride)
        tracer.spoil_recovery = self.when == "end" and self.stride
        tracer.leaves_open = self.call == "close"
        try:
            life.live(tracer)
        finally:
            life.end()
            tracer.end()
        if is_artefact(self, life):
            life.verdict, life.details = "", []
        return life, tracer.injected()


def is_artefact(lives, life):
    """A close(2) that strace makes fail is not made: its descriptor stays, as with the kernel's own
    errors it would not (close(2), Dealing with error returns). So what is left over, whoever waits
    for the other end of it, and who is woken by it without end since it is watched, says nothing."""
    return lives.call == "close" and life.verdict in ("leak", "broken", "spin")


def occurrences(counts):
    return dict(counts.starting + counts.living + counts.ending)


def always_made(counts):
    """What must have failed at least once in a sweep."""
    return [call for call in counts.always if call not in CANNOT_FAIL]


def unknown(counts):
    """Calls that may fail, or not: nobody has said."""
    return sorted(counts.made().keys() - errnos_by_call().keys() - set(CANNOT_FAIL))


def all_lives(counts, stride, only=()):
    known = errnos_by_call()
    for call in sorted(counts.made()):
        if only and call not in only or call in CANNOT_FAIL:
            continue
        started = counts.starting[call]
        looked = started + counts.living[call]
        last = looked + counts.ending[call]
        for errno in known.get(call, []):
            for first in range(1, started + 1):
                yield Lives(call, errno, "start", first, 0, first, counts.before[call])
            for first in range(started + 1, min(started + stride, looked) + 1):
                yield Lives(call, errno, "life", first, stride, looked, counts.before[call])
            for first in range(looked + 1, min(looked + stride, last + BEYOND) + 1):
                yield Lives(call, errno, "end", first, stride, last, counts.before[call])
