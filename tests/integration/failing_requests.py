"""Each request that PID 1 takes, and of each every allocation that it makes for it, one by one.

    failing_requests.py SERVICE [--only TEXT] [--allocation K] [--part NUMBER/PARTS]
    failing_requests.py SERVICE --shutdown STRIDE      the one that ends PID 1: every so manyth

One PID 1 with an allocator that counts and fails (failing_allocations.py) is brought to rest. Of
each request of the table (TABLE) it is counted how many allocations one takes; then it is made
again as often, and each time the next of them fails, that one alone. After each:

  lives      PID 1 does, and answers within a second
  says why   the reply is the usual one or OutOfResources; a job may have failed for it
  recovers   the same request, without a fault, has the reply that it had at first
  keeps none no job is queued, and no descriptor is left over

An inmate, a process inside, makes the requests: the manager answers nobody else. What it has to
say are lines of JSON on stdout. Where something went wrong a new PID 1 goes on with the next one.
"""

import argparse
import collections
import json
import mmap
import os
import re
import subprocess
import sys
import time

from failing_allocations import PAGE, PROGRAM, Allocations
from failing_requests_table import OUT_OF_RESOURCES, TABLE, UNITS, Closed, Connection
from harness import PYTHON
from inmate import ANSWER, STEP, until
from small_system import END, Arena, Life, enter_arena

BEYOND = 3  # so many in a row must not have been needed, then there are no more
MOST = 5000  # allocations of a request
ENOUGH = 20  # things gone wrong of one request

# ---- inside ------------------------------------------------------------------------------------


# A job has failed for want of memory, or a restart is on its way for longer.
OF_A_FAULT = re.compile(r'\.(result|unit_result|message) is |\.type is "restart", was "start"')
OF_INTEREST = ("error", "event", "load", "result", "type")  # what must be the same, not of the same kind alone


