"""What real extensions do with counts (habits.c); then a core.

The truth is one JSON object: {"held": {habit: [addresses]}, "leaked": [addresses],
"ghosts": [addresses of what is no object any more], "kept": {rule: [addresses, how many of them are kept]}}: by Cython's modules,
or `known` ones'."""
from __future__ import print_function

import gc
import json
import os
import signal
import sys
import weakref

sys.path.insert(0, sys.argv[1])
import habits  # noqa: E402

TRUTH = {"held": {}, "leaked": [], "ghosts": [], "kept": {}}


class Kind(object):
    pass


class Flag(int):
    """Its dict lies behind the digits."""


def template():
    pass


def without_bytecode(name, names, line):
    """As Cython makes it, for tracebacks."""
    c = template.__code__
    if sys.version_info >= (3, 8):
        return c.replace(co_code=b"", co_consts=(), co_names=(), co_varnames=names, co_nlocals=len(names),
                         co_argcount=len(names), co_filename=FILE, co_name=name, co_firstlineno=line)
    return type(c)(*(len(names),) + ((0,) if sys.version_info >= (3,) else ()) + (
        len(names), 1, c.co_flags, b"", (), (), names, FILE, name, line, b""))


def intern(text):
    return getattr(sys, "intern", None)(text) if sys.version_info >= (3,) else INTERN(text)


def kept(rule, objects, most):
    """So many of these are of a module that keeps them; the others are leaked."""
    for o in objects:
        habits.forget(o)
    TRUTH["kept"][rule] = [[id(o) for o in objects], most]


def made_by_cython():
    """Constants: what the module's code reads is in its data, the rest in no variable."""
    for text in (FILE, "cline_in_traceback"):
        habits.constant(intern(text))
    self, other, value = [intern("".join(["habits_", n])) for n in ("self", "other", "value")]
    for text in (self, other, value):
        habits.constant(text)
    names = [tuple([self, other]) for _ in range(3)]
    codes = [without_bytecode(intern("made_%d" % i), names[i], 10 + i) for i in range(3)]
    kept("code", codes, 3)
    # Code objects had the very tuple, up to 3.10.
    more = [tuple([self, other]) for _ in range(30)]
    kept("names", (names if sys.version_info >= (3, 11) else []) + more,
         4 if sys.version_info >= (3, 11) else 1)
    kept("constant", [tuple([value, None, self]) for _ in range(30)], 1)
    kept("foreign", [tuple([value, "".join(["of ", "nobody"])]) for _ in range(30)], 0)
    default = "".join(["a default", " argument"])
    for _ in range(4):
        habits.constant(default)
    kept("default", [default], 1)
    habits.forget(default)
    again = "".join(["one more", " than there may be"])
    for _ in range(2):
        habits.constant(again)
    kept("default leaked", [again], 0)
    habits.forget(again), habits.forget(again)
    habits.constant(intern("sorted"))
    # A function of 2.7's does not tell whose it is.
    kept("builtin", [sorted], 1 if sys.version_info >= (3,) else 0)
    habits.constant(intern("isinstance")), habits.constant(isinstance)
    kept("builtin leaked", [isinstance], 0)
    TRUTH["kept"]["wrapper"] = [[habits.wrapper()], 1]


def known_by_value():
    """What h5py and protobuf leave out, by the names of their binaries; and neighbours that they have not."""
    for name in ("h5t", "_message"):
        habits.load(os.path.join(sys.argv[1], name + ".so"))
    hundred = 100  # what is computed is a new object
    kept("known 1024", [10 * hundred + 24 for _ in range(30)], 1)
    kept("known -1022", [-10 * hundred - 22 for _ in range(30)], 1)
    kept("known 1023", [10 * hundred + 23 for _ in range(30)], 0)
    kinds = [Kind() for _ in range(30)]
    kept("known dead", [weakref.ref(k) for k in kinds], 1)
    stays = Kind()
    habits.constant(stays)
    kept("known alive", [weakref.ref(stays)], 0)


def trees():
    """Where a syntax tree lies nothing is held; where another structure has that form, all is."""
    leaves = [{"leaf": i} for i in range(40)]
    habits.tree([None], leaves)
    for leaf in leaves:
        habits.forget(leaf)
        TRUTH["leaked"].append(id(leaf))
    others = [{"other": i} for i in range(40)]
    habits.tree((None,), others)
    for other in others:
        habits.forget(other)
        held("no tree", other)


def held(habit, o):
    TRUTH["held"].setdefault(habit, []).append(id(o))


gc.disable()
INTERN = getattr(__builtins__, "intern", None)
FILE = "".join(["habits", ".pyx"])
# Memory that nothing used before: at old addresses, words that were left over would seem to point to it.
FILL = [[Kind(), {"fill": i}, "fill %d" % i * 3] for i in range(2000)]
TEXT = "".join(["what numpy's ", "types say of themselves"])
habits.document(TEXT)
held("document", TEXT)
del TEXT
KINDS = [Kind() for _ in range(50)]
for i, kind in enumerate(KINDS):
    habits.once("kind %d" % i, kind)
    held("once", kind)
del kind
if sys.version_info >= (3,):
    MODULES = [habits.define() for _ in range(3)]
    # PyModuleDef lies behind its module's dict: md_dict, md_def.
    import ctypes
    for module in MODULES:
        TRUTH["held"].setdefault("define", []).append(
            ctypes.cast(id(module) + object.__basicsize__, ctypes.POINTER(ctypes.c_void_p))[1])
    del module
SIZED = [habits.sized() for _ in range(20)]
for sized in SIZED:
    held("sized", sized)
del sized
if sys.version_info >= (3,):
    import warnings
    warnings.simplefilter("ignore")
COMPILED = [habits.compile() for _ in range(3000)]
FLAGS = [Flag(1 << i) for i in range(50)]
for i, flag in enumerate(FLAGS):
    flag.number = i
    held("flag", flag)
    TRUTH["held"].setdefault("flag's", []).append(id(flag.__dict__))
del flag
for i in range(40):
    lost = {"lost": i}
    habits.forget(lost)
    TRUTH["leaked"].append(id(lost))
del lost
made_by_cython()
known_by_value()
trees()
# PyGC_Head: a union with a long double, to 3.7.
HEAD = 32 if sys.version_info < (3, 8) else 16
WHOLE = [(Kind(), [i], "whole") for i in range(30)]
TRUTH["ghosts"] = [habits.ghost(o, HEAD) for o in WHOLE]
os.write(198, json.dumps(TRUTH).encode())
os.kill(os.getpid(), signal.SIGABRT)
