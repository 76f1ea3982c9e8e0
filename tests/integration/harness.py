"""Runs onset, or any program, in PID, mount and UTS namespaces of its own.

A test starts a Process, waits for its lines and its end, each with a deadline,
and signals it by pid. Nothing here sleeps for a while and hopes: `until` polls,
and only for what the kernel announces by no event. Whatever a test started ends
with it: its namespace is killed by the pid of its first process.

The binary is $ONSET, or build/onset of this repository. Runs as root and as any
other user who may create user namespaces.
"""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ONSET = os.path.abspath(os.environ.get("ONSET") or os.path.join(ROOT, "build", "onset"))
# An interpreter that an ordinary user can reach too.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
SANITIZED = "ONSET_SANITIZER_REPORTS" in os.environ  # tools/run_tests.py
COUNTED = "ONSET_COVERAGE" in os.environ  # tools/coverage
# "CALL,… ERRNO": all that is started runs under a filter that answers so (seccomp_shim.py).
REFUSES = os.environ.get("ONSET_TEST_REFUSES", "").split()
SUPPORT = os.environ.get("ONSET_SUPPORT") or os.path.join(ROOT, "tests", "support")
SHIM = os.path.join(SUPPORT, "seccomp_shim.py")
DEADLINE = float(os.environ.get("ONSET_TEST_DEADLINE", "30"))
ORDINARY_UID = 33  # www-data, which every Debian has, with a group of the same number
# The runner's own PATH may lead where an ordinary user may not go.
ENVIRONMENT = {**os.environ, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


# What a shell does first in a new mount namespace, so that no test reads the configuration of
# the host, writes to it or changes the owner of its devices: an empty /run, /etc/systemd and
# /etc/onset, an /etc whose changes go with the namespace, devices of its own, no console.
OF_ITS_OWN = """
mount -t tmpfs -o mode=0755 none /run
mkdir /run/etc /run/etc.work /run/dev
mount -t overlay -o userxattr,lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work none /etc 2>/dev/null || {
  cp -a /etc/. /run/etc 2>/dev/null || :  # no overlay here; to root of a user namespace some are closed
  mount --bind /run/etc /etc
}
for folder in systemd onset; do
  [ -d /etc/$folder ] || mkdir /etc/$folder
  mount -t tmpfs -o mode=0755 none /etc/$folder
done
mount -t tmpfs -o mode=0755 none /run/dev
while read -r name major minor; do
  mknod -m 0666 /run/dev/$name c $major $minor 2>/dev/null || {
    : > /run/dev/$name  # in a user namespace, where nobody may change the host's node
    mount --bind /dev/$name /run/dev/$name
  }
done <<-END
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
END
mkdir -m 1777 /run/dev/shm
mkdir /run/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 none /run/dev/pts
ln -s pts/ptmx /run/dev/ptmx
ln -s /proc/self/fd /run/dev/fd
ln -s fd/0 /run/dev/stdin
ln -s fd/1 /run/dev/stdout
ln -s fd/2 /run/dev/stderr
mount --rbind /run/dev /dev
mount -t tmpfs -o mode=0755 none /run
"""


class Late(AssertionError):
    """What was waited for did not come before its deadline."""


def python(code, *args):
    """The command that runs a piece of Python."""
    return [PYTHON, "-S", "-E", "-c", code, *args]


def until(condition, what, seconds=DEADLINE):
    """Polls for what no event announces; returns the condition's first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"not within {seconds} s: {what}")
        select.select([], [], [], 0.01)


def children_of(pid):
    """The pids of a process's children, in this namespace."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def in_namespace(argv, pid1=True, ordinary=False, proc=True):
    """The command line that runs argv there: as PID 1, or as the child of a PID 1
    that waits for it alone; as an ordinary user; with nothing in /proc."""
    is_root = os.geteuid() == 0
    line = []
    if is_root or not ordinary:
        # In a namespace around it: the first pids are the test's.
        line += ["unshare", "--mount"] + ([] if is_root else ["--user", "--map-root-user"])
        line += ["--", "sh", "-ec", OF_ITS_OWN + 'exec "$@"', "sh"]
    line += ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]
    line += ["--mount-proc"] if proc else []
    line += ["--"] if is_root or not ordinary else ["--user", "--map-current-user", "--"]
    if not proc:
        line += ["sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
    if ordinary and is_root:
        line += ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}"]
        line += ["--clear-groups", "--"]
    if not pid1:
        line += ["sh", "-c", '"$@"; exit $?', "sh"]
    if REFUSES:
        line += [PYTHON, "-S", "-E", SHIM, *REFUSES]
    return line + list(argv)


def family(pid):
    """What a process and those below it are doing, a line each: what a test that is late shows."""
    lines = []
    members = [pid]
    for member in members:  # which grows meanwhile
        members += children_of(member)
        try:
            with open(f"/proc/{member}/stat") as stat, open(f"/proc/{member}/wchan") as place:
                name, _, rest = stat.read().partition("(")[2].rpartition(")")
                state, parent = rest.split()[:2]
                lines.append(f"{member} below {parent}: {name}, {state} in {place.read()}")
        except OSError:
            lines.append(f"{member}: gone meanwhile")
    return "\n".join(lines)


