"""Heap profiles of jemalloc and gperftools, recorded from real programs: every call path against jeprof and
google-pprof, exact ones and samples. Those are slow: PROFILES=all (make recorders) asks them everything."""

import json
import os
import shutil
import subprocess
from collections import Counter
from itertools import groupby

import pytest

import profiles
from build import TOP
from heapscan import SANITIZED, command, scan
from profiles import MODES

PYTHON = ("import json, re; kept = [json.dumps({str(i): [i] * 9}) for i in range(2000)];"
          "names = {re.sub('a', 'b', str(i)) for i in range(2000)}")
# Programs of others, whose binaries have few names or none: compared by address.
OTHERS = {
    "python": ["/usr/bin/python3", "-S", "-c", PYTHON],
    "perl": ["perl", "-e", "my %h = map { $_ => [$_, \"x\" x ($_ % 99)] } 1 .. 3000; delete @h{1 .. 999};"],
    "sqlite": ["sqlite3", ":memory:", "CREATE TABLE t AS WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1"
               " FROM c LIMIT 3000) SELECT hex(i) AS h FROM c; CREATE INDEX x ON t(h);"
               " SELECT count(DISTINCT h) FROM t"],
    "clang": ["clang", "-c", "-O1", "-o", "/dev/null", TOP / "tests/bench/churn.c"],
}
OWN = {"churn": ["20000", "3000"], "traced": []}
# name: how it is recorded, one block in 2^N bytes
RECORDERS = {
    "jemalloc": (profiles.jemalloc, 0),
    "jemalloc-sampled": (profiles.jemalloc, 9),
    "gperftools": (profiles.gperftools, None),
}


EVERYTHING = os.environ.get("PROFILES") == "all"
SOME = ["live_bytes", "allocations"]


def cases(programs, some):
    """All of them, or those of `make check`; the sanitizers' run has enough of the samples."""
    return [pytest.param(r, p, id=f"{p}-{r}") for p in programs for r in RECORDERS
            if EVERYTHING or (not SANITIZED and some(r, p))]


def record(recorder, folder, program):
    assert profiles.present(recorder), f"no {recorder}: scripts/setup test"
    assert shutil.which(str(program[0])), f"no {program[0]}"
    how, sample = RECORDERS[recorder]
    return how(folder, program, sample)


def check(mine, theirs, stacks):
    """Equal; of samples as near as whole blocks and bytes can be. Each of our figures is a whole one next to its
    true one; theirs is the sum of so many true ones, cut off."""
    wrong = {k: (mine.get(k, 0), theirs.get(k, 0)) for k in mine.keys() | theirs.keys()
             if not min(0, 1 - stacks.get(k, 0)) <= mine.get(k, 0) - theirs.get(k, 0) <= stacks.get(k, 0)}
    assert not wrong, list(wrong.items())[:5]


def check_places(recorder, profile, tmp_path, db_path, columns=MODES):
    """Every stack, by the addresses of its calls."""
    bare = profiles.without_names(profile, tmp_path / "bare")
    with scan(bare, db_path) as db:
        stacks = profiles.stacks(recorder, bare) if "sample_bytes" in db.meta() else {}
        for column in columns:
            mine = profiles.own_paths(db, column, lambda f, m, a: (m, a))
            check(mine, profiles.places(recorder, bare, column), stacks)
        assert len(mine) > 2


@pytest.mark.parametrize("recorder,name", cases(OTHERS, lambda r, p: p == "python" and r != "jemalloc"))
def test_others(recorder, name, tmp_path, db_path):
    """Every stack of a program of others."""
    profile = record(recorder, tmp_path, OTHERS[name])
    check_places(recorder, profile, tmp_path, db_path, MODES if EVERYTHING else SOME)


@pytest.mark.parametrize("name", ["jemalloc.heap", "jemalloc-sampled.heap", "gperftools.heap"])
def test_samples(name, tmp_path, db_path):
    recorder = name.partition(".")[0]
    assert profiles.present(recorder), f"no {recorder}: scripts/setup test"
    check_places(recorder, TOP / "sample-dumps" / "traces" / name, tmp_path, db_path)


