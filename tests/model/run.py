#!/usr/bin/env python3
"""Explores the model of the job engine (jobs.pml) and replays it into the real one.

    run.py --replay PROGRAM [--only WORD] [--requests N] [--keep DIR]

For each shape of three units: no deadlock and no broken assertion, however many requests come;
once no more come, every job and a shutdown end. Then that each property can fail: the model with
one thing wrong, in which pan must find an error. Then every transition of the model, up to N
requests deep, in the real engine; and the transitions of the broken models, which the engine must
not follow. docs/model.md tells more.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

# What depends on what: unit, setting, the unit named.
SHAPES = {
    "chain": "b:Requires=a b:After=a c:BindsTo=b c:After=b",
    "conflict": "b:Requires=a b:After=a c:Conflicts=b c:After=b",
    "mixed": "b:Wants=a b:After=a b:PropagatesReloadTo=c c:Requisite=a c:PartOf=b c:After=a",
    "unordered": "b:Requires=a c:BindsTo=a c:Conflicts=b",
}
MACROS = {"Requires": "REQUIRES", "Wants": "WANTS", "Requisite": "REQUISITE", "BindsTo": "BINDS", "PartOf": "PART_OF",
          "Conflicts": "CONFLICTING", "After": "AFTER", "PropagatesReloadTo": "RELOADS"}

# What is wrong, the shape that shows it, and by what it must be noticed.
BREAKS = [
    ("BREAK_WAKE", "chain", "jobs_end", "acceptance cycle"),
    ("BREAK_WAKE", "chain", "", "invalid end state"),
    ("BREAK_RETRY", "chain", "jobs_end", "acceptance cycle"),
    ("BREAK_END", "chain", "shutdown_ends", "acceptance cycle"),
    ("BREAK_ORDER", "mixed", "", "assertion violated"),
    ("BREAK_STOP_ORDER", "chain", "", "assertion violated"),
    ("BREAK_DEPENDENTS", "chain", "", "assertion violated"),
    ("BREAK_BINDS", "chain", "", "assertion violated"),
    ("BREAK_STOP", "chain", "", "assertion violated"),
    ("BREAK_CONFLICT", "conflict", "", "assertion violated"),
    ("BREAK_CANCEL", "chain", "", "assertion violated"),
    ("BREAK_SHUTDOWN", "chain", "", "assertion violated"),
]


def shape_header(shape):
    pairs = collections.defaultdict(list)
    for word in SHAPES[shape].split():
        unit, setting, other = re.fullmatch(r"([abc]):(\w+)=([abc])", word).groups()
        pairs[setting].append(f"(u == {unit.upper()} && v == {other.upper()})")
    lines = [f"/* {SHAPES[shape]} */"]
    for setting, macro in MACROS.items():
        lines.append(f"#define {macro}(u, v) ({' || '.join(pairs[setting]) or 'false'})")
    return "\n".join(lines) + "\n"


class Failure(Exception):
    pass


class Pan:
    """The model of a shape, compiled: a program that explores it."""

    def __init__(self, folder, shape, defines=(), flags=()):
        self.folder = tempfile.mkdtemp(dir=folder)
        shutil.copy(os.path.join(HERE, "jobs.pml"), self.folder)
        with open(os.path.join(self.folder, "shape.h"), "w") as header:
            header.write(shape_header(shape))
        self.tool("spin", "-a", *(f"-D{d}" for d in defines), "jobs.pml")
        self.tool("cc", "-w", "-DNOREDUCE", "-DVECTORSZ=256", "-DMEMLIM=1000", *flags, "-o", "pan", "pan.c")

    def tool(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0 or "Error" in done.stdout:
            raise Failure(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")

    def run(self, *options, out=subprocess.PIPE):
        return subprocess.Popen(["./pan", "-m2000000", "-w20", *options], cwd=self.folder, stdout=out,
                                stderr=subprocess.STDOUT, text=True)

    def explore(self, *options):
        """The error that it finds, or none; and how many states and transitions there are."""
        said = self.run(*options).communicate()[0]
        error = re.search(r"^pan:1: (.*?)(?: \(at depth \d+\))?$", said, re.M)
        states = re.search(r"^\s*(\d+) states, stored", said, re.M)
        edges = re.search(r"^\s*(\d+) transitions", said, re.M)
        if not states or "Search not completed" in said and not error or "too small" in said:
            raise Failure("not explored to the end:\n" + said)
        return error and error.group(1), int(states.group(1)), int(edges.group(1))

    def trail(self):
        """The way to the error, as the model prints it."""
        with open(os.path.join(self.folder, "jobs.pml")) as model:
            assert model
        return subprocess.run(["./pan", "-r"], cwd=self.folder, capture_output=True, text=True).stdout


class Graph:
    """The transitions of a model: what happens, what is to be seen, and where it leads."""

    def __init__(self, lines):
        self.edges = collections.defaultdict(dict)  # state: {event: ([line], state)}
        source, event, seen = None, None, []
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("WHERE"):
                if event is None:
                    source = line
                    continue
                known = self.edges[source].setdefault(event, (seen, line))
                if known != (seen, line):
                    raise Failure(f"one event, two outcomes: {source} {event}: {known} {(seen, line)}")
                event, seen = None, []
            elif line.startswith("EVENT"):
                event, seen = line, [line]
            elif event is not None and line.startswith(("END", "REFUSED", "STATE")):
                seen.append(line)
        self.root = "WHERE 0 0 0 0"

    def count(self):
        return sum(len(out) for out in self.edges.values())

    def walks(self):
        """Walks from the beginning that together take each transition at least once."""
        to = {self.root: None}  # the shortest way there
        queue = collections.deque([self.root])
        while queue:
            state = queue.popleft()
            for event, (_, target) in self.edges.get(state, {}).items():
                if target not in to:
                    to[target] = (state, event)
                    queue.append(target)
        left = {state: list(out) for state, out in self.edges.items()}
        for start in to:  # the nearest first
            while left.get(start):
                walk = []
                at = start
                while to[at] is not None:
                    at, event = to[at]
                    walk.append(self.edges[at][event][0])
                walk.reverse()
                at = start
                while left.get(at):
                    seen, target = self.edges[at][left[at].pop()]
                    walk.append(seen)
                    at = target
                yield walk


def replay(program, shape, lines, out=sys.stdout):
    process = subprocess.Popen([program, *SHAPES[shape].split()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    try:
        for line in lines:
            process.stdin.write(line + "\n")
        process.stdin.close()
    except BrokenPipeError:
        pass
    said = process.stdout.read()
    return process.wait(), said


def lines_of(walks):
    for walk in walks:
        yield "WORLD"
        for seen in walk:
            yield from seen


class Run:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.failed = 0

    def check(self, name, what, good):
        if good:
            print(f"ok    {name}: {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}: {what}", flush=True)

    def wanted(self, name):
        return self.arguments.only in name

    def properties(self, shape):
        if self.wanted(f"{shape} safety"):
            pan = Pan(self.folder, shape, flags=["-O2", "-DSAFETY", "-DNOCLAIM"])
            error, states, edges = pan.explore()
            self.check(f"{shape} safety", f"{states} states, {edges} transitions; {error or 'no error'}", not error)
            if error:
                print(pan.trail()[-4000:])
        for claim in ("jobs_end", "shutdown_ends"):
            name = f"{shape} {claim}"
            if not self.wanted(name):
                continue
            pan = Pan(self.folder, shape, ["REQUESTS=4", "FILES"], ["-O2"])
            error, states, edges = pan.explore("-a", "-f", "-N", claim)
            self.check(name, f"{states} states, {edges} transitions; {error or 'no error'}", not error)
            if error:
                print(pan.trail()[-4000:])

    def break_it(self, broken, shape, claim, expected):
        name = f"{broken} {shape} {claim or 'safety'}"
        if not self.wanted(name):
            return
        flags = ["-O1"] if claim else ["-O1", "-DSAFETY", "-DNOCLAIM"]
        pan = Pan(self.folder, shape, [broken, "REQUESTS=4"], flags)
        error = pan.explore(*(["-a", "-N", claim] if claim else []))[0]
        self.check(name, error or "no error is found", error and expected in error)

    def graph(self, shape, defines, requests):
        pan = Pan(self.folder, shape, ["TRACE", f"REQUESTS={requests}", *defines],
                  ["-O1", "-DSAFETY", "-DNOCLAIM", "-DPRINTF"])
        process = pan.run("-A", "-E")
        return Graph(process.stdout)

    def traces(self, shape):
        if not self.wanted(f"{shape} replay"):
            return
        graph = self.graph(shape, [], self.arguments.requests)
        status, said = replay(self.arguments.replay, shape, lines_of(graph.walks()))
        self.check(f"{shape} replay", f"{len(graph.edges)} states, {graph.count()} transitions, in the engine: {said}",
                   status == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--requests", type=int, default=4)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    folder = arguments.keep or tempfile.mkdtemp(prefix="onset-model-")
    os.makedirs(folder, exist_ok=True)
    run = Run(arguments, folder)
    begin = time.monotonic()
    try:
        for shape in SHAPES:
            run.properties(shape)
        for broken in BREAKS:
            run.break_it(*broken)
        for shape in SHAPES:
            run.traces(shape)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
