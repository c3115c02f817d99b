"""A process without a fault in its counts, for every CPython from 2.7 on; then a core.

    healthy.py idle     nothing but the interpreter
    healthy.py busy     the standard library imported and in use; threads blocked in every way
"""
from __future__ import print_function

import os
import sys

if sys.argv[1:] == ["idle"]:
    os.abort()

import threading  # noqa: E402
import time  # noqa: E402

MODULES = """abc argparse array ast asyncio audioop atexit base64 bdb binascii bisect bz2 cPickle cProfile
    cStringIO calendar cgi cmath cmd code codecs collections colorsys concurrent.futures contextlib
    contextvars copy crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis doctest email
    email.mime.text enum errno fcntl filecmp fnmatch fractions ftplib functools gc getopt getpass gettext
    glob grp gzip hashlib heapq hmac html.parser http.client http.server imaplib imp importlib
    importlib.util inspect io ipaddress itertools json keyword linecache locale logging logging.config
    lzma mailbox marshal math mimetypes mmap multiprocessing multiprocessing.pool multiprocessing.shared_memory
    netrc nis numbers operator optparse ossaudiodev parser pathlib pdb pickle pickletools pkgutil platform
    plistlib poplib posix posixpath pprint profile pwd py_compile pyclbr pydoc queue quopri random re
    readline resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site
    smtplib sndhdr socket socketserver spwd sqlite3 ssl stat statistics string stringprep strop struct
    subprocess symtable sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap timeit
    token tokenize tomllib trace traceback tracemalloc tty types typing unicodedata unittest urllib.parse
    urllib.request uuid uu warnings wave weakref xml.dom.minidom xml.etree.ElementTree xml.parsers.expat
    xml.sax xmlrpc.client zipfile zipimport zlib zoneinfo _bisect _codecs_cn _codecs_jp _crypt _csv
    _ctypes_test _datetime _heapq _lsprof _lzma _multibytecodec _posixsubprocess _testbuffer _uuid""".split()

KEPT, WAITING, STOP = [], [], threading.Event()


def imports():
    import warnings
    warnings.simplefilter("ignore")
    done = 0
    for name in MODULES:
        try:
            __import__(name)
            done += 1
        except Exception:  # not built here, or not in this version
            pass
    assert done >= 60, done


def wait():
    WAITING.append(1)
    STOP.wait()


