"""Has texts and buffers more than once, and containers with room to spare; tells what one copy of each
would save and what containers made anew take, by sys.getsizeof, and dies."""

import ctypes
import gc
import io
import json
import os
import random
import sys
from array import array
from collections import OrderedDict, deque

PY2 = sys.version_info[0] == 2
truth = open("/proc/self/fd/198", "w")
chance = random.Random(5)
size = sys.getsizeof


def parts(x):
    """Bytes of each allocation of x."""
    if PY2 and isinstance(x, type(u"")):
        basic = type(x).__basicsize__
        return [basic, size(x) - basic]
    if isinstance(x, bytearray):
        basic = bytearray.__basicsize__
        return [basic, size(x) - basic]
    if isinstance(x, array):
        items = len(x) * x.itemsize
        return [size(x) - items, items]
    return [size(x)]


# ---- duplicates: (how many, how to make one more) ----

ASCII = ["application", "/", "json; charset=utf-8"]
# What a compiler or a decoder made may lie in a larger block: what is joined does not.
LATIN = u"Gr\u00fc\u00dfe aus K\u00f6ln und von anderswo"
WIDE = u"\u0442\u0435\u043a\u0441\u0442 \u4e2d\u6587 of two bytes a character"
ASTRAL = u"\U0001f40d\U0001f40d a snake, of four bytes a character"
BIG = 1 << 20
makers = {
    "ascii": (1200, lambda: "".join(ASCII)),
    "latin": (300, lambda: u"".join([LATIN[:9], LATIN[9:]])),
    "wide": (250, lambda: u"".join([WIDE[:9], WIDE[9:]])),
    "astral": (200, lambda: u"".join([ASTRAL[:9], ASTRAL[9:]])),
    "bytes": (400, lambda: b"".join([b"\x00\x01\xff binary ", b"and more of it"])),
    "bytearray": (150, lambda: bytearray(b"a buffer that can be written to")),
    "array": (50, lambda: array("i", [1, 2, 3, 4, 5, 6])),
    "big": (3, lambda: b"x" * BIG),
}
COPIES = {name: [make() for _ in range(n)] for name, (n, make) in makers.items()}

# The same bytes, but nothing that could stand for another.
ALMOST = [array("I", [1, 2, 3, 4, 5, 6]), bytearray(b"a buffer that can be written to\0"),
          b"x" * (BIG - 1) + b"y"]


class Text(type(u"")):
    pass


TEXTS = [Text(LATIN) for _ in range(40)]  # may have attributes
NAMES = [sys.intern("one_%d" % 1) if not PY2 else intern("one_%d" % 1) for _ in range(50)]  # noqa: F821
ONCE = ["number %d of many" % n for n in range(500)]

# ---- containers ----


def grown_list():
    x = []
    for n in range(chance.randrange(200)):
        x.append(None)
    return x


def grown_dict(make=dict):
    x, text = make(), chance.randrange(2)
    for n in range(chance.choice([3, 10, 100, 400])):
        x["k%d" % n if text else n] = None
    for key in list(x)[chance.randrange(make is not dict, len(x) + 1):]:
        del x[key]
    return x


def fresh_dict(x, make=dict):
    if PY2:
        return x.copy()
    new = make().copy() if make is dict else make()  # one that is empty may have no table
    for key in x:
        new[key] = x[key]
    return new


def grown_set(make=set):
    x = set(range(chance.choice([3, 10, 100, 400, 2000])))
    for key in list(x)[chance.randrange(len(x) + 1):]:
        x.discard(key)
    return x


def grown_bytearray():
    x = bytearray()
    for n in range(chance.randrange(600)):
        x.append(n & 255)
    return x


def grown_array():
    x = array(chance.choice("bhid"))
    for n in range(chance.randrange(100)):
        x.append(n)
    return x


