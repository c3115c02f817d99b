"""Cycles of every kind, garbage and alive; then what gc.collect() finds in a forked child; then a core.

Lines of the truth: "garbage ADDRESS TYPE" for each object that the collector finds, "kept ADDRESS TYPE"
for those that it leaves in gc.garbage and "behind" for all that these lead to, "alive ADDRESS" for objects on cycles that are held, "frozen ADDRESS" for garbage that no collection looks at,
"thresholds N N N".
"""
from __future__ import print_function

import gc
import os
import signal
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore")
gc.disable()
gc.set_threshold(701, 11, 12)


class Node(object):
    pass


class Slots(object):
    __slots__ = ("other", "__weakref__")


class Finalized(object):
    """From 3.4 on this is collected like any other; in 2.7 it is not."""

    def __del__(self):
        pass


class Old:
    """Of Python 2's first kind of classes."""

    def __del__(self):
        pass


class OldChild(Old):
    pass


class OldPlain:
    pass


class Child(dict):
    pass


def ring(n, kind=Node):
    nodes = [kind() for _ in range(n)]
    for i, node in enumerate(nodes):
        node.other = nodes[(i + 1) % n]
    return nodes[0]


def closure():
    def inner():
        return inner
    return inner


def generator():
    box = []

    def walk():
        mine = box
        yield mine
        yield mine
    running = walk()
    next(running)
    box.append(running)
    return running


def finally_generator():
    """Its finalizer would run what is behind the yield."""
    def walk():
        try:
            yield box
        finally:
            box.append(None)
    box = []
    running = walk()
    next(running)
    box.append(running)


def behind_finalizer():
    """What only something with a finalizer leads to."""
    first = ring(2, Finalized)
    first.leaf = [{"text": [1.5]}]


def traceback_frame():
    held = None
    try:
        raise ValueError("held by its own frame")
    except ValueError:
        held = sys.exc_info()
    return held is None


def containers():
    items = []
    items.append(items)
    table = {}
    table["self"] = table
    pair = ([], "text", 1.5)
    pair[0].append(pair)
    bunch = Node()
    bunch.set = set([bunch])
    child = Child()
    child["me"] = child
    child.attribute = (child, frozenset(["leaf"]))
    return None


def classes():
    class Local(object):
        def method(self):
            return Local

        @property
        def value(self):
            return self
    made = Local()
    made.bound = made.method
    return None


def hanging():
    """What is not on the cycle but only it leads to, and what else is held."""
    first = ring(3)
    first.leaf = [{"text": "leaf %d" % i} for i in range(20)]
    first.shared = KEPT
    return None


KEPT = [ring(5), closure(), generator()]
HELD = Node()
HELD.me = HELD


def blocked(request):
    table = {"request": request, "ring": ring(4)}
    READY.set()
    signal.pause() if table is None else STOP.wait()


def stale():
    """Words of the evaluation stack that are no longer in use lead to garbage."""
    len([ring(2), ring(3), ring(4), closure(), [ring(2), ring(5)]])
    wait()


def on_stack():
    """Only words in use do: these rings are alive."""
    return [ring(2), [ring(3)], max([ring(2), wait()], key=id), ring(7)]


def wait():
    WAITING.append(1)
    STOP.wait()


def make(kinds):
    for kind in kinds:
        for _ in range(3):
            kind()


def truth(out, word, debug):
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    gc.set_debug(debug)
    gc.collect()
    found = [(word, id(o), type(o).__name__) for o in gc.garbage]
    if not debug:  # and all that they lead to
        seen, pending = set(f[1] for f in found), list(gc.garbage)
        while pending:
            for o in gc.get_referents(pending.pop()):
                if id(o) not in seen and len(seen) < 100000:
                    seen.add(id(o))
                    pending.append(o)
                    found.append(("behind", id(o), type(o).__name__))
    os.write(out, "".join("%s %d %s\n" % f for f in found).encode())
    os._exit(0)


READY = threading.Event()
STOP = threading.Event()
thread = threading.Thread(target=blocked, args=(Node(),))
thread.daemon = True
thread.start()
READY.wait()
WAITING = []
for target in (stale, on_stack):
    thread = threading.Thread(target=target)
    thread.daemon = True
    thread.start()
while len(WAITING) < 2:
    time.sleep(0.01)
time.sleep(0.05)
make([lambda: ring(1), lambda: ring(7), lambda: ring(3, Slots), lambda: ring(2, Finalized),
      lambda: ring(2, Old), lambda: ring(2, OldChild), lambda: ring(2, OldPlain), behind_finalizer, closure,
      generator, finally_generator, traceback_frame, containers, classes, hanging])
if "freeze" in sys.argv:
    # What is frozen is no garbage, and what it leads to is held; what leads to it may be garbage.
    frozen = [ring(3) for _ in range(20)]
    addresses = [id(node) for node in frozen]
    older = Node()
    gc.freeze()
    for node in frozen:
        node.later = ring(2)
    made = ring(4)
    made.older = older
    del frozen, made, older, node
    make([lambda: ring(7), closure, containers, classes])
    os.write(198, "".join("frozen %d\n" % a for a in addresses).encode())
ring(1000)
os.write(198, ("alive %d\nalive %d\n" % (id(HELD), id(KEPT[0]))).encode())
os.write(198, ("thresholds %d %d %d\n" % gc.get_threshold()).encode())
truth(198, "garbage", gc.DEBUG_SAVEALL)
truth(198, "kept", 0)
os.kill(os.getpid(), signal.SIGABRT)