class Blocks(object):
    """Waits wherever the interpreter calls it from."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        wait()

    def __eq__(self, other):
        wait()
        return True

    def __hash__(self):
        return 17

    def __lt__(self, other):
        wait()
        return True

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        wait()

    def __getitem__(self, i):
        wait()

    def __iter__(self):
        yield 1
        wait()
        yield 2

    def __add__(self, other):
        wait()

    def __del__(self):
        if self.name == "die":
            wait()

    @property
    def value(self):
        wait()

    def __call__(self, *args, **keys):
        wait()


def in_sort():
    sorted([Blocks("a"), Blocks("b"), Blocks("c")])


def in_key():
    [1.5, 2.5].sort(key=Blocks("key"))


def in_dict():
    {Blocks("a"): 1}[Blocks("b")]


def in_loop():
    for _ in Blocks("loop"):
        kept = [str(i) for i in range(10)]
    return kept


def in_comprehension():
    return [x for x in Blocks("comprehension")]


def in_map():
    return list(map(Blocks("map"), [[1], [2], [3]]))


def in_with():
    with Blocks("with"):
        raise ValueError([str(time.time())])


def in_except():
    try:
        raise KeyError([1.25])
    except KeyError as e:
        Blocks("except").missing
        return e


def in_finally():
    try:
        {}["nothing"]
    finally:
        wait()


def in_call():
    return max(Blocks("call")(*[1, [2]], **{"a": [3], "b": str(time.time())}), [str(4)])


def in_add():
    return [1, 2.5, [str(time.time()), Blocks("add") + [6]]]


def in_property():
    return getattr(Blocks("property"), "value")


def in_index():
    return Blocks("index")[[1]:[2]]


def in_del():
    dying = Blocks("die")
    dying.more = [dying.name]
    del dying


def in_generator():
    def walk(n):
        if n:
            for x in walk(n - 1):
                yield [x]
        else:
            wait()
            yield n
    return list(walk(5))


def in_thread_local():
    here = threading.local()
    here.value = [str(time.time())]
    KEPT.append(here)
    wait()


def in_recursion(n=50):
    if n:
        return [in_recursion(n - 1)]
    wait()


def in_class():
    class Local(Blocks):
        wait()
    return Local


def in_exec():
    exec("text = [str(1.5)]\nwait()", {"wait": wait})


def in_queue():
    try:
        import queue
    except ImportError:
        import Queue as queue
    WAITING.append(1)
    queue.Queue().get(True, 3600)


def in_socket():
    import socket
    here, there = socket.socketpair()
    KEPT.append(there)
    WAITING.append(1)
    here.recv(100)


def in_import():
    from weakref import WeakValueDictionary
    kept = WeakValueDictionary()
    kept["me"] = Blocks("weak")
    wait()


def in_reduce():
    import functools
    functools.reduce(lambda a, b: wait(), [[1], [2], [3]])


def in_re():
    import re
    re.sub("[ab]", lambda match: wait() or "x", "".join(["a", "b", "c"]))


def use_modules():
    import ctypes
    import decimal
    import json
    import random
    import socket
    import sqlite3
    import ssl
    import subprocess
    import zlib
    table = sqlite3.connect(":memory:")
    table.create_function("twice", 1, lambda x: x * 2)
    table.execute("CREATE TABLE t (a, b)")
    table.executemany("INSERT INTO t VALUES (?, ?)", [(i, str(i)) for i in range(100)])
    rows = table.execute("SELECT a, twice(b) FROM t")
    KEPT.append((table, rows, rows.fetchone()))
    context = ssl.create_default_context()
    here, there = socket.socketpair()
    KEPT.append((context, here, there))
    if hasattr(ssl, "MemoryBIO"):
        KEPT.append(context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost"))
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))

    class Point(ctypes.Structure):
        _fields_ = [("x", ctypes.c_int), ("name", ctypes.c_char_p), ("next", ctypes.POINTER(ctypes.c_int))]

    array = (ctypes.c_int * 5)(5, 4, 3, 2, 1)
    callback = compare(lambda a, b: a[0] - b[0])
    ctypes.CDLL(None).qsort(array, 5, 4, callback)
    point = Point(1, b"text", ctypes.pointer(ctypes.c_int(7)))
    KEPT.append((array, callback, point, ctypes.cast(point.next, ctypes.c_void_p)))
    KEPT.append(json.loads(json.dumps({"a": [1, 2.5, None, True, "text"], "b": {"c": []}})))
    KEPT.append([decimal.Decimal(i) / 7 for i in range(50)])
    KEPT.append(decimal.getcontext().copy())
    KEPT.append((random.Random(5), zlib.compressobj(), zlib.decompressobj()))
    child = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    child.communicate()
    KEPT.append(child)


def use_more():
    import csv
    import datetime
    import io
    import itertools
    import logging
    import operator
    import tempfile
    import xml.etree.ElementTree as etree
    KEPT.append(etree.fromstring("<a><b c='d'>text</b><b/>tail</a>"))
    KEPT.append(csv.reader(io.StringIO(u"a,b\nc,d")))
    KEPT.append([datetime.datetime.now(), datetime.timedelta(5), datetime.date.today()])
    KEPT.append([itertools.chain([1], [2]), itertools.groupby([1, 1, 2]), itertools.tee(iter([1, 2])),
                 itertools.product([1], [2]), itertools.islice(itertools.count(), 5)])
    KEPT.append([operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("x", 1)])
    log = logging.getLogger("healthy")
    log.addHandler(logging.NullHandler())
    log.warning("text %s", [1])
    KEPT.append(tempfile.TemporaryFile("w+"))
    KEPT.append(io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"line\nline\n"))))
    next(KEPT[-1])


def use_processes():
    import multiprocessing
    queue = multiprocessing.Queue()
    pipe = multiprocessing.Pipe()
    value = multiprocessing.Value("i", 5)
    KEPT.append((queue, pipe, value, multiprocessing.Lock(), multiprocessing.Event()))
    queue.put({"a": [1]})


ASYNC = """
import asyncio

async def sleeper(n):
    held = [str(n)]
    await asyncio.sleep(3600)
    return held

async def failing():
    raise ValueError([1])

async def numbers():
    for i in range(10):
        yield [i]
        await asyncio.sleep(3600)

async def reader():
    async for x in numbers():
        got = x
        await asyncio.Event().wait()
    return got

async def main(started):
    loop = asyncio.get_event_loop()
    tasks = [loop.create_task(sleeper(i)) for i in range(5)]
    tasks += [loop.create_task(failing()), loop.create_task(reader())]
    done = loop.create_future()
    done.set_result([5])
    tasks += [asyncio.wait_for(asyncio.Event().wait(), 3600)]
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    handle = loop.call_later(3600, print, "later")
    await asyncio.sleep(0.05)
    started()
    await asyncio.gather(*tasks, return_exceptions=True)
    return server, handle, done
"""


def in_asyncio():
    if sys.version_info < (3, 6):
        wait()
        return
    import asyncio
    space = {"__name__": "work"}
    exec(ASYNC, space)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(space["main"](lambda: WAITING.append(1)))


def ended(fails):
    yield fails
    if fails:
        raise ValueError(fails)


def keep_ended():
    """Generators that have ended: some by an exception, whose traceback is kept, too."""
    kept = []
    for fails in (False, True, False, True):
        g = ended(fails)
        try:
            kept.append((g, list(g)))
        except ValueError:
            kept.append((g, sys.exc_info()))
    return kept


ENDED = keep_ended()
imports()
use_modules()
use_more()
use_processes()
blocked = [f for name, f in sorted(globals().items()) if name.startswith("in_")]
for f in blocked:
    t = threading.Thread(target=f, name=f.__name__)
    t.daemon = True
    t.start()
late = time.time() + 60
while len(WAITING) < len(blocked):
    time.sleep(0.01)
    if time.time() > late:
        sys.exit("%d of %d threads wait" % (len(WAITING), len(blocked)))
time.sleep(0.05)
os.abort()
