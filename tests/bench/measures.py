"""What is measured: each prints its tables. The figure of a run is in nanoseconds."""

import re
import signal
import statistics
import subprocess
import time

from arena import Run, cpu_ns, managers_of, pss_kb, switches
from field import Manager
from tables import table

PROBE = ["/bench/probe"]


def managers_now(bench, arena, ns):
    managers = managers_of(arena.pid)
    return Run(ns, cpu=cpu_ns(managers), pss=pss_kb(managers), processes=len(managers))


def since_begin(bench):
    """The figure is the time from exec to the last stamp."""
    return lambda arena: managers_now(bench, arena, bench.board.last_stamp() - bench.board.begin())


def head(text):
    print(f"\n## {text}\n")


def entrypoint(bench):
    head("Entrypoint: exec of the init to its exit, a static child that does nothing")
    managers = bench.field.entrypoints(["/bench/nothing"])
    results = bench.interleave(managers, 20 if bench.quick else 100, bench.run_until_exit, 10, 5)
    holding = {m.name: m for m in bench.field.entrypoints(PROBE)}
    for name, taken in results.items():
        held = bench.run_until_done(holding[name], 1, 5, since_begin(bench))
        for run in taken:
            run.more = {"pss": held.more["pss"]} if held.ns is not None else {}
    print(table(results, ["pss"]), flush=True)


def start(bench):
    expected = {}  # seconds for the next size, as the one before foretells
    for count in (10, 100, 1000):
        head(f"Start of {count:,} services until all run")
        floors = [("floor", "vfork", False), ("floor fork", "fork", False)]
        if bench.has_cgroup:
            floors.append(("floor cgroup", "cgroup", True))
        managers = [Manager(name, ["/bench/floor_start", mode, str(count), *PROBE], cgroup=in_cgroup)
                    for name, mode, in_cgroup in floors]
        managers = bench.field.wanted(managers + bench.field.supervisors(PROBE, count))
        budget, deadline = (4, 20) if bench.quick else (25, 100)
        slow = [m.name for m in managers if expected.get(m.name, 0) > deadline]
        results = bench.interleave(
            [m for m in managers if m.name not in slow], 3 if bench.quick else 7,
            lambda m, seconds, count=count: bench.run_until_done(m, count, seconds, since_begin(bench)),
            budget, deadline)
        for name, taken in results.items():
            good = [run.ns / 1e9 for run in taken if run.ns is not None]
            expected[name] = 10 * statistics.median(good) if good else deadline + 1
        for name in slow:
            results[name] = [Run(why=f"not tried: {deadline} s would not do")]
            expected[name] = deadline + 1
        print(table(results, ["cpu", "pss", "processes"]), flush=True)


def stop(bench):
    count = 1000
    head(f"Stop of {count:,} running services: TERM to PID 1 until its exit")
    field = bench.field
    managers = [Manager("floor", ["/bench/floor_stop", "vfork", str(count), *PROBE])]
    if bench.has_cgroup:
        managers.append(Manager("floor cgroup", ["/bench/floor_stop", "cgroup", str(count), *PROBE], cgroup=True))
    # runsvdir leaves without waiting for its services; supervisord does not get 1,000 to run.
    managers += [m for m in field.supervisors(PROBE, count) if m.name not in ("runit", "supervisord")]
    budget, deadline = (8, 30) if bench.quick else (40, 60)

    def stopped(arena):
        before = cpu_ns([arena.pid])
        arena.signal(signal.SIGTERM)
        last = arena.wait_for("exit", time.monotonic() + deadline)
        if last is None:
            return Run(why=f"not within {deadline} s")
        _, _, ns, cpu = last.split()
        return Run(int(ns), cpu=int(cpu) - before)

    results = bench.interleave(field.wanted(managers), 3 if bench.quick else 7,
                               lambda m, seconds: bench.run_until_done(m, count, seconds, stopped), budget, deadline)
    print(table(results, ["cpu"]), flush=True)


