"""A whole system for a test: `onset init` as PID 1 (or below one), with unit files of
the test's own and nothing of the host's that it could harm.

    system = self.boot({"main.target": "...", "a.service": "..."})
    self.assertEqual(system.cli("start", "a.service"), (0, "", ""))
    self.assertEqual(system.show("a.service", "ActiveState"), "active")

It has its own PID, mount, UTS, IPC and network namespaces, an empty /run, /dev/shm,
/var/lib, /var/cache and /var/log, an /etc and /dev of its own (harness.OF_ITS_OWN), no
cgroups unless asked for. The command line runs inside, by nsenter(1), with the same binary.
In unit files @work@ is a folder that everybody may write to, @python@ an interpreter,
@support@ tests/support.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import (COUNTED, DEADLINE, ENVIRONMENT, OF_ITS_OWN, ONSET, ORDINARY_UID, PYTHON, REFUSES, SHIM,
                     SUPPORT, Late, OnsetTest, Process, children_of, until)

RUNTIME_FOLDERS = ("/run/onset", f"/dev/shm/onset-{ORDINARY_UID}", "/dev/shm/onset-0",
                   f"/tmp/onset-{ORDINARY_UID}", "/tmp/onset-0")
EMPTY = ("/dev/shm", "/var/lib", "/var/cache", "/var/log", "/sys/fs/cgroup")


class System:
    """One that runs. `kind` says what is special about it, see OnsetSystemTest.boot."""

    def __init__(self, units, **kind):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix="onset-test-")
        os.chmod(self.folder, 0o755)
        self.units = os.path.join(self.folder, "units")
        self.config = os.path.join(self.folder, "config")
        self.work = os.path.join(self.folder, "work")
        os.mkdir(self.units)
        os.mkdir(self.config)
        os.mkdir(self.work)
        os.chmod(self.work, 0o777)
        self.write(units)
        self.write(kind.get("config", {}), self.config)
        for name, text in kind.get("work", {}).items():
            with open(self.path(name), "w") as file:
                file.write(text)
        self.log_path = os.path.join(self.folder, "console")
        self.group = os.path.basename(self.folder) if kind.get("cgroup") else ""
        self.process = None
        self._start()

    # ---- how it is started --------------------------------------------------------

    def _setup(self):
        """What a shell does in the new namespaces before it becomes onset."""
        kind = self.kind
        lines = ["set -e", OF_ITS_OWN]
        for folder in EMPTY:
            lines.append(f"[ ! -d {folder} ] || mount -t tmpfs -o mode=1777 none {folder}")
        if kind.get("no_proc"):
            lines.append("mount -t tmpfs -o ro none /proc")
        if kind.get("no_sys"):
            lines.append("mount -t tmpfs -o ro none /sys")
        if kind.get("no_dev"):
            lines.append("mount -t tmpfs -o ro none /dev")
        if kind.get("read_only"):
            lines.append(f"mount --bind {self.work} {self.work}")
            lines += [f"mount -o remount,bind,ro {folder}" for folder in ("/etc/systemd", "/etc/onset", "/etc", "/")]
        if kind.get("read_only_run"):
            lines.append("mount -o remount,ro /run")
        if self.group:
            lines += ["mount -t cgroup2 none /sys/fs/cgroup", f"mkdir /sys/fs/cgroup/{self.group}",
                      f"echo 0 > /sys/fs/cgroup/{self.group}/cgroup.procs"]
        lines += [self.fill(line) for line in kind.get("setup", [])]
        lines.append('exec "$@"')
        return "\n".join(lines)

    def _line(self):
        kind = self.kind
        line = []
        if kind.get("traces"):
            # -D: the tracer stays outside, onset remains the first process of its namespace.
            line += ["strace", "-D", "-f", "-qq", "-o", self.path("trace"), "-e", "trace=" + kind["traces"]]
            line += ["--inject=" + kind["injects"]] if kind.get("injects") else []
        if kind.get("user_namespace"):
            line += ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}",
                     "--clear-groups", "--", "unshare", "--user", "--map-root-user"]
        else:
            line += ["unshare"]
        line += ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
                 "--mount-proc", "--", "sh", "-c", self._setup(), "sh"]
        if kind.get("ordinary"):
            line += ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}",
                     "--clear-groups", "--"]
        if kind.get("no_capabilities"):
            line += ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]
        if kind.get("inheritable"):
            line += ["setpriv", "--inh-caps=+chown,+net_bind_service,+sys_admin", "--"]
        refuses = kind.get("refuses") or REFUSES
        if refuses:
            line += [PYTHON, "-S", "-E", SHIM, *refuses]
        if not kind.get("pid1", True):
            # Below a first process that waits for it alone, and has no other role.
            line += ["sh", "-c", '"$@"; exit $?', "sh"]
        if kind.get("closed_streams"):
            line += ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
        options = ["--unit=" + kind.get("unit", "main.target"), "--unit-path=" + self.units,
                   "--config-path=" + self.config,
                   "--log-level=" + kind.get("log_level", "debug")]
        return line + [ONSET, "init", *options, *kind.get("options", [])]

    def _start(self):
        popen = dict(self.kind.get("popen", {}))
        popen.setdefault("env", {**ENVIRONMENT, **self.kind.get("env", {})})
        with open(self.log_path, "wb") as console:
            if not self.kind.get("terminal"):
                popen.setdefault("stdout", console)
                popen.setdefault("stderr", console)
            self.process = Process(self._line(), depth=1 if self.kind.get("pid1", True) else 2,
                                   terminal=self.kind.get("terminal", False), **popen)
        refuses = self.kind.get("refuses") or REFUSES
        if "cgroup-write" in str(refuses):
            self.process.refuse_cgroup_writes(refuses[1])

    # ---- files --------------------------------------------------------------------

    def fill(self, text):
        return (text.replace("@work@", self.work).replace("@python@", f"{PYTHON} -S -E -B")
                .replace("@support@", SUPPORT).replace("@notify@",
                                                       f"{PYTHON} -S -E -B {SUPPORT}/notify.py"))

    def write(self, files, folder=None):
        """Unit files by name; a name with a slash makes its folder (drop-ins)."""
        for name, text in files.items():
            path = os.path.join(folder or self.units, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(self.fill(text))

    def path(self, name):
        return os.path.join(self.work, name)

    def read(self, name):
        """A file of the work folder; None while it is not there."""
        try:
            with open(self.path(name)) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def said(self, name="said"):
        return (self.read(name) or "").splitlines()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def group_file(self, path, text):
        """Writes to a file below its cgroup, as an administrator would."""
        script = f'echo {text} > "/sys/fs/cgroup/{self.group}/{path}"'
        code, _, err = self.inside(["sh", "-c", script])
        if code != 0:
            raise AssertionError(err)

    # ---- what it does -------------------------------------------------------------

    def pid(self):
        return self.process.pid()

    def running_pid(self):
        """Its pid once it has become onset; 0 before."""
        try:
            pid = self.pid()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except (IndexError, OSError):
            return 0
        return pid if words[:2] == [ONSET.encode(), b"init"] else 0

    def inside_line(self, argv, uid=None):
        """The command line that runs argv in its namespaces."""
        kind = self.kind
        uid = uid if uid is not None else (ORDINARY_UID if kind.get("ordinary") else 0)
        line = ["nsenter", "-t", str(self.pid()), "-m", "-p", "-i", "-n", "-u"]
        if kind.get("user_namespace"):
            line = ["setpriv", f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}",
                    "--clear-groups", "--", *line, "-U", "--preserve-credentials"]
        elif uid != 0:
            argv = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", *argv]
        return [*line, "--", *argv]

    def inside(self, argv, seconds=DEADLINE, uid=None, **popen):
        """Exit code, output, errors of a command in its namespaces."""
        line = self.inside_line(argv, uid)
        popen.setdefault("env", {**ENVIRONMENT, "SYSTEMD_UNIT_PATH": self.units})
        try:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, timeout=seconds, errors="replace", **popen)
        except subprocess.TimeoutExpired as late:
            raise Late(f"{argv} has not ended in {seconds} s: {late.output} {late.stderr}\n"
                       f"{self.log()}") from None
        return done.returncode, done.stdout, done.stderr

    def cli(self, *arguments, **options):
        return self.inside([ONSET, *arguments], **options)

    def state(self):
        """The one word of is-system-running, at once."""
        return self.cli("is-system-running")[1].strip()

    def wait_until_up(self, seconds=DEADLINE):
        """Until the first transaction has ended; how."""
        def look():
            if self.process.popen.poll() is not None:
                raise AssertionError(f"it has ended with {self.process.popen.returncode}:\n"
                                     + self.log())
            if not self.running_pid():
                return None
            word = self.cli("is-system-running", "--wait", seconds=seconds)[1].strip()
            return word if word in ("running", "degraded", "maintenance") else None
        try:
            return until(look, "the system is up", seconds)
        except Late as late:
            raise Late(f"{late}\n{self.log()}") from None

    def show(self, unit, name):
        code, out, err = self.cli("show", "-P", name, unit)
        if code != 0:
            raise AssertionError(f"show {unit}: {code} {err}")
        return out.strip("\n")

    def until_state(self, unit, state, seconds=DEADLINE):
        """"active", or "active/exited"."""
        def look():
            code, out, _ = self.cli("show", "-p", "ActiveState,SubState", unit)
            found = dict(line.split("=", 1) for line in out.splitlines()) if code == 0 else {}
            whole = f"{found.get('ActiveState')}/{found.get('SubState')}"
            return state in (whole, whole.split("/", maxsplit=1)[0])
        self._until(look, f"{unit} is {state}", seconds)

    def until_said(self, line, name="said", seconds=DEADLINE):
        self._until(lambda: line in self.said(name), f"{line!r} in {name}", seconds)

    def until_logged(self, text, seconds=DEADLINE):
        self._until(lambda: text in self.log(), f"{text!r} on the console", seconds)

    def _until(self, condition, what, seconds):
        try:
            until(condition, what, seconds)
        except Late as late:
            raise Late(f"{late}\nsaid: {self.said()}\n{self.log()}") from None

    def main_pid(self, unit):
        """Seen from the host."""
        return self.host_pid(int(self.show(unit, "MainPID")))

    def host_pid(self, pid):
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/status") as file:
                    line = next(l for l in file if l.startswith("NSpid:"))
                if line.split()[-1] != str(pid):
                    continue
                if os.readlink(f"/proc/{entry}/ns/pid") == os.readlink(f"/proc/{self.pid()}/ns/pid"):
                    return int(entry)
            except (OSError, StopIteration):
                continue
        return 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def wait(self, seconds=DEADLINE):
        try:
            return self.process.wait(seconds)
        except Late as late:
            raise Late(f"{late}\n{self.log()}") from None

    def leave(self, number=signal.SIGTERM, seconds=DEADLINE):
        """Asks it to end; its exit code."""
        self.process.signal(number)
        return self.wait(seconds)

    def _remove_group(self):
        """By a mount of the hierarchy that nobody else sees."""
        place = os.path.join(self.folder, "cgroup")
        os.mkdir(place)
        line = [PYTHON, "-E", "-B", os.path.abspath(__file__), os.path.join(place, self.group)]
        subprocess.run(["unshare", "--mount", "sh", "-c", f'mount -t cgroup2 none {place} && exec "$@"', "sh", *line],
                       check=False)

    def _tracer(self):
        """A pidfd of its strace, which is a child of nobody here; None without one."""
        if not self.kind.get("traces"):
            return None
        try:
            with open(f"/proc/{self.process.popen.pid}/status") as file:
                pid = next(int(line.split()[1]) for line in file if line.startswith("TracerPid:"))
            return os.pidfd_open(pid) if pid else None
        except (OSError, StopIteration):
            return None

    def _leave_in_order(self):
        """A build that counts lines writes at its end what it has counted."""
        for _ in range(2):  # the second signal forces
            with contextlib.suppress(Late, OSError, IndexError):
                self.process.signal(signal.SIGCONT)
                self.process.signal(signal.SIGTERM)
                self.process.wait(5)
                return

    def end(self):
        if COUNTED:
            self._leave_in_order()
        tracer = self._tracer()
        self.process.end()
        if tracer is not None:
            # What it holds in a call can only end once it is let go.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(tracer, signal.SIGKILL)
            os.close(tracer)
        if self.group:
            self._remove_group()
        shutil.rmtree(self.folder, ignore_errors=True)
        refusals = getattr(self.process, "refusals", None)
        if self.group and refusals and not refusals.refused:
            raise AssertionError("no write to a cgroup was refused")


def cgroups_can_be_made():
    """By an onset that a test starts, too."""
    if "cgroup-write" in str(REFUSES):
        return False
    script = "mount -t cgroup2 none /sys/fs/cgroup && rmdir $(mktemp -d -p /sys/fs/cgroup onset-test-XXXXXX)"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, check=False)
    return done.returncode == 0


def remove_group(path):
    """With those below it. Its last process may have a moment left."""
    def is_removed():
        for folder, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    with contextlib.suppress(Late):
        until(is_removed, f"{path} is empty", 5)


def process_state(pid):
    """"S", "T", "Z" …; "" if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def say(word):
    """A command line for a unit file that adds a line to the file `said`."""
    return f"/bin/sh -c 'echo {word} >> @work@/said'"


