"""Generators, coroutines, tasks and futures of every state. Writes the truth about each, then dies.

A line each: kind, address, state, line, awaits, waiter, function, file; - for what it does not have."""

import gc
import os
import sys
import types

PY3 = sys.version_info >= (3,)
truth = open("/proc/self/fd/198", "w")
kept = []


def tell(kind, obj, state, line="-", awaits=None, waiter=None, function="-", path="-"):
    truth.write("\t".join(str(x) for x in (
        kind, id(obj), state, line, id(awaits) if awaits is not None else "-",
        id(waiter) if waiter is not None else "-", function, path)) + "\n")


def frame_state(frame, running):
    if frame is None:
        return "ended"
    return "running" if running else "created" if frame.f_lasti < 0 else "suspended"


def plain(n):
    for i in range(n):
        yield i


def looped(inner):
    for x in inner:
        yield x
        # far from the first line
        yield (x,
               -x)


def generators():
    for n in range(50):
        g = plain(n % 7 + 2)
        for _ in range(n % 5):
            next(g, None)
        kept.append(g)
        h = looped(plain(3))
        for _ in range(n % 4):
            next(h)
        kept.append(h)
        kept.append(x for x in kept)
    ended = [plain(1) for _ in range(20)]
    for g in ended:
        list(g)
    kept.extend(ended)


def tell_generator(g):
    frame = g.gi_frame
    if PY3:
        import inspect
        state = {"GEN_CREATED": "created", "GEN_SUSPENDED": "suspended", "GEN_RUNNING": "running",
                 "GEN_CLOSED": "ended"}[inspect.getgeneratorstate(g)]
    else:
        state = frame_state(frame, g.gi_running)
    line = frame.f_lineno if frame else g.gi_code.co_firstlineno
    tell("generator", g, state, line, getattr(g, "gi_yieldfrom", None), None,
         getattr(g, "__qualname__", g.__name__), g.gi_code.co_filename)


generators()
if PY3:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "waiting_zoo3.py")
    with open(path) as f:
        exec(compile(f.read(), path, "exec"))
    die()  # noqa: F821
for g in gc.get_objects():
    if isinstance(g, types.GeneratorType):
        tell_generator(g)
truth.close()
os.abort()
