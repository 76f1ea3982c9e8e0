#!/usr/bin/env python3
"""Runs the suites of tools/test and counts test cases.

A suite is the layer check, a test program that CTest knows, a file
tests/integration/*_test.py or tests/vm/*_test.py, or a short run of the fuzzers. Each runs in a
process group of its own with a deadline; what it prints is shown when it fails. A case that was
skipped is neither; the line before the last is "skipped: N" with every reason and how often it
was one, the last "N passed, N failed".

Of a build with sanitizers, onset itself runs sanitized in the integration tests. What it reports
goes to a folder of the run, out of its namespaces; a report is a failure of the test that it came
in, whatever that test found of its own.
"""

import argparse
import atexit
import collections
import functools
import json
import os
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEADLINE = 900  # seconds for one suite
RESULT_FD = "ONSET_RESULT_FD"
REPORTS = "ONSET_SANITIZER_REPORTS"  # the folder


class Suite:
    def __init__(self, name, command, folder=REPOSITORY, environment=None, count=None):
        self.name = name
        self.command = command
        self.folder = folder
        self.environment = environment or {}
        self.count = count or count_by_exit


class Outcome:
    def __init__(self, passed=0, failed=0, reasons=(), note=""):
        self.passed, self.failed, self.note = passed, failed, note
        self.reasons = list(reasons)  # why a case was skipped, one for each


def count_by_exit(output, status, _result):
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, note=how_it_ended(status))


def how_it_ended(status):
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
SUMMARY = re.compile(r"^test cases:(.*)$", re.M)
PART = re.compile(r"(\d+) (passed|failed as expected|failed|skipped)")


def count_catch(output, status, result):
    """Catch2's summary, which has skipped cases as passed: they come by the result (os_world.h).
    A program that dies on the way is one more failure."""
    summary = SUMMARY.findall(output)
    good = ALL_PASSED.findall(output)
    if summary:
        parts = {what: int(number) for number, what in PART.findall(summary[-1])}
        outcome = Outcome(parts.get("passed", 0) + parts.get("failed as expected", 0), parts.get("failed", 0))
    elif good:
        outcome = Outcome(int(good[-1]))
    elif "No tests ran" in output:
        return Outcome(failed=1, note="no test ran")
    else:
        return count_by_exit(output, status, result)
    if status != 0 and outcome.failed == 0:
        outcome.failed, outcome.note = 1, how_it_ended(status)
    skipped = {}  # a case that leaves several sections is one
    for line in result.splitlines():
        if line.startswith("skipped\t"):
            _, case, why = line.split("\t")
            skipped.setdefault(case, why)
    outcome.reasons = list(skipped.values())
    outcome.passed = max(0, outcome.passed - len(skipped))
    return outcome


def count_unittest(output, status, result):
    if not result:
        return Outcome(failed=1, note=f"no result, {how_it_ended(status)}")
    found = json.loads(result)
    outcome = Outcome(found["passed"], found["failed"], found["reasons"])
    if outcome.passed + outcome.failed + len(outcome.reasons) == 0:
        outcome.failed, outcome.note = 1, "no test ran"
    elif status != 0 and outcome.failed == 0:
        outcome.failed, outcome.note = 1, how_it_ended(status)
    return outcome


# ---- finding ---------------------------------------------------------------------------------


def layer_suites():
    check = os.path.join(REPOSITORY, "tools", "check-layers")
    return [Suite("layers: rules of the check", [check, "--self-test"]), Suite("layers: src", [check])]


