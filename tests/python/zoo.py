"""One of each kind of object that the standard library makes, kept in ZOO by name. Runs under every
CPython from 2.7 on: what a version does not have is left out."""

import array
import collections
import ctypes
import datetime
import functools
import io
import itertools
import operator
import re
import struct
import sys
import threading
import types
import weakref

ZOO = globals().get("ZOO", {})
SKIPPED = []


def animal(make):
    try:
        ZOO[make.__name__] = make()
    except (AttributeError, ImportError, NameError, SyntaxError, TypeError, ValueError) as e:
        SKIPPED.append((make.__name__, repr(e)))
    return make


def python3(name, text):
    """Source that older versions cannot parse; it sets `it`."""
    space = dict(globals())
    try:
        exec(compile(text, name, "exec"), space)
        ZOO[name] = space["it"]
    except (AttributeError, ImportError, NameError, SyntaxError, TypeError, ValueError) as e:
        SKIPPED.append((name, repr(e)))


class Plain(object):
    """Attributes in a dict that the class's instances share the keys of."""

    def __init__(self, **more):
        self.first = [1]
        self.second = {"a": [2]}
        self.__dict__.update(more)

    def method(self):
        return self.first


class Slotted(object):
    __slots__ = ("left", "right", "__weakref__")


class SlottedMore(Slotted):
    __slots__ = ("more",)


class SlottedDict(Slotted):
    pass


class Meta(type):
    def __new__(mcs, name, bases, space):
        space["made_by"] = [name]
        return type.__new__(mcs, name, bases, space)


OfMeta = Meta("OfMeta", (Plain,), {"own": ["x"]})


class ListChild(list):
    pass


class TupleChild(tuple):
    pass


class DictChild(dict):
    pass


class IntChild(int):
    pass


class StrChild(str):
    pass


class BytesChild(bytes):
    pass


class SetChild(set):
    pass


class Oops(ValueError):
    pass


class Old:
    pass


Point = collections.namedtuple("Point", "x y")


@animal
def dicts():
    grown = {}
    for i in range(300):
        grown[i] = [i]
    shrunk = dict((str(i), [i]) for i in range(50))
    for i in range(0, 50, 2):
        del shrunk[str(i)]
    popped = {"a": [1], "b": [2]}
    popped.clear()
    mixed = {"a": [1], 1: [2], (1, 2): [3], None: [4], 1.5: [5]}
    late = {"a": [1], "b": [2]}
    late[3] = [3]
    return [{}, {"one": [1]}, dict((str(i), [i]) for i in range(1000)), grown, shrunk, popped, mixed,
            late, DictChild(a=[1])]


@animal
def instances():
    few = Plain()
    del few.first
    few.third = ["late"]
    many = Plain(**dict(("attribute%d" % i, [i]) for i in range(80)))
    seen = Plain()
    vars(seen)["via_dict"] = ["x"]
    out_of_order = Plain.__new__(Plain)
    out_of_order.second = [2]
    out_of_order.first = [1]
    replaced = Plain()
    replaced.__dict__ = {"all": ["new"]}
    touched = Plain()
    touched.__dict__
    shared = Plain()
    ZOO["their_dicts"] = [vars(Plain()), shared.__dict__]
    gone = Plain()
    gone_dict = gone.__dict__
    del gone
    return [few, many, seen, out_of_order, replaced, touched, shared, gone_dict,
            [Plain() for i in range(20)], OfMeta(), weakref.ref(few)]


@animal
def slots():
    a, b, c, empty = Slotted(), SlottedMore(), SlottedDict(), Slotted()
    a.left, a.right = [1], [2]
    b.left, b.more = [3], [4]
    c.left, c.other = [5], [6]
    return [a, b, c, empty, weakref.ref(a)]


