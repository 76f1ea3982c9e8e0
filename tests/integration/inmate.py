"""The inmate of a small system (small_system.py): a process inside, which asks for what it lives
through over the control socket, and then looks whether PID 1 has got over it."""

import collections
import json
import os
import re
import select
import socket
import time

from harness import ORDINARY_UID, children_of
from manager_harness import RUNTIME_FOLDERS

ANSWER = 1.0  # seconds in which a call must be answered
STEP = 4.0  # seconds that a step of the life may take; every unit's own limits are shorter
RECOVERIES = 8
FATAL = ("no answer", "an orphan")  # of what may be wrong while things fail, what must not be
WORK = 0.03  # seconds that an inmate works to see whether PID 1 spins beside it
SPINNING = WORK / 6  # of the time of a PID 1 that does, on a machine with one processor too
SWITCHES = 100  # of one that is traced, and held at each call
TIMES, AT_LEAST = 10, 0.5  # the time of a life without a fault; seconds below which none spins
CPU_OF_PID_1 = ~1 << 3 | 2  # clock_getcpuclockid(3)

# What the kernel says of user.service: what protects is applied, whatever has failed before.
CONFINED = {"Uid": [str(ORDINARY_UID)] * 4, "Gid": [str(ORDINARY_UID)] * 4, "Groups": [str(ORDINARY_UID)],
            "CapBnd": ["0000000000000001"], "NoNewPrivs": ["1"]}
DESCRIPTORS = 900  # the limit that PID 1 is given, and services get whatever PID 1 does with its own
# The pipe of a launch serves the next one too, unless the child was late and took it along.
KEPT = {"descriptors": collections.Counter({"pipe:": 2}), "children": collections.Counter()}
LASTING = ("notify.service", "forking.service", "user.service", "once.service")


class Refused(Exception):
    """An error reply, or none at all."""


class Control:
    """A Varlink client: one connection, made anew when it breaks."""

    def __init__(self):
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def call(self, method, seconds=STEP, **parameters):
        end = time.monotonic() + seconds
        try:
            if not self.socket:
                self.socket = connect(end)
            self.socket.sendall(json.dumps({"method": "io.onset.Manager." + method, "parameters": parameters}).encode()
                                + b"\0")
            text = b""
            while not text.endswith(b"\0"):
                self.socket.settimeout(max(0.001, end - time.monotonic()))
                piece = self.socket.recv(65536)
                if not piece:
                    raise Refused(f"{method}: the connection was closed")
                text += piece
        except OSError as error:
            self.close()
            raise Refused(f"{method}: {error}") from None
        except Refused:
            self.close()
            raise
        reply = json.loads(text[:-1])
        if "error" in reply:
            raise Refused(f"{method}: {reply['error']} {reply.get('parameters')}")
        return reply["parameters"]

    def job(self, kind, *units):
        """Waits for the jobs, which must all be done."""
        jobs = self.call("Enqueue", units=list(units), type=kind, wait=True)["jobs"]
        bad = [f"{kind} {job['asked']}: {job['error'] or job['result']} {job['message'] or ''}"
               for job in jobs if job["result"] != "done"]
        if bad:
            raise Refused("; ".join(bad))


def connect(end):
    """Once the manager listens, in one of the places where onset's own client looks."""
    while True:
        for folder in RUNTIME_FOLDERS:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(max(0.001, end - time.monotonic()))
            try:
                connection.connect(folder + "/control")
                return connection
            except OSError as error:
                connection.close()
                why = error
        if time.monotonic() > end:
            raise why
        select.select([], [], [], 0.003)