def grown_bytesio(make=io.BytesIO):
    x = make()
    for _ in range(chance.randrange(1, 20)):
        x.write(b"x" * chance.randrange(1, 500))
    return x


def word(x, at):
    """Of the object in C: what nothing else tells of Python 2's."""
    return ctypes.c_ssize_t.from_address(id(x) + at).value


def script():
    """What is done to a StringIO. Until it is read, it only accumulates (3.x)."""
    done = [("write", u"x" * chance.randrange(1, 80)) for _ in range(chance.randrange(1, 12))]
    for text in (u"\u00fc" * 7, u"\u4e2d" * 5, u"\U0001f40d" * 3):
        if chance.randrange(4) == 0:
            done.insert(chance.randrange(len(done) + 1), ("write", text))
    if PY2 or chance.randrange(2):
        done += [("seek", 0), ("readline", 1), ("seek", 0, 2)]
        if chance.randrange(2):
            done += [("write", u"y" * chance.choice([1, 1, 2, 3, 5, 100, 3000])), ("seek", 0, 2)] * chance.randrange(9)
        if chance.randrange(2):
            done.append(("truncate", chance.choice([1, 1, 2, 3, 5, 100, 3000])))
    return done


def follow(done):
    x = io.StringIO()
    for name, args in [(step[0], step[1:]) for step in done]:
        getattr(x, name)(*args)
    return x


def freed(make):
    """Bytes that go with it."""
    x = make()
    before = tracemalloc.get_traced_memory()[0]
    del x
    return before - tracemalloc.get_traced_memory()[0]


def over_stringio(done):
    """Of one that was made by these steps: bytes too much, characters."""
    x = follow(done)
    text = x.getvalue()
    if PY2:
        width = 4 if sys.maxunicode > 65535 else 2
        return (word(x, 40) - word(io.StringIO(text), 40)) * width, word(x, 32)
    if len(done) > 3 and any(step[0] == "readline" for step in done):
        return freed(lambda: follow(done)) - freed(lambda: io.StringIO(text)), len(text)
    if sys.version_info < (3, 12):
        return 0, 0  # in lists
    return freed(lambda: follow(done)) - freed(io.StringIO) - size(text), len(text)


# Each a global of its own, which is how the rows are told apart.
RANDOM_LIST = [grown_list() for _ in range(300)]
RANDOM_DICT = [grown_dict() for _ in range(300)]
RANDOM_SET = [grown_set() for _ in range(300)]
RANDOM_FROZENSET = [frozenset(list(grown_set())) for _ in range(50)]
RANDOM_BYTEARRAY = [grown_bytearray() for _ in range(200)]
RANDOM_ARRAY = [grown_array() for _ in range(200)]
SPARSE_DICT = {n: None for n in range(100000)}
for key in range(12, 100000):
    del SPARSE_DICT[key]
SPARSE_SET = set(range(100000))
for key in range(7, 100000):
    SPARSE_SET.remove(key)
SPARSE_LIST = [None]
SPARSE_LIST.extend(iter(range(1000)))
FRESH_LIST = [[None] * n for n in range(100)]
FRESH_DICT = [fresh_dict(x) for x in RANDOM_DICT]
FRESH_SET = [set(x) for x in RANDOM_SET]
FRESH_BYTEARRAY = [bytearray(x) for x in RANDOM_BYTEARRAY]

fresh = {"LIST": lambda x: x[:], "DICT": fresh_dict, "SET": set, "FROZENSET": lambda x: frozenset(set(x)),
         "BYTEARRAY": bytearray, "ARRAY": lambda x: array(x.typecode, x)}
spare = {}


def counts(over):
    """Of (bytes too much, entries): how many have too much, bytes, entries."""
    over = [each for each in over if each[0] > 0]
    return [len(over), sum(o for o, _ in over), sum(n for _, n in over)]