class OnsetSystemTest(OnsetTest):
    """A test case with systems of its own."""

    def boot(self, units=None, *, wait=True, **kind):
        """`kind`: ordinary, user_namespace, no_proc, no_sys, no_dev, read_only,
        no_capabilities, inheritable (some capabilities are), pid1=False, traces="CALL,…" (by strace,
        into the file trace), injects="CALL:…" (by the same), cgroup (a writable one, see group_file),
        refuses=(CALLS, ERRNO), closed_streams, terminal, setup=[shell lines], options=[of init],
        env={}, popen={}, work={file: text}, config={"system.conf": text, …}."""
        if kind.get("no_proc"):
            self.needs_no_proc()
        units = dict(units or {})
        if "unit" not in kind:
            units.setdefault("main.target", "[Unit]\nDescription=All\n")
        system = System(units, **kind)
        self.addCleanup(system.end)
        if wait:
            system.state_at_start = system.wait_until_up()
        return system

    @classmethod
    def build(cls, name):
        """A program of tests/support, static, built once for the test case."""
        if "programs" not in cls.__dict__:
            cls.programs = tempfile.mkdtemp(prefix="onset-programs-")
            cls.addClassCleanup(shutil.rmtree, cls.programs)
            os.chmod(cls.programs, 0o755)
        path = os.path.join(cls.programs, name)
        if not os.path.exists(path):
            source = os.path.join(SUPPORT, name + ".c")
            subprocess.run(["cc", "-O1", "-static", "-o", path, source], check=True)
        return path

    def start_inside(self, system, argv):
        """A process in a system's namespaces that runs beside the test."""
        process = Process(system.inside_line(argv), depth=1)
        self.addCleanup(process.end)
        return process

    def ok(self, system, *arguments, **options):
        """Runs the command line, which must succeed; what it printed."""
        code, out, err = system.cli(*arguments, **options)
        self.assertEqual(code, 0, f"{arguments}: {out}{err}\n{system.log()}")
        return out


if __name__ == "__main__":
    remove_group(sys.argv[1])
