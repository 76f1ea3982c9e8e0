"""Lives of the small system (small_system.py) in each of which something fails in PID 1.

    sweep.py calls|allocations [--cgroup] [--part K/N] [--only CALL[,CALL…]] [--each | --slice]
    sweep.py case [--cgroup] CALL ERRNO OCCURRENCE      one of them, with what was seen

A life that goes wrong is taken apart into lives of one case each; what goes wrong there is lived
once more, so that what does not come again is told apart. Prints one line of JSON for what was
planned, one for each life (tools/sweep makes a table of them). With --each every case has a life
of its own; --slice is a few of each kind, always the same.
"""

import argparse
import collections
import json
import os
import sys
import time
import zlib

import failing_allocations
import failing_calls
from harness import PYTHON, ROOT
from small_system import Arena, build_service, enter_arena

STRIDES = {failing_calls: 8, failing_allocations: 4001}  # cases between two of one life
OF_EACH = {failing_calls: 3, failing_allocations: 60}  # lives of each call in a slice
EACH = 10 ** 9


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


def sweep(kind, options, arena):
    only = options.only.split(",") if options.only else ()
    lives = list(kind.all_lives(kind.measure(arena), EACH if options.each else STRIDES[kind], only))
    if options.slice:
        lives = list(slice_of(lives, OF_EACH[kind]))
    part, parts = map(int, options.part.split("/"))
    lives = lives[part - 1::parts]
    print(json.dumps({"lives": len(lives), "cases": sum(some.cases() for some in lives)}), flush=True)
    for some in lives:
        for result in results_of(arena, some):
            print(json.dumps(result), flush=True)


def show_case(options, arena):
    call, errno, occurrence = options.case[0], options.case[1], int(options.case[2])
    if call == "(allocation)":
        failing_allocations.measure(arena)
        one = failing_allocations.Lives(options.when, occurrence, 0, occurrence)
    else:
        counts = failing_calls.measure(arena)
        one = failing_calls.Lives(call, errno, "life", occurrence, 0, occurrence, counts.before[call])
    life, lines = one.live(arena)
    print(life.console())
    print(f"{lines}\nsteps that failed: {life.steps}\n{life.verdict or 'ok'}: {life.details}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("calls", "allocations", "case"))
    parser.add_argument("case", nargs="*")
    parser.add_argument("--cgroup", action="store_true")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--only")
    parser.add_argument("--when", default="life")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--slice", action="store_true")
    parser.add_argument("--service")
    options = parser.parse_intermixed_args()
    if not options.service:
        folder = os.path.join(os.environ.get("ONSET_BUILD_DIR") or os.path.join(ROOT, "build"), "tests")
        enter_arena([PYTHON, os.path.abspath(__file__), *sys.argv[1:], "--service", build_service(folder)])
    arena = Arena(options.service, options.cgroup)
    try:
        if options.what == "case":
            show_case(options, arena)
        else:
            sweep({"calls": failing_calls, "allocations": failing_allocations}[options.what], options, arena)
    finally:
        arena.remove()


if __name__ == "__main__":
    main()