for name, value in sorted(globals().items()):
    form = name.split("_")[-1]
    if PY2 and form == "ARRAY":  # its sys.getsizeof knows nothing of its items
        spare[name] = counts(((word(x, 32) - len(x)) * x.itemsize, len(x)) for x in value)
    elif name.startswith("RANDOM"):
        spare[name] = counts((size(x) - size(fresh[form](x)), len(x)) for x in value)
    elif name.startswith("SPARSE"):
        spare[name] = [1, size(value) - size(fresh[form](value)), len(value)]

if PY2:
    import cStringIO

    RANDOM_BYTESIO = [grown_bytesio() for _ in range(200)]
    spare["RANDOM_BYTESIO"] = counts((size(x) - size(io.BytesIO(x.getvalue())), x.tell()) for x in RANDOM_BYTESIO)
    RANDOM_CSTRINGIO = [grown_bytesio(cStringIO.StringIO) for _ in range(200)]
    over = []
    for x in RANDOM_CSTRINGIO:
        new = cStringIO.StringIO()
        new.write(x.getvalue())
        over.append((word(x, 40) - word(new, 40), x.tell()))
    spare["RANDOM_CSTRINGIO"] = counts(over)
else:
    import tracemalloc

    RANDOM_ODICT = [grown_dict(OrderedDict) for _ in range(200)]
    spare["RANDOM_ODICT"] = counts((size(x) - size(fresh_dict(x, OrderedDict)), len(x)) for x in RANDOM_ODICT)
    RANDOM_BYTESIO = [grown_bytesio() for _ in range(200)]
    spare["RANDOM_BYTESIO"] = counts((size(x) - size(io.BytesIO()) - size(b"") - x.tell(), x.tell())
                                     for x in RANDOM_BYTESIO)
    gc.disable()
    tracemalloc.start()

scripts = [script() for _ in range(200)]
spare["RANDOM_STRINGIO"] = counts([over_stringio(done) for done in scripts])
if not PY2:
    tracemalloc.stop()
    gc.enable()
RANDOM_STRINGIO = [follow(done) for done in scripts]

# Blocks that were emptied are kept: up to 16 of each deque (3.11).
RANDOM_DEQUE = []
items = 62 if PY2 else 64
block = 8 * (items + 2)
kept = 16 if sys.version_info >= (3, 11) else 0
over = []
for _ in range(100):
    x = deque(range(chance.choice([10, 500, 3000])))
    before = size(x)
    for _ in range(chance.randrange(len(x))):
        x.popleft()
    freed_blocks = (before - size(x)) // block
    held = (size(x) - size(deque())) // block + 1
    over.append(((held + min(freed_blocks, kept) - (len(x) + items - 1) // items) * block, len(x)))
    RANDOM_DEQUE.append(x)
spare["RANDOM_DEQUE"] = counts(over)

# Blocks of 40 bytes, side by side or not: pymalloc's alignment.
some = [bytes(bytearray([n] * (40 - size(b"")))) for n in range(65, 91)]
places = sorted(map(id, some))
# What malloc gave, which of a mapping of its own is another number in 2.43.
usable = ctypes.CDLL(None).malloc_usable_size
usable.argtypes, usable.restype = [ctypes.c_void_p], ctypes.c_size_t
truth.write(json.dumps({
    "big": [usable(id(x)) for x in COPIES["big"]],
    "constants": {"latin": id(LATIN), "wide": id(WIDE), "astral": id(ASTRAL)},
    "align": 8 if any(b - a == 40 for a, b in zip(places, places[1:])) else 16,
    "copies": {name: [[id(x) for x in xs], [parts(x) for x in xs]] for name, xs in COPIES.items()},
    "sparse": {name: id(value) for name, value in list(globals().items()) if name[:6] == "SPARSE"},
    "spare": spare,
}))
truth.close()
for name in set(globals()) - {"os"}:
    if name[0] != "_" and not name.isupper() and name != "COPIES":
        globals().pop(name, None)  # so that nothing has two names
os.abort()
