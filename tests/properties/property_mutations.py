#!/usr/bin/env python3
"""Shows that the properties can fail: breaks one place of the code each, and expects a case of
property_tests to notice, by its name. As tests/sim/mutations.py, from which it compiles.

    property_mutations.py --build DIR [--only TEXT]
"""

import argparse
import concurrent.futures
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "sim"))
from mutations import REPOSITORY, compile_command, read  # noqa: E402

# the case, what is broken, file, text, text instead
MUTATIONS = [
    ("a printed span is read as itself", "fractions are read a digit short", "unit/values_span.cpp",
     "    unit /= 10;\n", "    unit /= 10;\n    if (unit == 1) break;\n"),
    ("a span printed with an accuracy*", "the accuracy counts for nothing", "unit/values_span.cpp",
     "std::max<Duration::rep>(accuracy.count(), 1)", "std::max<Duration::rep>(0, 1)"),
    ("a printed size is read as itself*", "an exabyte is a petabyte", "unit/values.cpp",
     'kSuffixes = "EPTGMKB"', 'kSuffixes = "PTGMKB"'),
    ("shares of all precisions agree", "a percentage may be greater than the whole", "unit/values.cpp",
     "if (!value || *value > whole) return", "if (!value) return"),
    ("a printed limit is read as itself", "a soft limit may be above the hard one", "unit/values_limit.cpp",
     "  if (*soft > *hard)", "  if (*soft > *hard && *hard == 7)"),
    ("a printed set of statuses is read as itself", "the last status is none", "unit/exit_status.cpp",
     "s <= ExitStatusSet::kLastStatus", "s < ExitStatusSet::kLastStatus"),
    ("quoted words are read as themselves", "a backslash needs no other in quotes", "unit/words.cpp",
     "(c == '\"' || c == '\\\\')) {\n      out.append(1, '\\\\')", "c == '\"') {\n      out.append(1, '\\\\')"),
    ("joined words are read as themselves*", "a quote needs no other quotes", "unit/words.cpp",
     "return retains && c == '\"' ? '\\'' : '\"';", "return '\"';"),
    ("a printed command is read as itself", 'a lone "\\\\;" is nothing special', "unit/exec_line.cpp",
     '      if (take_token(words_, "\\\\;")) {', '      if (false) {'),
    ("dollars that are doubled stay*", "a doubled dollar is two", "unit/exec_line.cpp",
     "      if (doubled) {\n        word.remove_prefix(1);", "      if (doubled) {\n        word.remove_prefix(0);"),
    ("of an environment the last assignment*", "the first assignment counts", "unit/environment.cpp",
     "    all_[at] = std::move(assignment);\n    return;", "    return;"),
    ("assignments that are printed*", "what inih trims stays away", "unit/reader.cpp",
     "return own.find(value) == std::string_view::npos ? value : own;", "return value;"),
    ("an escaped path comes back as itself", "the root is no path of its own", "unit/name.cpp",
     '  if (escaped == "-") return "/";', ""),
    ("an escaped text comes back*", "a dot in front needs no escape", "unit/name.cpp",
     "|| !is_name_char(c) || (c == '.' && i == 0))", "|| (!is_name_char(c) && c != ' '))"),
    ("%% is %*", "a doubled percent is two", "unit/specifiers.cpp", "case '%':\n", "case '~':\n"),
    ("of every directive, what show prints*", "lists are shown without quotes", "unit/directive_codecs.h",
     "  return join_words(value);", "  return join(value, \" \");"),
    ("of every directive, what show prints*", "modes are shown in decimal", "unit/directives_exec.cpp",
     '"{:04o}", config_of<ExecConfig>(unit).umask', '"{:04d}", config_of<ExecConfig>(unit).umask'),
    ("a frame is taken up to its limit*", "no limit is told", "control/frame.cpp",
     "    overflowed_ = true;", "    overflowed_ = false;"),
    ("a notification is read as it was written*", "a stop is a reload", "engine/notify_message.cpp",
     "n.message.stopping = true;", "n.message.reloading = true;"),
    ("drop-ins apply in the order of their names*", "the last file of a name counts", "unit/dropin.cpp",
     "by_name.try_emplace(item.name,", "by_name.insert_or_assign(item.name,"),
    ("a ring is broken at what is not required*", "what matters is dropped as well", "graph/transaction_cycles.cpp",
     "if (!goes.valid() && !draft_.matters(unit)) goes = unit;", "if (!goes.valid()) goes = unit;"),
    ("the engine starts units in their order*", "starts wait for nothing", "engine/job_queue.cpp",
     "blocker.value != 0) return blocker;", "blocker.value != 0 && job.type != JobType::Start) return blocker;"),
    ("the engine stops units in the reverse*", "stops wait for nothing", "engine/job_queue.cpp",
     "blocker.value != 0) return blocker;", "blocker.value != 0 && job.type != JobType::Stop) return blocker;"),
    ("spans mean what systemd-analyze*", "a month has 30 days", "unit/values_span.cpp", "2'629'800", "2'592'000"),
    ("texts and paths are escaped as systemd-escape does", "a colon is escaped", "unit/name.cpp",
     "is_alpha(c) || c == ':' || c == '-'", "is_alpha(c) || c == '-'"),
    ("settings are taken by systemd's manager*", "words of statuses may be quoted", "unit/exit_status.cpp",
     "WordReader words(value, WordFlags::None);", "WordReader words(value, kUnquoteAndUnescape);"),
    ("command lines give the commands*", "prefixes may come twice", "unit/exec_line.cpp",
     "word[0] == '@' && !command.argv0_given", "word[0] == '@'"),
]


