"""planted.py WHAT: a process with one fault, or one thing that weighs, among what every process has. It dies of SIGABRT."""

import ctypes
import gc
import os
import sys

MANY = 20000
CACHE = {}
KEPT = []
api = ctypes.pythonapi
api.Py_IncRef.argtypes = api.Py_DecRef.argtypes = [ctypes.py_object]


class Session:
    def __init__(self, number):
        self.number = number
        self.name = f"session {number}"


class Node:
    def __init__(self):
        self.other = self
        self.data = bytearray(200)


def count_leak():
    for i in range(MANY):
        text = f"a text that nobody gives back {i}"
        api.Py_IncRef(text)
        del text


def over_release():
    KEPT.extend(object() for _ in range(50))
    first = KEPT[0]
    for _ in range(2):
        KEPT.append(first)
    api.Py_DecRef(first)


def garbage():
    gc.set_threshold(1 << 30)
    for _ in range(MANY):
        Node()


def collector_off():
    gc.disable()


def garbage_off():
    gc.disable()
    for _ in range(500):
        Node()


def container():
    for i in range(MANY):
        CACHE[f"key {i}"] = Session(i)


def scattered():
    """Of one type, in many places."""
    for i in range(200):
        globals()[f"registry_{i}"] = [Session(n) for n in range(100)]


def fragments():
    """Arenas that are kept by one block in fifty."""
    many = [(i, i) for i in range(600000)]
    KEPT.extend(many[::50])
    del many


def native():
    """A list that only the C library's table of exit functions leads to."""
    held = [float(i) for i in range(MANY)]
    api.Py_IncRef(held)
    libc = ctypes.CDLL(None)
    libc.on_exit.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    libc.on_exit(ctypes.cast(libc.abs, ctypes.c_void_p), id(held))


def equal():
    text = "an equal text " * 100
    KEPT.extend(text[:-1] + "." for _ in range(3000))


def sparse():
    for i in range(300):
        table = dict.fromkeys(range(2000), None)
        for key in range(5, 2000):
            del table[key]
        KEPT.append(table)


def waiting():
    async def fetch(n):
        data = bytearray(2000)
        await asyncio.get_running_loop().create_future()
        return data, n

    async def main():
        KEPT.extend(asyncio.ensure_future(fetch(i)) for i in range(1500))
        await asyncio.sleep(0.01)
        os.abort()

    import asyncio
    asyncio.run(main())


globals()[sys.argv[1]]()
os.abort()