def chain(bench):
    field = bench.field
    budget, deadline = (6, 30) if bench.quick else (30, 60)
    for count in (10, 100, 500):
        ready, once = ["/bench/probe_ready"], ["/bench/probe_once"]
        notify = "Type=notify\n"
        oneshot = "Type=oneshot\nRemainAfterExit=yes\n"

        def onset(command, service, count=count):
            return field.onset(lambda **more: field.prepare_onset(command, count, service=service,
                                                                  after_previous=True, **more))

        head(f"Chain of {count}, each after the one before is ready (Type=notify; the floor: a byte in a pipe)")
        managers = [Manager("floor", ["/bench/floor_chain", "ready", str(count), *ready]), *onset(ready, notify)]
        run_one = lambda m, seconds, count=count: bench.run_until_done(m, count, seconds, since_begin(bench))
        runs = 3 if bench.quick else 7
        print(table(bench.interleave(field.wanted(managers), runs, run_one, budget, deadline), ["cpu"]), flush=True)

        head(f"Chain of {count} oneshots, each after the one before has exited")
        managers = [Manager("floor", ["/bench/floor_chain", "exit", str(count), *once]), *onset(once, oneshot),
                    Manager("busybox", ["/bin/busybox", "init"],
                            lambda count=count: field.prepare_busybox_chain(once, count))]
        print(table(bench.interleave(field.wanted(managers), runs, run_one, budget, deadline), ["cpu"]), flush=True)


def restart(bench):
    """A peer that holds back a young service is not punished for it: a life of 1.1 s is enough
    for all of them but busybox, which always waits a second, and supervisord."""
    field = bench.field
    command = ["/bench/probe_mortal"]
    service = "Restart=always\nRestartSec=0\n"
    unit = "StartLimitIntervalSec=0\n"
    onset = field.onset(lambda: field.prepare_onset(command, 1, unit=unit, service=service))
    floor = Manager("floor", ["/bench/floor_restart", *command])
    budget, deadline = (10, 20) if bench.quick else (30, 60)
    runs = 3 if bench.quick else 7

    def restarted(arena):
        lives = bench.board.stamps(2 * bench.board.count())
        gaps = [lives[2 * n + 2] - lives[2 * n + 1] for n in range(bench.board.count() - 1)]
        return Run(int(statistics.median(gaps)))

    def measure(title, managers, lives, age):
        head(title)
        results = bench.interleave(
            field.wanted(managers), runs,
            lambda m, seconds: bench.run_until_done(m, lives, seconds, restarted, mark=age), budget, deadline)
        print(table(results, []), flush=True)

    measure("Killed to running again, 200 times in a row (the median of each run)", [floor, *onset], 201, 0)
    peers = [m for m in field.supervisors(command, 1) if not m.name.startswith("onset")]
    measure("Killed to running again, a service that is 1.1 s old", [floor, *onset, *peers], 5, 1100)


def idle(bench):
    count, seconds = 1000, 3 if bench.quick else 10
    head(f"Idle for {seconds} s with {count:,} services: turns on a processor and CPU time of all managers")
    managers = [Manager("floor", ["/bench/floor_start", "vfork", str(count), *PROBE]),
                *(m for m in bench.field.supervisors(PROBE, count) if m.name != "supervisord")]

    def idled(arena):
        time.sleep(2)  # what is left to do after the start
        managers = managers_of(arena.pid)
        turns, cpu = switches(managers), cpu_ns(managers)
        time.sleep(seconds)
        return Run(seconds * 10**9, turns=switches(managers) - turns, cpu=cpu_ns(managers) - cpu,
                   processes=len(managers))

    lines = ["| init | turns | CPU | processes |", "|---|---:|---:|---:|"]
    for manager in bench.field.wanted(managers):
        run = bench.run_until_done(manager, count, 60, idled)
        lines.append(f"| {manager.name} | {run.why} | | |" if run.ns is None else
                     f"| {manager.name} | {run.more['turns']} | {run.more['cpu'] / 1e6:.2f} ms | {run.more['processes']} |")
    print("\n".join(lines), flush=True)


