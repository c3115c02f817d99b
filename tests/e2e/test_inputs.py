"""The same process, dumped, packed and found in different ways: the same truth."""

import gzip
import json
import lzma
import os
import re
import shutil
import subprocess

import pytest

import build as builder
import dump as dumper
from conftest import PROGRAMS, short
from heapscan import Database, check_leaks, check_live, command, scan, verify
from oracle import Oracle

NAMES = ["threads_arenas"] if short() else ["random_heap", "root_library", "threads_arenas"]
PACKERS = {"gzip": ["gzip", "-1"], "xz": ["xz", "-1"], "zstd": ["zstd", "-q"],
           "bzip2": ["bzip2", "-1"], "lz4": ["lz4", "-q"]}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bits", [0x01, 0x33, 0x7F])
def test_coredump_filter(dumps, db_path, name, bits):
    dump = dumps(name, coredump_filter=bits)
    verify(scan(dump.core, db_path), dump.oracle)


@pytest.mark.parametrize("name", [*NAMES, "root_tls_dynamic", "free_kinds"])
def test_gcore(dumps, db_path, name):
    dump = dumps(name, gcore=True)
    verify(scan(dump.core, db_path), dump.oracle)


@pytest.fixture(scope="module")
def plain(dumps):
    dump = dumps("leak_cycle_tail")
    # a copy: the cache of dumps may drop its own
    return dump.core.read_bytes(), dump.oracle


@pytest.mark.parametrize("packer", PACKERS)
def test_compressed(plain, tmp_path, db_path, packer):
    core, oracle = plain
    packed = tmp_path / "a core.packed"
    with open(packed, "wb") as out:
        subprocess.run(PACKERS[packer], input=core, stdout=out, check=True)
    db = scan(packed, db_path)
    verify(db, oracle)
    assert db.meta()["compression"]


