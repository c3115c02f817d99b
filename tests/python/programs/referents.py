"""Makes a zoo, then tells what every object of the process refers to, and dies.

    referents.py TRUTH [ZOO]

A forked child writes the truth, one line an object: address, type, the addresses of its referents by
gc.get_referents. It is a copy of the process: what it makes itself is in no dump. Runs under every
CPython from 2.7 on."""

import ctypes
import gc
import os
import sys


def write_truth(objects, out):
    seen = set()
    skip = set([id(objects), id(out)])
    frame = sys._getframe()
    while frame:
        skip.add(id(frame))
        frame = frame.f_back
    pending = list(objects)
    while pending:
        o = pending.pop()
        if id(o) in seen or id(o) in skip:
            continue
        seen.add(id(o))
        referents = gc.get_referents(o)
        out.write("%x %s %s\n" % (id(o), type(o).__name__.replace(" ", "_"),
                                  " ".join(["%x" % id(r) for r in referents])))
        pending.extend(referents)
    out.flush()


def main():
    zoo = {}
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as f:
            exec(compile(f.read(), sys.argv[2], "exec"), {"__name__": "zoo", "ZOO": zoo})
    # The C library's: os.fork runs what threading and others registered, and that changes objects.
    fork = ctypes.PyDLL(None).fork
    out = open(sys.argv[1], "w")
    # What is made at its first use is made before: a static type gets ready when it is asked its name.
    with open(os.devnull, "w") as nowhere:
        write_truth(gc.get_objects(), nowhere)
    # What is looked up later takes its place in the interpreter's cache of attributes, which lets go of a name
    # there, and the child still has that.
    waitpid, abort = os.waitpid, os.abort
    gc.collect()
    gc.disable()
    objects = gc.get_objects()
    pid = fork()
    if not pid:
        try:
            write_truth(objects, out)
        finally:
            os._exit(0)
    if waitpid(pid, 0)[1]:
        sys.exit("the child failed")
    abort()


main()
