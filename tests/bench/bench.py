#!/usr/bin/python3
"""bench.py COUNT...: what `make bench` prints. For each count, a core of so many live blocks is made
(bigheap.c), read, analysed and stored; costs are printed as multiples of B, the seconds that one thread
takes to sum the words of the mapped core once, warm, in the same run (sum_words.c; the mean of one before
and one after). "cpu/2" is what two processors would need at least: on a busy machine it says more than
the wall.

No absolute time decides anything. What was promised is a number of B; a run fails when it takes
SLOWDOWN times as much or more (1.5; in the environment), or misses a promise about memory. Below a
million blocks, or on one processor, nothing is judged: B is a rounding error there."""

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

SLOWDOWN = float(os.environ.get("SLOWDOWN", "1.5"))
ANALYSIS = 30  # B: blocks, graph, reachability, components, dominators, retained sizes
WHOLE = 50  # B
PER_BLOCK, PER_REFERENCE = 80, 8  # bytes of memory beside the mapped dump
STORE = 6  # times the ordinary path; measured with the smallest count
LINEAR = 2.5  # times the cost per block, from the smallest count to the largest: caches end somewhere
JUDGED = 1_000_000  # blocks
# Phases of the promised analysis: blocks, references, reachability, components, dominators and retained
# sizes. Not in it: the first names of blocks, the tables made of it all, and the store.
ANALYSES = {"threads", "heap", "blocks", "references", "garbage", "graph"}
DIFF = 0.4  # of the processor time of one scan: what two of its databases take to be compared
MORE = 20  # one block in so many is new in the second
SECOND = 1.0  # of processor time: what a question to the database of JUDGED blocks or more may take
QUESTIONS = """
    - | - --format json | leaks | leaks --all | leaks --possible | leaks --type x | cycles | cycles --all | refs
    refs --all | top | top --limit 0 | top --type zero | top --by size | top --by retained | top --by module
    top --by arena | top --by site | top --by waiting | top --by age | top --by size --type zero
    top --by retained --type zero | top --by arena --type . | top --by retained --max-size 20 | top --by size --type .
    top --by retained --min-size 300 --max-size 301 | top --by retained --type . --what-if | top --by site --type . | memory | memory --segments | show #1000
    show #{middle} | show zeroes | show {address} | path #1000 | path #{middle} | path #{last} | path zeroes
    path {address} --dot | path #{middle} --format json | path #{middle} --max 20 | path #{middle} --cut
    path #{middle} --avoid nothing | path #{middle} --to-type nothing | report -o {page}
    - --baseline {db} | leaks --baseline {db} | cycles --all --baseline {db} | refs --all --baseline {db}
    refs --baseline {db} --fail-on leaks,cycles,refcount | top --by referrer | top --by dominator --type zero
    top --by type --histogram --type zero | memory --format json | show {address} --limit 0 --format json"""
QUERIES = ("SELECT count(*) FROM census", "SELECT * FROM path_to({middle})", "SELECT object_at({address} + 3)",
           "SELECT count(*) FROM retained_set((SELECT id FROM object ORDER BY retained DESC LIMIT 1))",
           "SELECT count(*) FROM referrers_of({middle}, 3)", "SELECT * FROM type_summary",
           "SELECT * FROM referent WHERE src = {middle}", "SELECT * FROM object ORDER BY size DESC LIMIT 10")


def compile_(name):
    out = BUILD / "bench" / name
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "gcc"), "-O2", "-g", "-o", out, HERE / f"{name}.c"],
                   check=True)
    return out


def make_core(folder, count, more=0):
    """With `more`, there is one of before so many blocks were added, too: in run/old."""
    program = compile_("bigheap")
    return dumper.run(folder / "run", [program, str(count), str(more)], program).core


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


class Report:
    def __init__(self):
        self.failed = []

    def line(self, what, value, unit, bound, slack=1.0, judged=True, above=False, note=""):
        bad = value * slack < bound if above else value > bound * slack
        print(f"  {what:44} {value:8.2f} {unit:6} {'at least' if above else 'at most'} {bound:g}"
              f"{note}{'  MISSED' if bad and judged else ''}")
        if bad and judged:
            self.failed.append(what)


