"""Records heap profiles with jemalloc and gperftools, and asks jeprof and google-pprof for every call path."""

import os
import re
import shutil
import subprocess
from collections import Counter

from build import BUILD, TOP, run_compiler

JEMALLOC, TCMALLOC = "libjemalloc.so.2", "libtcmalloc.so.4"
# column of `site`: what the tools call it
MODES = {"live_bytes": "inuse_space", "live_objects": "inuse_objects",
         "allocated_bytes": "alloc_space", "allocations": "alloc_objects"}


def tool(recorder):
    return "jeprof" if recorder.startswith("jemalloc") else "google-pprof"


def present(recorder):
    library = JEMALLOC if recorder.startswith("jemalloc") else TCMALLOC
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    return shutil.which(tool(recorder)) and library in known


def jemalloc(folder, command, sample):
    """One block in 2^sample bytes; 0: all."""
    conf = (f"prof:true,prof_final:true,prof_accum:true,lg_prof_sample:{sample},"
            f"prof_prefix:{folder}/je")
    subprocess.run(list(map(str, command)), check=True, timeout=120, stdin=subprocess.DEVNULL,
                   capture_output=True,
                   env={**os.environ, "LD_PRELOAD": JEMALLOC, "MALLOC_CONF": conf})
    (found,) = folder.glob("je.*.heap")
    return found


def gperftools(folder, command, _):
    subprocess.run(list(map(str, command)), check=True, timeout=120, stdin=subprocess.DEVNULL,
                   capture_output=True,
                   env={**os.environ, "LD_PRELOAD": TCMALLOC, "HEAPPROFILE": f"{folder}/gp"})
    (found,) = folder.glob("gp.*.heap")
    return found


def program(name):
    """One of the tests' own, with symbols."""
    source = {"churn": "tests/bench/churn.c", "traced": "tests/programs/traces/traced.c"}[name]
    out = BUILD / "traces" / name
    if not out.exists() or out.stat().st_mtime < (TOP / source).stat().st_mtime:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_suffix(f".{os.getpid()}")
        run_compiler(["gcc", "-g", "-O1", "-w", "-o", str(part), str(TOP / source)])
        part.rename(out)
    return out


def functions(binary):
    """Names of what is defined in a binary."""
    out = subprocess.run(["nm", "--defined-only", binary], check=True, capture_output=True, text=True)
    return {line.split()[2] for line in out.stdout.splitlines() if line.split()[1] in "tT"}


def ask(recorder, profile, binary, *options):
    done = subprocess.run([tool(recorder), "--show_bytes", *options, binary, profile], timeout=120,
                          capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"})
    return done.stdout.decode(errors="replace").splitlines()


def paths(recorder, profile, binary, column):
    """[(frames from the outside in, figure cut off to an integer)], one for each stack of addresses."""
    found = []
    for line in ask(recorder, profile, binary, "--collapsed", f"--{MODES[column]}"):
        frames, _, number = line.rpartition(" ")
        # Where a name has several addresses these stand behind it.
        found.append((tuple(re.sub(r"<[0-9a-f]{16}>$", "", f) for f in frames.split(";")), int(number)))
    return found


def by_function(recorder, profile, binary, column):
    """{function: (of its own, with all that it called)}"""
    found = {}
    for line in ask(recorder, profile, binary, "--text", "--functions", f"--{MODES[column]}"):
        m = re.match(r" *(\d+) +[\d.]+% +[\d.]+% +(\d+) +[\d.]+% (\S+) *$", line)
        if m:
            found[m[3]] = int(m[1]), int(m[2])
    return found


class Maps:
    """MAPPED_LIBRARIES of a profile."""

    def __init__(self, profile):
        self.rows = []
        before = None
        for line in profile.read_text(errors="replace").partition("MAPPED_LIBRARIES:")[2].splitlines():
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +(/.*)", line)
            if not m:
                continue
            start, end, offset = (int(m[i], 16) for i in (1, 2, 3))
            base = before[3] if before and before[2] == m[4] and offset else start - offset
            # A program that is no PIE lies where it was linked to.
            base = base if base >= 0x8000000 else 0
            before = (start, end, m[4], base)
            self.rows.append(before)

    def place(self, address):
        """(file, address in the file)"""
        for start, end, path, base in self.rows:
            if start <= address < end:
                return path, address - base
        return None, address


def without_names(profile, out):
    """The same profile of binaries that are not to be had."""
    head, mark, maps = profile.read_bytes().partition(b"MAPPED_LIBRARIES:")
    out.write_bytes(head + mark + re.sub(rb"(?m) /(?=.)", b" /gone/", maps))
    return out


def place_path(recorder, maps, frames):
    """The recorder's own frames, which are the innermost ones, left out."""
    at = [int(f, 16) for f in frames if f]
    # They take one off return addresses, but for the innermost.
    if at:
        at[-1] -= 1
    path = [maps.place(a) for a in at]
    while path and re.search(r"/lib(jemalloc\.|tcmalloc)", path[-1][0] or ""):
        path.pop()
    return tuple(path)


def places(recorder, profile, column):
    """{places from the outside in: figure} where no binary is to be had."""
    maps, found = Maps(profile), Counter()
    for frames, n in paths(recorder, profile, "/bin/true", column):
        found[place_path(recorder, maps, frames)] += n
    return found


def stacks(recorder, profile):
    """How many stacks of the file are one such path."""
    maps, found = Maps(profile), Counter()
    for line in profile.read_text(errors="replace").partition("MAPPED_LIBRARIES:")[0].splitlines()[1:]:
        if "@" in line:
            frames = [int(a, 16) for a in line.partition("@")[2].split()]
            frames[1:] = [a - 1 for a in frames[1:]]
            found[place_path(recorder, maps, [hex(a) for a in reversed(frames)])] += 1
    return found


def own_paths(db, column, frame):
    """Our figures: {frame(function, module, address) of each site from the outside in: figure}."""
    node, found = {}, Counter()
    for i, parent, function, module, address, own in db.rows(
            f"SELECT id, parent_id, function, module, address, {column} FROM site ORDER BY id"):
        node[i] = (*node.get(parent, ()), frame(function, module, address))
        if own:
            found[node[i]] += own
    return found