@pytest.mark.parametrize("recorder,name", cases(OWN, lambda r, p: p == "churn"))
def test_own(recorder, name, tmp_path, db_path):
    """Every call path by its functions, and every function with all that it called: a program with symbols."""
    binary = profiles.program(name)
    profile = record(recorder, tmp_path, [binary, *OWN[name]])
    named = profiles.functions(binary) - {"_start", "_init"}

    def known(frames):
        """What the C library calls its functions depends on what is known of it."""
        frames = (f if f in named else "?" for f in frames)
        return tuple(f for f, _ in groupby(f for f in frames if f != "?"))

    with scan(profile, db_path) as db:
        for column in MODES if EVERYTHING or recorder == "jemalloc" else SOME:
            theirs, mine, stacks = Counter(), Counter(), Counter()
            for frames, n in profiles.paths(recorder, profile, binary, column):
                theirs[known(frames)] += n
                stacks[known(frames)] += 1
            for frames, n in profiles.own_paths(db, column, lambda f, m, a: f).items():
                mine[known(frames)] += n
            check(mine, theirs, stacks if "sample_bytes" in db.meta() else {})
            assert len(mine) >= 2
    if recorder == "jemalloc-sampled":
        return
    for column, cost in (("live_bytes", "bytes"), ("allocations", "allocations"))[:2 if EVERYTHING else 1]:
        rows = json.loads(command("top", db_path, "--by", "function", "--limit", "0", "--format", "json",
                                  *(["--cost", cost] if cost != "bytes" else [])).out)["rows"]
        theirs = profiles.by_function(recorder, profile, binary, column)
        assert {r["function"]: (r[f"own_{cost}"], r[cost]) for r in rows if r["function"] in named} == \
            {f: v for f, v in theirs.items() if f in named and v != (0, 0)}


SAMPLER = r"""
#include <gperftools/malloc_extension.h>
#include <cstdio>
#include <cstdlib>
#include <string>
static void *kept[6000];
static __attribute__((noinline)) void *small(int i) { return malloc(40 + i % 5 * 30); }
static __attribute__((noinline)) void *large(int i) { return malloc(9000 + i); }
static __attribute__((noinline)) void *fresh(int i) { return new char[300 + i % 3]; }
int main()
{
	for (int i = 0; i < 6000; i++) {
		kept[i] = i % 3 ? i % 2 ? small(i) : large(i) : fresh(i);
		if (i % 4 == 3 && (i - 1) % 3)
			free(kept[i - 1]);
	}
	std::string text;
	MallocExtension::instance()->GetHeapSample(&text);
	fwrite(text.data(), 1, text.size(), stdout);
}
"""


def test_heap_sample(tmp_path, db_path):
    """tcmalloc's sample of what is live, in gperftools' text; and what earlier versions wrote for one."""
    if not profiles.present("gperftools"):
        pytest.skip("no gperftools")
    (tmp_path / "s.cc").write_text(SAMPLER)
    made = subprocess.run(["g++", "-g", "-O1", "-w", "-o", tmp_path / "s", tmp_path / "s.cc", "-ltcmalloc"],
                          capture_output=True, text=True)
    if "No such file" in made.stderr or "cannot find" in made.stderr:
        pytest.skip("no headers of gperftools")
    assert made.returncode == 0, made.stderr
    profile = tmp_path / "sample.heap"
    with profile.open("wb") as f:
        subprocess.run([tmp_path / "s"], stdout=f, check=True, timeout=60,
                       env={"TCMALLOC_SAMPLE_PARAMETER": "4096"})
    text = profile.read_text()
    assert "@ heap_v2/4096" in text
    check_places("gperftools", profile, tmp_path, db_path)
    profile.write_text(text.replace("heap_v2/4096", "heap/4096"))
    check_places("gperftools", profile, tmp_path, db_path, ["live_objects", "live_bytes"])