class Stream:
    """The reading end of a pipe or a terminal, by lines, with deadlines; `pid` is whose."""

    def __init__(self, fd, pid):
        self.fd = fd
        self.pid = pid
        self.buffer = b""

    def _fill(self, end):
        if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            raise Late(f"no line before the deadline; so far: {self.buffer!r}\n{family(self.pid)}")
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # a terminal whose other side is closed
            data = b""
        self.buffer += data
        return bool(data)

    def line(self, seconds=DEADLINE):
        """The next line without its end; None once everything was read."""
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if not self._fill(end):
                rest, self.buffer = self.buffer, b""
                return rest.decode(errors="replace") or None
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def rest(self, seconds=DEADLINE):
        """Everything up to the end: until no process holds the other side."""
        end = time.monotonic() + seconds
        while self._fill(end):
            pass
        rest, self.buffer = self.buffer, b""
        return rest.decode(errors="replace")

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Watch:
    """Another process's end as an event; for one that is known to be alive."""

    def __init__(self, pid):
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)

    def wait(self, seconds=DEADLINE):
        """Until it has ended, reaped or not."""
        if not select.select([self.pidfd], [], [], seconds)[0]:
            raise Late(f"process {self.pid} has not ended before the deadline")

    def close(self):
        os.close(self.pidfd)


class Process:
    """A program that a test has started; `depth` generations below it is the
    process that the test is about."""

    def __init__(self, argv, depth, terminal=False, **popen):
        self.depth = depth
        self.out = self.err = self.terminal = None
        master = -1
        if terminal:
            master, popen = self._with_terminal(popen)
        popen.setdefault("env", ENVIRONMENT)
        popen.setdefault("stdin", subprocess.DEVNULL)
        popen.setdefault("stdout", subprocess.PIPE)
        popen.setdefault("stderr", subprocess.PIPE)
        self.popen = subprocess.Popen(argv, **popen)
        self.pidfd = os.pidfd_open(self.popen.pid)
        if terminal:
            os.close(popen["stdin"])
            self.terminal = Stream(master, self.popen.pid)
        self.input = self.popen.stdin
        if self.popen.stdout:
            self.out = Stream(os.dup(self.popen.stdout.fileno()), self.popen.pid)
            self.popen.stdout.close()
        if self.popen.stderr:
            self.err = Stream(os.dup(self.popen.stderr.fileno()), self.popen.pid)
            self.popen.stderr.close()

    @staticmethod
    def _with_terminal(popen):
        master, slave = pty.openpty()
        own = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        return master, {**popen, "stdin": slave, "stdout": slave, "stderr": slave,
                        "start_new_session": True, "preexec_fn": own}

    def refuse_cgroup_writes(self, error):
        """For who runs under the filter of seccomp_shim.py's "cgroup-write"."""
        sys.path.insert(0, SUPPORT)
        from cgroup_refusals import CgroupRefusals

        self.refusals = CgroupRefusals(self.pid, error)
        self.refusals.start()

    def pid(self):
        """The pid of the process in question; only once it is known to run."""
        pid = self.popen.pid
        for _ in range(self.depth):
            pid = children_of(pid)[0]
        return pid

    def signal(self, number):
        os.kill(self.pid(), number)

    def type(self, text):
        """Bytes for its terminal, or else for its standard input."""
        os.write(self.terminal.fd if self.terminal else self.input.fileno(), text)

    def close_input(self):
        self.input.close()

    def wait(self, seconds=DEADLINE):
        """The exit code."""
        if not select.select([self.pidfd], [], [], seconds)[0]:
            raise Late(f"the process has not ended before the deadline\n{family(self.popen.pid)}")
        return self.popen.wait()

    def end(self):
        """Kills the namespace by its first process, then the process itself."""
        if self.popen.poll() is None:
            # Stopped, it can't reap its child, whose pid therefore stays the child's. It is
            # stopped when it says so, not when the signal is sent.
            os.kill(self.popen.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, self.popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for child in children_of(self.popen.pid):
                os.kill(child, signal.SIGKILL)
            os.kill(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
        os.close(self.pidfd)
        for stream in (self.out, self.err, self.terminal, self.input):
            if stream:
                stream.close()


class OnsetTest(unittest.TestCase):
    """A test case that ends what it started."""

    @classmethod
    def setUpClass(cls):
        if not os.access(ONSET, os.X_OK):
            raise AssertionError(f"{ONSET} is missing: build it, or set ONSET")

    def needs_no_proc(self):
        if SANITIZED:
            self.skipTest("a sanitizer reads its options from /proc")

    def start(self, argv, *, pid1=True, ordinary=False, proc=True, **options):
        if not proc:
            self.needs_no_proc()
        line = in_namespace(argv, pid1, ordinary, proc)
        process = Process(line, depth=1 if pid1 else 2, **options)
        if "cgroup-write" in str(REFUSES):
            process.refuse_cgroup_writes(REFUSES[1])
        self.addCleanup(process.end)
        return process

    def watch(self, pid):
        watch = Watch(pid)
        self.addCleanup(watch.close)
        return watch

    def run_to_end(self, argv, **options):
        """Exit code, standard output, standard error."""
        process = self.start(argv, **options)
        out = process.out.rest() if process.out else ""
        err = process.err.rest() if process.err else ""
        return process.wait(), out, err
