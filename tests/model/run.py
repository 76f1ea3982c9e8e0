#!/usr/bin/env python3
"""Explores the model of the job engine (jobs.pml) and replays it into the real one.

    run.py --replay PROGRAM [--only WORD] [--requests N] [--unbounded]

For each shape of three units: no deadlock and no broken assertion; once no more requests come,
every job and every shutdown end. Then that each property can fail: the model with one thing wrong,
in which an error must be found. Then every transition of the model in the real engine; and
transitions that are not the model's, which the engine must not follow. docs/model.md has more.

    --requests N   how many requests may come, in what takes longest one less (4)
    --unbounded    no end of them, where that can be explored: for minutes
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

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

REQUESTS = 4  # that docs/model.md has figures of

SAFETY = ["-DSAFETY", "-DNOCLAIM"]  # and ends that are none: what claims switch off

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


# Whose transitions the engine must not follow.
BROKEN_TRACES = [
    ("BREAK_ORDER", "mixed"),
    ("BREAK_DEPENDENTS", "chain"),
    ("BREAK_STOP", "chain"),
    ("BREAK_CONFLICT", "conflict"),
    ("BREAK_SHUTDOWN", "chain"),
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
        for part in ("jobs.pml", "transaction.pml", "world.pml"):
            shutil.copy(os.path.join(HERE, part), self.folder)
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
        pan = self.run(*options)
        said = pan.communicate()[0]
        error = re.search(r"^pan:1: (.*?)(?: \(at depth \d+\))?$", said, re.M)
        states = re.search(r"^\s*(\d+) states, stored", said, re.M)
        edges = re.search(r"^\s*(\d+) transitions", said, re.M)
        self.must_be_whole(pan, said, error)
        return error and error.group(1), int(states.group(1)), int(edges.group(1))

    @staticmethod
    def must_be_whole(pan, said, error=None):
        """It has gone through all that there is, or has found an error on the way."""
        if (pan.wait() != 0 or not re.search(r"^\s*\d+ states, stored", said, re.M) or "too small" in said
                or "Search not completed" in said and not error):
            raise Failure(f"not explored to the end, exit status {pan.returncode}:\n{said[-4000:]}")

    def transitions(self, *options):
        """The graph that it prints, whatever is asserted on the way."""
        pan = self.run("-A", "-E", *options)
        rest = []
        graph = Graph(pan.stdout, rest)
        self.must_be_whole(pan, "".join(rest))
        return graph

    def trail(self):
        """The way to the error, as the model prints it."""
        return subprocess.run(["./pan", "-r"], cwd=self.folder, capture_output=True, text=True).stdout


class Graph:
    """The transitions of a model: what happens, what is to be seen, and where it leads. What else
    is in the lines goes to `rest`."""

    def __init__(self, lines, rest):
        self.edges = collections.defaultdict(dict)  # state: {event: ([line], state)}
        source, event, seen = None, None, []
        for line in lines:
            whole, line = line, line.rstrip("\n")
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
            else:
                rest.append(whole)
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
                    seen, at = self.edges[at][left[at].pop()]
                    walk.append(seen)
                yield walk


def figures():
    """row → shape → number, of the table in docs/model.md."""
    found = {}
    with open(os.path.join(HERE, "..", "..", "docs", "model.md")) as file:
        chapter = file.read().split("\n## Figures\n")[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in chapter.splitlines() if line.startswith("|")]
    shapes = rows[0][1:]
    for row in rows[2:]:
        found[row[0].replace("`", "")] = {shape: int(cell.replace(" ", "")) for shape, cell in zip(shapes, row[1:])}
    return found


def replay(program, shape, lines):
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
        self.figures = figures()
        self.passed = self.failed = 0

    def is_known(self, row, shape, number):
        """Whether docs/model.md has this number; of other bounds than its own it has none."""
        known = self.figures.get(row, {}).get(shape)
        if known is None and self.arguments.requests != REQUESTS:
            return True
        if known != number:
            print(f"docs/model.md has {known} for {shape}, {row}, and there are {number}")
        return known == number

    def check(self, name, what, good):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'}  {name}: {what}", flush=True)

    def wanted(self, name):
        return self.arguments.only in name

    def explore(self, shape, claim, bound, pan, *options):
        error, states, edges = pan.explore(*options)
        good = not error and self.is_known(f"{claim}, {bound}: states", shape, states)
        if claim == "safety" and not self.arguments.unbounded:
            good = good and self.is_known(f"{claim}, {bound}: transitions", shape, edges)
        self.check(f"{shape} {claim}", f"{states} states, {edges} transitions; {error or 'no error'}", good)
        if error:
            print(pan.trail()[-4000:])

    def properties(self, shape):
        requests = self.arguments.requests
        bound, define = f"{requests} requests", [f"REQUESTS={requests}"]
        if self.arguments.unbounded:
            bound, define = "no bound", []
        if self.wanted(f"{shape} safety"):
            self.explore(shape, "safety", bound, Pan(self.folder, shape, define, ["-O1", *SAFETY]))
        claims = [claim for claim in ("jobs_end", "shutdown_ends") if self.wanted(f"{shape} {claim}")]
        if claims and not self.arguments.unbounded:
            pan = Pan(self.folder, shape, [f"REQUESTS={requests - 1}", "FILES"], ["-O1"])
            for claim in claims:
                self.explore(shape, claim, f"{requests - 1} requests", pan, "-a", "-f", "-N", claim)
            if shape == "chain" and "jobs_end" in claims:
                error = pan.explore("-a", "-N", "jobs_end")[0]
                self.check(f"{shape} jobs_end, unfair", error or "no error is found", error == "acceptance cycle")

    def break_it(self, broken, shape, claim, expected):
        name = f"{broken} {shape} {claim or 'safety'}"
        if self.wanted(name):
            pan = Pan(self.folder, shape, [broken, f"REQUESTS={self.arguments.requests}"],
                      ["-O0", *([] if claim else SAFETY)])
            error = pan.explore(*(["-a", "-f", "-N", claim] if claim else []))[0]
            self.check(name, error or "no error is found", error and expected in error)

    def graph(self, shape, requests, *defines, flags=(), options=()):
        pan = Pan(self.folder, shape, ["TRACE", f"REQUESTS={requests}", *defines],
                  ["-O0", *SAFETY, "-DPRINTF", *flags])
        return pan.transitions(*options)

    def traces(self, shape, requests, *defines):
        name = " ".join([shape, "replay", *defines])
        if not self.wanted(name):
            return
        graph = self.graph(shape, requests, *defines)
        status, said = replay(self.arguments.replay, shape, lines_of(graph.walks()))
        taken = re.search(r"^(\d+) events in", said, re.M)
        row = f"replayed{' with daemon-reload' if defines else ''}, {requests} requests: transitions"
        good = (status == 0 and taken and int(taken[1]) >= graph.count() > 0
                and self.is_known(row, shape, graph.count()))
        self.check(name, f"{len(graph.edges)} states, {graph.count()} transitions; {said.strip()[-4000:]}", good)

    def broken_traces(self, broken, shape):
        name = f"{broken} {shape} replay"
        if self.wanted(name):
            status, said = replay(self.arguments.replay, shape, lines_of(self.graph(shape, 3, broken).walks()))
            self.check(name, "the engine does otherwise" if status == 1 else f"status {status}, {said}", status == 1)

    def empty_trace(self):
        name = "empty replay"
        if self.wanted(name):
            for lines in ([], ["WORLD"]):
                status, said = replay(self.arguments.replay, "chain", lines)
                self.check(name, said.strip() or "nothing is said", status == 2)

    def cut_graph(self):
        """What was not gone through to the end is no graph of the model: too little memory, too short a stack."""
        for what, cut in (("memory", {"flags": ["-UMEMLIM", "-DMEMLIM=100"]}), ("stack", {"options": ["-m40"]})):
            name = f"cut {what} replay"
            if self.wanted(name):
                try:
                    found = f"a graph of {self.graph('chain', 3, **cut).count()} transitions"
                except Failure as failure:
                    found = str(failure).splitlines()[0]
                self.check(name, found[:200], not found.startswith("a graph"))

    def flipped_trace(self):
        """One word of one expectation is wrong: of the state of a unit, a job, an end, a refusal."""
        lines = list(lines_of(self.graph("chain", 3).walks()))
        for what, with_what in (("running 100", "failed 100"), ("stop waiting", "start waiting"), ("canceled", "done"),
                                ("REFUSED", "END a start done"), (" 1 1", " 1 0")):
            name = f"flipped {what} replay"
            if self.wanted(name):
                at = next(i for i, line in enumerate(lines) if what in line and not line.startswith("EVENT"))
                wrong = [*lines[:at], lines[at].replace(what, with_what), *lines[at + 1:]]
                status, said = replay(self.arguments.replay, "chain", wrong)
                self.check(name, "noticed" if status == 1 else f"status {status}, {said}", status == 1)

    def everything(self):
        for shape in SHAPES:
            self.properties(shape)
        if self.arguments.unbounded:
            return
        for broken in BREAKS:
            self.break_it(*broken)
        for shape in SHAPES:
            self.traces(shape, self.arguments.requests - 1)
            self.traces(shape, 2, "FILES")
        for broken, shape in BROKEN_TRACES:
            self.broken_traces(broken, shape)
        self.flipped_trace()
        self.empty_trace()
        self.cut_graph()


def skip(why):
    """As tools/run_tests.py counts: a case that was skipped, with its reason."""
    if "ONSET_RESULT_FD" in os.environ:
        os.write(int(os.environ["ONSET_RESULT_FD"]), f"skipped\tmodel\t{why}\n".encode())
    print(f"skipped: {why}")
    print("All tests passed (0 assertions in 1 test case)")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replay", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--unbounded", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("spin") is None:
        return skip("there is no spin to explore the model with")
    with tempfile.TemporaryDirectory(prefix="onset-model-") as folder:
        run = Run(arguments, folder)
        run.everything()
    cases = run.passed + run.failed
    if run.failed or not cases:
        print(f"test cases: {cases} | {run.passed} passed | {run.failed} failed")
        return 1
    print(f"All tests passed ({cases} assertions in {cases} test cases)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
