"""Lives of the small system (small_system.py) in each of which something fails in PID 1.

    sweep.py all [calls] [allocations] [--slice]     the tables of all
    sweep.py calls|allocations [--cgroup] [--part K/N] [--only CALL[,CALL…]] [--each | --slice]
    sweep.py case [--cgroup] [--when life|end] CALL ERRNO OCCURRENCE     one, with what was seen

A life that goes wrong is taken apart into lives of one case each; what goes wrong there is lived
once more, so that what does not come again is told apart. A part prints one line of JSON for what
was planned and one for each life. With --each every case has a life of its own; --slice is a few
of each call, always the same. "all" ends with a line of counts, and status 1 where a case failed.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib

import failing_allocations
import failing_calls
from harness import PYTHON
from manager_harness import cgroups_can_be_made
from small_system import Arena, build_service, enter_arena

KINDS = {"calls": failing_calls, "allocations": failing_allocations}
STRIDES = {failing_calls: 8, failing_allocations: 4001}  # cases between two of one life
OF_EACH = {failing_calls: 1, failing_allocations: 25}  # lives of each call in a slice
AT_A_TIME = 3  # parts for each processor: a life is mostly waiting
EACH = 10 ** 9
LASTING = ("death", "hang")  # once is too often
VERDICTS = ("death", "hang", "deaf", "broken", "leak", "shutdown")


# ---- a part ------------------------------------------------------------------------------------


def slice_of(lives, number):
    by_call = collections.defaultdict(list)
    for life in lives:
        by_call[life.call].append(life)
    for found in by_call.values():
        found.sort(key=lambda life: zlib.crc32(repr(life.describe()).encode()))
        yield from found[:number]


def results_of(arena, lives):
    begin = time.monotonic()
    life, lines = lives.live(arena)
    result = {**lives.describe(), "cases": lives.cases(), "hits": len(lines), "verdict": life.verdict}
    if life.verdict:
        result.update(line=lines[:1], details=life.details, steps=life.steps, console=life.console()[-3000:])
        if lives.stride:
            for one in lives.apart():
                yield from results_of(arena, one)
        else:
            result["again"] = lives.live(arena)[0].verdict
    result["seconds"] = round(time.monotonic() - begin, 2)
    yield result


def sweep_part(kind, options, arena):
    only = options.only.split(",") if options.only else ()
    counts = kind.measure(arena)
    lives = list(kind.all_lives(counts, EACH if options.each else STRIDES[kind], only))
    if options.slice:
        lives = list(slice_of(lives, OF_EACH[kind]))
    part, parts = map(int, options.part.split("/"))
    lives = lives[part - 1::parts]
    print(json.dumps({"lives": len(lives), "occurrences": kind.occurrences(counts)}), flush=True)
    for some in lives:
        for result in results_of(arena, some):
            print(json.dumps(result), flush=True)


def show_case(options, arena):
    call, errno, occurrence = options.words[0], options.words[1], int(options.words[2])
    if call == failing_allocations.Lives.call:
        failing_allocations.measure(arena)
        one = failing_allocations.Lives(options.when, occurrence, 0, occurrence)
    else:
        counts = failing_calls.measure(arena)
        one = failing_calls.Lives(call, errno, options.when, occurrence, 0, occurrence, counts.before[call])
    life, lines = one.live(arena)
    print(life.console())
    print(f"{lines}\nsteps that failed: {life.steps}\n{life.verdict or 'ok'}: {life.details}")


# ---- the whole ---------------------------------------------------------------------------------


class Table:
    """Of what each life gave; a life that was taken apart counts by its cases."""

    HEAD = ("call", "occurrences", "errnos", "cases", "failed in PID 1", *VERDICTS, "not again")

    def __init__(self):
        self.occurrences, self.errnos = collections.Counter(), collections.defaultdict(set)
        self.counts = collections.defaultdict(collections.Counter)
        self.bad = []

    def add(self, result):
        if "lives" in result:
            self.occurrences |= collections.Counter(result["occurrences"])
            return
        if result["verdict"] and result["stride"]:
            return
        row = self.counts[result["call"]]
        self.errnos[result["call"]].add(result["errno"])
        row["cases"] += result["cases"]
        row["failed in PID 1"] += result["hits"]
        if not result["verdict"]:
            return
        if result["again"] or result["verdict"] in LASTING:
            row[result["verdict"]] += 1
            self.bad.append(result)
        else:
            row["not again"] += 1

    def rows(self):
        for call in sorted(self.counts):
            found = {**self.counts[call], "call": call, "occurrences": self.occurrences[call],
                     "errnos": len(self.errnos[call])}
            yield [found.get(name, 0) for name in self.HEAD]

    def write(self, title):
        print(f"\n{title}\n\n| " + " | ".join(self.HEAD) + " |\n|" + "---|" * len(self.HEAD))
        for row in self.rows():
            print("| " + " | ".join(f"`{row[0]}`" if i == 0 else str(cell) for i, cell in enumerate(row)) + " |")
        for result in self.bad:
            print(f"{result['verdict']}: {result['line']} occurrence {result['first']} of its {result['when']}: "
                  f"{result['details']}")
        sys.stdout.flush()


def sweep_all(kind, options):
    """(table, whether a part has failed)"""
    table = Table()
    parts = AT_A_TIME * len(os.sched_getaffinity(0))
    command = [PYTHON, os.path.abspath(__file__), kind, "--service", options.service]
    command += ["--cgroup"] if options.cgroup else []
    command += ["--slice"] if options.slice else []
    with tempfile.TemporaryDirectory(prefix="onset-sweep-results-") as folder:
        running = []
        for k in range(parts):
            with open(os.path.join(folder, str(k)), "wb") as out:
                running.append(subprocess.Popen([*command, "--part", f"{k + 1}/{parts}"], stdout=out))
        failed = [part for part in running if part.wait() != 0]
        for k in range(parts):
            with open(os.path.join(folder, str(k)), encoding="utf-8") as results:
                for line in results:
                    table.add(json.loads(line))
    return table, bool(failed)


def write_all(options):
    total, broken = collections.Counter(), False
    for kind in [word for word in KINDS if word in options.words] or KINDS:
        for options.cgroup in (False, True):
            if options.cgroup and not cgroups_can_be_made():
                print("no writable cgroup v2 hierarchy: the lives with cgroups are left out")
                continue
            table, failed = sweep_all(kind, options)
            broken |= failed
            table.write(f"{kind}, {'with' if options.cgroup else 'without'} cgroups")
            for row in table.counts.values():
                total += row
    words = [f"{total['cases']} cases", f"{total['failed in PID 1']} failed in PID 1"]
    print("\n" + ", ".join(words + [f"{total[verdict]} {verdict}" for verdict in VERDICTS]))
    return 1 if broken or any(total[verdict] for verdict in VERDICTS) else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("all", "case", *KINDS))
    parser.add_argument("words", nargs="*")
    parser.add_argument("--cgroup", action="store_true")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--only")
    parser.add_argument("--when", default="life")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--service", help="what build_service has built")
    parser.add_argument("--in-arena", action="store_true", help="enter_arena was called")
    options = parser.parse_intermixed_args()
    if options.what == "all":
        options.service = build_service(failing_allocations.BUILD_OF_TESTS)
        sys.exit(write_all(options))
    if not options.in_arena:
        service = options.service or build_service(failing_allocations.BUILD_OF_TESTS)
        enter_arena([PYTHON, os.path.abspath(__file__), *sys.argv[1:], "--service", service, "--in-arena"])
    arena = Arena(options.service, options.cgroup)
    try:
        if options.what == "case":
            show_case(options, arena)
        else:
            sweep_part(KINDS[options.what], options, arena)
    finally:
        arena.remove()


if __name__ == "__main__":
    main()
