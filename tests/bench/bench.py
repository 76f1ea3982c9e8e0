"""The measures of tools/bench, run in the namespace that it prepares.

--work has root/ (the peers' file system, with /bench on a tmpfs of its own), cgroup/ (a cgroup
v2 mount, if the kernel gives one). Every run is one arena (arena.c): a fresh PID namespace whose
PID 1 is the init that is measured. Time stamps come from the measured processes themselves, so
nothing here is on the path of a measurement.
"""

import argparse
import mmap
import os
import select
import shutil
import statistics
import struct
import subprocess
import sys
import time

STAMPS = 16384
BOARD_BYTES = 8 + 4 + 4 + 6 * 8 + STAMPS * 8
PEER_PACKAGES = {
    "tini": "tini", "tini-static": "tini", "dumb-init": "dumb-init", "catatonit": "catatonit",
    "s6": "s6", "runit": "runit", "supervisord": "supervisor", "busybox": "busybox-static",
}


class Board:
    """The shared file of board.h."""

    def __init__(self, path):
        with open(path, "wb") as stream:
            stream.truncate(BOARD_BYTES)
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), BOARD_BYTES)

    def reset(self, target):
        self.map[:BOARD_BYTES] = bytes(BOARD_BYTES)
        struct.pack_into("=I", self.map, 12, target)

    def begin(self):
        return struct.unpack_from("=Q", self.map, 0)[0]

    def count(self):
        return struct.unpack_from("=I", self.map, 8)[0]

    def marks(self):
        return struct.unpack_from("=6Q", self.map, 16)

    def last_stamp(self):
        number = min(self.count(), STAMPS)
        return max(struct.unpack_from(f"={number}Q", self.map, 64)) if number else 0