def link_command(build):
    listed = subprocess.run(["ninja", "-C", build, "-t", "commands", "property_tests"], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    found = re.search(r"\S*[gc]\+\+\s.*-o \S*property_tests .*", listed.strip().splitlines()[-1])
    return found.group(0).split(" && ")[0]


class Mutant:
    def __init__(self, build, folder, number, mutation):
        self.case, self.what, name, self.old, self.new = mutation
        self.build = build
        self.name = name
        self.stem = os.path.join(folder, f"mutant-{number}")

    def compile(self, source, include=""):
        command = [word for word in compile_command(self.build, source)
                   if word != "-Werror" and not word.endswith("ccache")]
        command[command.index("-o") + 1] = self.stem + os.path.basename(source) + ".o"
        if not include:
            command[command.index("-c") + 1] = self.stem + ".cpp"
        command[1:1] = ([include] if include else []) + ["-w"]
        done = subprocess.run(command + ["-O1"], cwd=self.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        return "" if done.returncode == 0 else done.stdout

    def make(self):
        source = os.path.join(REPOSITORY, "src", self.name)
        text = read(source)
        if text.count(self.old) != 1:
            return f"{self.name} has {self.old!r} {text.count(self.old)} times, not once"
        text = text.replace(self.old, self.new)
        objects = []
        if self.name.endswith(".h"):  # of a header, what the rooms of the table make of it
            os.makedirs(os.path.join(self.stem, os.path.dirname(self.name)))
            with open(os.path.join(self.stem, self.name), "w") as file:
                file.write(text)
            rooms = [os.path.join(REPOSITORY, "src/unit", room) for room in ("directives_exec.cpp",)]
            problem = "".join(self.compile(room, "-I" + self.stem) for room in rooms)
            objects = [self.stem + os.path.basename(room) + ".o" for room in rooms]
        else:
            with open(self.stem + ".cpp", "w") as file:
                file.write(text)
            problem = self.compile(source)
            objects = [self.stem + os.path.basename(source) + ".o"]
        if problem:
            return problem
        command = shlex.split(link_command(self.build))
        out = command.index("-o") + 1
        command[out] = self.stem
        if self.name.endswith(".h"):
            command[out] += ".program"
        first = next(i for i, word in enumerate(command) if word.endswith(".a"))
        command[first:first] = objects
        self.program = command[out]
        done = subprocess.run(command, cwd=self.build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return "" if done.returncode == 0 else done.stdout

    def run(self):
        """Whether the case failed, and what was seen instead."""
        problem = self.make()
        if problem:
            return False, problem
        environment = {name: value for name, value in os.environ.items() if name != "ONSET_RESULT_FD"}
        done = subprocess.run([self.program, self.case.replace(",", "\\,")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, timeout=120)
        output = done.stdout.decode(errors="replace")
        if "skipped: no systemd-analyze" in output:
            return True, "nobody to ask: skipped"
        if "No test cases matched" in output or "No tests ran" in output:
            return False, "no such case"
        return done.returncode != 0, "noticed" if done.returncode != 0 else "not noticed"


def main():
    parser = argparse.ArgumentParser(description="Breaks the code, and expects the properties to notice.")
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    chosen = [m for m in MUTATIONS if options.only in m[0] + m[1]]
    failed = 0
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        mutants = [Mutant(build, folder, number, mutation) for number, mutation in enumerate(chosen)]
        for mutant, (noticed, how) in zip(mutants, pool.map(Mutant.run, mutants)):
            failed += not noticed
            print(f"{'✔' if noticed else '✘'} {mutant.case}: {mutant.what} ({how})", flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} mutations noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
