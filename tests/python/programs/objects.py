"""Makes a zoo, then tells of every object of the process what can be told, and dies.

    objects.py TRUTH [ZOO]

A forked child writes the truth, one line an object: address, count, bytes (-1: not told), type. It holds
addresses while it works, not objects, so that the counts are those of the process. Found are: what the
collector knows, and from there what objects refer to, keys of dicts, parts of types and of code. Runs under
every CPython from 2.7 on."""

import array
import ctypes
import gc
import os
import sys

PARTS = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable",
         "co_exceptiontable", "co_lnotab")
if sys.version_info >= (3, 10):
    PARTS = PARTS[:-1]  # made when it is asked for
if sys.version_info < (3, 11):
    PARTS += ("co_varnames", "co_freevars", "co_cellvars")
if sys.version_info < (3,):
    PARTS += ("co_code",)
CODE = type((lambda: 0).__code__)
TYPE = type.__dict__
SIZED = (tuple, float, complex, bytes, object, type(len), type(lambda: 0))
INTS = type(1 << 100)
TEXT = type(u"")
ASCII_HEAD = TEXT.__sizeof__(u"") - 1
FROZEN = getattr(__import__("builtins"), "frozendict", dict) if sys.version_info >= (3,) else dict
HEAP_TYPE, READY = 1 << 9, 1 << 12
BIG = sys.version_info >= (3, 12)
Word = ctypes.c_uint64
CODE_OF_WORD = "L"


def object_at(address):
    return ctypes.cast(address, ctypes.py_object).value


def count_at(address):
    word = Word.from_address(address).value
    return word & 0xffffffff if BIG else word


def related(o):
    """Addresses of what it refers to; of nothing that is made for the asking."""
    found = gc.get_referents(o)
    kind = type(o)
    if issubclass(kind, dict):  # a proxy would answer isinstance for what it stands for
        found += list(dict.keys(o))
    elif issubclass(kind, FROZEN):
        found += list(FROZEN.keys(o))
    elif kind is CODE:
        found += [getattr(o, name) for name in PARTS if hasattr(o, name)]
        found += o.co_varnames + o.co_freevars + o.co_cellvars  # their texts
    elif issubclass(kind, type):
        flags = TYPE["__flags__"].__get__(o)
        if flags & READY:  # some of the interpreter's own never are
            found += [TYPE[name].__get__(o) for name in ("__mro__", "__bases__", "__base__")]
            found += type.__subclasses__(o)
            # A proxy made for us, of the type's dict.
            found += gc.get_referents(TYPE["__dict__"].__get__(o))
        if flags & HEAP_TYPE and sys.version_info >= (3,):
            found += [TYPE["__name__"].__get__(o), TYPE["__qualname__"].__get__(o)]
    found.append(kind)
    return [id(x) for x in found]


def size_of(o):
    """What its type says that it has itself, without buffers; -1: it does not say that alone."""
    kind = type(o)
    if kind in SIZED or (kind is INTS and o != 0):
        return kind.__sizeof__(o)
    # Its own sizeof counts a copy in UTF-8 that it may have made.
    if kind is TEXT and sys.version_info >= (3, 3) and TEXT.isidentifier(o) and max(o) < "\x80":
        return ASCII_HEAD + len(o) + 1
    return -1


def record(objects, out):
    pending, seen, mine = list(objects), set(), set()
    frame = sys._getframe()
    while frame:  # what they hold comes and goes while we work
        mine.add(id(frame))
        frame = frame.f_back
    pending.append(id(objects))
    while pending:
        address = pending.pop()
        if address in seen or address in mine:
            continue
        seen.add(address)
        o = object_at(address)
        more = related(o)
        del o
        pending.extend(a for a in more if a not in seen)
    for address in sorted(seen):
        count = count_at(address)
        o = object_at(address)
        out.write("%x %d %d %s\n" % (address, count, size_of(o), type(o).__name__.replace(" ", "_")))
        del o
    out.flush()


def main():
    zoo = {}
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as f:
            exec(compile(f.read(), sys.argv[2], "exec"), {"__name__": "zoo", "ZOO": zoo})
    # The C library's: os.fork runs what threading and others registered, and that changes objects.
    fork = ctypes.PyDLL(None).fork
    out = open(sys.argv[1], "w")
    gc.collect()
    gc.disable()
    # What is made at its first use is made before: a static type gets ready when it is asked its name.
    with open(os.devnull, "w") as nowhere:
        record(array.array(CODE_OF_WORD, map(id, gc.get_objects())), nowhere)
    # What is looked up later takes its place in the interpreter's cache of attributes, which lets go of a name
    # there, and the child still has that.
    waitpid, abort = os.waitpid, os.abort
    objects = array.array(CODE_OF_WORD, map(id, gc.get_objects()))
    pid = fork()
    if not pid:
        try:
            record(objects, out)
        finally:
            os._exit(0)
    if waitpid(pid, 0)[1]:
        sys.exit("the child failed")
    abort()


main()
