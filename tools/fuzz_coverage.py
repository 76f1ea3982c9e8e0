#!/usr/bin/env python3
"""Line coverage of a target's parsers, from what llvm-cov show prints on standard input.

    llvm-cov show … | tools/fuzz_coverage.py TARGET [--lines]

A row of a table in Markdown, or the lines that were not reached. Functions that the compiler
has worked out (the rows of tables: constexpr) do not count: they are not there at run time.
"""

import re
import sys

LINE = re.compile(r"^ *(\d+)\| *([\d.]*[kMGTE]?)\|(.*)$")
ENDS = (";", "}", "{", "")


def files_in(text):
    """Path → lines of (number, count or None, source)."""
    at = "the parser"  # llvm-cov names a file only where there are several
    files = {at: []}
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            number, count, source = match.groups()
            files[at].append((int(number), count or None, source))
        elif line.startswith("/") and line.endswith(":"):
            at = line[:-1]
            files[at] = []
    return files


def is_compile_time(lines, first):
    """Whether the function whose body begins at this index is constexpr: its signature says so."""
    signature = [lines[first][2]]
    while first > 0 and lines[first - 1][1] is None and lines[first - 1][2].strip()[-1:] not in ENDS:
        first -= 1
        signature.insert(0, lines[first][2])
    return re.search(r"\bconste(xpr|val)\b", " ".join(signature)) is not None


def counted(lines):
    """(number, reached, source) of the lines that count."""
    skipping = False
    for i, (number, count, source) in enumerate(lines):
        if count != "0":
            skipping = False
        elif i == 0 or lines[i - 1][1] != "0" or lines[i - 1][2].startswith("}"):
            skipping = is_compile_time(lines, i)
        if count is not None and not skipping:
            yield number, count != "0", source


def main():
    target, wants_lines = sys.argv[1], "--lines" in sys.argv
    total = reached = 0
    low = []
    for path, lines in files_in(sys.stdin.read()).items():
        here = list(counted(lines))
        of_file = sum(hit for _, hit, _ in here)
        total, reached = total + len(here), reached + of_file
        name = path.split("/src/")[-1]
        if here and of_file < 0.95 * len(here):
            low.append(f"`{name}` {100 * of_file / len(here):.1f} %")
        if wants_lines:
            for number, hit, source in here:
                if not hit:
                    print(f"{name}:{number}: {source}")
    if not wants_lines:
        share = 100 * reached / max(total, 1)
        print(f"| `{target}` | {total} | {reached} | {share:.1f} % | {', '.join(low)} |")


if __name__ == "__main__":
    main()