class Manager:
    """An init that is measured: how it is prepared and called."""

    def __init__(self, name, command, prepare=None, cgroup=False):
        self.name, self.command, self.prepare, self.cgroup = name, command, prepare, cgroup


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
                return "exit 99 0"
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
            if os.path.basename(os.readlink(f"/proc/{name}/exe")) in ("probe", "orphans"):
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


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = options.work
        self.root = os.path.join(options.work, "root")
        self.cgroup = os.path.join(options.work, "cgroup")
        self.has_cgroup = os.path.isfile(os.path.join(self.cgroup, "cgroup.controllers"))
        self.board = Board(os.path.join(self.root, "bench", "board"))
        os.mkfifo(os.path.join(self.root, "bench", "done"))

    def path(self, *names):
        return os.path.join(self.root, *names)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as stream:
            stream.write(text)
        os.chmod(path, mode)

    def clean(self, name):
        shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path(name))

    # ---- services, as each manager wants them ----

    def plain_commands(self, command, count):
        return [(f"s{i:05}", command) for i in range(count)]

    def prepare_onset(self, command, count, header=""):
        self.clean("bench/units")
        words = " ".join(command)
        names = []
        for name, _ in self.plain_commands(command, count):
            names.append(name + ".service")
            self.write(f"bench/units/{name}.service",
                       f"[Unit]\nDescription=Service {name}\n{header}\n[Service]\nExecStart={words}\n")
        self.write("bench/units/bench.target",
                   f"[Unit]\nDescription=All services\n{header}"
                   + "".join(f"Wants={' '.join(names[i:i + 50])}\n" for i in range(0, len(names), 50)))

    def prepare_s6(self, command, count):
        self.clean("bench/scan")
        for name, _ in self.plain_commands(command, count):
            self.run_script(f"bench/scan/{name}/run", command)
        # runsvdir leaves a folder alone for a second after it was changed.
        os.utime(self.path("bench/scan"), (0, 0))

    def run_script(self, name, command):
        path = self.path(name)
        os.makedirs(os.path.dirname(path))
        if len(command) == 1:
            os.symlink(command[0], path)  # no shell between the manager and the service
        else:
            self.write(name, "#!/bin/sh\nexec " + " ".join(command) + "\n", 0o755)

    def prepare_supervisord(self, command, count):
        self.clean("bench/supervisor")
        text = ("[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
                "pidfile=/bench/supervisor/pid\nminfds=8192\n")
        for name, _ in self.plain_commands(command, count):
            text += (f"[program:{name}]\ncommand={' '.join(command)}\nredirect_stderr=true\n"
                     "stdout_logfile=NONE\n")
        self.write("bench/supervisor/conf", text)

    def prepare_busybox(self, command, count):
        # It takes two lines with the same command for one: each has an argument of its own.
        words = " ".join(command)
        self.write("etc/inittab", "".join(f"::respawn:{words} {i}\n" for i in range(count)))

    # ---- the field ----

    def wanted(self, managers):
        only = [name for name in self.options.only.split(",") if name]
        return [m for m in managers if not only or m.name in only or m.name == "floor"]

    def entrypoints(self, child):
        return self.wanted([
            Manager("floor", ["/bench/floor_entrypoint", *child]),
            Manager("onset", ["/bench/onset", "--", *child]),
            Manager("tini-static", ["/usr/bin/tini-static", "--", *child]),
            Manager("tini", ["/usr/bin/tini", "--", *child]),
            Manager("catatonit", ["/usr/bin/catatonit", "--", *child]),
            Manager("dumb-init", ["/usr/bin/dumb-init", "--", *child]),
        ])

    def supervisors(self, command, count):
        def onset(header):
            return lambda: self.prepare_onset(command, count, header)

        init = ["/bench/onset", "init", "--unit=bench.target", "--unit-path=/bench/units"]
        bare = "DefaultDependencies=no\n"
        managers = [Manager("onset", init, onset("")), Manager("onset bare", init, onset(bare))]
        if self.has_cgroup:
            managers.append(Manager("onset cgroup", init, onset(""), cgroup=True))
        return managers + [
            Manager("busybox", ["/bin/busybox", "init"], lambda: self.prepare_busybox(command, count)),
            Manager("runit", ["/usr/bin/runsvdir", "-P", "/bench/scan"], lambda: self.prepare_s6(command, count)),
            Manager("s6", ["/usr/bin/s6-svscan", "-c", "1500", "/bench/scan"], lambda: self.prepare_s6(command, count)),
            Manager("supervisord", ["/usr/bin/supervisord", "-n", "-c", "/bench/supervisor/conf"],
                    lambda: self.prepare_supervisord(command, count)),
        ]

    # ---- one run each ----

    def run_entrypoint(self, manager, deadline):
        self.board.reset(0)
        arena = Arena(self, manager, manager.command)
        last = arena.wait_for("exit", time.monotonic() + deadline)
        arena.end()
        if last is None:
            return Run(why=f"not within {deadline} s")
        _, code, ns = last.split()
        return Run(int(ns)) if code == "0" else Run(why=f"exit code {code}: {arena.said()}")

    def run_until_done(self, manager, target, deadline, measure):
        """Runs until the board's count is complete or the program of the measure says so."""
        if manager.prepare:
            manager.prepare()
        self.board.reset(target)
        arena = Arena(self, manager, manager.command)
        last = arena.wait_for("done", time.monotonic() + deadline)
        if last == "done":
            run = measure(arena)
        elif last is None:
            progress = f", {self.board.count()} of {target} run" if target > 1 else ""
            run = Run(why=f"not within {deadline} s{progress}")
        else:
            run = Run(why=f"ended with exit code {last.split()[1]}: {arena.said()}")
        arena.end()
        return run

    def measure_start(self, arena):
        managers = managers_of(arena.pid)
        return Run(self.board.last_stamp() - self.board.begin(), cpu=cpu_ns(managers), pss=pss_kb(managers),
                   processes=len(managers))

    def measure_orphans(self, arena):
        first, made, gone = self.board.marks()[:3]
        return Run(gone - first, lag=gone - made, cpu=cpu_ns([arena.pid]))

    # ---- interleaving ----

    def interleave(self, managers, runs, run_one, budget, deadline):
        """Every manager once, then again, in a turning order. One that used up its budget of
        seconds, or failed, is not run again. The first round warms the page cache and is not
        counted, where a manager can afford it."""
        results = {m.name: [] for m in managers}
        spent = dict.fromkeys(results, 0.0)
        for number in range(runs + 1):
            turn = number % len(managers)
            for manager in managers[turn:] + managers[:turn]:
                taken = results[manager.name]
                if (taken and taken[-1].ns is None) or (taken and spent[manager.name] > budget):
                    continue
                begin = time.monotonic()
                run = run_one(manager, deadline)
                spent[manager.name] += time.monotonic() - begin
                warm_up = number == 0 and run.ns is not None and 2 * spent[manager.name] < budget
                if not warm_up:
                    taken.append(run)
                if sys.stderr.isatty():
                    print(f"\r\033[K{manager.name}: run {number}", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        return results


# ---- tables ------------------------------------------------------------------------------------


def duration(ns):
    if ns < 10_000_000:
        return f"{ns / 1e6:.2f} ms"
    if ns < 10_000_000_000:
        return f"{ns / 1e6:,.0f} ms"
    return f"{ns / 1e9:,.1f} s"


def size(kb):
    return f"{kb:,.0f} KB" if kb < 10_000 else f"{kb / 1024:,.1f} MB"


def median_of(runs, what):
    values = [run.more[what] for run in runs if run.ns is not None and what in run.more]
    return statistics.median(values) if values else None


EXTRA = {
    "pss": ("PSS of all managers", size),
    "processes": ("their processes", lambda n: f"{n:.0f}"),
    "cpu": ("their CPU", duration),
    "lag": ("after the last was made", duration),
}


def table(results, extras):
    """Medians, spread and the ratio to the floor, in Markdown."""
    heads = ["init", "median", "min – max", "runs", "× floor", *(EXTRA[e][0] for e in extras)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    floor = [run.ns for run in results["floor"] if run.ns is not None]
    for name, runs in results.items():
        good = [run.ns for run in runs if run.ns is not None]
        if not good:
            why = runs[-1].why if runs else "not run"
            lines.append("| " + " | ".join([name, why, *[""] * (len(heads) - 2)]) + " |")
            continue
        middle = statistics.median(good)
        ratio = f"{middle / statistics.median(floor):.2f}" if floor else ""
        cells = [name, duration(middle), f"{duration(min(good))} – {duration(max(good))}", str(len(good)), ratio]
        for extra in extras:
            value = median_of(runs, extra)
            cells.append("" if value is None else EXTRA[extra][1](value))
        failed = [run.why for run in runs if run.ns is None]
        if failed:
            cells[0] += f" (a run {failed[0]})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions(root):
    packages = sorted(set(PEER_PACKAGES.values()))
    found = subprocess.run(["dpkg-query", "--admindir", os.path.join(root, "var/lib/dpkg"), "-W", "-f",
                            "${Package} ${Version}\n", *packages], stdout=subprocess.PIPE, text=True, check=False)
    return ", ".join(found.stdout.strip().splitlines())


def measure_entrypoint(bench, quick, runs):
    print("\n## Entrypoint: exec of the init to its exit, a static child that does nothing\n")
    managers = bench.entrypoints(["/bench/nothing"])
    results = bench.interleave(managers, runs or (20 if quick else 100), bench.run_entrypoint, 10, 5)
    holding = {m.name: m for m in bench.entrypoints(["/bench/probe"])}
    for name, taken in results.items():
        held = bench.run_until_done(holding[name], 1, 5, bench.measure_start)
        for run in taken:
            run.more = {"pss": held.more["pss"]} if held.ns is not None else {}
    print(table(results, ["pss"]), flush=True)


def measure_start(bench, quick, runs):
    probe = ["/bench/probe"]
    expected = {}  # seconds for the next size, as the one before foretells
    for count in (10, 100, 1000):
        print(f"\n## Start of {count:,} services until all run\n")
        floors = [("floor", "vfork", False), ("floor fork", "fork", False)]
        if bench.has_cgroup:
            floors.append(("floor cgroup", "cgroup", True))
        managers = [Manager(name, ["/bench/floor_start", mode, str(count), *probe], cgroup=in_cgroup)
                    for name, mode, in_cgroup in floors]
        managers = bench.wanted(managers + bench.supervisors(probe, count))
        budget, deadline = (4, 20) if quick else (25, 100)
        slow = [m.name for m in managers if expected.get(m.name, 0) > deadline]
        results = bench.interleave(
            [m for m in managers if m.name not in slow], runs or (3 if quick else 7),
            lambda m, seconds, count=count: bench.run_until_done(m, count, seconds, bench.measure_start),
            budget, deadline)
        for name, taken in results.items():
            good = [run.ns / 1e9 for run in taken if run.ns is not None]
            expected[name] = 10 * statistics.median(good) if good else deadline + 1
        for name in slow:
            results[name] = [Run(why=f"not tried: {deadline} s would not do")]
            expected[name] = deadline + 1
        print(table(results, ["cpu", "pss", "processes"]), flush=True)


def measure_orphans(bench, quick, runs):
    count = 20000
    print(f"\n## {count:,} orphans until the last one is reaped\n")
    command = ["/bench/orphans", str(count)]
    managers = bench.entrypoints(command)
    names = {m.name for m in managers}
    for manager in bench.wanted(bench.supervisors(command, 1)):
        if manager.name == "onset":
            manager.name = "onset init"
        if manager.name not in names and manager.name not in ("onset bare", "onset cgroup"):
            managers.append(manager)
    budget, deadline = (6, 10) if quick else (20, 60)
    results = bench.interleave(
        managers, runs or (1 if quick else 5),
        lambda m, seconds: bench.run_until_done(m, 1, seconds, bench.measure_orphans), budget, deadline)
    print(table(results, ["lag", "cpu"]), flush=True)


MEASURES = {"entrypoint": measure_entrypoint, "start": measure_start, "orphans": measure_orphans}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--work", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.measures:
        if name not in MEASURES:
            parser.error(f"{name} is no measure: {', '.join(MEASURES)}")
    bench = Bench(options)
    print(f"{os.cpu_count()} cores, Linux {os.uname().release}; {versions(bench.root)}. Ratios are of medians; "
          "services are static C programs that leave a time stamp and pause.")
    begin = time.monotonic()
    for name in options.measures or MEASURES:
        MEASURES[name](bench, options.quick, options.runs)
    print(f"\nMeasured in {time.monotonic() - begin:.0f} s.")


if __name__ == "__main__":
    main()