@animal
def children():
    result = [ListChild([[1], [2]]), TupleChild(([1], [2])), IntChild(5), IntChild(1 << 40),
              StrChild("text"), BytesChild(b"bytes" * 3), SetChild([1, 2, (3, 4)]), Oops("x", ["y"])]
    for r in result:
        r.attribute = ["of " + type(r).__name__]
    return result


@animal
def sequences():
    long = [[i] for i in range(3000)]
    cut = [[i] for i in range(100)]
    del cut[5:]
    return [[], [1, [2]], long, cut, (), ([1],), tuple([i] for i in range(300)),
            bytearray(b"abc" * 100), bytearray(), array.array("d", [1.0] * 50)]


@animal
def sets():
    worn = set((i, "x") for i in range(50))
    for i in range(0, 50, 3):
        worn.discard((i, "x"))
    return [set(), set([(1,), (2,)]), set((i, str(i)) for i in range(500)), frozenset([(3,), (4,)]), worn,
            frozenset()]


@animal
def texts():
    return ["ascii " * 20, u"caf\xe9 " * 20, u"\u20ac " * 20, u"\U0001f40d " * 20, b"bytes" * 20, "", b""]


@animal
def numbers():
    return [1 << 200, -(1 << 90), 3.25, 2 + 3j, True, None, Ellipsis, NotImplemented]


@animal
def deques():
    long = collections.deque([i] for i in range(500))
    rotated = collections.deque(([i] for i in range(70)), 100)
    rotated.rotate(33)
    grown = collections.deque()
    for i in range(300):
        grown.append([i])
        grown.appendleft([-i])
    for i in range(250):
        grown.pop()
    moving = iter(long)
    next(moving)
    return [collections.deque(), long, rotated, grown, moving, reversed(rotated)]


@animal
def ordered_dicts():
    d = collections.OrderedDict((str(i), [i]) for i in range(40))
    d.pop("3")
    d["late"] = ["x"]
    d.move_to_end("5")
    d.attribute = ["y"]
    moving = iter(d)
    next(moving)
    return [d, collections.OrderedDict(), moving, d.items(), d.values(), d.keys()]


@animal
def other_dicts():
    default = collections.defaultdict(list, {"a": [1], 2: [3]})
    return [default, collections.Counter("abracadabra"), types.MappingProxyType({"k": ["v"]}),
            collections.ChainMap({"a": [1]}, {"b": [2]})]


@animal
def iterators():
    d = {"a": [1], "b": [2]}
    out = [iter([[1], [2]]), iter(([1],)), iter("text"), iter(u"\u20ac"), iter(b"bytes"), iter(set([(1,)])),
           iter(d), reversed([[1]]), enumerate([[1], [2]]), iter(lambda: [1], [2]), iter(range(5)),
           iter(bytearray(b"xyz"))]
    for name in ("keys", "values", "items", "iterkeys", "itervalues", "iteritems"):
        if hasattr(d, name):
            view = getattr(d, name)()
            out += [view, iter(view)]
            next(out[-1])
    out += [zip([[1]], [[2]]), map(len, [[1]]), filter(None, [[1]]), range(10)]
    if sys.version_info >= (3,):
        out.append(iter(range(1 << 70, 1 << 71)))
    next(out[0])
    next(out[8])
    return out


@animal
def itertools_():
    first, second = itertools.tee(iter([[i] for i in range(100)]))
    for _ in range(70):
        next(first)
    grouped = itertools.groupby([[1], [1], [2]])
    out = [first, second, grouped, next(grouped), itertools.chain([[1]], [[2]]), itertools.count(5),
           itertools.count(1 << 80, 3), itertools.cycle([[1], [2]]), itertools.repeat([1]),
           itertools.dropwhile(bool, [[1]]), itertools.takewhile(bool, [[1]]),
           itertools.islice([[1], [2], [3]], 2), itertools.starmap(max, [([1], [2])]),
           itertools.product([[1]], [[2], [3]]), itertools.permutations([[1], [2]]),
           itertools.combinations([[1], [2]], 1), itertools.compress([[1]], [True]),
           itertools.combinations_with_replacement([[1], [2]], 2)]
    for name, args in (("accumulate", ([1, 2],)), ("filterfalse", (bool, [[1]])),
                       ("zip_longest", ([[1]], [[2], [3]])), ("pairwise", ([[1], [2], [3]],)),
                       ("batched", ([[1], [2], [3]], 2))):
        if hasattr(itertools, name):
            out.append(getattr(itertools, name)(*args))
    for it in out[4:]:
        next(it, None)
    return out


