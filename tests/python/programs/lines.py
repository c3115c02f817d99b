"""Threads that wait at every kind of line, tracebacks and generators that are kept; the lines at which
they are, as the process sees it; then a core.

Lines of the truth: "stack PLACE PLACE ...", a thread's, innermost first; "object ADDRESS PLACE" of
frames and tracebacks. A place is function:file:line. Runs under every CPython from 2.7 on."""
from __future__ import print_function

import os
import random
import sys
import threading
import time

WAITING, STOP, KEPT = [], threading.Event(), []
R = random.Random(20)


def wait():
    WAITING.append(1)
    STOP.wait()


def statement(depth):
    """A few lines; `#` stands where it may wait."""
    kind = R.randrange(9)
    space = "    " * depth
    if kind == 0:
        return space + "x = [1,\n" + "\n" * R.randrange(3) + space + "     x, #]\n"
    if kind == 1:
        return space + "\n" * R.choice([1, 5, 130, 300]) + space + "x = #\n"
    if kind == 2:  # much code in one line: 256 bytes and more
        return space + "x = (" + " + ".join(["[x]"] * R.choice([3, 60, 200])) + " + [#])[-1]\n"
    if kind == 3:
        return (space + "for i in range(2):\n" + statement(depth + 1) + space + "    x = i\n")
    if kind == 4:
        return (space + "try:\n" + statement(depth + 1) + space + "finally:\n" + space + "    x = #\n")
    if kind == 5:
        return space + "x = dict(a=1,\n\n" + space + "    b=#,\n" + space + "    c=[2,\n" + space + "3])\n"
    if kind == 6:
        return space + "while x is x:\n" + statement(depth + 1) + space + "    break\n"
    if kind == 7:  # back up: the arguments lie below the call's first line
        return space + "x = max(\n" + space + "    #,\n" + space + "    1, 2) if not x else #\n"
    return space + "x = [f(0) for f in [lambda n: #]]\n"


def source():
    """A function whose n-th call of step() waits."""
    text = "def work(step):\n    x = 0\n" + "".join(statement(1) for _ in range(12))
    return "\n" * R.randrange(400) + text.replace("#", "step()")


def generated(n):
    space = {}
    exec(compile(source(), "generated%d.py" % n, "exec"), space)
    return space["work"]


def blocked(work, when):
    left = [when]

    def step():
        left[0] -= 1
        if not left[0]:
            wait()
        return 0
    work(step)
    wait()


def failing(work, when):
    """The traceback of the n-th step."""
    left = [when]

    def step():
        left[0] -= 1
        if not left[0]:
            raise KeyError(when)
        return 0
    try:
        work(step)
    except KeyError:
        KEPT.append(sys.exc_info())


def generator():
    yield 1

    for i in range(3):
        yield (i,
               2)


def place(frame, line):
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    return "%s:%s:%d" % (name, os.path.basename(code.co_filename), line)


def tell():
    out = []
    for thread, frame in sys._current_frames().items():
        if thread == threading.main_thread().ident if hasattr(threading, "main_thread") else (
                frame is sys._getframe()):
            continue
        places = []
        while frame is not None:
            places.append(place(frame, frame.f_lineno))
            frame = frame.f_back
        out.append("stack %s\n" % " ".join(places))
    for kept in KEPT:
        if isinstance(kept, tuple):
            tb = kept[2]
            while tb is not None:
                # Its frame goes on after the exception is caught: each has a line of its own.
                out.append("object %d %s\n" % (id(tb), place(tb.tb_frame, tb.tb_lineno)))
                if tb.tb_next is not None or tb.tb_frame.f_code.co_name != "failing":
                    out.append("object %d %s\n" % (id(tb.tb_frame), place(tb.tb_frame,
                                                                        tb.tb_frame.f_lineno)))
                tb = tb.tb_next
        else:
            out.append("object %d %s\n" % (id(kept.gi_frame), place(kept.gi_frame,
                                                                    kept.gi_frame.f_lineno)))
    os.write(198, "".join(out).encode())


works = [generated(n) for n in range(20)]
for n in range(60):
    t = threading.Thread(target=blocked, args=(works[n % 20], 1 + R.randrange(14)))
    t.daemon = True
    t.start()
for n in range(60):
    failing(works[n % 20], 1 + R.randrange(14))
for n in range(4):
    KEPT.append(generator())
    for _ in range(n):
        next(KEPT[-1])
late = time.time() + 60
while len(WAITING) < 60:
    time.sleep(0.01)
    if time.time() > late:
        sys.exit("%d threads wait" % len(WAITING))
time.sleep(0.05)
tell()
os.abort()
