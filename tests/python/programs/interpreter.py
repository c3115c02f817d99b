"""In an embedded interpreter: some objects of its own and some garbage; then, by a forked child, the truth.

    interpreter.py TRUTH

Lines "object ADDRESS TYPE REFERENTS...", of what this interpreter's collector knows and what that refers
to; "garbage ADDRESS TYPE" for what a collection finds; "mark ADDRESS" for the list KEPT of its __main__;
"builtin ADDRESS TYPE" for what this interpreter has as the __dict__ of a builtin type."""

import gc
import os
import sys
import embedded

gc.disable()
NUMBER = int(sys.argv[1].rsplit(".", 1)[1])  # of this interpreter
KINDS = (object, type, str, int, dict, type(None), OSError, type(embedded))
if sys.version_info >= (3, 13):
    try:
        import _datetime  # its types are static, too; it needs a shared libpython
        KINDS += (_datetime.date, _datetime.tzinfo)
    except ImportError:
        pass


class Session(object):
    pass


class Slots(object):
    __slots__ = ("value", "other")


def function(a, b=[1, 2]):
    def inner():
        return a, b
    return inner


def generator():
    mine = {"in": "a generator"}
    yield mine
    yield mine


def ring(n, kind):
    nodes = [kind() for _ in range(n)]
    for i, node in enumerate(nodes):
        node.other = nodes[(i + 1) % n]


u"".encode("ascii").decode("ascii")  # the codec is imported now, by each, and not when the truth is told
KEPT = []
for i in range(300):
    session = Session()
    session.user = "user %d of interpreter %d" % (i, NUMBER)
    session.data = {i: (i, float(i), str(i)), "set": frozenset([i, "x"]), "bytes": bytearray(b"abc" * i)}
    slots = Slots()
    slots.value, slots.other = session, function(i)
    KEPT.append((session, slots))
RUNNING = generator()
next(RUNNING)


def referents(objects, out):
    seen, lines = set(), []
    skip = set([id(objects), id(lines), id(seen)])
    frame = sys._getframe()
    while frame:
        skip.add(id(frame))
        frame = frame.f_back
    pending = list(objects)
    skip.add(id(pending))
    while pending:
        o = pending.pop()
        if id(o) in seen or id(o) in skip:
            continue
        seen.add(id(o))
        found = gc.get_referents(o)
        lines.append("object %d %s %s" % (id(o), type(o).__name__.replace(" ", "_"),
                                          " ".join([str(id(r)) for r in found])))
        pending.extend(found)
    os.write(out, ("\n".join(lines) + "\n").encode())


def child(out, objects):
    referents(objects, out)
    del objects[:]
    # Not gc.garbage: 3.9 has one list for each interpreter, but every module gc shows the first one's.
    empty = [o for o in gc.get_objects() if type(o) is list and not o]
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    (garbage,) = [o for o in empty if o] or [[]]
    os.write(out, "".join(["garbage %d %s\n" % (id(o), type(o).__name__)
                           for o in garbage]).encode())
    os._exit(0)


def main():
    out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(out, ("mark %d\n" % id(KEPT)).encode())
    for kind in KINDS:
        os.write(out, ("builtin %d %s\n" % (id(gc.get_referents(kind.__dict__)[0]), kind.__name__)).encode())
    quiet = os.open(os.devnull, os.O_WRONLY)
    referents(gc.get_objects(), quiet)
    # To 3.8 there is one collector for all.
    if sys.version_info >= (3, 9) or NUMBER == 1 % embedded.interpreters:
        gc.collect()
    ring(10, Session)
    ring(3, Slots)
    objects = gc.get_objects()
    pid = embedded.fork()
    if not pid:
        try:
            child(out, objects)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        sys.exit("the child failed")
    del objects[:]
