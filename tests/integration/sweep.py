"""Lives of the small system (small_system.py) in each of which something fails in PID 1.

    sweep.py all [calls] [allocations] [--slice]     the tables of all
    sweep.py calls|allocations [--cgroup] [--part K/N] [--only CALL[,CALL…]] [--each | --slice]
    sweep.py case [--cgroup] [--when start|life|end] CALL ERRNO OCCURRENCE     one, with what was seen

A life that goes wrong is taken apart into lives of one case each, which say what it was; what goes
wrong there is lived once more, so that what does not come again is told apart. Death, hang, spin
and leak count however often they come. A case is what has failed in PID 1; what was planned and
did not come in its life is missed. A part prints one line of JSON for what was planned and one for
each life. With --each every case has a life of its own; --slice is a few of each call, always the
same while they hit. "all" ends with a line of counts. Its status is 1 where a case went wrong,
where none hit a call that PID 1 always makes, or where nobody has said which errors a call has.
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
OF_EACH = {failing_calls: 2, failing_allocations: 25}  # lives of each call in a slice, that hit
MISSES = 4  # lives of a call in a slice that do not
AT_A_TIME = 3  # parts for each processor: a life is mostly waiting
EACH = 10 ** 9
NOTHING_PLANNED = '{"lives": 0, "occurrences": {}, "always": [], "unknown": []}'
LASTING = ("death", "hang", "spin", "leak")  # once is too often
VERDICTS = ("death", "hang", "deaf", "broken", "spin", "leak", "shutdown")


# ---- a part ------------------------------------------------------------------------------------


def chance(life):
    return zlib.crc32(repr(life.describe()).encode())


def by_call(lives):
    """In an order of chance that is always the same, each errno once before any comes again."""
    found = collections.defaultdict(list)
    for life in sorted(lives, key=chance):
        found[life.call].append(life)
    for call in sorted(found):
        times = collections.Counter()

        def turn(life):
            times[life.errno] += 1
            return times[life.errno]

        yield sorted(found[call], key=turn)


def results_of_some(arena, lives, number):
    """Of lives of one call: until so many have hit. After a miss the first occurrence is next: there
    may be fewer than in the lives that were measured, which strace slows down more."""
    left, missed = list(lives), 0
    while left and number > 0 and missed < MISSES:
        some = left.pop(0)
        results = list(results_of(arena, some.surest() if missed else some))
        yield from results
        number -= bool(results[-1]["hits"])
        missed += not results[-1]["hits"]


def results_of(arena, lives):
    """Those of its parts, where it is taken apart, before its own."""
    begin = time.monotonic()
    life, lines = lives.live(arena)
    result = {**lives.describe(), "cases": lives.cases(), "hits": len(lines), "verdict": life.verdict}
    if life.verdict:
        result.update(line=lines[:1], details=life.details, steps=life.steps, console=life.console()[-3000:])
        if lives.stride:
            result["parts"] = []
            for one in lives.apart():
                for part in results_of(arena, one):
                    result["parts"].append(part["verdict"])
                    yield part
        else:
            result["again"] = lives.live(arena)[0].verdict
    result["seconds"] = round(time.monotonic() - begin, 2)
    yield result


def sweep_part(kind, options, arena):
    only = options.only.split(",") if options.only else ()
    counts = kind.measure(arena)
    lives = list(kind.all_lives(counts, EACH if options.each else STRIDES[kind], only))
    part, parts = map(int, options.part.split("/"))
    print(json.dumps({"lives": len(lives), "occurrences": kind.occurrences(counts),
                      "always": kind.always_made(counts), "unknown": kind.unknown(counts)}), flush=True)
    if options.slice:
        # A part has calls of its own, or its share of the lives of the only one.
        calls = list(by_call(life for life in lives if life.cases()))
        alone = len(calls) == 1
        calls = [calls[0][part - 1::parts]] if alone else calls[part - 1::parts]
        number = -(-OF_EACH[kind] // parts) if alone else OF_EACH[kind]
        found = (result for some in calls for result in results_of_some(arena, some, number))
    else:
        # Not by their places: each part has measured lives of its own, and its list may be another.
        found = (result for some in lives if chance(some) % parts == part - 1 for result in results_of(arena, some))
    for result in found:
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
    """Of what each life gave; the cases of a life that was taken apart are those of its parts."""

    HEAD = ("call", "occurrences", "errnos", "lives", "cases", "missed", *VERDICTS, "not again")

    def __init__(self):
        self.occurrences, self.errnos = collections.Counter(), collections.defaultdict(set)
        self.counts = collections.defaultdict(collections.Counter)
        self.planned, self.always, self.unknown = 0, None, set()
        self.bad, self.not_again = [], []

    def add_plan(self, plan):
        self.planned = max(self.planned, plan["lives"])
        self.occurrences |= collections.Counter(plan["occurrences"])
        self.always = set(plan["always"]) if self.always is None else self.always & set(plan["always"])
        self.unknown |= set(plan["unknown"])

    def add(self, result):
        row = self.counts[result["call"]]
        row["lives"] += 1
        parts = result.get("parts")
        if parts is None:
            if result["hits"]:
                self.errnos[result["call"]].add(result["errno"])
            row["cases"] += result["hits"]
            row["missed"] += max(0, result["cases"] - result["hits"])
        verdict = result["verdict"]
        if not verdict:
            return
        is_told = parts is not None and (verdict in parts or verdict not in LASTING and any(parts))
        if verdict in LASTING or result.get("again"):
            row[verdict] += not is_told
            self.bad += [] if is_told else [result]
        elif not is_told:
            row["not again"] += 1
            self.not_again.append(result)

    def never_hit(self):
        """Calls that PID 1 makes in every life, and none of which has failed."""
        return sorted(call for call in self.always or () if not self.counts[call]["cases"])

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
            print(f"{result['verdict']}: {named(result)}")
        for result in self.not_again:
            print(f"not again: {result['verdict']}: {named(result)}")
        for call in sorted(self.unknown):
            print(f"{call}: neither a row of errnos.tsv nor one of those that cannot fail")
        for call in self.never_hit():
            print(f"{call}: PID 1 makes it in every life, and it never failed")
        sys.stdout.flush()


def named(result):
    which = f"occurrence {result['first']}"
    which += f" and each {result['stride']}th from there" if result["stride"] else ""
    return (f"{result['call']} {result['errno']} {which} of its {result['when']}: {result['line']} "
            f"{result['details']}")


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
                table.add_plan(json.loads(next(results, None) or NOTHING_PLANNED))
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
            broken |= failed or bool(table.unknown or table.never_hit())
            table.write(f"{kind}, {'with' if options.cgroup else 'without'} cgroups: "
                        f"{table.planned} lives of a whole sweep")
            for row in table.counts.values():
                total += row
    print("\n" + ", ".join(f"{total[what]} {what}" for what in ("lives", "cases", "missed", *VERDICTS, "not again")))
    return 1 if broken or any(total[verdict] for verdict in VERDICTS) else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("all", "case", *KINDS))
    parser.add_argument("words", nargs="*")
    parser.add_argument("--cgroup", action="store_true")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--only")
    parser.add_argument("--when", default="life", choices=("start", "life", "end"))
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
