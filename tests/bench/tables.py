"""Medians, spread and ratios, in Markdown."""

import statistics


def duration(ns):
    if ns < 10_000_000:
        return f"{ns / 1e6:.2f} ms"
    if ns < 10_000_000_000:
        return f"{ns / 1e6:,.0f} ms"
    return f"{ns / 1e9:,.1f} s"


def size(kb):
    return f"{kb:,.0f} KB" if kb < 10_000 else f"{kb / 1024:,.1f} MB"


def median_of(runs, what):
    values = [run.more[what] for run in runs if run.ns is not None and what in run.more]
    return statistics.median(values) if values else None


EXTRA = {
    "pss": ("PSS of all managers", size),
    "processes": ("their processes", lambda n: f"{n:.0f}"),
    "cpu": ("their CPU", duration),
    "wall": ("until the answer", duration),
    "lag": ("after the last was made", duration),
}


def table(results, extras):
    """Medians, spread and the ratio to the floor, in Markdown."""
    heads = ["init", "median", "min – max", "runs", "× floor", *(EXTRA[e][0] for e in extras)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    floor = [run.ns for run in results["floor"] if run.ns is not None]
    for name, runs in results.items():
        good = [run.ns for run in runs if run.ns is not None]
        if not good:
            why = runs[-1].why if runs else "not run"
            lines.append("| " + " | ".join([name, why, *[""] * (len(heads) - 2)]) + " |")
            continue
        middle = statistics.median(good)
        ratio = f"{middle / statistics.median(floor):.2f}" if floor else ""
        cells = [name, duration(middle), f"{duration(min(good))} – {duration(max(good))}", str(len(good)), ratio]
        for extra in extras:
            value = median_of(runs, extra)
            cells.append("" if value is None else EXTRA[extra][1](value))
        failed = [run.why for run in runs if run.ns is None]
        if failed:
            cells[0] += f" (a run {failed[0]})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
