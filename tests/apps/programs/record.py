"""What an application says about itself before it dies: record.die(TRUTH).

Two forked children write it: they have the same objects at the same addresses, and what they make
themselves is in no dump. Their lines:

    object ADDRESS TYPE REFERENTS...     every object of gc.get_objects, and what they lead to
                                         (also by what code objects and static types hold, which
                                         gc.get_referents does not tell)
    garbage ADDRESS TYPE                 what gc.collect() finds, by DEBUG_SAVEALL
"""

import ctypes
import gc
import os
import sys
import types

SECONDS = 100
LOST = []  # addresses of what the collector does not know, and nothing it knows leads to
CODE = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable", "co_exceptiontable")


def name(kind):
    """As heapscan writes it: module and qualified name; of a type in C what it calls itself."""
    return ("%s.%s" % (kind.__module__, kind.__qualname__)).replace(" ", "_")


def untold(o):
    """What o holds that gc.get_referents does not tell, as far as it can be had without making anything."""
    if type(o) is types.CodeType:
        return [getattr(o, field) for field in CODE if hasattr(o, field)]
    if isinstance(o, type):
        return gc.get_referents(o.__dict__) + [o.__bases__, o.__mro__]
    return []


def tell(objects, out):
    seen, skip, names = set(), {id(objects), id(out)}, {}
    frame = sys._getframe()
    while frame:
        skip.add(id(frame))
        frame = frame.f_back

    def name_of(kind):
        if kind not in names:
            names[kind] = name(kind)
        return names[kind]

    pending = list(objects) + [ctypes.cast(a, ctypes.py_object).value for a in LOST]
    while pending:
        o = pending.pop()
        if id(o) in seen or id(o) in skip:
            continue
        seen.add(id(o))
        referents = gc.get_referents(o)
        out.write("object %x %s %s\n" % (id(o), name_of(type(o)), " ".join(["%x" % id(r) for r in referents])))
        pending.extend(referents)
        pending.extend(untold(o))
    out.flush()


def walk(out):
    tell(gc.get_objects(), out)


def collect(out):
    """No list of the objects is anywhere, nor in a frame that waits. Finalizers run here: a lock that another
    thread holds would stop it."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    for o in gc.garbage:
        out.write("garbage %x %s\n" % (id(o), name(type(o))))
    out.flush()


def in_child(fork, alarm, waitpid, write, out):
    pid = fork()
    if not pid:
        status = 1
        try:
            alarm(SECONDS)
            write(out)
            status = 0
        finally:
            os._exit(status)
    status = waitpid(pid, 0)[1]
    if status:
        os.write(2, b"the child of %s failed: %#x\n" % (write.__name__.encode(), status))
        os._exit(1)


def die(truth):
    gc.disable()
    # The C library's: os.fork runs what threading and others registered, and that changes objects.
    libc = ctypes.PyDLL(None)
    # A function of the library is made when it is first asked for. And what is looked up later takes its place in
    # the interpreter's cache of attributes, which lets go of a name there: the children would still have it.
    fork, alarm, waitpid, abort = libc.fork, libc.alarm, os.waitpid, os.abort
    alarm(0)
    with open(os.devnull, "w") as nowhere:
        # What is made at its first use is made before: a static type gets ready when it is asked its name.
        walk(nowhere)
    with open(truth, "w") as out:
        seek = out.seek
        in_child(fork, alarm, waitpid, walk, out)
        seek(0, 2)
        in_child(fork, alarm, waitpid, collect, out)
        abort()
