#!/usr/bin/python3
"""bench_python.py OBJECTS: a Python process against a native one of as many blocks, in the same run. What was
promised: at most TIMES the processor time and TIMES the memory. Below a million objects nothing is judged.

"Memory" is the peak of what heapscan allocates, as bench.py measures it."""

import os
import sqlite3
import sys
import tempfile
from pathlib import Path

from bench import BUILD, HERE, Report, dumper, make_core, scan

TIMES = 2
JUDGED = 1_000_000
RUNS = 2


def python_core(folder, count):
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    return dumper.run(folder / "python", [sys.executable, "-S", "-E", HERE / "bigheap_python.py", str(count)],
                      Path(sys.executable).resolve(), env=env).core


def cost(core, db):
    """Phases of the run that took least of the processor; MiB at the peak."""
    runs = [scan(core, db) for _ in range(RUNS)]
    phases, peak = min(runs, key=lambda run: sum(p[2] for p in run[0]))
    return phases, peak / 1024


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    report = Report()
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        core = python_core(folder, count)
        python, python_peak = cost(core, folder / "x.db")
        with sqlite3.connect(folder / "x.db") as db:
            blocks, objects = db.execute("SELECT count(*), count(refcount) FROM object").fetchone()
            lost, = db.execute("SELECT count(*) FROM garbage").fetchone()
        core.unlink()
        core = make_core(folder / "native", blocks)
        native, native_peak = cost(core, folder / "x.db")
    assert objects > 0.8 * count and lost > count / 1000, (objects, lost)
    print(f"{objects:,} Python objects, {blocks:,} blocks; load {os.getloadavg()[0]:.1f}")
    before = {p[0]: p for p in native}
    for phase, wall, cpu, _ in python:
        if cpu >= 0.05:
            print(f"  {phase:20} {wall:8.2f} s wall {cpu:8.2f} s cpu;  native {before[phase][1]:8.2f} s wall"
                  f" {before[phase][2]:8.2f} s cpu")
    judged = count >= JUDGED
    walls, cpus = ([sum(p[i] for p in run) for run in (python, native)] for i in (1, 2))
    report.line("Python against native, processor", cpus[0] / cpus[1], "times", TIMES, judged=judged,
                note=f"  (wall: {walls[0] / walls[1]:.1f})")
    report.line("Python against native, memory", python_peak / native_peak, "times", TIMES, judged=judged,
                note=f"  ({python_peak:.0f} and {native_peak:.0f} MiB)")
    if not judged:
        print("(of so few objects nothing is judged)")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
