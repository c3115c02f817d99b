"""Counts that are leaked, counts that C holds rightly, counts given back too often; then a core.

Lines of the truth: "leaked ADDRESS EXCESS", "over ADDRESS EXCESS", "held ADDRESS" (by C memory alone),
"loaded ADDRESS ADDRESS": leaked lists of 2,000,000 bytes each, and what has these.
"""
from __future__ import print_function

import ctypes
import os
import signal
import sys
import threading

INC, DEC = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.Py_DecRef
INC.argtypes = DEC.argtypes = [ctypes.py_object]
INC.restype = DEC.restype = None
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]

try:
    import collections
    import decimal
    import functools
    import itertools
    import json
    import re
    import socket
except ImportError:
    pass


class Node(object):
    def __init__(self, n):
        self.name, self.items = "node %d" % n, [n, n + 1]


def tell(what, address, excess=0):
    os.write(198, ("%s %d %d\n" % (what, address, excess)).encode())


def leak():
    for i in range(200):
        text = b"leaked %4d " % i * 100 if sys.version_info >= (3, 5) else str(i) * 1000
        INC(text)
        tell("leaked", id(text), 1)
    for i in range(20):
        node = Node(i)
        for _ in range(3):
            INC(node)
        tell("leaked", id(node), 3)
    for i in range(8):
        loaded = [b"%d" % i * 2000000 if sys.version_info >= (3, 5) else str(i) * 2000000]
        INC(loaded)
        tell("leaked", id(loaded), 1)
        tell("loaded", id(loaded), id(loaded[0]))


def held():
    """A C structure with a count of its own: no leak."""
    for i in range(10):
        node = Node(1000 + i)
        INC(node)
        room = LIBC.malloc(48)
        ctypes.c_size_t.from_address(room + 16).value = id(node)
        ROOMS.append(room)
        tell("held", id(node))


def over():
    """A count too few for two holders: freed when the first lets go."""
    for i in range(5):
        OVER.append(Node(2000 + i))
        AGAIN.append(OVER[i])
        ctypes.c_ssize_t.from_address(id(OVER[i])).value -= 1
        tell("over", id(OVER[i]), -1)


def blocked(request):
    mine = (request, {"request": request})
    READY.set()
    STOP.wait()
    return mine


ROOMS, OVER, AGAIN, KEPT = [], [], [], {"sessions": {17: Node(17)}}
READY, STOP = threading.Event(), threading.Event()
thread = threading.Thread(target=blocked, args=(Node(7),))
thread.daemon = True
thread.start()
READY.wait()
if "healthy" not in sys.argv:
    leak()
    held()
    over()
# The table of interned strings holds no counts of theirs; from 3.12 on each interpreter has one.
INTERNED = [getattr(sys, "intern", str)("made while running, %d" % i) for i in range(500)]
del INC, DEC
tell("session", id(KEPT["sessions"][17]))
os.kill(os.getpid(), signal.SIGABRT)
