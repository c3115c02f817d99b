"""The cores of sample-dumps/ against the lists that lie next to them, binaries not at hand."""

import json
import lzma
import random
import re

import pytest

from build import TOP
from heapscan import command, scan

SAMPLES = sorted((TOP / "sample-dumps").glob("*.core.xz"))
PYTHON = TOP / "sample-dumps" / "python.core.xz"
SAMPLES.remove(PYTHON)


def test_there_are_samples():
    assert len(SAMPLES) >= 2
    for sample in (TOP / "sample-dumps").rglob("*"):
        assert sample.stat().st_size < 512 << 10, f"{sample.name}: too large to be kept beside sources"


@pytest.mark.parametrize("sample", SAMPLES, ids=[s.name for s in SAMPLES])
def test_sample(sample, db_path):
    db = scan(sample, db_path)
    found = {(a, n, "lost" if r == 0 else "held")
             for a, n, r in db.rows("SELECT address, size, reachable FROM object")}
    expected = set()
    for line in sample.with_name(sample.name.replace(".core.xz", ".expected")).open():
        address, size, state = line.split()
        expected.add((int(address, 16), int(size), state))
    assert found == expected


def test_demo_sample_has_class_names(db_path):
    db = scan(TOP / "sample-dumps" / "service.core.xz", db_path)
    counts = dict(db.rows("""SELECT t.name, count(*) FROM object o JOIN type t ON t.id = o.type_id
                             WHERE o.reachable = 0 GROUP BY 1"""))
    assert counts.get("service::session") == 100 and counts.get("service::timer") == 100, counts


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    planted = {}
    for line in PYTHON.with_name("python.expected").open():
        kind, address, name = line.split()
        planted.setdefault(kind, {})[int(address, 16)] = name
    db = scan(PYTHON, tmp_path_factory.mktemp("sample") / "python.db")
    yield db, planted
    db.close()


def test_python_garbage(python):
    """The rings that the switched-off collector never met, and nothing else."""
    db, planted = python
    found = dict(db.rows("SELECT o.address, t.name FROM garbage g JOIN object o ON o.id = g.object_id "
                         "JOIN type t ON t.id = o.type_id"))
    assert {a: n for a, n in found.items() if n.startswith("shop.")} == planted["garbage"]
    assert set(found.values()) == {"shop.Request", "shop.Response"}
    assert db.meta()["gc_enabled"] == "0"


def test_python_counts(python):
    db, planted = python
    found = dict(db.rows("SELECT o.address, e.excess FROM refcount_error e "
                         "JOIN object o ON o.id = e.object_id"))
    assert found == dict.fromkeys(planted["leaked"], 1)


def test_python_cache(python):
    """What grew, by its path; and who allocated it, since tracemalloc was on."""
    db, planted = python
    assert dict(db.rows("SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id "
                        "WHERE t.name = 'shop.Session'")) == planted["cached"]
    out = json.loads(command("path", db.path, "shop.Session", "--format", "json").out)
    assert out["paths"][0]["expression"].startswith("shop.CACHE['sessions'][")
    assert db.rows("SELECT DISTINCT s.file, s.line FROM object o JOIN site s ON s.id = o.site_id "
                   "JOIN type t ON t.id = o.type_id WHERE t.name = 'shop.Session'") == [("shop.py", 38)]
    leaked = db.rows("SELECT DISTINCT s.file, s.line FROM refcount_error e JOIN object o "
                     "ON o.id = e.object_id JOIN site s ON s.id = o.site_id")
    assert leaked == [("shop.py", 44)]


def test_readme_example(python):
    """The README's first example is this sample: each of its lines is in the output, if not in full."""
    db, _ = python
    block = re.search(r"^```console\n(.*?)^```", (TOP / "README.md").read_text(), re.M | re.S).group(1)
    steps = re.split(r"^\$ heapscan ", block, flags=re.M)[1:]
    assert {s.split()[0] for s in steps[1:]} >= {"path", "cycles", "refs"}
    assert steps[0].split()[0] == "sample-dumps/python.core.xz"
    steps[0] = "shop.db\n" + steps[0].split("\n", 1)[1]
    for step in steps:
        head, *lines = step.splitlines()
        words = [str(db.path) if w == "shop.db" else w for w in head.split("#")[0].split()]
        told = [line.split() for line in command(*words).out.splitlines()]
        for line in filter(None, map(str.split, lines)):
            if line == ["..."]:
                continue
            rests = [iter(t) for t in told]
            assert any(all(w in rest for w in line) for rest in rests), f"{head}: {line}"


@pytest.mark.parametrize("sample", ["ls.heaptrack.zst", "ls.heaptrack.raw.zst"])
def test_trace(sample, db_path):
    folder = TOP / "sample-dumps"
    db = scan(folder / sample, db_path)
    meta = db.meta()
    for line in (folder / "ls.heaptrack.expected").open():
        key, value = line.split()
        assert meta[key] == value, key
    # Names of the interpreted one are in the file; of the raw one in binaries that may not be here.
    if "raw" not in sample:
        assert db.one("SELECT sum(allocations) FROM site WHERE function = '_nl_make_l10nflist'") > 50


@pytest.mark.parametrize("seed", (30, 31, 32))
def test_python_damaged(seed, tmp_path):
    """Wild writes all over: findings, no crash. 30: the list of interpreters led into nothing."""
    base = lzma.decompress(PYTHON.read_bytes())
    chance, core = random.Random(seed), bytearray(base)
    for _ in range(chance.choice([20, 500, 5000])):
        at = chance.randrange(20000, len(core) - 8)
        other = [bytes(8), b"\xff" * 8, chance.randbytes(8), bytes(core[at + 64:at + 72])]
        copied = chance.randrange(20000, len(core) - 8) & ~7
        core[at:at + 8] = chance.choice([*other, base[copied:copied + 8]]).ljust(8, b"\0")
    (tmp_path / "core").write_bytes(core)
    command(tmp_path / "core", "-o", tmp_path / "damaged.db", status=(0, 2))