@pytest.mark.parametrize("packer", [None, *PACKERS])
def test_pipe(plain, tmp_path, db_path, packer):
    core, oracle = plain
    source = subprocess.Popen(PACKERS[packer] if packer else ["cat"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    if os.fork() == 0:
        try:
            source.stdin.write(core)
            source.stdin.close()
        finally:
            os._exit(0)
    source.stdin.close()
    verify(scan("-", db_path, stdin=source.stdout), oracle)
    source.stdout.close()
    assert source.wait() == 0
    os.wait()


def test_packed_and_cut(plain, tmp_path, db_path):
    """What could be unpacked of a cut file is used, and it says so."""
    core, _ = plain
    packed = gzip.compress(core, 1)
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[:len(packed) * 3 // 4])
    done = command(path, "-o", db_path, status=(0, 2))
    assert "warning" in done.err or "error" in done.err or done.returncode == 2
    if done.returncode == 0:
        Database(db_path)


def test_no_such_file(db_path, tmp_path):
    done = command(tmp_path / "nothing", "-o", db_path, status=2)
    assert "nothing" in done.err and not db_path.exists()


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"not a core\n" * 1000, bytes(100000)],
                         ids=["empty", "magic", "text", "zeroes"])
def test_no_dump(db_path, tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    done = command(path, "-o", db_path, status=2)
    assert done.err.startswith("heapscan:") and not db_path.exists()


FOREIGN = {
    "nothing": (b"", "is empty: nothing was written"),
    "text": (b"Segmentation fault (core dumped)\n\xc3\xa9\n" * 300, "is text, of none of the formats .*--trace-pattern"),
    "zeroes": (bytes(9000), "nothing but zeroes"),
    "java": (b"JAVA PROFILE 1.0.2\0" + bytes(100), "heap dump of Java .*MAT"),
    "v8": (b'{"snapshot":{"meta":{}}}', "heap snapshot of V8"),
    "minidump": (b"MDMP\x93\xa7\0\0" + bytes(100), "minidump, .*gcore"),
    "tar": (bytes(257) + b"ustar\00000" + bytes(300), "an archive; unpack"),
    "bytes": (bytes(range(1, 256)) * 40, "is no core file, and no allocation trace"),
    "text, packed": (gzip.compress(b"one\ntwo\n"), "is text"),
    "packed, cut": (gzip.compress(b"one\ntwo\n")[:11], "ends too early"),
    "xz, cut": (lzma.compress(bytes(90000))[:30], "ends too early"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_it_is_instead(tmp_path, db_path, name):
    """What is no dump is told in words: what it is, and what to do."""
    content, said = FOREIGN[name]
    path = tmp_path / "some file"
    path.write_bytes(content)
    err = command(path, "-o", db_path, status=2).err
    assert re.search(said, err) and err.count("\n") == 1, err
    assert not db_path.exists()


def test_directory(tmp_path):
    assert "is a directory; give the core file" in command(tmp_path, status=2).err


def test_headers_only(plain, tmp_path, db_path):
    """A core that has nothing of the process: cut in its headers, or these are zeroes."""
    core, _ = plain
    path = tmp_path / "core"
    phoff, phnum = int.from_bytes(core[32:40], "little"), int.from_bytes(core[56:58], "little")
    behind = phoff + 56 * phnum
    for content, said in ((core[:20], "within its header: it was not written"),
                          (core[:phoff + 20], "ends within its headers"),
                          (core[:phoff] + bytes(56 * phnum) + core[behind:], "its program headers name no memory"),
                          (core[:56] + bytes(2) + core[58:], "it has no program headers")):
        path.write_bytes(content)
        assert said in command(path, "-o", db_path, status=2).err


def test_program_is_no_dump(db_path):
    done = command("/bin/true", "-o", db_path, status=2)
    assert "core" in done.err and not db_path.exists()


def test_failure_leaves_the_old_database(plain, tmp_path, db_path):
    core, _ = plain
    path = tmp_path / "core.1"
    path.write_bytes(core)
    scan(path, db_path).close()
    before = db_path.read_bytes()
    path.write_bytes(core[:100])
    command(path, "-o", db_path, status=2)
    assert db_path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["core.1", "x.db"]


def test_default_name(plain, tmp_path):
    core, oracle = plain
    path = tmp_path / "core.77"
    path.write_bytes(core)
    command(path)
    verify(Database(tmp_path / "core.77.db"), oracle)


def test_same_rows_twice(plain, tmp_path, db_path):
    core, _ = plain
    path = tmp_path / "core.1"
    path.write_bytes(core)
    first = "\n".join(scan(path, db_path).sql.iterdump())
    assert "\n".join(scan(path, db_path).sql.iterdump()) == first


# Binaries that moved.


class Moved:
    """A program with a loader and a libc of its own, all in one folder that can be taken away."""

    def __init__(self, top, name="root_library"):
        self.home = top / "home"
        self.home.mkdir()
        program = PROGRAMS[name]
        loader = {"x86_64": "/lib64/ld-linux-x86-64.so.2"}[os.uname().machine]
        libc = subprocess.run(["gcc", "-print-file-name=libc.so.6"], capture_output=True, text=True,
                              check=True).stdout.strip()
        shutil.copy(loader, self.home / "ld.so")
        shutil.copy(libc, self.home / "libc.so.6")
        self.extra = [f"-Wl,--dynamic-linker={self.home}/ld.so", f"-Wl,-rpath,{self.home}"]
        self.binary = builder.build(program, "gcc-O2", extra=self.extra, directory=self.home)
        self.dump = dumper.run(top / "run", [self.binary, *program.args], self.binary)
        self.oracle = Oracle(self.dump.truth)


@pytest.fixture
def moved(tmp_path):
    return Moved(tmp_path)


def named(db):
    return db.one("SELECT count(*) FROM root WHERE name LIKE '%lib_data%'")


def test_binaries_at_hand(moved, db_path):
    db = scan(moved.dump.core, db_path)
    verify(db, moved.oracle)
    assert named(db)


def test_binaries_gone(moved, db_path):
    shutil.rmtree(moved.home)
    db = scan(moved.dump.core, db_path)
    verify(db, moved.oracle)
    wanted = db.meta()["missing_files"].split("\n")
    assert str(moved.binary) in wanted and str(moved.home / "libc.so.6") in wanted
    for name in wanted:
        assert f"  {name}\n" in db.done.out, "the files that were wanted are not listed"


def test_sysroot(moved, tmp_path, db_path):
    root = tmp_path / "sysroot"
    place = root / str(moved.home).lstrip("/")
    place.parent.mkdir(parents=True)
    moved.home.rename(place)
    db = scan(moved.dump.core, db_path, "--sysroot", root)
    verify(db, moved.oracle)
    assert named(db)


def test_exe(moved, tmp_path, db_path):
    other = tmp_path / "elsewhere"
    moved.binary.rename(other)
    db = scan(moved.dump.core, db_path, "--exe", other)
    verify(db, moved.oracle)
    found = db.rows("""SELECT function FROM frame WHERE function = 'main'""")
    assert found, "no frame of main: the program given with --exe was not used"


@pytest.mark.parametrize("how", ["scan", "sysroot", "exe"])
def test_show_reads_binaries(moved, tmp_path, db_path, how):
    """An address of the program's code has its name where the binaries moved, as the scan was told or as `show`
    is."""
    root = tmp_path / "sysroot"
    place = root / str(moved.home).lstrip("/")
    place.parent.mkdir(parents=True)
    db = scan(moved.dump.core, tmp_path / "x.db")
    at = db.one("SELECT pc FROM frame WHERE function = 'main'")
    moved.home.rename(place)
    binary = place / moved.binary.name
    options = {"scan": [], "sysroot": ["--sysroot", root], "exe": ["--exe", binary]}[how]
    db = scan(moved.dump.core, db_path, *(["--sysroot", root] if how == "scan" else []))

    def symbol(*options):
        return json.loads(command("show", db.path, hex(at), "--format", "json", *options).out).get("symbol", "")

    assert symbol(*options).startswith("main+0x")
    assert how == "scan" or not symbol().startswith("main")
    assert "nowhere" in command("show", db.path, hex(at), "--sysroot", tmp_path / "nowhere", status=1).err


def test_binaries_missed_is_one_finding(moved, db_path):
    """However many they are."""
    shutil.rmtree(moved.home)
    db = scan(moved.dump.core, db_path)
    wanted = db.meta()["missing_files"].split("\n")
    assert len(wanted) > 1
    rows = db.rows("SELECT title, detail, objects FROM finding WHERE kind = 'missing'")
    assert [(t, n) for t, _, n in rows] == [(f"{len(wanted)} binaries: not found", len(wanted))]
    assert all(f"{name}: not found" in rows[0][1] for name in wanted)
    assert f"{len(wanted)} binaries were not found" in " ".join(db.done.out.split())


def test_one_name_for_one_thing(moved, db_path):
    """Without names a root is BINARY+0x10, in the findings' paths and in `path` alike."""
    shutil.rmtree(moved.home)
    db = scan(moved.dump.core, db_path)
    rows = db.rows("SELECT path, object_id FROM retention WHERE parent_id IS NULL AND objects = 1 AND path LIKE '%+0x%'")
    assert rows
    for path, object_id in rows[:5]:
        found = json.loads(command("path", db.path, f"#{object_id}", "--format", "json").out)["paths"]
        assert path in [p["expression"] for p in found]


@pytest.mark.skipif(not shutil.which("perl"), reason="no perl")
def test_language_that_is_not_known(tmp_path, db_path):
    """Its objects are not told apart: the report says so, and who does."""
    perl = shutil.which("perl")
    made = dumper.run(tmp_path / "run", [perl, "-e", "my %h = map { $_ => [1 .. 9] } 1 .. 900; kill ABRT => $$"], perl)
    db = scan(made.core, db_path)
    said = " ".join(db.done.out.split())
    assert "this process runs Perl (in " in said and "Devel::MAT" in said
    assert "the objects of Perl are not known: weakens types, paths and leaks" in said


def test_wrong_binary(moved, db_path):
    """A binary whose build id differs is not used, and the report says so."""
    program = PROGRAMS["leak_tree"]
    moved.binary.unlink()
    wrong = builder.build(program, "gcc-O2", extra=moved.extra, directory=moved.home)
    wrong.rename(moved.binary)
    db = scan(moved.dump.core, db_path)
    verify(db, moved.oracle)
    said = db.column("SELECT title FROM finding WHERE kind = 'missing'")
    assert [t for t in said if str(moved.binary) in t and "another build" in t], said
    assert f"  {moved.binary}\n" in db.done.out
    assert not db.rows("SELECT 1 FROM frame WHERE function = 'lose'")


def test_everything_is_gone_and_filtered(moved, db_path, tmp_path):
    """No binaries, and not even the ELF headers in the core."""
    dump = dumper.run(tmp_path / "run2", [moved.binary], moved.binary, coredump_filter=0x01)
    shutil.rmtree(moved.home)
    oracle = Oracle(dump.truth)
    db = scan(dump.core, db_path)
    check_live(db, oracle)
    check_leaks(db, oracle)
