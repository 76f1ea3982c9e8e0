"""The life of a small system, to be lived many times over while something fails in PID 1.

A Life is one boot of `onset init` as PID 1 of its own namespaces, held at a gate until whatever
is to fail has been arranged. What it lives through is asked for over the control socket by an
inmate, a process inside: start, restart, reload, a crash, a changed file, a stop; any step may
fail, since something does. Then the inmate looks whether PID 1 has got over it:

  answers     a call is answered within a second
  recovers    everything can be started, restarted, and is what it should be
  reaps       an orphan is collected
  rests       it uses no time while nothing is asked of it, nor over its life ten times what a life
              does in which nothing failed
  keeps none  no descriptor and no process is left over, compared with such a life
  ends        SIGTERM is an orderly shutdown: ExecStop= runs, the exit status is 0

Run it in a mount namespace of its own (enter_arena), which it changes.
"""

import collections
import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from manager_harness import RUNTIME_FOLDERS, remove_group
from harness import ENVIRONMENT, OF_ITS_OWN, ONSET, ORDINARY_UID, PYTHON, ROOT, children_of

SOURCE = os.path.join(ROOT, "tests", "support", "sweep_service.c")
ANSWER = 1.0  # seconds in which a call must be answered
STEP = 4.0  # seconds that a step of the life may take; every unit's own limits are shorter
RECOVERIES = 8
FATAL = ("no answer", "an orphan")  # of what may be wrong while things fail, what must not be
LIFE = 60.0  # for all up to there
WORK = 0.03  # seconds that an inmate works to see whether PID 1 spins beside it
SPINNING = WORK / 6  # of the time of a PID 1 that does, on a machine with one processor too
SWITCHES = 100  # of one that is traced, and held at each call
TIMES, AT_LEAST = 10, 0.5  # the time of a life without a fault; seconds below which none spins
CPU_OF_PID_1 = ~1 << 3 | 2  # clock_getcpuclockid(3)
END = 15.0  # seconds for a shutdown: the budget of a container is 9
NEW_NAMESPACES = 0x00020000 | 0x20000000  # CLONE_NEWNS, CLONE_NEWPID

CONFIG = f"""[Manager]
DefaultTimeoutStartSec=2s
DefaultTimeoutStopSec=1s
DefaultRestartSec=10ms
DefaultStartLimitIntervalSec=0
"""

UNITS = {
    "main.target": "[Unit]\nWants=notify.service forking.service user.service\n",
    "notify.service": "[Service]\nType=notify-reload\nExecStartPre=@service@ exit 0\n"
                      "ExecStart=@service@ notify\nExecStopPost=@service@ exit 0\n",
    "forking.service": "[Unit]\nAfter=notify.service\n[Service]\nType=forking\nPIDFile=/run/forking.pid\n"
                       "ExecStart=@service@ forking /run/forking.pid\n",
    "user.service": f"[Service]\nType=exec\nUser={ORDINARY_UID}\nRuntimeDirectory=user\nRestart=always\n"
                    "EnvironmentFile=-/run/nothing\nStandardOutput=append:/run/user.log\n"
                    "NoNewPrivileges=yes\nCapabilityBoundingSet=CAP_CHOWN\nLimitNOFILE=100\nExecStart=@service@ stay\n",
    "once.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=@service@ exit 0\n"
                    "ExecStop=@service@ say @said@ stopped\n",
    "bad.service": "[Unit]\nOnFailure=handler.service\n[Service]\nExecStart=@service@ exit 3\n",
    "handler.service": "[Service]\nType=oneshot\nExecStart=@service@ say @said@ handled\n",
}
# What the kernel says of user.service: what protects is applied, whatever has failed before.
CONFINED = {"Uid": [str(ORDINARY_UID)] * 4, "Gid": [str(ORDINARY_UID)] * 4, "Groups": [str(ORDINARY_UID)],
            "CapBnd": ["0000000000000001"], "NoNewPrivs": ["1"]}
DESCRIPTORS = 900  # the limit that PID 1 is given, and services get whatever PID 1 does with its own
# The pipe of a launch serves the next one too, unless the child was late and took it along.
KEPT = {"descriptors": collections.Counter({"pipe:": 2}), "children": collections.Counter()}
LASTING = ("notify.service", "forking.service", "user.service", "once.service")


def build_service(folder):
    path = os.path.join(folder, "sweep_service")
    subprocess.run(["cc", "-O1", "-static", "-o", path, SOURCE], check=True)
    return path


def enter_arena(argv):
    """Becomes argv in a mount namespace in which lives can be lived."""
    os.execvp("unshare", ["unshare", "--mount", "--", "sh", "-ec", OF_ITS_OWN + 'exec "$@"', "sh", *argv])


# ---- the inmate ------------------------------------------------------------------------------


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


# ---- outside ---------------------------------------------------------------------------------


class Faults:
    """What fails in a life."""

    spoil_recovery = False  # so often that none can do
    spoil_files = True  # a unit file that could not be read is in error until all are read again
    leaves_open = False  # what is left over then says nothing
    spoil_stop = True  # a command that could not be launched at the end is not run

    def count(self):
        """How often so far; asked from inside too."""
        return 0

    def pause(self):
        """The life is over, PID 1 is about to be looked at."""

    def resume(self):
        """It is about to be shut down."""


