"""The measures of tools/bench, run in the namespace that it prepares.

--work has root/ (the peers' file system, with /bench on a tmpfs of its own), cgroup/ (a cgroup
v2 mount, if the kernel gives one). Every run is one arena (arena.c): a fresh PID namespace whose
PID 1 is the init that is measured. Time stamps come from the measured processes themselves, so
nothing here is on the path of a measurement.
"""

import argparse
import os
import subprocess
import sys
import time

from arena import Arena, Board, Run
from field import PEER_PACKAGES, Field
from measures import MEASURES


class Bench:
    def __init__(self, options):
        self.quick, self.runs = options.quick, options.runs
        self.work = options.work
        self.root = os.path.join(options.work, "root")
        self.cgroup = os.path.join(options.work, "cgroup")
        self.has_cgroup = os.path.isfile(os.path.join(self.cgroup, "cgroup.controllers"))
        self.field = Field(self.root, self.has_cgroup, options.only)
        self.board = Board(os.path.join(self.root, "bench", "board"))
        os.mkfifo(os.path.join(self.root, "bench", "done"))

    # ---- one run each ----

    def run_until_exit(self, manager, deadline):
        if manager.prepare:
            manager.prepare()
        self.board.reset(0)
        arena = Arena(self, manager, manager.command)
        last = arena.wait_for("exit", time.monotonic() + deadline)
        arena.end()
        return self.exited(arena, last, deadline)

    def exited(self, arena, last, deadline):
        if last is None:
            return Run(why=f"not within {deadline} s")
        _, code, ns, cpu = last.split()
        return Run(int(ns), cpu=int(cpu)) if code == "0" else Run(why=f"exit code {code}: {arena.said()}")

    def run_until_done(self, manager, target, deadline, measure, mark=0):
        """Runs until the board's count is complete or the program of the measure says so."""
        if manager.prepare:
            manager.prepare()
        self.board.reset(target, mark)
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

    # ---- interleaving ----

    def interleave(self, managers, runs, run_one, budget, deadline):
        """Every manager once, then again, in a turning order. One that used up its budget of
        seconds, or failed, is not run again. The first round warms the page cache and is not
        counted, where a manager can afford it. --runs sets the number of runs for all."""
        runs = self.runs or runs
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


def versions(root):
    packages = sorted(set(PEER_PACKAGES.values()))
    found = subprocess.run(["dpkg-query", "--admindir", os.path.join(root, "var/lib/dpkg"), "-W", "-f",
                            "${Package} ${Version}\n", *packages], stdout=subprocess.PIPE, text=True, check=False)
    return ", ".join(found.stdout.strip().splitlines())


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
        MEASURES[name](bench)
    load = os.getloadavg()
    print(f"\nMeasured in {time.monotonic() - begin:.0f} s; load averages at the end: "
          f"{load[0]:.1f}, {load[1]:.1f}, {load[2]:.1f} (1, 5 and 15 minutes).")


if __name__ == "__main__":
    main()