def default_arguments(a, b=[1], *rest, **more):
    return a


def closure(value):
    other = [value]

    def inner():
        return value, other

    return inner


@animal
def functions():
    f = closure([1])
    default_arguments.attribute = ["x"]
    bound = Plain().method
    return [f, default_arguments, bound, len, [].append, "x".join, dict.fromkeys, object.__init__,
            [].__len__, str.lower, Plain.method, lambda: [1], f.__closure__, default_arguments.__code__,
            functools.partial(max, [1], key=len), operator.itemgetter("a", 1), operator.attrgetter("a.b"),
            operator.methodcaller("m", [1], k=[2]), staticmethod(len), classmethod(len),
            property(lambda s: [1], None, None, "doc"), super(OfMeta, OfMeta()), slice([1], [2], [3]),
            functools.cmp_to_key(lambda a, b: 0)([1]), types.MethodType(len, [1])]


@animal
def caches():
    @functools.lru_cache(4)
    def bounded(x):
        return [x]

    @functools.lru_cache(None)
    def unbounded(x):
        return [x]

    for i in range(10):
        bounded((i, "k"))
        unbounded((i, "k"))
    bounded.attribute = ["x"]
    return [bounded, unbounded]


def generate(a):
    local = [a]
    for i in [[1], [2]]:
        yield local, i


@animal
def generators():
    fresh, waiting, done = generate([1]), generate([2]), generate([3])
    next(waiting)
    for _ in done:
        pass
    handling = handle()
    next(handling)
    delegated = delegate()
    if delegated:
        next(delegated)
    return [fresh, waiting, done, handling, delegated, (x for x in [[1], [2]])]


def handle():
    try:
        raise Oops(["inside"])
    except Oops as e:
        kept = e
        yield kept


def delegate():
    return None


python3("delegating", """
def outer():
    value = yield from generate([7])
it = outer()
next(it)
""")

python3("coroutines", """
class Wait:
    def __await__(self):
        yield ['waiting']

async def leaf(a):
    local = [a]
    await Wait()
    return local

async def branch():
    mine = ['branch']
    return await leaf([1])

async def agen():
    held = ['agen']
    while True:
        yield held
        await Wait()

it = [branch(), leaf([2]), agen()]
it[0].send(None)
it.append(it[2].asend(None))
it.append(leaf([3]).__await__())
try:
    it[3].send(None)
except StopIteration:
    pass
it.append(it[2].asend(None))
it.append(it[2].athrow(ValueError))
it.append(it[2].aclose())
never = it
import warnings
warnings.simplefilter('ignore')
""")


def fail(depth):
    local = [depth]
    if depth:
        fail(depth - 1)
    raise Oops("deep", local)


@animal
def exceptions():
    out = [ValueError("x", [1]), KeyError(("k",)), OSError(2, "none", "file"), StopIteration([1]),
           SystemExit([2]), ImportError("m"), SyntaxError("s", ("f", 1, 2, "text")),
           UnicodeDecodeError("ascii", b"\xff", 0, 1, "why"), AttributeError("a"), NameError("n")]
    try:
        fail(3)
    except Oops as e:
        out.append(e)
        out.append(sys.exc_info()[2])
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise Oops("outer")
    except Oops as e:
        out.append(e)
    try:
        object().nothing
    except AttributeError as e:
        out.append(e)
    return out