def program_suites(build):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], stdout=subprocess.PIPE, check=True)
    suites = []
    for test in json.loads(listing.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        environment.update(staged(build))
        if not test.get("command"):
            suites.append(Suite("unit: " + test["name"], ["false"]))  # its program was not built
            continue
        suites.append(Suite("unit: " + test["name"], test["command"], properties.get("WORKING_DIRECTORY", build),
                            environment, count_catch))
    return suites


# What older kernels do not have and the profiles of container runtimes refuse: with either errno
# (tests/support/seccomp_shim.py). The suite of a plain run that is repeated so.
REFUSED = ("clone3,pidfd_open,pidfd_send_signal,close_range,openat2,faccessat2,statx,execveat,mount_setattr,"
           "cgroup-write")
FILTERED = "manager_test.py"
NEVER_FILTERED = "sweep_test.py"  # it refuses calls itself


def integration_suites(build, filtered):
    """`filtered`: an errno; all of them under the filter, and one with each call of it alone."""
    folder = os.path.join(REPOSITORY, "tests", "integration")
    environment = {"ONSET": os.path.join(build, "onset"), "ONSET_BUILD_DIR": build, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.update(staged(build))
    environment.update(sanitizer_reports() if is_sanitized(build) else {})

    def suite(name, errno=None, refused=REFUSED):
        title = "integration: " + name[: -len("_test.py")]
        if not errno:
            variables = environment
        else:
            title += f", {'' if refused == REFUSED else refused + ' '}filtered with {errno}"
            variables = {**environment, "ONSET_TEST_REFUSES": f"{refused} {errno}"}
        return Suite(title, [sys.executable, os.path.abspath(__file__), "--unittest", os.path.join(folder, name)],
                     folder, variables, count_unittest)

    names = sorted(name for name in os.listdir(folder) if name.endswith("_test.py"))
    if filtered:
        # With clone3 there and pidfd_send_signal not, say: the ways that all together hide.
        return ([suite(name, filtered) for name in names if name != NEVER_FILTERED]
                + [suite(FILTERED, filtered, call) for call in REFUSED.split(",")])
    return [suite(name) for name in names] + [suite(FILTERED, errno) for errno in ("ENOSYS", "EPERM")]


def vm_suites(build):
    """Guests. What they are made of is made first, as a suite: it takes packages."""
    folder = os.path.join(REPOSITORY, "tests", "vm")
    environment = {"ONSET": os.path.join(build, "onset"), "ONSET_BUILD_DIR": build, "PYTHONDONTWRITEBYTECODE": "1"}
    names = sorted(name for name in os.listdir(folder) if name.endswith("_test.py"))
    return [Suite("vm: guests are made", [os.path.join(REPOSITORY, "tools", "vm"), "make"], environment=environment)] + [
        Suite("vm: " + name[: -len("_test.py")],
              [sys.executable, os.path.abspath(__file__), "--unittest", os.path.join(folder, name)],
              folder, environment, count_unittest) for name in names]


def fuzz_suites(build):
    """Each target's corpus and two seconds on from there. tools/fuzz builds them: a compiler and
    a folder of their own."""
    return [Suite("fuzz", [os.path.join(REPOSITORY, "tools", "fuzz"), "all", "2"],
                  environment={"ONSET_BUILD_DIR": build}, count=count_fuzz)]


FUZZED = re.compile(r"^ (?:✔|✘) (\w+): .*$", re.M)
NO_CLANG = 77


def count_fuzz(output, status, result):
    """A target is a case."""
    if status == NO_CLANG:
        return Outcome(reasons=["there is no clang to build the fuzzers with"])
    lines = FUZZED.findall(output)
    crashed = output.count("✘")
    if not lines or (status != 0) != (crashed > 0):
        return count_by_exit(output, status or 1, result)
    return Outcome(len(lines) - crashed, crashed)


# ---- what ordinary users run -----------------------------------------------------------------


def all_may_enter(folder):
    while os.stat(folder).st_mode & stat.S_IXOTH:
        if folder == os.path.dirname(folder):
            return True
        folder = os.path.dirname(folder)
    return False


@functools.cache
def staged(build):
    """The environment that tells the tests where onset and their programs are, when other users
    may not enter the folder of the clone, as below /root: copies, for the time of this run."""
    if all_may_enter(build) and all_may_enter(REPOSITORY):
        return {}
    stage = tempfile.mkdtemp(prefix="onset-stage.")
    atexit.register(shutil.rmtree, stage, ignore_errors=True)
    os.chmod(stage, 0o755)
    programs = {"ONSET": os.path.join(build, "onset"), "ONSET_PROBE": os.path.join(build, "tests", "probe")}
    environment = {"ONSET_SUPPORT": os.path.join(stage, "support")}
    shutil.copytree(os.path.join(REPOSITORY, "tests", "support"), environment["ONSET_SUPPORT"])
    for variable, program in programs.items():
        environment[variable] = os.path.join(stage, os.path.basename(program))
        if os.path.exists(program):
            shutil.copy2(program, environment[variable])
    return environment


# ---- a sanitized onset -----------------------------------------------------------------------


def is_sanitized(build):
    try:
        with open(os.path.join(build, "CMakeCache.txt")) as cache:
            return "ONSET_SANITIZE:BOOL=ON\n" in cache.read()
    except FileNotFoundError:
        return False


@functools.cache
def sanitizer_reports():
    """The environment that makes every report a file, and the end of the process. Its leaks an
    init leaves to the kernel, and LeakSanitizer wants to trace, which no service may."""
    folder = tempfile.mkdtemp(prefix="onset-reports.")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o1777)  # any user's process may report
    options = f"log_path={folder}/report:halt_on_error=1"
    return {REPORTS: folder, "ASAN_OPTIONS": f"{options}:detect_leaks=0",
            "UBSAN_OPTIONS": f"{options}:print_stacktrace=1"}


def take_reports():
    """What has come since the last call; in the process of an integration file."""
    folder = os.environ.get(REPORTS)
    texts = []
    for name in sorted(os.listdir(folder)) if folder else []:
        with open(os.path.join(folder, name), errors="replace") as file:
            texts.append(file.read())
        os.remove(os.path.join(folder, name))
    return "\n".join(texts)


# ---- running ---------------------------------------------------------------------------------


def run(suite):
    """Returns what it printed, its status (negative: a signal) and its own result."""
    result_read, result_write = os.pipe()
    output_read, output_write = os.pipe()
    environment = dict(os.environ, **suite.environment, **{RESULT_FD: str(result_write)})
    process = subprocess.Popen(suite.command, cwd=suite.folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=output_write, stderr=output_write, pass_fds=[result_write],
                               start_new_session=True)
    os.close(result_write)
    os.close(output_write)
    ended = os.pidfd_open(process.pid)
    texts = {output_read: bytearray(), result_read: bytearray()}
    end = time.monotonic() + DEADLINE
    late = False
    waiting = {output_read, result_read, ended}
    # A process that a test leaves behind may hold the pipes open: the suite ends with its program.
    while ended in waiting:
        left = end - time.monotonic()
        ready, _, _ = select.select(list(waiting), [], [], max(0, left))
        if not ready:
            late = True
            os.killpg(process.pid, signal.SIGKILL)
            end += 10
        for source in ready:
            if source == ended:
                waiting.discard(ended)
            elif not take(source, texts[source]):
                waiting.discard(source)
    for source in texts:
        os.set_blocking(source, False)
        while take(source, texts[source]):
            pass
        os.close(source)
    os.close(ended)
    status = process.wait()
    output = texts[output_read].decode(errors="replace")
    if late:
        output += f"\nended after {DEADLINE} s\n"
    return output, status, texts[result_read].decode(errors="replace")


def take(source, text):
    try:
        piece = os.read(source, 65536)
    except BlockingIOError:
        return False
    text += piece
    return bool(piece)


def run_all(suites):
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    red, green, dim, off = ("\033[1;31m", "\033[32m", "\033[2m", "\033[0m") if colours else ("",) * 4
    passed = failed = 0
    reasons = collections.Counter()
    broken = []
    for suite in suites:
        begin = time.monotonic()
        print(f"   {suite.name} … ", end="", flush=True)
        output, status, result = run(suite)
        outcome = suite.count(output, status, result)
        passed += outcome.passed
        failed += outcome.failed
        reasons.update(outcome.reasons)
        words = f"{outcome.passed} passed"
        if outcome.failed:
            words += f", {red}{outcome.failed} failed{off}"
        if outcome.reasons:
            words += f", {len(outcome.reasons)} skipped"
        if outcome.note:
            words += f" ({outcome.note})"
        mark = f"{red}✘{off}" if outcome.failed else f"{green}✔{off}"
        print(f"{mark} {words} {dim}{time.monotonic() - begin:.1f} s{off}", flush=True)
        if outcome.failed:
            broken.append(suite.name)
            print(output.rstrip(), flush=True)
    if broken:
        print(f"{red}failed:{off} " + "; ".join(broken))
    if not (passed or failed or reasons):
        print("no test matches")
    print("; ".join([f"skipped: {reasons.total()}"] + [f"{why} ({times})" for why, times in reasons.most_common()]))
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


# ---- one integration file, in its own process --------------------------------------------------


class CountingResult(unittest.TextTestResult):
    """Counts test methods: one with three failing subtests is one failure, one with a skipped
    subtest is skipped."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.bad = set()
        self.good = set()
        self.reasons = {}

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good.add(test.id())

    def addError(self, test, err):
        super().addError(test, err)
        self.bad.add(test.id())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.add(test.id())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        # A subtest's own name ends in its parameters.
        self.reasons.setdefault(getattr(test, "test_case", test).id(), reason)

    def stopTest(self, test):
        found = take_reports()
        if found:
            self.addFailure(test, (AssertionError, AssertionError("onset's sanitizer reports:\n" + found), None))
        super().stopTest(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad.add(test.id())

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.good.add(test.id())

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.bad.add(test.id())


def run_unittest(path):
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.basename(path)[: -len(".py")]
    tests = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(verbosity=2, resultclass=CountingResult).run(tests)
    late = take_reports()
    if late:
        print("onset's sanitizer reports, after the last test:\n" + late, file=sys.stderr)
        result.bad.add("after the last test")
    skipped = result.reasons.keys() - result.bad
    counts = {"passed": len(result.good - result.bad - skipped), "failed": len(result.bad),
              "reasons": [result.reasons[test] for test in sorted(skipped)]}
    os.write(int(os.environ[RESULT_FD]), json.dumps(counts).encode())
    return 1 if result.bad else 0


def main():
    parser = argparse.ArgumentParser(description="Runs the suites of tools/test.")
    parser.add_argument("--build", default=os.path.join(REPOSITORY, "build"))
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("--integration", action="store_true")
    parser.add_argument("--vm", action="store_true")
    parser.add_argument("--fuzz", action="store_true")
    parser.add_argument("--filtered", metavar="ERRNO")
    parser.add_argument("--unittest", metavar="FILE")
    options = parser.parse_args()
    if options.unittest:
        sys.exit(run_unittest(options.unittest))
    # In the background of a script these are ignored, and would be for every program of a test.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    build = os.path.abspath(options.build)
    suites = []
    if options.layers:
        suites += layer_suites()
    if options.programs:
        suites += program_suites(build)
    if options.integration:
        suites += integration_suites(build, options.filtered)
    if options.vm:
        suites += vm_suites(build)
    if options.fuzz:
        suites += fuzz_suites(build)
    suites = [suite for suite in suites if options.only in suite.name]
    if options.list:
        print("\n".join(suite.name for suite in suites))
        return
    sys.exit(run_all(suites))


if __name__ == "__main__":
    main()
