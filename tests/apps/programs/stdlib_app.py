"""sqlite3, ssl, ctypes callbacks, multiprocessing, json, pickle, csv, zlib, decimal, xml; then it dies."""

import asyncio
import concurrent.futures
import csv
import ctypes
import datetime
import decimal
import enum
import functools
import gc
import http.server
import io
import json
import logging
import multiprocessing.pool
import pickle
import queue
import re
import select
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
import uuid
import xml.etree.ElementTree
import xml.parsers.expat
import zipfile
import zlib
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field

import record

gc.disable()
KEPT = {}
n = int(sys.argv[2])


@dataclass
class Order:
    number: int
    lines: list = field(default_factory=list)


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


def databases():
    db = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.create_function("twice", 1, lambda x: 2 * x)
    db.create_collation("backwards", lambda a, b: (a < b) - (a > b))

    class Total:
        def __init__(self):
            self.sum = 0

        def step(self, x):
            self.sum += x

        def finalize(self):
            return self.sum

    db.create_aggregate("total_of", 1, Total)
    db.set_trace_callback(KEPT.setdefault("trace", []).append)
    db.set_progress_handler(lambda: 0, 100000)
    db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, data BLOB, made timestamp)")
    db.executemany("INSERT INTO item (name, data, made) VALUES (?, ?, ?)",
                   [("item %d" % i, b"x" * 200, datetime.datetime(2020, 1, 1, i % 24)) for i in range(n)])
    KEPT["rows"] = db.execute("SELECT * FROM item WHERE twice(id) > 4 ORDER BY name COLLATE backwards").fetchall()
    KEPT["total"] = db.execute("SELECT total_of(id) FROM item").fetchone()
    KEPT["cursor"] = db.execute("SELECT * FROM item")
    KEPT["row"] = KEPT["cursor"].fetchone()
    KEPT["blob"] = db.blobopen("item", "data", 1) if hasattr(db, "blobopen") else None
    KEPT["db"] = db


def native():
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    seen = []

    def order(a, b):
        seen.append(a[0])
        return a[0] - b[0]

    class Inner(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int), ("p", ctypes.c_char_p)]

    class Outer(ctypes.Structure):
        _fields_ = [("inner", Inner * 3), ("next", ctypes.c_void_p), ("o", ctypes.py_object)]

    numbers = (ctypes.c_int * 50)(*range(50, 0, -1))
    KEPT["callback"] = compare(order)
    ctypes.CDLL(None).qsort(numbers, 50, 4, KEPT["callback"])
    outer = Outer()
    outer.inner[1].p = b"pointed at"
    outer.o = ["an object in a structure"]
    KEPT["ctypes"] = [numbers, outer, outer.inner[1], ctypes.pointer(outer), ctypes.byref(outer),
                      ctypes.create_string_buffer(b"text", 1000), (Outer * 4)(), seen]


def texts():
    KEPT["json"] = json.loads(json.dumps([{"id": i, "tags": ["a", "b", str(i)], "x": i / 3} for i in range(n)]))
    KEPT["pickle"] = pickle.loads(pickle.dumps([Order(i, [{"sku": i}]) for i in range(n)]))
    KEPT["pickler"] = pickle.Pickler(io.BytesIO())
    KEPT["pickler"].dump(KEPT["pickle"])
    KEPT["csv"] = list(csv.DictReader(io.StringIO("a,b,c\n" + "1,2,3\n" * n)))
    KEPT["reader"] = csv.reader(io.StringIO("a,b\nc,d\n"))
    KEPT["xml"] = xml.etree.ElementTree.fromstring("<a>" + "<b x='1'>t<c/>u</b>" * n + "</a>")
    KEPT["expat"] = xml.parsers.expat.ParserCreate()
    KEPT["expat"].StartElementHandler = lambda name, attrs: KEPT.setdefault("elements", []).append(name)
    KEPT["expat"].Parse("<a><b/>")
    KEPT["zlib"] = [zlib.compressobj(), zlib.decompressobj(), zlib.compress(b"x" * 10000)]
    KEPT["zlib"][0].compress(b"some text" * 100)
    KEPT["decimal"] = [decimal.Decimal(i) / 7 for i in range(n)]
    KEPT["re"] = [re.compile(r"(\w+) (?P<two>\d+)"), re.match(r"(a)(b)", "abc"), re.finditer("a", "banana")]
    KEPT["uuid"] = [uuid.uuid4() for _ in range(20)]
    KEPT["colours"] = [Colour.RED, Colour("green")]
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w") as z:
        z.writestr("a.txt", "a" * 1000)
    KEPT["zip"] = zipfile.ZipFile(store)
    KEPT["zipped"] = KEPT["zip"].open("a.txt")
    KEPT["zipped"].read(10)


