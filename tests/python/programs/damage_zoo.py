"""Objects for tests to write over, for every CPython from 2.7 on; their addresses go to the file descriptor of
the truth, one "name address" a line; then a core."""
import collections
import gc
import itertools
import os
import sys

TRUTH = 198


class Plain(object):
    def __init__(self, n):
        self.n, self.other = n, [n]

    def __del__(self):
        pass


class Slots(object):
    __slots__ = "a", "b"

    def __init__(self, n):
        self.a, self.b = n + 1000, {"n": n}


class Doomed(object):
    pass


class Doubtful(object):
    pass


def generator(n):
    local = [n, "in a generator"]
    yield local
    yield n


def text(n):
    return "text number %d" % n


def of(kind, n):
    """n-th object of a kind; each holds some others."""
    return {
        "list": lambda: [text(k) for k in range(20)],
        "tuple": lambda: tuple(Plain(k) for k in range(20)),
        "dict": lambda: dict((text(k), [k]) for k in range(20)),
        "set": lambda: set(text(k) for k in range(20)),
        "frozenset": lambda: frozenset((text(k), k) for k in range(4)),
        "deque": lambda: collections.deque([k] for k in range(200)),
        "ordered": lambda: collections.OrderedDict((text(k), [k]) for k in range(20)),
        "default": lambda: collections.defaultdict(list, ((k, [k]) for k in range(3))),
        "plain": lambda: Plain(n),
        "slots": lambda: Slots(n),
        "text": lambda: text(n) + "\u0101" * 3,
        "bytes": lambda: b"bytes" * 5 + bytes(bytearray([65 + n])),
        "bytearray": lambda: bytearray(300),
        "int": lambda: 1 << (100 + n),
        "float": lambda: n / 7.0,
        "class": lambda: type("Made%d" % n, (Plain,), {"attr": [n]}),
        "function": lambda: eval("lambda a, b=[]: (a, b, %d)" % n),
        "cell": lambda: (lambda x: lambda: x)([n]).__closure__[0],
        "generator": lambda: started(generator(n)),
        "iterator": lambda: iter([n, n]),
        "tee": lambda: itertools.tee(iter([n]))[0],
        "module": lambda: type(sys)("module%d" % n),
    }[kind]()


def started(g):
    next(g)
    return g


KINDS = ("list tuple dict set frozenset deque ordered default plain slots text bytes bytearray int float class "
         "function cell generator iterator tee module").split()
MANY = 8


def tell(name, what):
    os.write(TRUTH, ("%s %#x\n" % (name, id(what) & (1 << 64) - 1)).encode())


def inner(keep):
    frame = sys._getframe()
    tell("frame", frame)
    tell("code", frame.f_code)
    tell("globals", frame.f_globals)
    tell("builtins", frame.f_builtins)
    tell("modules", sys.modules)
    os.abort()
    return keep


def main():
    keep = []
    for kind in KINDS:
        for n in range(MANY):
            keep.append(of(kind, n))
            tell("%s%d" % (kind, n), keep[-1])
    # What is written over so that it is told; each in a list of its own.
    item = [[text(k)] for k in range(8)]
    keep.append(item)
    for k, each in enumerate(item):
        tell("holder%d" % k, each)
        tell("item%d" % k, each[0])
    for name, kind in (("doomed", Doomed), ("doubtful", Doubtful)):
        keep.append([kind() for _ in range(30)])
        tell(name + "_class", kind)
        tell(name, keep[-1][7])
    for kind in (dict, list, tuple, type, type("")):
        tell("type_" + kind.__name__, kind)
    gc.collect()
    inner(keep)


main()
