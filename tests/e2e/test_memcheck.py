"""Programs of others, stopped at their exit: what is lost there is what memcheck finds lost.

Memcheck replaces malloc and watches every allocation of the run; heapscan sees the last moment alone.
For both a block is lost when no pointer to its start or its middle leads there from a root, so the
numbers of blocks agree, direct and indirect ones together (in a ring, which one is the head is a
matter of taste). Binutils and Perl do not free all they allocate, and do the same in every run.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from heapscan import scan

pytestmark = pytest.mark.skipif(not (shutil.which("valgrind") and shutil.which("gdb")),
                                reason="valgrind and gdb are wanted")

SOURCE = """
int global = 3;
int twice(int x) { return 2 * x + global; }
int main(int argc, char **argv) { (void)argv; return twice(argc) > 100; }
"""

GDB = """set pagination off
set confirm off
set debuginfod enabled off
catch syscall exit_group
run
gcore {core}
kill
"""

COMMANDS = {
    "as": ["as", "{}/x.s", "-o", "/dev/null"],
    "ld": ["ld", "-r", "{}/x.o", "-o", "{}/y.o"],
    "perl": ["perl", "-e", "for (1..20) { my $x = {}; $x->{me} = $x; }"],
}
"""Perl's hashes are in random order, hence of random sizes, unless told otherwise."""
ENV = dict(os.environ, PERL_HASH_SEED="0", PERL_PERTURB_KEYS="0", DEBUGINFOD_URLS="", LC_ALL="C")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("memcheck")
    (path / "x.c").write_text(SOURCE)
    for flag, name in (("-S", "x.s"), ("-c", "x.o")):
        subprocess.run(["gcc", flag, "x.c", "-o", name], cwd=path, check=True)
    return path


def memcheck(args, log):
    subprocess.run(["valgrind", "--leak-check=full", f"--log-file={log}", *args], env=ENV, timeout=100,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    said = log.read_text()
    if "no leaks are possible" in said:
        return 0, 0
    return tuple(int(re.search(rf"{kind} lost: [\d,]+ bytes in ([\d,]+) blocks", said)
                     .group(1).replace(",", "")) for kind in ("definitely", "indirectly"))


@pytest.mark.parametrize("name", COMMANDS)
def test_lost_as_memcheck_says(name, folder, tmp_path):
    args = [a.replace("{}", str(folder)) for a in COMMANDS[name]]
    if not shutil.which(args[0]):
        pytest.skip(f"no {args[0]}")
    direct, indirect = memcheck(args, tmp_path / "log")
    core = tmp_path / "core"
    (tmp_path / "script").write_text(GDB.format(core=core))
    subprocess.run(["gdb", "-q", "-nx", "-batch", "-x", tmp_path / "script", "--args", *args], env=ENV,
                   timeout=100, stdin=subprocess.DEVNULL, capture_output=True)
    if not core.exists():
        pytest.skip("gdb may not trace here")
    db = scan(core, tmp_path / "x.db")
    lost = db.one("SELECT count(*) FROM object WHERE reachable = 0")
    assert lost == direct + indirect
    heads = db.one("SELECT count(*) FROM cluster WHERE kind = 'leak' AND reachable = 0")
    assert abs(heads - direct) <= 1
    db.close()