def files():
    f = tempfile.TemporaryFile("w+")
    f.write("line\n" * 1000)
    f.seek(0)
    f.readline()
    KEPT["files"] = [f, tempfile.TemporaryFile(), io.StringIO("x" * 100), io.BytesIO(b"y" * 100),
                     tempfile.SpooledTemporaryFile()]
    KEPT["lines"] = iter(f)
    KEPT["log"] = logging.getLogger("shop.orders")
    KEPT["log"].addHandler(logging.StreamHandler(io.StringIO()))
    KEPT["log"].warning("one %s", ["argument"])


def network():
    context = ssl.create_default_context()
    a, b = socket.socketpair()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    poll = select.epoll()
    poll.register(a)
    KEPT["network"] = [context, a, b, incoming, outgoing, tls, poll, a.makefile("rb"), select.poll()]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True, name="server").start()
    for i in range(n // 10):
        with urllib.request.urlopen("http://127.0.0.1:%d/%d" % (server.server_port, i)) as got:
            KEPT.setdefault("answers", []).append(json.load(got))


def workers():
    jobs = queue.Queue()

    def work(number):
        mine = ["of worker", number]
        while True:
            job = jobs.get()
            KEPT.setdefault("worked", []).append((mine, job))
            jobs.task_done()

    for i in range(4):
        threading.Thread(target=work, args=(i,), daemon=True, name="worker-%d" % i).start()
    for i in range(n):
        jobs.put({"job": i})
    jobs.join()
    pool = concurrent.futures.ThreadPoolExecutor(3)
    KEPT["futures"] = [pool.submit(lambda x: [x], i) for i in range(20)]
    concurrent.futures.wait(KEPT["futures"])
    local = threading.local()
    local.mine = ["of the main thread"]
    KEPT["local"] = local
    KEPT["pool"] = multiprocessing.pool.ThreadPool(2)
    KEPT["mapped"] = KEPT["pool"].map(str, range(50))
    KEPT["condition"] = [threading.Condition(), threading.Barrier(3), threading.Timer(3600, print), threading.RLock()]
    KEPT["process"] = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


VARIABLE = ContextVar("request")


async def serve(reader, writer):
    KEPT.setdefault("connections", []).append((reader, writer))
    while await reader.readline():
        writer.write(b"answer\n")


async def client(port):
    VARIABLE.set(["a client"])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(b"question\n")
        await reader.readline()
    await asyncio.get_running_loop().create_future()


async def numbers():
    for i in range(100):
        yield [i]
        await asyncio.sleep(0)


async def loop():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tasks = [asyncio.create_task(client(port), name="client-%d" % i) for i in range(25)]
    some = numbers()
    async for i in some:
        if i == [3]:
            break
    KEPT["context"] = copy_context()
    done = asyncio.get_running_loop().create_task(asyncio.sleep(0, ["a result"]))
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError("kept"))
    await asyncio.gather(done, failed, return_exceptions=True)
    KEPT["tasks"] = [done, failed, tasks, asyncio.Queue(), asyncio.Lock(), asyncio.Event()]
    await asyncio.sleep(0.3)
    record.die(sys.argv[1])


@functools.lru_cache(maxsize=64)
def cached(x):
    return {"cached": x}


for make in (databases, native, texts, files, network, workers):
    make()
for i in range(n):
    cached(i)
asyncio.run(loop())
