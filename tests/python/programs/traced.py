"""Allocates under tracemalloc, writes what it recorded about each object, then dies.

A line each: the block's address, its size, then the traceback, newest first, as file and line by turns."""

import gc
import os
import sys
import tracemalloc

truth = open("/proc/self/fd/198", "w")
depth = int(sys.argv[1])
kept = []


class Thing:
    def __init__(self, n):
        self.n = n
        self.data = bytearray(600 + n)


def make_text(n):
    return "text %d " % n * 30


def deeper(n, k):
    if k:
        return deeper(n, k - 1)
    return [n] * (n % 50 + 1)


def work():
    for n in range(2000):
        kept.append(make_text(n))
        kept.append(deeper(n, n % 6))
        kept.append(Thing(n))
        kept.append({"key %d" % n: n + 0.5})


def tell():
    """Objects only: what tracemalloc itself allocates to answer is left out."""
    for o in kept:
        found = tracemalloc.get_object_traceback(o)
        frames = list(found or ())  # None: from a free list
        if sys.version_info >= (3, 7):  # oldest first since then
            frames.reverse()
        truth.write("%d\t%s\n" % (id(o), "\t".join("%s\t%d" % (f.filename, f.lineno)
                                                  for f in frames)))


tracemalloc.start(depth)
work()
gc.collect()
gc.disable()
if os.fork() == 0:
    # By line, of what had been made by then.
    tell()
    for stat in tracemalloc.take_snapshot().statistics("traceback"):
        frame = stat.traceback[0 if sys.version_info < (3, 7) else -1]
        if frame.filename == __file__:
            truth.write("site\t%d\t%d\t%d\n" % (frame.lineno, stat.count, stat.size))
    truth.close()
    os._exit(0)
os.wait()
os.abort()
