#!/usr/bin/python3
"""bench.py COUNT: what `make bench` prints. A core of COUNT live blocks is made (bigheap.c), read,
analysed and stored; costs are printed as multiples of B, the seconds that one thread takes to sum the
words of the mapped core once, warm, in the same run (sum_words.c). No absolute time decides anything:
the ratios that were promised do, and the memory. They are for two processors or more, and for a count at
which B is no rounding error: below a million blocks they are printed and not judged."""

import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("BUILD", "build")).resolve()
sys.path.insert(0, str(HERE.parent / "e2e"))

import dump as dumper  # noqa: E402

ANALYSIS = 30  # B: blocks, graph, reachability, components, dominators, retained sizes
WHOLE = 50  # B
PER_BLOCK, PER_REFERENCE = 80, 8  # bytes of memory beside the mapped dump
STORE = 6  # times the ordinary path
# What of the run is neither analysis nor store.
STORING = {"store"}
READING = {"open", "binaries"}


def compile_(name):
    out = BUILD / "bench" / name
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-g", "-o", out, HERE / f"{name}.c"],
                   check=True)
    return out


def make_core(folder, count):
    program = compile_("bigheap")
    truth = folder / "run"
    dump = dumper.run(truth, [program, str(count)], program)
    return dump.core


def yardstick(core):
    return float(subprocess.run([compile_("sum_words"), core], check=True, capture_output=True,
                                text=True).stdout)


def anonymous(pid):
    """KiB of anonymous memory of a process: the mapped dump is not its own."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"RssAnon:\s+(\d+)", text)
    return int(found.group(1)) if found else 0


def scan(core, db, *options):
    """Its phases (name, wall, cpu, KiB), and its peak of anonymous memory in KiB."""
    with tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen([BUILD / "heapscan", core, "-o", db, "--timing", *options],
                                 stdout=subprocess.DEVNULL, stderr=err)
        peak = 0
        while child.poll() is None:
            peak = max(peak, anonymous(child.pid))
            time.sleep(0.01)
        err.seek(0)
        said = err.read()
    assert child.returncode == 0, said
    phases = [(name, float(wall), float(cpu), int(anon)) for name, wall, cpu, anon in re.findall(
        r"^timing: (.+?)\s+wall\s+([\d.]+) s\s+cpu\s+([\d.]+) s\s+anon\s+(\d+) KiB", said, re.M)]
    assert phases, f"no timing: {said}"
    return phases, max(peak, *(p[3] for p in phases))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    judged = count >= 1_000_000 and len(os.sched_getaffinity(0)) >= 2
    failed = []

    def line(what, value, bound, unit, above=False):
        bad = value < bound if above else value > bound
        print(f"{what:44} {value:8.1f} {unit:12} {'at least' if above else 'at most'} {bound}"
              f"{'  MISSED' if bad else ''}")
        if bad:
            failed.append(what)

    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        core = make_core(folder, count)
        b = yardstick(core)
        phases, peak = scan(core, folder / "bulk.db")
        print(f"{count} blocks, {core.stat().st_size / 1e9:.2f} GB, B = {b:.3f} s,"
              f" {len(os.sched_getaffinity(0))} processors")
        for phase, wall, cpu, anon in phases:
            print(f"  {phase:20} {wall / b:8.1f} B wall {cpu / b:8.1f} B cpu {anon / 1024:10.0f} MiB")
        with sqlite3.connect(folder / "bulk.db") as db:
            objects = db.execute("SELECT count(*) FROM object").fetchone()[0]
            references = db.execute("SELECT count(*) FROM reference").fetchone()[0]
        storing = sum(p[1] for p in phases if p[0] in STORING)
        reading = sum(p[1] for p in phases if p[0] in READING)
        whole = sum(p[1] for p in phases)
        line("blocks, graph, analyses", (whole - storing - reading) / b, ANALYSIS, "B")
        line("the whole", whole / b, WHOLE, "B")
        budget = PER_BLOCK * objects + PER_REFERENCE * references
        line("memory, of 80 a block and 8 a reference", 100 * peak * 1024 / budget, 100, "%")
        (folder / "bulk.db").unlink()
        ordinary, _ = scan(core, folder / "ordinary.db", "--ordinary-store")
        slow = sum(p[1] for p in ordinary if p[0] in STORING)
        line("bulk store against the ordinary one", slow / storing, STORE, "times", above=True)
    if not judged:
        print("(too few blocks or processors to judge)")
        return 0
    return 1 if failed else 0


sys.exit(main())
