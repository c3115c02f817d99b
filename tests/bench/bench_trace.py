#!/usr/bin/python3
"""Allocation traces: heapscan's CPU time against heaptrack's own programs, on the same files in the same run.

bench_trace.py [CALLS [LIVE]]: records a program that allocates so often (twice as many events), with up to LIVE
blocks alive. From JUDGED events on the promised ratios must hold, and memory must be that of a third of the
events; below that only the figures are compared.
"""

import os
import re
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
# What may differ by chance; and what is held of the file that is read (LINES_BEHIND), which may be smaller.
MORE_MEMORY = 1.1
WINDOW = 64 << 20


def run(*command, stdin=None, runs=RUNS):
    """User and system seconds of a command, its threads and children, the best of a few runs; and the most memory
    that it had at a time, in bytes."""
    best, most = None, 0
    for _ in range(runs):
        with open(stdin or os.devnull, "rb") as i:
            child = subprocess.Popen([str(c) for c in command], stdin=i, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0, command
        spent = used.ru_utime + used.ru_stime
        best = spent if best is None else min(best, spent)
        most = max(most, used.ru_maxrss * 1024)
    return best, most


def cpu(*command, stdin=None):
    return run(*command, stdin=stdin)[0]


def heapscan(trace, db, runs=RUNS):
    return run(BUILD / "heapscan", trace, "-o", db, "--quiet", runs=runs)


def record(folder, program, calls, live):
    """The files of a run: raw, packed, interpreted, packed."""
    folder.mkdir()
    raw = heaptrack.record(folder, program, calls, live, timeout=1200)
    packed_raw = next(folder.glob("raw.raw.*"))
    interpreted = folder / "interpreted"
    heaptrack.interpret(raw, interpreted)
    packed = folder / "interpreted.zst"
    subprocess.run(["zstd", "-q", interpreted, "-o", packed], check=True)
    return raw, packed_raw, interpreted, packed


def check_memory(folder, program, calls, live, used, alive):
    """Fewer events, as many blocks alive: as much memory."""
    raw, packed_raw, _, packed = record(folder, program, calls, live)
    wrong = []
    for what, trace in (("interpreted.zst", packed), ("raw", raw), ("raw.zst", packed_raw)):
        _, fewer = heapscan(trace, folder / "x.db", runs=1)
        blocks = int(facts(folder / "x.db")["live_objects"])
        print(f"{what:16} memory: {used[what] / 1e6:6.1f} MB for {alive:,} live blocks; of a third of the events "
              f"{fewer / 1e6:6.1f} MB for {blocks:,}")
        if blocks > alive * 0.99 and used[what] > fewer * MORE_MEMORY + WINDOW:
            wrong.append(f"{what}: memory follows the events")
    return wrong


def facts(db):
    out = subprocess.run(["sqlite3", db, "SELECT key || ' ' || value FROM meta"], check=True,
                         capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in out.splitlines() if " " in line)


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else JUDGED
    live = int(sys.argv[2]) if len(sys.argv) > 2 else LIVE
    if not heaptrack.PRESENT:
        print("heaptrack is not installed: nothing to compare with")
        return 0
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-trace-") as name:
        folder = Path(name)
        program = folder / "churn"
        subprocess.run(["gcc", "-O1", "-g", "-o", program, SOURCE], check=True)
        raw, packed_raw, interpreted, packed = record(folder / "all", program, calls, live)
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
        used = {}
        for what, (ours, used[what]), who, theirs, promised in rows:
            ratio = theirs / max(ours, 0.001)
            print(f"{what:16} {events / 1e6:6.1f} M events: heapscan {ours:6.2f} s cpu, {who} "
                  f"{theirs:6.2f} s: {ratio:.1f} times")
            if promised and events >= JUDGED and ratio < RATIO:
                failed.append(f"{what}: {ratio:.1f} times as fast as {who}, not {RATIO}")
        if events >= JUDGED:
            alive = int(facts(db)["live_objects"])
            failed += check_memory(folder / "fewer", program, calls // 3, live, used, alive)
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