python3("exception_group", "it = ExceptionGroup('g', [ValueError([1]), TypeError([2])])")
python3("frozen_dicts", """
class FrozenChild(frozendict):
    pass
it = [frozendict(), frozendict(a=[1], b=[2]), frozendict({1: [2], 'x': [3]}), FrozenChild(c=[4]),
      frozendict((str(i), [i]) for i in range(200))]
it[3].attribute = ['x']
""")
python3("sentinels", "it = [sentinel('NOTHING'), sentinel('OTHER')]")
python3("templates", "x = ['t']\nit = [t'a{x}b{x!r:>3}', iter(t'{x}')]")
python3("deferred_annotations", """
def annotated(a: [1], b: undefined) -> [2]:
    return a
class Annotated:
    field: [3]
it = [annotated, Annotated, annotated.__annotate__, Annotated.field if hasattr(Annotated, 'field') else None]
""")
python3("notes", "it = ValueError('x')\nit.add_note('n')")


@animal
def frames():
    out = []

    def keep(x):
        local = [x]
        cell = [2]

        def use():
            return cell

        out.append(sys._getframe())
        return use, local

    keep([1])
    out.append(sys._getframe())
    return out


@animal
def metatypes():
    """h11/_util.py, Sentinel: a class that is its own type."""
    class OfItself(type):
        def __new__(mcs, name, bases, space):
            made = type.__new__(mcs, name, bases, space)
            made.__class__ = made
            return made

    first = OfItself("First", (OfItself,), {"own": ["x"]})
    second = OfItself("Second", (OfItself,), {"first": first})
    return [OfItself, first, second, {first: [1]}, {second: first}]


@animal
def weak():
    def called(r):
        return r

    target, other = Plain(), Plain()
    ZOO["targets"] = [target, other]
    dead = weakref.ref(Plain())
    values = weakref.WeakValueDictionary(a=target)
    keys = weakref.WeakKeyDictionary()
    keys[other] = [1]
    return [weakref.ref(target), weakref.ref(target, called), weakref.proxy(target), weakref.proxy(len),
            dead, values, keys, weakref.WeakSet([target])]


@animal
def finalizers():
    return [weakref.finalize(ZOO["targets"][0], len, [1])]


@animal
def memory():
    b = bytearray(b"0123456789")
    m = memoryview(b)
    ZOO["buffers"] = b
    return [m, m[2:5], memoryview(b"xyz")]


@animal
def ctypes_():
    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int), ("p", ctypes.py_object), ("s", ctypes.c_char_p)]

    pair = Pair(1, [2], b"text")
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x)
    array_ = (ctypes.c_int * 5)(1, 2, 3)
    pointer = ctypes.pointer(ctypes.c_int(5))
    library = ctypes.CDLL(None)
    library.strlen.argtypes = [ctypes.c_char_p]
    return [pair, callback, array_, pointer, library.strlen, ctypes.py_object([1]), ctypes.byref(pair),
            Pair.a, (Pair * 2)()]


@animal
def streams():
    text = io.TextIOWrapper(io.BytesIO(b"abc\ndef\n"))
    text.readline()
    strings = io.StringIO(u"text")
    strings.attribute = ["x"]
    return [text, strings, io.BytesIO(b"x" * 1000), open("/proc/self/status"), open("/dev/null", "rb"),
            open("/dev/null", "wb"), open("/dev/null", "rb", 0), io.BufferedRWPair(io.BytesIO(), io.BytesIO())]


@animal
def locks():
    local = threading.local()
    local.value = ["thread"]
    return [threading.Lock(), threading.RLock(), threading.Condition(), threading.Event(), local,
            threading.Semaphore(3)]


@animal
def contexts():
    import contextvars
    var = contextvars.ContextVar("v", default=["d"])
    token = var.set(["set"])
    context = contextvars.copy_context()
    big = contextvars.copy_context()

    def fill():
        kept = [contextvars.ContextVar("v%d" % i) for i in range(60)]
        for v in kept:
            v.set([1])
        return kept

    ZOO["vars"] = big.run(fill)
    return [var, token, context, big]


