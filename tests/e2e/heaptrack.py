"""Records with heaptrack, asks its own tools, and reads its files in the plainest way."""

import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

INTERPRET = next((p for p in map(Path, ("/usr/lib/heaptrack/libexec/heaptrack_interpret",
                                        "/usr/libexec/heaptrack/heaptrack_interpret"))
                  if p.exists()), None)
PRESENT = bool(shutil.which("heaptrack") and shutil.which("heaptrack_print") and INTERPRET)
# heaptrack_print's flame graphs begin at the first of these from the inside.
STOP = {"main", "__libc_start_main", "__static_initialization_and_destruction_0"}


def record(folder, *command, timeout=120):
    """The raw file, plain, of a run under heaptrack."""
    out = folder / "raw"
    subprocess.run(["heaptrack", "-r", "-o", out, *map(str, command)], check=True, timeout=timeout,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "DEBUGINFOD_URLS": ""})
    return unpack(next(folder.glob("raw.raw.*")))


def unpack(path):
    plain = path.with_suffix("")
    tool = "zstd" if path.suffix == ".zst" else "gzip"
    with plain.open("wb") as f:
        subprocess.run([tool, "-dc", path], check=True, stdout=f)
    return plain


def interpret(raw, out):
    """The interpreted file, and the figures that the interpreter tells."""
    with raw.open("rb") as i, out.open("wb") as o:
        done = subprocess.run([INTERPRET], stdin=i, stdout=o, stderr=subprocess.PIPE, check=True,
                              timeout=120)
    told = dict(re.findall(r"^\s+(\w+) ?(?:allocations)?:\s+(\d+)", done.stderr.decode(), re.M))
    return {k: int(v) for k, v in told.items()}


def summary(path):
    """Exact sums, by its library of numbers: calls and temporary; peak and leaks are rounded."""
    out = subprocess.run(["heaptrack_print", path, "-p0", "-a0", "-T0"], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    text = out.stdout.decode(errors="replace")
    return {key: re.search(pattern, text).group(1) for key, pattern in {
        "allocations": r"calls to allocation functions: (\d+)",
        "temporary": r"temporary memory allocations: (\d+)",
        "peak": r"peak heap memory consumption: (\S+)",
        "leaked": r"total memory leaked: (\S+)"}.items()}


def human(n):
    """Bytes as heaptrack_print writes them."""
    units = ["B", "K", "M", "G", "T"]
    k = 0
    n = float(n)
    while n >= 1000 and k < len(units) - 1:
        n /= 1000
        k += 1
    return f"{n:.2f}{units[k]}" if k else f"{n:.0f}B"


def paths(path, cost, folder):
    """heaptrack_print's own figures, one for each call path: {("main (a.c)", ...): cost}."""
    out = folder / f"folded.{cost}"
    subprocess.run(["heaptrack_print", path, "-p0", "-a0", "-T0", "-t0", "-F", out,
                    "--flamegraph-cost-type", cost], check=True, timeout=120,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Counter()
    for line in out.read_text(errors="replace").splitlines():
        frames, _, number = line.rpartition(" ")
        found[key(frames.split(";"))] += int(number)
    return {k: v for k, v in found.items() if v}


TOPS = {"allocations": ("-a1", r"(?P<cost>\S+) calls to allocation functions with \S+ peak consumption from"),
        "peak_bytes": ("-p1", r"(?P<cost>\S+) peak memory consumed over (?P<calls>\d+) calls from"),
        "live_bytes": ("-l1", r"(?P<cost>\S+) leaked over (?P<calls>\d+) calls from"),
        "temporary": ("-T1", r"(?P<cost>\S+) temporary allocations of (?P<calls>\d+) allocations in total .* from")}


def top(path, column, n=1_000_000):
    """heaptrack_print's list of places, those of no cost too: [(cost as it is written, calls, place)]"""
    flag, pattern = TOPS[column]
    flags = [f for f in ("-p0", "-a0", "-T0", "-l0") if f[:2] != flag[:2]]
    out = subprocess.run(["heaptrack_print", path, flag, *flags, f"-n{n}", "-s0", "-m1", "-t0"], check=True,
                         timeout=120, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [(m["cost"], int(m.groupdict().get("calls") or m["cost"]),
             # Functions without a name are one for each binary, and those of no binary.
             (None if m["function"].startswith("0x") else m["function"], m["file"],
              None if m["module"] == "??" else m["module"]))
            for m in re.finditer(rf"(?m)^{pattern}\n(?P<function>.*)\n(?:  at (?P<file>.*)\n)?"
                                 r"(?:  in (?P<module>.*)\n)?", out.stdout.decode(errors="replace"))]


def is_allocator(function):
    return re.match(r"(malloc|calloc|realloc|operator new)\b", function or "")


def by_place(db, column):
    """Ours: {place: cost}, {place: calls}"""
    cost, calls = Counter(), Counter()
    for function, file, line, module, own, n, suppressed in db.rows(
            f"SELECT function, file, line, module, {column}, allocations, suppressed FROM site"):
        at = function, f"{file}:{line or 0}" if file else None, module
        calls[at] += n or 0
        cost[at] += own if own and not (suppressed and column == "live_bytes") else 0
    return cost, calls


def mistaken(path):
    """Frees that heaptrack_print takes for temporary: of kind 0, after another free."""
    wrong, last = 0, 0
    for line in path.open(errors="replace"):
        if line.startswith("+ "):
            last = int(line[2:], 16)
            after_free = False
        elif line.startswith("- "):
            if last == 0 and int(line[2:], 16) == 0 and after_free:
                wrong += 1
            last, after_free = 0, True
    return wrong


def key(frames):
    """A call path without allocation functions, of which we leave out more at the inner end (malloc as it
    was inlined, operator new with alignment) than heaptrack_print does; sorted, since that writes the
    functions that were inlined at one address the wrong way round."""
    return tuple(sorted(f for f in frames if f and not is_allocator(f)))


class Replay:
    """A raw file, event by event, in a dictionary."""

    def __init__(self, path):
        self.live, self.stacks, self.allocations, self.peak = {}, [(0, 0)], 0, 0
        live = 0
        began = False
        for line in path.open(errors="replace"):
            # The arguments may have line breaks: events come behind the modules.
            if line.startswith("m "):
                began = True
            if not began:
                continue
            word = line.split()
            if line.startswith("t "):
                self.stacks.append((int(word[1], 16), int(word[2], 16)))
            elif line.startswith("+ "):
                size, stack, address = (int(w, 16) for w in word[1:4])
                live -= self.live.get(address, (0, 0))[0]
                self.live[address] = (size, stack)
                live += size
                self.allocations += 1
                self.peak = max(self.peak, live)
            elif line.startswith("- "):
                live -= self.live.pop(int(word[1], 16), (0, 0))[0]


def own_paths(db, column, leaks=False):
    """Our figures in the same form."""
    node = {}
    found = defaultdict(int)
    for i, parent, function, file, address, own, suppressed in db.rows(
            f"SELECT id, parent_id, function, file, address, {column}, suppressed FROM site"):
        name = function or (f"0x{address:x}" if address else "0x0")
        node[i] = (parent, function,
                   f"{name} ({os.path.basename(file)})" if file else name)
        if not own or (leaks and suppressed):
            continue
        path, at = [], i
        while at:
            above, plain, text = node[at]
            path.append(text)
            if plain in STOP:
                break
            at = above
        found[key(path)] += own
    return dict(found)
