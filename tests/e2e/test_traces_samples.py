"""Recorded traces of every format against what the recorder's own program said of them
(scripts/make-trace-samples): rows of meta, and what each function has live."""

import gzip

import pytest

from build import TOP
from heapscan import Database, command, scan

FOLDER = TOP / "sample-dumps" / "traces"
SAMPLES = sorted(p.name.removesuffix(".expected") for p in FOLDER.glob("*.expected"))


def expected(name):
    meta, sites = {}, {}
    for line in (FOLDER / f"{name}.expected").open():
        word = line.split()
        if word[0] == "site":
            sites[word[1]] = (int(word[2]), int(word[3]))
        else:
            meta[word[0]] = word[1]
    return meta, sites


@pytest.mark.parametrize("name", SAMPLES)
def test_sample(name, db_path):
    meta, sites = expected(name)
    db = scan(FOLDER / name, db_path)
    mine = db.meta()
    if "sampled" in name:
        # jeprof adds up fractions of blocks, and cuts the last one off.
        assert all(0 <= int(mine[k]) - int(v) <= 1 for k, v in meta.items())
    else:
        assert {k: mine.get(k) for k in meta} == meta
    assert mine["kind"] == "trace"
    if sites:
        found = {f: (n, b) for f, n, b in db.rows(
            "SELECT coalesce(function, '?'), sum(live_objects), sum(live_bytes) FROM site GROUP BY 1")
            if n or b}
        assert found == sites
    leaks = command("leaks", db.path).out
    if "live_bytes" not in mine:
        assert "does not tell what was live" in leaks
    command("top", db.path, "--format", "folded")


@pytest.mark.parametrize("name", SAMPLES)
def test_packed(name, tmp_path, db_path):
    """Compressed, and from standard input: the same rows."""
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress((FOLDER / name).read_bytes()))
    with packed.open("rb") as f:
        command("-", "-o", db_path, stdin=f)
    query = "SELECT function, file, line, module, address, live_bytes, live_objects, peak_bytes FROM site"
    with Database(db_path) as a, scan(FOLDER / name, tmp_path / "plain.db") as b:
        assert a.rows(query) == b.rows(query)


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged(name, tmp_path):
    """Cut at many places, bytes flipped, packed and cut: read as far as it goes, or refused."""
    data = (FOLDER / name).read_bytes()
    hurt = [data[:len(data) * i // 4] for i in range(1, 4)]
    for step in (5,):
        flipped = bytearray(data)
        for at in range(len(data) // 5, len(data), len(data) // step):
            flipped[at] ^= 0x95
        hurt.append(bytes(flipped))
    hurt.append(data + b"\0\0\xff\xfe\n" + data)
    hurt.append(gzip.compress(data)[:-len(data) // 20])
    for i, bytes_ in enumerate(hurt):
        path = tmp_path / f"{i}"
        path.write_bytes(bytes_)
        command(path, "-o", tmp_path / "hurt.db", status=(0, 2))