@animal
def dates():
    class Zone(datetime.tzinfo):
        def utcoffset(self, d):
            return datetime.timedelta(0)

    zone = Zone()
    return [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, tzinfo=zone), datetime.time(1, tzinfo=zone),
            datetime.timedelta(5), datetime.datetime(2020, 1, 1), datetime.timezone.utc]


@animal
def patterns():
    p = re.compile("(?P<name>a+)|(b)")
    return [p, p.match("aaa"), p.scanner("aab") if hasattr(p, "scanner") else None, p.finditer("aabb")]


@animal
def standard():
    import csv
    import json
    import queue
    import random
    q = queue.SimpleQueue() if hasattr(queue, "SimpleQueue") else queue.Queue()
    q.put([1])
    return [csv.reader(["a,b"]), csv.writer(io.StringIO()), json.JSONDecoder(), json.JSONEncoder(), q,
            random.Random(5), struct.Struct("<ii"), Point([1], [2]), sys.flags, sys.version_info]


@animal
def trees():
    import xml.etree.ElementTree as tree
    root = tree.fromstring("<a x='1'><b>text</b>tail<c/></a>")
    return [root, iter(root), root.iter()]


@animal
def databases():
    import sqlite3
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    cursor = connection.execute("select 1 as one, 'two' as two")
    return [connection, cursor, cursor.fetchone()]


@animal
def loops():
    import asyncio
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.add_done_callback(len)
    future.add_done_callback(max)
    done = loop.create_future()
    done.set_result(["result"])
    failed = loop.create_future()
    failed.set_exception(Oops(["x"]))
    failed.exception()
    return [loop, future, done, failed, iter(future)]


python3("tasks", """
import asyncio
loop = ZOO['loops'][0]
async def waits(f):
    local = ['task']
    await f
task = loop.create_task(waits(ZOO['loops'][1]))
loop.call_soon(loop.stop)
loop.run_forever()
it = [task]
""")

python3("annotated", """
from typing import TypeVar, Generic, List, Union
T = TypeVar('T', bound=list)
class G(Generic[T]):
    x: List[int] = [1]
def f(a: int, *, b: str = ['default']) -> 'T': pass
it = [T, G, f, List[int], Union[int, str], G[int], f.__annotations__]
""")
python3("aliases", "it = [list[int], int | str, dict[str, list], iter(list[int])]\nit[0].__parameters__")
python3("type_parameters", """
def f[T: (int, str)](x: T) -> T: return x
class C[*Ts, **P]: pass
type A[V] = list[V]
A.__value__
it = [f, C, A]
""")
python3("namespaces", "import types\nit = types.SimpleNamespace(a=[1], b=[2])")
python3("dataclass", """
import dataclasses, enum
@dataclasses.dataclass
class D:
    a: int
    b: list = dataclasses.field(default_factory=list)
class E(enum.Enum):
    ONE = [1]
    TWO = (2,)
it = [D(1), D(2, [3]), E.ONE, E.TWO, E]
""")
python3("slotted_dataclass", """
import dataclasses
@dataclasses.dataclass(slots=True, weakref_slot=True)
class D:
    a: int
    b: list
it = [D(1, [2])]
""")


@animal
def old_style():
    o = Old()
    o.attribute = ["x"]
    return [o, Old, Old()]


@animal
def modules():
    m = types.ModuleType("made")
    m.attribute = ["x"]
    return [m, sys, io]


@animal
def cycles():
    a, b = Plain(), []
    a.me = a
    b.append(b)
    d = {}
    d["self"] = d
    return [a, b, d]


@animal
def threads():
    ready, never = threading.Event(), threading.Lock()
    never.acquire()

    def run(argument):
        held = ["by a thread"]
        ready.set()
        never.acquire()
        return held, argument

    t = threading.Thread(target=run, args=(["arg"],))
    t.daemon = True
    t.start()
    ready.wait()
    return [t]