def until(condition, seconds):
    """Polls for what no event announces."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.002)
    return True


class Inmate:
    """Runs inside; what it has seen goes out as lines of JSON."""

    def __init__(self, channel, expected, faults):
        self.channel = channel
        self.expected = expected
        self.faults = faults
        self.control = Control()
        self.steps = []

    def tell(self, what, **facts):
        self.channel.sendall(json.dumps({"what": what, **facts}).encode() + b"\n")

    def step(self, function, *arguments, **parameters):
        try:
            return function(*arguments, **parameters)
        except Refused as refused:
            self.steps.append(str(refused))
            return None

    def live(self):
        control = self.control
        if self.step(control.call, "GetSystemState", wait=True) is None and self.is_answered():
            return
        self.step(control.job, "start", "once.service")
        self.step(control.call, "Enqueue", units=["bad.service"], type="start")
        self.step(control.call, "Kill", unit="user.service", who="main", signal=9)
        self.step(control.job, "restart", "notify.service")
        self.step(control.job, "reload", "notify.service")
        self.change_files()
        self.step(control.call, "Reload")
        self.step(control.job, "restart", "forking.service")
        self.step(control.job, "stop", "once.service")
        self.step(control.call, "ListUnits")
        self.step(control.call, "GetUnit", unit="notify.service")
        self.step(control.call, "ResetFailed")

    @staticmethod
    def change_files():
        folder = "/run/onset/system/notify.service.d"
        try:
            os.makedirs(folder, exist_ok=True)
            with open(folder + "/changed.conf", "w", encoding="ascii") as file:
                file.write("[Unit]\nDescription=Changed\n")
        except OSError:
            pass  # what makes the folder above may be what failed

    def is_answered(self):
        """Within a second, of three tries once: a loaded machine is not what is tested."""
        times = []
        for _ in range(3):
            begin = time.monotonic()
            try:
                self.control.call("Ping", seconds=2 * ANSWER)
                if time.monotonic() - begin <= ANSWER:
                    return ""
            except Refused as refused:
                times.append(str(refused))
                continue
            times.append(f"{time.monotonic() - begin:.2f} s")
        return "no answer in time: " + ", ".join(times)

    def recover(self):
        """What does not work, though nothing fails any more."""
        unanswered = self.is_answered()
        if unanswered:
            return [unanswered]
        problems = []
        try:
            # What the fault has left half done may still be on its way.
            self.control.call("GetSystemState", wait=True)
            self.start_all()
            self.control.job("restart", "user.service", "notify.service")
            self.control.job("start", "handler.service")
            self.control.call("ResetFailed")
            for unit in LASTING:
                self.check(unit, problems)
        except Refused as refused:
            problems.append(str(refused))
        if not reaps_an_orphan():
            problems.append("an orphan is not reaped")
        return problems

    def start_all(self):
        """A file that could not be read stays so until all are read again, as the manager says."""
        try:
            self.control.job("start", *LASTING)
        except Refused as refused:
            if not self.faults.spoil_files or ("UnitNotLoadable" not in str(refused) and "properly" not in str(refused)):
                raise
            self.control.call("Reload")
            self.control.job("start", *LASTING)

    def check(self, unit, problems):
        status = self.control.call("GetUnit", unit=unit)["unit"]
        if status["active"] != "active":
            problems.append(f"{unit} is {status['active']} ({status['sub']}), {status['result']}")
        main = (status["main"] or {}).get("pid", 0)
        if unit != "once.service" and not is_child_of_pid_1(main):
            problems.append(f"{unit} has the main process {main}, which is none of PID 1's children")
        elif unit == "user.service":
            problems += unconfined(main)
        elif unit == "notify.service":
            problems += otherwise_limited(main)

    def leftovers(self):
        """Descriptors and children of PID 1 that there should not be."""
        self.control.close()
        if self.expected is None:
            until(lambda: False, 0.3)  # the measure: what has ended is closed
            return []
        until(lambda: not self.added(), 0 if self.faults.leaves_open else STEP)
        return self.added()

    def spins(self):
        """A window is as much of a processor as the inmate gets, however loaded the machine is; a
        last piece of work may be in the first, not in all."""
        windows = [spent_meanwhile()]
        while is_spent(windows[-1]) and len(windows) < 3:
            windows.append(spent_meanwhile())
        if is_spent(windows[-1]):
            return [f"while nothing is asked of it: {windows}"]
        seconds = time.clock_gettime(CPU_OF_PID_1)
        if self.expected is not None and seconds > max(AT_LEAST, TIMES * self.expected["seconds"]):
            return [f"{seconds} s in its life, not {self.expected['seconds']}"]
        return []

    def added(self):
        """Fewer may be: what PID 1 has learnt to do without."""
        found = belongings()
        added = {kind: collections.Counter(found[kind]) - (collections.Counter(self.expected[kind]) | KEPT[kind])
                 for kind in ("descriptors", "children")}
        if "/proc" not in found["descriptors"]:
            # It could not read its own line of /proc at the start, and watches processes otherwise.
            del added["descriptors"]["anon_inode:[pidfd]"]
        return [f"{kind}: {name} +{number}" for kind, names in added.items() for name, number in names.items()]

    def look(self):
        """Nothing but what is said to go on fails from here on."""
        self.tell("look")
        self.channel.recv(1)

    def run(self):
        self.live()
        self.look()
        # A fault that comes during a recovery may spoil it, but not the next one.
        for _ in range(RECOVERIES):
            count = self.faults.count()
            problems = self.recover()
            if not problems or self.faults.count() == count:
                break
            self.steps += problems
        if self.faults.spoil_recovery:
            self.steps += [problem for problem in problems if not problem.startswith(FATAL)]
            problems = [problem for problem in problems if problem.startswith(FATAL)]
        leaks = self.leftovers()
        self.tell("report", steps=self.steps, problems=problems, leaks=leaks, spins=self.spins(), found=belongings())


# In the name of an open file: an inode's number, the cgroup's.
OF_ONE_LIFE = re.compile(r"\[\d+\]$|(?<=/onset-sweep-)\w+")


def unconfined(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        seen = {name: rest.split() for name, _, rest in (line.partition(":") for line in file)}
    return [f"user.service has {name} {seen[name]}" for name, wanted in CONFINED.items() if seen[name] != wanted]


def otherwise_limited(pid):
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        soft = next(line.split()[3] for line in file if line.startswith("Max open files"))
    return [] if soft == str(DESCRIPTORS) else [f"notify.service may open {soft} files"]


def is_child_of_pid_1(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[1] == "1"
    except OSError:
        return False


def reaps_an_orphan():
    """Its parent ends, then it does: it is PID 1's to collect."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        orphan = os.fork()
        if orphan == 0:
            select.select([], [], [], 0.005)
            os._exit(0)
        os.write(writing, str(orphan).encode())
        os._exit(0)
    os.waitpid(child, 0)
    orphan = int(os.read(reading, 32))
    os.close(reading)
    os.close(writing)
    return until(lambda: not os.path.exists(f"/proc/{orphan}"), 2 * ANSWER)


def spent_meanwhile():
    """What PID 1 has spent, of seconds and switches of context, while the caller works."""
    def spent():
        with open("/proc/1/status", encoding="utf-8") as file:
            switches = sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
        return time.clock_gettime(CPU_OF_PID_1), switches

    before, end = spent(), time.process_time() + WORK
    while time.process_time() < end:
        pass
    return [now - then for now, then in zip(spent(), before)]


def is_spent(window):
    return window[0] > SPINNING or window[1] > SWITCHES


def belongings():
    """What PID 1 holds: its descriptors by kind, its children by name; the seconds it has spent."""
    descriptors = collections.Counter()
    for number in os.listdir("/proc/1/fd"):
        try:
            name = OF_ONE_LIFE.sub("", os.readlink("/proc/1/fd/" + number))
            # The null device that onset makes where it could not open the one that is there.
            descriptors["/dev/null" if name == "/dev/.onset-null (deleted)" else name] += 1
        except OSError:
            continue
    children = collections.Counter()
    for pid in children_of(1):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                children[file.read().strip()] += 1
        except OSError:
            continue
    return {"descriptors": dict(descriptors), "children": dict(children),
            "seconds": time.clock_gettime(CPU_OF_PID_1)}
