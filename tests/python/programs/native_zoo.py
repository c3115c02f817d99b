"""Faults of an extension in C, and counts that C holds rightly (native_zoo.c); then a core.

The truth is one JSON object: {"leaked": {address: excess}, "over": {address: excess}, "held": {place:
[addresses]}, "below": {place: [addresses]}, "rings": {name: [addresses]}, "garbage": [addresses]}; the last
is what gc.collect() finds in a forked child.
"""
from __future__ import print_function

import gc
import json
import os
import re
import signal
import sys
import threading

sys.path.insert(0, sys.argv[1])
import native_zoo  # noqa: E402

HEALTHY = "healthy" in sys.argv
BYTES, TEXTS, DICTS, NODES = 100, 60, 40, 20
EACH, MANY = 12, 150
TRUTH = {"leaked": {}, "over": {}, "held": {}, "below": {}, "rings": {}, "garbage": []}


class Node(object):
    def __init__(self, n=0):
        self.name, self.items = "node %d" % n, [n]

    def __len__(self):
        return 1


def leaks():
    made = [b"leaked bytes %6d " % i * 50 if sys.version_info >= (3, 5) else "leaked %6d " % i * 60
            for i in range(BYTES)]
    made += [u"leaked text %6d \u00e9" % i * 3 for i in range(TEXTS)]
    made += [{"leaked": i} for i in range(DICTS)]
    for o in made:
        native_zoo.forget(o)
        TRUTH["leaked"][id(o)] = 1
    for i in range(NODES):
        node = Node(i)
        for _ in range(i % 3 + 1):
            native_zoo.forget(node)
        TRUTH["leaked"][id(node)] = i % 3 + 1
    for i in range(EACH):
        lost = [i, "only in a block that was freed"]
        native_zoo.freed(lost)
        TRUTH["leaked"][id(lost)] = 1


def keep(place, call, n=EACH):
    for i in range(n):
        o = {place: Node(i)}
        TRUTH["held"].setdefault(place, []).append(id(o))
        TRUTH["below"].setdefault(place, []).append(id(o[place]))
        call(o)


def held():
    keep("array", native_zoo.array)
    keep("record", native_zoo.record, 1)
    keep("global", getattr(native_zoo, "global"), 1)
    keep("list", native_zoo.list, MANY)
    keep("vector", native_zoo.vector)
    keep("map", native_zoo.map)
    keep("table", native_zoo.table)
    keep("tagged", native_zoo.tagged, 1)
    keep("capsule", lambda o: CAPSULES.append(native_zoo.capsule(o)))
    pair = []
    keep("stack", pair.append, 1)
    keep("specific", pair.append, 1)
    native_zoo.thread(*pair)


def block():
    """A block of C that only a block of an object of this type leads to."""
    pair = native_zoo.Whole()
    keep("pair", pair.keep, 1)
    CAPSULES.append(pair)


def over():
    """Two holders, one count: freed when the first lets go."""
    for i in range(6):
        OVER.append(Node(100 + i))
        AGAIN.append(OVER[-1])
        native_zoo.too_many(OVER[-1])
        TRUTH["over"][id(OVER[-1])] = -1


def ring(name, first, link):
    """first --(link)--> dict -> list -> Node -> first"""
    node, table = Node(), {}
    items = [node]
    table["items"] = items
    node.back = first
    link(first, table)
    TRUTH["rings"].setdefault(name, []).append([id(o) for o in (first, table, items, node)])
    return first


def member(name):
    return lambda o, value: setattr(o, name, value)


def push(o, value):
    o.push(value)


def rings():
    for i in range(3):
        ring("blind", native_zoo.Blind(), member("a"))
        ring("empty", native_zoo.Empty(), member("b"))
        ring("half unseen", native_zoo.Half(), member("b"))
        ring("half seen", native_zoo.Half(), member("a"))
        ring("whole", native_zoo.Whole(), member("b"))
        ring("whole items", native_zoo.Whole(), push)
        ring("untracked", native_zoo.Untracked(), member("a"))
        both = ring("blind and whole", native_zoo.Whole(), member("a"))
        blind = native_zoo.Blind()
        both.b, blind.a = blind, both
        TRUTH["rings"]["blind and whole"][-1].append(id(blind))


def all_of_it():
    LOCAL.of_the_thread = []
    held()
    block()
    ALIVE.append(ring("alive blind", native_zoo.Blind(), member("a")))
    ALIVE.append(ring("alive whole", native_zoo.Whole(), member("a")))
    if not HEALTHY:
        rings()
        over()
        leaks()


def truth(out):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        os.write(writer, json.dumps([id(o) for o in gc.garbage]).encode())
        os._exit(0)
    os.close(writer)
    text = b""
    while True:
        more = os.read(reader, 65536)
        if not more:
            break
        text += more
    os.waitpid(child, 0)
    TRUTH["garbage"] = json.loads(text.decode())
    os.write(out, json.dumps(TRUTH).encode())


gc.collect()
gc.disable()
# Memory that nothing used before: at old addresses, words that were left over would seem to point to it.
FILL = [[native_zoo.Blind(), native_zoo.Whole(), Node(i), {"fill": i}] for i in range(1500)]
LOCAL = threading.local()
LOCAL.of_the_main_thread = [{}]
SCANNER = re.compile("a+b").finditer("".join(["aab"] * EACH))
CAPSULES, OVER, AGAIN, ALIVE = [], [], [], []
# What a thread leaves in its stack goes with it. The end of the first one opens a library (libgcc_s).
for target in (int, all_of_it):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
keep("tls", native_zoo.tls, 1)
truth(198)
os.kill(os.getpid(), signal.SIGABRT)