class Arena:
    """What many lives have in common. `service`: see build_service; with `cgroup` every life has
    a writable cgroup of its own."""

    def __init__(self, service, cgroup):
        self.folder = tempfile.mkdtemp(prefix="onset-sweep-")
        os.chmod(self.folder, 0o755)
        # Where another user may go too, which the folder of the clone need not be.
        self.service = service = shutil.copy2(service, self.path("sweep_service"))
        self.cgroup = cgroup
        self.expected = None  # belongings, once a life without a fault was measured
        for name, files in (("units", UNITS), ("config", {"system.conf": CONFIG})):
            os.mkdir(os.path.join(self.folder, name))
            for file_name, text in files.items():
                with open(os.path.join(self.folder, name, file_name), "w", encoding="ascii") as file:
                    file.write(text.replace("@service@", service).replace("@said@", self.path("said")))
        if cgroup:
            subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def insist(live, arena):
    """A life without a fault may be late on a loaded machine, not three of them."""
    for _ in range(2):
        try:
            return live(arena)
        except Faulty:
            continue
    return live(arena)


class Faulty(RuntimeError):
    """A life without a fault that went wrong."""


class Life:
    """One, held at the gate until `live`. After it `verdict` is "", or what is wrong in a word
    (death, hang, deaf, broken, spin, leak, shutdown); `details` says what was seen."""

    def __init__(self, arena, onset=ONSET, environment=(), log_level="debug"):
        self.arena = arena
        self.verdict = ""
        self.details = []
        self.steps = []
        self.found = None
        self.group = ""
        setup = ["mount -t tmpfs -o mode=0755 none /run", "mkdir /run/service"]
        if arena.cgroup:
            self.group = tempfile.mkdtemp(prefix="onset-sweep-", dir="/sys/fs/cgroup")
            setup.append(f"echo 0 > {self.group}/cgroup.procs")
        setup += [f"ulimit -Sn {DESCRIPTORS}", 'exec "$@"']
        command = [arena.service, "gate", onset, "init", "--unit=main.target",
                   "--unit-path=/run/onset/system:" + arena.path("units"),
                   "--config-path=" + arena.path("config"), "--log-level=" + log_level]
        ours, theirs = socket.socketpair()
        with open(arena.path("console"), "wb") as console:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "--", "sh", "-ec", "; ".join(setup), "sh", *command],
                stdin=theirs, stdout=console, stderr=console, env={**ENVIRONMENT, **dict(environment)})
        theirs.close()
        self.gate = ours
        self.gate.settimeout(STEP)
        if self.gate.recv(1) != b"r":
            raise RuntimeError("the gate was not reached:\n" + self.console())
        self.pid = children_of(self.process.pid)[0]
        self.pidfd = os.pidfd_open(self.pid)

    def console(self):
        with open(self.arena.path("console"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def said(self, word):
        """How often."""
        try:
            with open(self.arena.path("said"), encoding="ascii") as file:
                return file.read().split().count(word)
        except FileNotFoundError:
            return 0

    def has_ended(self, seconds=0):
        return bool(select.select([self.pidfd], [], [], seconds)[0])

    def live(self, faults=None):
        faults = faults or Faults()
        self.gate.send(b"g")
        report = self._inmate(faults)
        self._judge(report)
        if not self.verdict:
            self._shut_down(faults)

    def _inmate(self, faults):
        ours, theirs = socket.socketpair()
        guard = os.fork()
        if guard == 0:
            ours.close()
            self._enter(theirs, faults)
        theirs.close()
        try:
            return self._hear(ours, faults)
        finally:
            ours.close()
            os.kill(guard, signal.SIGKILL)
            os.waitpid(guard, 0)

    @staticmethod
    def _hear(channel, faults):
        """The inmate's report; None if it never came to it."""
        channel.settimeout(LIFE)
        text = b""
        try:
            while True:
                while b"\n" not in text:
                    piece = channel.recv(65536)
                    if not piece:
                        return None
                    text += piece
                line, text = text.split(b"\n", 1)
                told = json.loads(line)
                if told["what"] == "report":
                    return told
                faults.pause()
                channel.sendall(b".")
        except OSError:
            return None

    def _enter(self, channel, faults):
        """In a child: its own child is in the namespaces; never returns."""
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(self.pidfd, NEW_NAMESPACES) != 0:
                os._exit(3)
            inmate = os.fork()
            if inmate == 0:
                libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
                Inmate(channel, self.arena.expected, faults).run()
                os._exit(0)
            channel.close()
            os.waitpid(inmate, 0)
        finally:
            os._exit(1)

    def must_be_faultless(self):
        """For lives that measure."""
        if self.verdict or self.steps:
            raise Faulty(f"a life without a fault: {self.verdict} {self.details} {self.steps}\n{self.console()}")

    def _judge(self, report):
        if self.has_ended(0 if report else END):  # with its namespace, which may take its time
            self.verdict = "death"
        elif report is None:
            self.verdict = "hang"
        else:
            self.found = report["found"]
            self.details = report["problems"] + report["spins"] + report["leaks"]
            if report["problems"]:
                self.verdict = "deaf" if "no answer" in report["problems"][0] else "broken"
            elif report["spins"]:
                self.verdict = "spin"
            elif report["leaks"]:
                self.verdict = "leak"
            self.steps = report["steps"]

    def _shut_down(self, faults):
        before, failed_before = self.said("stopped"), faults.count()
        faults.resume()
        os.kill(self.pid, signal.SIGTERM)
        if not self.has_ended(END):
            self.verdict = "hang"
            self.details.append(f"the shutdown has not ended in {END} s")
            return
        status = self.process.wait(END)
        if status != 0:
            self.verdict = "shutdown"
            self.details.append(f"exit status {status}")
        elif self.said("stopped") != before + 1 and not (faults.spoil_stop and faults.count() > failed_before):
            self.verdict = "shutdown"
            self.details.append("the ExecStop= of once.service did not run")

    def end(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGSTOP)  # so that its child's number stays its child's
            for pid in (*children_of(self.process.pid), self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.pidfd)
        self.gate.close()
        if self.group:
            remove_group(self.group)