def questions(db):
    """Every command line, as a list."""
    with sqlite3.connect(db) as connection:
        last = connection.execute("SELECT max(id) FROM object").fetchone()[0]
        address = connection.execute("SELECT address FROM object WHERE id = ?", (last // 3,)).fetchone()[0]
    words = {"middle": last // 2, "last": last, "page": db.with_suffix(".html"), "db": db}
    for line in re.split(r"[|\n]", QUESTIONS):
        if line.strip():
            name, *rest = line.format(**words, address=hex(address)).split()
            yield [db, *rest] if name == "-" else [name, db, *rest]
    for query in QUERIES:
        yield ["sql", db, query.format(**words, address=address)]


def commands(db, report, judged):
    """Processor time of each, the second time it is asked."""
    for command in questions(db):
        for _ in range(2):
            child = subprocess.Popen([BUILD / "heapscan", *command], stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            assert child.returncode == 0 or (child.returncode == 3 and "--fail-on" in command), command
        line = " ".join(str(word) for word in command if str(word) != str(db))
        report.line(f"heapscan {line}"[:44], used.ru_utime + used.ru_stime, "s cpu", SECOND, SLOWDOWN, judged)


def growth(folder, report, judged, scanned):
    """Two dumps of one process, object by object."""
    cores = list((folder / "run" / "old").iterdir())
    if len(cores) != 1:
        print("  (no core of a fork here: growth is not measured)")
        return
    core = cores[0]
    scan(core, folder / "old.db")
    core.unlink()
    child = subprocess.Popen([BUILD / "heapscan", "diff", folder / "old.db", folder / "bulk.db"],
                             stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    report.line("diff of two, to the scan of one", (used.ru_utime + used.ru_stime) / scanned, "times", DIFF,
                SLOWDOWN, judged)
    (folder / "old.db").unlink()


def measure(count, report, first):
    """One count; returns seconds of processor per block."""
    judged = count >= JUDGED and len(os.sched_getaffinity(0)) >= 2
    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        core = make_core(folder, count, count // MORE if first else 0)
        before = yardstick(core)
        phases, peak = scan(core, folder / "bulk.db")
        b = (before + yardstick(core)) / 2
        with sqlite3.connect(folder / "bulk.db") as db:
            objects = db.execute("SELECT sum(objects) FROM census").fetchone()[0]
            references = db.execute("SELECT max(rowid) FROM reference").fetchone()[0]
        size = (folder / "bulk.db").stat().st_size
        print(f"{objects:,} blocks, {references:,} references, {core.stat().st_size / 1e9:.2f} GB;"
              f" B = {b:.3f} s; {len(os.sched_getaffinity(0))} processors, load"
              f" {os.getloadavg()[0]:.1f}; database {size / 1e9:.2f} GB,"
              f" {size / objects:.0f} bytes a block")
        for phase, wall, cpu, anon in phases:
            if wall >= b / 20:
                print(f"  {phase:20} {wall / b:8.1f} B wall {cpu / 2 / b:8.1f} B cpu/2"
                      f" {anon / 1024:8.0f} MiB")

        def cost(what, names, bound):
            wall = sum(p[1] for p in phases if not names or p[0] in names) / b
            cpu = sum(p[2] for p in phases if not names or p[0] in names) / 2 / b
            report.line(what, wall, "B", bound, SLOWDOWN, judged, note=f"  (cpu/2: {cpu:.1f})")

        cost("blocks, references, graph", ANALYSES, ANALYSIS)
        cost("the whole", None, WHOLE)
        # What is there before the first block is symbols and the like: it does not grow with the heap.
        fixed = next(anon for phase, _, _, anon in phases if phase == "threads")
        report.line("memory, of 80 a block and 8 a reference",
                    100 * (peak - fixed) * 1024 / (PER_BLOCK * objects + PER_REFERENCE * references),
                    "%", 100, judged=judged, note=f"  (without {fixed / 1024:.0f} MiB that are fixed)")
        commands(folder / "bulk.db", report, judged)
        if first:
            growth(folder, report, judged, sum(p[2] for p in phases))
            (folder / "bulk.db").unlink()
            storing = sum(p[2] for p in phases if p[0] == "store")
            ordinary, _ = scan(core, folder / "ordinary.db", "--ordinary-store")
            slow = sum(p[2] for p in ordinary if p[0] == "store")
            walls = [sum(p[1] for p in run if p[0] == "store") for run in (ordinary, phases)]
            report.line("bulk store against the ordinary one", walls[0] / walls[1], "times", STORE,
                        SLOWDOWN, judged, above=True, note=f"  (cpu: {slow / storing:.1f})")
        return sum(p[2] for p in phases) / objects, judged


def main():
    counts = sorted(int(a) for a in sys.argv[1:]) or [10_000_000]
    report, costs = Report(), []
    for i, count in enumerate(counts):
        costs.append(measure(count, report, i == 0))
    if len(costs) > 1:
        report.line("cost of a block, largest count to smallest", costs[-1][0] / costs[0][0], "times",
                    LINEAR, judged=costs[0][1])
    if not all(judged for _, judged in costs):
        print("(where blocks or processors are too few, nothing is judged)")
    if report.failed:
        print("missed: " + "; ".join(report.failed))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
