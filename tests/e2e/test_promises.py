"""What INTERFACE, README and man page promise of the commands, seen from outside."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from elfcore import Core
from heapscan import HEAPSCAN, command, scan

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def case(dumps, tmp_path_factory):
    """A dump with leaks and no cycle, and its database."""
    folder = tmp_path_factory.mktemp("promises")
    dump = dumps("leak_direct", "gcc-O2")
    core = folder / "core"
    core.write_bytes(Path(dump.core).read_bytes())
    db = scan(core, folder / "x.db")
    db.core, db.binary = core, db.one("SELECT value FROM meta WHERE key = 'exe'")
    yield db
    db.close()


def answer(*args, **how):
    return json.loads(command(*args, "--format", "json", **how).out)


# ---- exit status ----


@pytest.mark.parametrize("name", ["leaks", "cycles", "refs", None])
def test_fail_on_means_the_dump_not_the_command(case, name):
    """A condition holds or does not, whichever command it is given to."""
    args = ([name] if name else []) + [case.path]
    command(*args, "--fail-on", "leaks", status=3)
    command(*args, "--fail-on", "cycles", status=0)
    command(*args, "--fail-on", "leaks,cycles", status=3)


def test_fail_on_minds_type(case):
    command("leaks", case.path, "--type", "no such type", "--fail-on", "leaks", status=0)


@pytest.mark.parametrize("args", [["leaks", "{}", "--type"], ["cycles", "{}", "--type"],
                                  ["top", "{}", "--type"], ["path", "{}", "#1", "--avoid"],
                                  ["path", "{}", "#1", "--to-type"]])
def test_bad_regex_is_bad_usage(case, args):
    err = command(*[a.format(case.path) for a in args], "(", status=1).err
    assert f"{args[-1]}: regular expression: missing closing parenthesis" in err


@pytest.mark.parametrize("args", [
    ["frobnicate", "x.db"], ["why", "x.db", "0x1"], ["leak", "x.db"]])
def test_a_word_that_is_no_command(args, tmp_path):
    assert f"'{args[0]}' is no command" in command(*args, status=1, cwd=tmp_path).err


def test_places_that_are_not_there(case, tmp_path):
    out = tmp_path / "x.db"
    for option, place in (("--exe", tmp_path / "none"), ("--sysroot", tmp_path / "none"),
                          ("--sysroot", case.core)):
        err = command(case.core, "-o", out, option, place, status=1).err
        assert str(place) in err and option in err
    assert not out.exists()


# ---- binaries ----


def test_exe_of_another_build_is_told(case, tmp_path):
    """Also when the right one was found where it always was."""
    with_ls = scan(case.core, tmp_path / "x.db", "--exe", "/bin/ls")
    said = with_ls.column("SELECT title FROM finding WHERE kind = 'missing'")
    assert [s for s in said if "/bin/ls is another build" in s]
    with_ls.close()


# ---- memory ----


def test_shares_are_those_of_memory(dumps, tmp_path):
    """Addresses that are reserved and hold nothing make no row look small."""
    db = scan(dumps("threads_arenas", "gcc-O2").core, tmp_path / "x.db")
    for rows in (answer(db.path)["ledger"][:-1], answer("memory", db.path)["categories"][:-1],
                 answer("memory", db.path, "--limit", 0)["places"]):
        reserved = [r for r in rows if r["category"].startswith("reserved")]
        assert reserved and all(r["share"] is None for r in reserved)
        assert sum(r["share"] or 0 for r in rows) == pytest.approx(1, abs=1e-3)
    db.close()


def test_stacks_cost_what_was_used_of_them(dumps, tmp_path):
    """Three stacks of a mebibyte, a quarter of each once written to. Of a thread that ends glibc gives all but
    the first 16 KiB back (nptl/allocatestack.c, advise_stack_range)."""
    db = scan(dumps("stack_pages").core, tmp_path / "x.db")
    place = dict(db.rows("SELECT place, sum(bytes) FROM ledger WHERE category = 'stack' GROUP BY place"))
    assert 2 * 4096 <= place["cached"] <= 2 * 40960
    assert 131072 <= place["unused"] < 131072 + 65536  # the oracle's scrub zeroes as much of it
    assert db.one("SELECT sum(bytes) FROM ledger WHERE place = 'stack, never written to'") > 3 * 700000
    db.close()


def test_memory_begins_with_text(case):
    assert command("memory", case.path).out.startswith("The allocators have")


# ---- show ----


def test_show_bytes_are_those_asked_for(case):
    """Of a block too big to print, what lies at the address that was named."""
    core = Core(case.core)
    address, size = case.rows("SELECT address, size FROM object ORDER BY size DESC LIMIT 1")[0]
    assert size > 400
    said = answer("show", case.path, f"{address + 350:#x}", "--hex", 32)
    assert said["bytes_offset"] == 350 & ~15
    at = core.offset(address + said["bytes_offset"])
    assert said["bytes"] == core.data[at:at + 32].hex()
    assert f"{address + 336:#x}   +336" in command("show", case.path, f"{address + 350:#x}",
                                                   "--hex", 32).out
    assert answer("show", case.path, f"{address + 8:#x}")["bytes_offset"] == 0


def test_show_nothing_is_bad_usage(case):
    command("show", case.path, "", status=1)


def test_show_addresses_above_2_63(case):
    top = case.one('SELECT start FROM segment WHERE start < 0 LIMIT 1')
    if top is None:
        pytest.skip("no vsyscall page in the dumps of this kernel")
    rows = answer("show", case.path, f"{top + (1 << 64):#x}")["neighbours"]
    assert [r["place"] for r in rows] == ["before"]


# ---- limits ----


def test_what_a_limit_cuts_is_told(case, dumps, tmp_path):
    assert "These are the first 1; --limit 0 shows all." in command("top", case.path, "--limit", 1).out
    assert "--limit 0" not in command("top", case.path, "--limit", 0).out
    many = scan(dumps("leak_many", "gcc-O2").core, tmp_path / "x.db")
    said = answer("leaks", many.path, "--limit", 1)
    assert {m["cluster_id"] for m in said["members"]} == {r["cluster_id"] for r in said["rows"]}
    if said["shapes"] > 1:
        assert f"... and {said['shapes'] - 1} more" in command("leaks", many.path, "--limit", 1).out
    many.close()


# ---- -v ----


def test_verbose_tells_what_was_not_read(dumps, tmp_path):
    """Bookkeeping holds nothing; -v lists it, so that a wrong leak can be explained."""
    db = scan(dumps("free_kinds", "gcc-O2").core, tmp_path / "x.db", "-v")
    ranges = re.findall(r"^heapscan: not read for pointers: 0x([0-9a-f]+)-0x([0-9a-f]+), (.+)$",
                        db.done.err, re.M)
    assert ranges and all(int(start, 16) < int(end, 16) for start, end, _ in ranges)
    main = db.one("SELECT address FROM arena WHERE name = 'main'")
    assert any(int(start, 16) <= main < int(end, 16) for start, end, _ in ranges)
    db.close()


# ---- sql ----


def test_schema_has_the_comments(case):
    said = command("sql", case.path, ".schema").out
    for name in ("tables.sql", "views.sql", "indexes.sql"):
        assert (TOP / "schema" / name).read_text() in said
    piped = subprocess.run([str(HEAPSCAN), "sql", str(case.path)], input=b".schema\n", capture_output=True)
    assert piped.stdout.decode() == said
    names = {r["name"] for r in answer("sql", case.path, ".tables")["rows"]}
    assert {"object", "object_view", "type_summary", "leak_summary", "referent"} <= names
    assert len(answer("sql", case.path, ".schema")["rows"]) == len(names)
    assert ".nothing" in command("sql", case.path, ".nothing", status=1).err


# ---- what is written about them ----


def test_man_page_names_every_command_and_option(tmp_path):
    """The tables that parsing and completion come from, against the pages for people."""
    page = re.sub(r"\\-", "-", (TOP / "src/heapscan.1").read_text())
    words = command("--complete").out.split()
    commands = [w for w in words if not w.startswith("-")]
    assert {"leaks", "cycles", "top", "memory", "show", "sql"} <= set(commands)
    readme = (TOP / "README.md").read_text()
    for name in commands:
        assert re.search(rf"^\.It Cm {name}$", page, re.M), f"{name} is not in the man page"
        assert f"heapscan {name} " in readme, f"{name} is not in the README"
        words += command("--complete", name).out.split()
    for option in {w.split("=")[0] for w in words if w.startswith("--")}:
        assert re.search(rf"^\.It Fl .*{option[1:]}\b", page, re.M), f"{option} is not in the man page"


# ---- demo ----


def test_demo_reads_the_sample_that_the_readme_names():
    makefile = (TOP / "Makefile").read_text()
    told = (TOP / "sample-dumps/README.md").read_text()
    for name in ("DEMO", "DEMO_PYTHON"):
        sample = re.search(rf"^{name} \?= (\S+)$", makefile, re.M).group(1)
        assert (TOP / sample).exists()
        (said,) = [e for e in told.split("\n- ") if f"`{Path(sample).name}`" in e]
        assert "`make demo`" in said
