"""The life of a small system, to be lived many times over while something fails in PID 1.

A Life is one boot of `onset init` as PID 1 of its own namespaces, held at a gate until whatever
is to fail has been arranged. What it lives through is asked for over the control socket by an
inmate, a process inside (inmate.py): start, restart, reload, a crash, a changed file, a stop; any
step may fail, since something does. Then the inmate looks whether PID 1 has got over it:

  answers     a call is answered within a second
  recovers    everything can be started, restarted, and is what it should be
  reaps       an orphan is collected
  rests       it uses no time while nothing is asked of it, nor over its life ten times what a life
              does in which nothing failed
  keeps none  no descriptor and no process is left over, compared with such a life
  ends        SIGTERM is an orderly shutdown: ExecStop= runs, the exit status is 0

Run it in a mount namespace of its own (enter_arena), which it changes.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import ENVIRONMENT, OF_ITS_OWN, ONSET, ORDINARY_UID, ROOT, children_of
from inmate import DESCRIPTORS, STEP, Inmate
from manager_harness import remove_group

SOURCE = os.path.join(ROOT, "tests", "support", "sweep_service.c")
LIFE = 60.0  # seconds for all up to the look at PID 1
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


def build_service(folder):
    path = os.path.join(folder, "sweep_service")
    subprocess.run(["cc", "-O1", "-static", "-o", path, SOURCE], check=True)
    return path


def enter_arena(argv):
    """Becomes argv in a mount namespace in which lives can be lived."""
    os.execvp("unshare", ["unshare", "--mount", "--", "sh", "-ec", OF_ITS_OWN + 'exec "$@"', "sh", *argv])


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
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for pid in (*children_of(self.process.pid), self.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.pidfd)
        self.gate.close()
        if self.group:
            remove_group(self.group)
