"""Each kind of finding, from a process that plants it: the cause is the first or second thing that is said, in a small
process, and in one of a gigabyte it is said at all. Healthy daemons give no alarm."""

import os
import re
import shutil
import socket
import subprocess
import time

import pytest

import build as builder
import dump as dumper
from heapscan import command, scan

SOURCE = builder.PROGRAMS / "planted" / "planted.c"
MANY = 20000
GIB = 1 << 30

# What it plants: the kind and title of the finding; the least number of objects (a stale word may hold a lost one).
PLANTED = {
    "many": ("leak", r"^leak: .* behind (20,000|19,99\d) heads of one shape: 72$", MANY - 10),
    "shapes": ("leak", r"^leak: .* heads of 20 types or shapes, each less", 1990),
    "held": ("holder", r"^cache \(pointer array, 20,000 members\) holds ", MANY + 1),
    "scattered": ("holder", r"^lists\[\*\] holds 6.87 MiB in 100,000 objects", 100000),
    "fragments": ("fragmentation", r"are free inside malloc: \d+ % .* cannot go back", None),
    "freed": ("free", r"^28\.\d MiB are free inside malloc: ", None),
    "stacks": ("stack", r"^thread 2 .* has 3\.\d+ MiB of its stack in use: 256 frames or more, 25\d of them of descend$", None),
    "cached": ("stack", r"are stacks of threads that have ended, kept for new ones$", None),
    "unjoined": ("stack", r"^200 threads have ended and were not joined: .* in 200 mappings$", 200),
    "overrun": ("heap-damage", r"has no sound size \(0x4141414141414141\).*may have been overrun$", None),
    "equal": ("duplicate", r"^3,000 copies of 'xxx.*one would do, 5\.8\d MiB less$", 3000),
    "sparse": ("slack", r"^400 buffers at rooms\[\*\] keep room that they do not use: 6\.\d+ MiB$", 400),
}


def planted(folder, *args):
    binary = builder.build(builder.Program(SOURCE), "gcc-O2")
    made = dumper.run(folder / "run", [binary, *args], binary)
    db = scan(made.core, folder / "x.db")
    made.core.unlink()
    return db


def findings(db, limit):
    return db.rows(f"SELECT kind, title, objects, severity FROM finding WHERE kind <> 'missing' ORDER BY id LIMIT {limit}")


@pytest.mark.parametrize("what", PLANTED)
def test_first_or_second(what, tmp_path):
    kind, title, objects = PLANTED[what]
    rows = findings(planted(tmp_path, what), 2)
    assert [r for r in rows if r[0] == kind and re.search(title, r[1]) and (objects or 0) <= (r[2] or 0)], rows


@pytest.mark.parametrize("what", ["many", "held", "scattered", "freed"])
def test_little_of_much(what, tmp_path):
    """However much else there is, a cause that is worth a look has its line: thresholds rank, they do not hide."""
    kind, title, objects = PLANTED[what]
    rows = findings(planted(tmp_path, what, GIB), 6)
    assert [r for r in rows if r[0] == kind and re.search(title, r[1]) and (objects or 0) <= (r[2] or 0)], rows
    assert "others[*] holds 1.00 GiB" in " ".join(r[1] for r in rows)


def test_leaks_add_up(tmp_path):
    """The leaks that are told are all that there are: what the list leaves out has a line, too."""
    db = planted(tmp_path, "shapes")
    assert db.one("SELECT sum(bytes) FROM finding WHERE kind = 'leak'") == db.one(
        "SELECT sum(size) FROM object WHERE reachable = 0")
    assert db.one("SELECT sum(objects) FROM finding WHERE kind = 'leak'") >= 3990


# ---- daemons ----

NGINX = """daemon off; pid nginx.pid; error_log stderr; events {{}}
http {{ access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u;
scgi_temp_path s; server {{ listen 127.0.0.1:{port}; location / {{ root .; }} }} }}"""

DAEMONS = {
    "nginx": ["nginx", "-p", "{folder}/", "-c", "{folder}/nginx.conf"],
    "memcached": ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "{port}"],
    "mosquitto": ["mosquitto", "-p", "{port}"],
    "flask": ["/usr/bin/python3", "{folder}/app.py"],
}
FLASK = "from flask import Flask\napp = Flask(__name__)\napp.route('/')(lambda: 'hello')\napp.run(port={port})\n"


PATH = os.environ["PATH"] + ":/usr/sbin"
# Flask is everywhere (scripts/setup test); daemons, which begin to serve when they are installed, are asked
# where they are found, and all of them by `make daemons`.
FOUND = [n for n in DAEMONS if os.environ.get("DAEMONS") or shutil.which(DAEMONS[n][0], path=PATH)]


def answers(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize("name", FOUND)
def test_no_alarm(name, tmp_path):
    """An idle daemon that somebody else wrote: nothing is an error, nothing a warning."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(NGINX.format(port=port))
    (tmp_path / "app.py").write_text(FLASK.format(port=port))
    args = [a.format(folder=tmp_path, port=port) for a in DAEMONS[name]]
    daemon = subprocess.Popen(args, env={**os.environ, "PATH": PATH}, cwd=tmp_path, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert answers(port)
        core = tmp_path / "core"
        done = subprocess.run(["gcore", "-o", core, str(daemon.pid)], capture_output=True, timeout=120, check=False)
        core = tmp_path / f"core.{daemon.pid}"
        assert core.exists(), done.stderr
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
    db = scan(core, tmp_path / "x.db")
    core.unlink()
    assert [r for r in findings(db, 100) if r[3] != "info"] == []
