#!/usr/bin/python3
"""Allocation traces: heapscan's CPU time against heaptrack's own programs, on the same files in the same run.

bench_trace.py [CALLS]: records a program that allocates so often (twice as many events). From JUDGED events on
the promised ratios must hold; below that only the figures are compared.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import heaptrack  # noqa: E402

BUILD = Path(os.environ.get("BUILD", "build")).resolve()
SOURCE = Path(__file__).with_name("churn.c")
RATIO = 2.0
JUDGED = 10_000_000
LIVE = 200_000
RUNS = 2


def cpu(*command, stdin=None, stdout=subprocess.DEVNULL):
    """User and system seconds of a command, its threads and children; the best of a few runs."""
    best = None
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(stdin or os.devnull, "rb") as i:
            subprocess.run([str(c) for c in command], stdin=i, stdout=stdout, check=True,
                           stderr=subprocess.DEVNULL, timeout=600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        best = spent if best is None else min(best, spent)
    return best


def heapscan(trace, db):
    return cpu(BUILD / "heapscan", trace, "-o", db, "--quiet")


def facts(db):
    out = subprocess.run(["sqlite3", db, "SELECT key || ' ' || value FROM meta"], check=True,
                         capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in out.splitlines() if " " in line)


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else JUDGED
    if not heaptrack.PRESENT:
        print("heaptrack is not installed: nothing to compare with")
        return 0
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as name:
        folder = Path(name)
        program = folder / "churn"
        subprocess.run(["gcc", "-O1", "-g", "-o", program, SOURCE], check=True)
        raw = heaptrack.record(folder, program, calls, LIVE, timeout=1200)
        packed_raw = next(folder.glob("raw.raw.*"))
        interpreted = folder / "interpreted"
        heaptrack.interpret(raw, interpreted)
        packed = folder / "interpreted.zst"
        subprocess.run(["zstd", "-q", interpreted, "-o", packed], check=True)
        events = int(subprocess.run(["grep", "-c", "^[+-] ", interpreted], check=True,
                                    capture_output=True).stdout)
        db = folder / "x.db"
        unpack = f"zstd -dc {packed_raw} | {heaptrack.INTERPRET}"
        rows = [
            ("interpreted.zst", heapscan(packed, db), "heaptrack_print",
             cpu("heaptrack_print", packed, "-s", "0"), True),
            ("raw", heapscan(raw, folder / "r.db"), "heaptrack_interpret",
             cpu(heaptrack.INTERPRET, stdin=raw), True),
            ("raw.zst", heapscan(packed_raw, folder / "r.db"), "zstd | heaptrack_interpret",
             cpu("sh", "-c", unpack), False),
        ]
        for what, ours, who, theirs, promised in rows:
            ratio = theirs / max(ours, 0.001)
            print(f"{what:16} {events / 1e6:6.1f} M events: heapscan {ours:6.2f} s cpu, {who} "
                  f"{theirs:6.2f} s: {ratio:.1f} times")
            if promised and events >= JUDGED and ratio < RATIO:
                failed.append(f"{what}: {ratio:.1f} times as fast as {who}, not {RATIO}")
        mine, theirs = facts(db), heaptrack.summary(packed)
        raw_facts = facts(folder / "r.db")
        if mine["allocations"] != theirs["allocations"]:
            failed.append(f"{mine['allocations']} allocations, not {theirs['allocations']}")
        for key in ("allocations", "live_bytes", "peak_bytes", "live_objects"):
            if mine[key] != raw_facts[key]:
                failed.append(f"{key}: {mine[key]} interpreted, {raw_facts[key]} raw")
        if not re.fullmatch(r"\d+", mine["peak_bytes"]):
            failed.append("no peak")
    for line in failed:
        print(f"FAILED {line}")
    return 1 if failed else 0


sys.exit(main())
