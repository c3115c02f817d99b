"""whatif.py TRUTH: a cache of sessions, some of them held by others, too. A forked child deletes one key, and tells
which of the objects that know of their end went, and how many arenas the allocator gave back."""

import gc
import os
import sys

OUT = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
NOTED = [False]


class User(object):
    def __init__(self, n):
        self.name = "user %d" % n
        self.tags = Tags(["tag %d" % (n + i) for i in range(3)])
        self.friend = None

    def __del__(self):
        if NOTED[0]:
            os.write(OUT, b"%x\n" % id(self))


class Tags(list):
    def __del__(self):
        if NOTED[0]:
            os.write(OUT, b"%x\n" % id(self))


def arenas():
    """Arenas of pymalloc that are in use, as it says itself."""
    read, write = os.pipe()
    saved = os.dup(2)
    os.dup2(write, 2)
    sys._debugmallocstats()
    os.dup2(saved, 2)
    os.close(write)
    text = b""
    while True:
        part = os.read(read, 65536)
        if not part:
            break
        text += part
    for line in text.splitlines():
        if line.startswith(b"# arenas allocated current"):
            return int(line.split(b"=")[1].replace(b",", b""))


CACHE = {}
CACHE["settings"] = {"a": 1}
CACHE["sessions"] = {("user", i): User(i) for i in range(10000)}
CACHE["other"] = [User(i) for i in range(100)]
FIRST = CACHE["sessions"]["user", 0]
TAGS = [CACHE["sessions"]["user", i].tags for i in range(10, 20)]
for i in range(100, 200):
    # Rings that only the collector frees; some with a user that stays.
    a, b = CACHE["sessions"]["user", i], CACHE["sessions"]["user", i + 1]
    a.friend, b.friend = b, a
FIRST.friend = CACHE["sessions"]["user", 5]
del a, b, i
gc.collect()
pid = os.fork()
if pid == 0:
    before = arenas()
    NOTED[0] = True
    del CACHE["sessions"]
    gc.collect()
    NOTED[0] = False
    os.write(OUT, b"arenas %d\n" % (before - arenas()))
    os._exit(0)
os.waitpid(pid, 0)
os.abort()