def shape(value, key=""):
    if isinstance(value, dict):
        return {name: shape(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return value if key in OF_INTEREST else type(value).__name__


def differences(seen, wanted, path=""):
    if isinstance(seen, dict) and isinstance(wanted, dict):
        for key in sorted({*seen, *wanted}):
            yield from differences(seen.get(key), wanted.get(key), f"{path}.{key}")
    elif isinstance(seen, list) and isinstance(wanted, list) and len(seen) == len(wanted):
        for number, pair in enumerate(zip(seen, wanted)):
            yield from differences(*pair, f"{path}[{number}]")
    elif seen != wanted:
        yield f"{path} is {json.dumps(seen)}, was {json.dumps(wanted)}"


def descriptors():
    return sorted(re.sub(r"\[\d+\]$", "", name) for name in map(read_link, os.listdir("/proc/1/fd")) if name)


def read_link(number):
    try:
        return os.readlink("/proc/1/fd/" + number)
    except OSError:
        return ""


class Inmate:
    """Makes the requests of the table from `row` and `allocation` on."""

    def __init__(self, faults, options):
        self.faults = faults
        self.options = options
        self.connections = []

    @staticmethod
    def tell(what, **facts):
        print(json.dumps({"what": what, **facts}), flush=True)

    def run(self):
        self.connect()
        self.ask("GetSystemState", wait=True)
        first = self.options.allocation
        part, parts = map(int, self.options.part.split("/"))
        for number in range(self.options.row, len(TABLE)):
            row = TABLE[number]
            if self.options.only in row.name and number % parts == part:
                self.sweep(number, row, first)
            first = 1
        self.tell("end")

    def connect(self):
        """Two connections that have been accepted; those that are open still, if they are."""
        self.connections = [c if c.is_open else Connection() for c in self.connections]
        self.connections += [Connection() for _ in range(2 - len(self.connections))]
        for connection in self.connections:
            connection.call("Ping")

    def ask(self, method, **parameters):
        """The reply, which may be an error."""
        return self.connections[1].call(method, **parameters)

    def make(self, row, allocation=0):
        """The replies, how many allocations PID 1 has made and whether one has failed."""
        self.connect()
        for kind, unit in row.before:
            self.ask("Enqueue", units=[unit], type=kind, wait=True)
        made, failed = self.faults.made(), self.faults.count()
        if allocation:
            self.faults.fail(allocation)
        try:
            replies = row.make(self.connections)
        finally:
            self.faults.pause()
        return replies, self.faults.made() - made, self.faults.count() > failed

    def sweep(self, number, row, first):
        self.tell("case", row=number, k=0)
        for _ in range(3):  # what is only had once is had
            replies, count, _ = self.make(row)
        self.wanted = shape(replies)
        self.calm()
        self.connect()
        self.held = descriptors()
        self.tell("row", row=number, count=count)
        unneeded, k = 0, first
        while k <= MOST and (k <= count or unneeded < BEYOND):
            self.tell("case", row=number, k=k)
            begin = time.monotonic()
            failed, problems = self.case(row, k)
            unneeded = 0 if failed else unneeded + 1
            self.tell("done", row=number, k=k, failed=failed, problems=problems,
                      seconds=round(time.monotonic() - begin, 3))
            if problems:
                sys.exit()  # what comes after would be about it, too
            k += 1

    def case(self, row, k):
        try:
            replies, _, failed = self.make(row, k)
            problems = self.judge(replies)
        except Closed:
            failed, problems = True, ["closed without a word"]
        except TimeoutError:
            failed, problems = True, ["no reply"]
        try:
            problems += self.look(row)
        except (Closed, TimeoutError) as error:
            problems.append(f"does not answer any more: {type(error).__name__}")
        return failed, problems

    def judge(self, replies):
        """While one allocation fails."""
        last = replies[-1]
        if last.get("error") == OUT_OF_RESOURCES:
            return []
        return ["says " + text for text in differences(shape(replies), self.wanted) if not OF_A_FAULT.search(text)]

    def look(self, row):
        begin = time.monotonic()
        self.connect()
        problems = [f"answers after {time.monotonic() - begin:.2f} s"] if time.monotonic() - begin > ANSWER else []
        replies, _, _ = self.make(row)
        problems += ["then says " + text for text in differences(shape(replies), self.wanted)]
        jobs = self.calm()
        if jobs:
            problems.append(f"jobs are left: {jobs}")
        self.connect()
        more = collections.Counter(descriptors()) - collections.Counter(self.held)
        if more:  # what has ended may have a moment left
            until(lambda: not collections.Counter(descriptors()) - collections.Counter(self.held), ANSWER)
            more = collections.Counter(descriptors()) - collections.Counter(self.held)
        return problems + [f"holds {name} +{count}" for name, count in more.items()]

    def calm(self):
        """Waits for the jobs that are queued; those that stay."""
        if not self.ask("ListJobs")["parameters"]["jobs"]:
            return []
        subscriber = Connection()
        try:
            subscriber.send("Subscribe", {}, True)
            subscriber.reply()
            end = time.monotonic() + STEP
            while jobs := self.ask("ListJobs")["parameters"]["jobs"]:
                subscriber.reply(end - time.monotonic())
            return jobs
        except TimeoutError:
            return jobs
        finally:
            subscriber.close()


def ask_to_end(faults, allocation):
    """Once in vain at most: the replies, as long as there is a PID 1."""
    connection = Connection()
    connection.call("GetSystemState", wait=True)
    connection.call("Ping")  # at rest
    faults.fail(allocation)
    try:
        reply = connection.call("Shutdown", how="exit")
    except Closed:
        reply = {"error": "closed without a word"}
    Inmate.tell("asked", error=reply.get("error"))
    faults.pause()
    if "error" in reply:
        Connection().call("Shutdown", how="exit")


class Page(Allocations):
    """Of both, the one that makes it and the inmate."""

    def __init__(self, folder, is_new=True):
        if is_new:
            super().__init__(folder)
            return
        with open(os.path.join(folder, "allocations"), "r+b") as file:
            self.page = mmap.mmap(file.fileno(), PAGE.size)

    def fail(self, number):
        """The allocation that comes after number - 1 more."""
        self._set_first(self.made() + number)


# ---- outside -----------------------------------------------------------------------------------


class Result:
    def __init__(self):
        self.counts = {}  # of allocations, by row
        self.cases = 0
        self.failed = 0
        self.problems = []  # (name of the row, allocation, text)
        self.last = None  # what the inmate said


def sweep(arena, options):
    """All of the table, or of what is asked for."""
    result = Result()
    row, k = 0, options.allocation
    while row is not None:
        row, k = live(arena, row, k, options, result)
    return result


def enter(life, arena, *arguments):
    """Lets PID 1 go on; an inmate of it."""
    life.gate.send(b"g")
    return subprocess.Popen(
        ["nsenter", "--target", str(life.pid), "--mount", "--pid", "--", PYTHON, "-B", os.path.abspath(__file__),
         "--inside", arena.folder, *map(str, arguments)],
        stdout=subprocess.PIPE, text=True)


def live(arena, row, k, options, result):
    """One PID 1 from the case on; the case to go on with, or None."""
    page = Page(arena.folder)
    life = Life(arena, PROGRAM, {"ONSET_ALLOCATIONS": page.path}, log_level="info")
    try:
        with enter(life, arena, "--row", row, "--allocation", k, "--only", options.only,
                   "--part", options.part) as inmate:
            hear(inmate.stdout, result)
        last = result.last
        if last["what"] == "end":
            return None, 0
        row, k = last["row"], last["k"]
        name = TABLE[row].name
        if last["what"] == "case":
            what = "PID 1 has ended" if life.has_ended(ANSWER) else "the inmate has ended"
            result.problems.append((name, k, f"{what}: {life.console()[-300:].strip()}"))
        if k == 0 or sum(problem[0] == name for problem in result.problems) >= ENOUGH:
            return row + 1, 1
        return row, k + 1
    finally:
        life.end()
        page.end()


def hear(lines, result):
    result.last = {"what": "case", "row": 0, "k": 0}
    for line in lines:
        told = result.last = json.loads(line)
        if told["what"] == "row":
            result.counts[TABLE[told["row"]].name] = told["count"]
        if told["what"] == "done":
            result.cases += 1
            result.failed += told["failed"]
            result.problems += [(TABLE[told["row"]].name, told["k"], text) for text in told["problems"]]


def sweep_shutdowns(arena, stride):
    """A life for each case, as long as the request needs so many allocations."""
    result = Result()
    name = 'Shutdown {"how": "exit"}'
    unneeded, k = 0, 1
    while unneeded < BEYOND:
        page = Page(arena.folder)
        life = Life(arena, PROGRAM, {"ONSET_ALLOCATIONS": page.path}, log_level="info")
        try:
            with enter(life, arena, "--shutdown", 1, "--allocation", k) as inmate:
                told = [json.loads(line) for line in inmate.stdout]
            if not life.has_ended(END):
                result.problems.append((name, k, "PID 1 does not end"))
            elif status := life.process.wait(END):
                result.problems.append((name, k, f"PID 1 ends with {status}: {life.console()[-300:].strip()}"))
            if not told or told[0]["error"] not in (None, OUT_OF_RESOURCES):
                result.problems.append((name, k, f"says {told}"))
            failed = page.count()
        finally:
            life.end()
            page.end()
        result.cases += 1
        result.failed += failed
        unneeded = 0 if failed else unneeded + 1
        result.counts[name] = k
        k += stride
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("service", nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--allocation", type=int, default=1)
    parser.add_argument("--shutdown", type=int, default=0)
    parser.add_argument("--in-arena", action="store_true")
    parser.add_argument("--inside")
    parser.add_argument("--row", type=int, default=0)
    options = parser.parse_args()
    if options.inside:
        page = Page(options.inside, is_new=False)
        if options.shutdown:
            ask_to_end(page, options.allocation)
        else:
            Inmate(page, options).run()
        return 0
    if not options.in_arena:
        enter_arena([PYTHON, "-B", os.path.abspath(__file__), "--in-arena", *sys.argv[1:]])
    arena = Arena(options.service, cgroup=False)
    try:
        for name, text in UNITS.items():
            with open(arena.path("units/" + name), "w", encoding="ascii") as file:
                file.write(text.replace("@service@", arena.service))
        result = sweep_shutdowns(arena, options.shutdown) if options.shutdown else sweep(arena, options)
    finally:
        arena.remove()
    for name, count in result.counts.items():
        print(f"{count:5} allocations  {name}")
    for name, k, text in result.problems:
        print(f"WRONG  {name}, allocation {k}: {text}")
    print(f"{len(result.counts)} requests, {result.cases} cases, {result.failed} failed in PID 1, "
          f"{len(result.problems)} wrong")
    return bool(result.problems)


if __name__ == "__main__":
    sys.exit(main())