def systemd_loaded(bench, manager, deadline):
    """What systemd says itself: units loaded and the first transaction made. It then prints what
    it has loaded, which is not counted."""
    run = bench.run_until_exit(manager, deadline)
    if run.ns is None:
        return run
    with open(f"{bench.work}/log", errors="replace") as stream:
        said = re.search(r"initial transaction in ([\dmsu. ]+?)\.?$", stream.read(), re.MULTILINE)
    if not said:
        return Run(why="did not say how long it took")
    scale = {"s": 1e9, "ms": 1e6, "us": 1e3, "min": 6e10}
    return Run(int(sum(float(n) * scale[u] for n, u in re.findall(r"([\d.]+)(min|ms|us|s)", said[1]))))


def units(bench):
    for count in (2500, 5000, 10000):
        head(f"{count:,} unit files: exec until the first service runs, which all the others are ordered after")
        bench.field.prepare_gated(count)
        managers = [Manager("floor", ["/bench/floor_units", "/bench/units", *PROBE]),
                    *bench.field.onset(None),
                    *([bench.field.systemd_test()] if bench.has_cgroup else [])]
        managers = [m for m in managers if m.name != "onset cgroup"]

        def run_one(manager, seconds):
            if manager.name.startswith("systemd"):
                return systemd_loaded(bench, manager, seconds)
            return bench.run_until_done(manager, 1, seconds, since_begin(bench))

        results = bench.interleave(bench.field.wanted(managers), 3 if bench.quick else 9, run_one,
                                   5 if bench.quick else 20, 30)
        print(table(results, ["cpu", "pss"]), flush=True)


def reload(bench):
    """The floor reads the same files."""
    for count in (500, 1000, 2000):
        head(f"daemon-reload with {count:,} running services: CPU time of PID 1, and until the client has its answer")

        def reloaded(arena):
            before, began = cpu_ns([arena.pid]), time.monotonic_ns()
            client = subprocess.run(["nsenter", "-t", str(arena.pid), "-p", "-m", "-r", "-w", "/bench/onset",
                                     "daemon-reload"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, check=False)
            wall = time.monotonic_ns() - began
            if client.returncode != 0:
                return Run(why=client.stdout.strip()[:120])
            return Run(cpu_ns([arena.pid]) - before, wall=wall, pss=pss_kb([arena.pid]))

        def read(arena):
            return Run(cpu_ns([arena.pid]))

        def run_one(manager, seconds, count=count):
            if manager.name == "floor":
                return bench.run_until_done(manager, 1, seconds, read)
            return bench.run_until_done(manager, count, seconds, reloaded)

        managers = bench.field.onset(lambda count=count: bench.field.prepare_onset(PROBE, count))
        managers.insert(0, Manager("floor", ["/bench/floor_units", "/bench/units", *PROBE], managers[0].prepare))
        results = bench.interleave(bench.field.wanted(managers), 3 if bench.quick else 5, run_one,
                                   10 if bench.quick else 30, 60)
        print(table(results, ["wall", "pss"]), flush=True)


def orphans(bench):
    count = 20000
    head(f"{count:,} orphans until the last one is reaped")
    command = ["/bench/orphans", str(count)]
    managers = bench.field.entrypoints(command)
    names = {m.name for m in managers}
    for manager in bench.field.wanted(bench.field.supervisors(command, 1)):
        if manager.name == "onset":
            manager.name = "onset init"
        if manager.name not in names and manager.name not in ("onset bare", "onset cgroup"):
            managers.append(manager)

    def reaped(arena):
        first, made, gone = bench.board.marks()[:3]
        return Run(gone - first, lag=gone - made, cpu=cpu_ns([arena.pid]))

    budget, deadline = (6, 10) if bench.quick else (20, 60)
    results = bench.interleave(managers, 1 if bench.quick else 5,
                               lambda m, seconds: bench.run_until_done(m, 1, seconds, reaped), budget, deadline)
    print(table(results, ["lag", "cpu"]), flush=True)


MEASURES = {"entrypoint": entrypoint, "start": start, "stop": stop, "chain": chain, "restart": restart,
            "idle": idle, "units": units, "reload": reload, "orphans": orphans}
