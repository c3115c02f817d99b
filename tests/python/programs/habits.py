"""What real extensions do with counts (habits.c); then a core.

The truth is one JSON object: {"held": {habit: [addresses]}, "leaked": [addresses],
"ghosts": [addresses of what is no object any more]}."""
from __future__ import print_function

import gc
import json
import os
import signal
import sys

sys.path.insert(0, sys.argv[1])
import habits  # noqa: E402

TRUTH = {"held": {}, "leaked": [], "ghosts": []}


class Kind(object):
    pass


def held(habit, o):
    TRUTH["held"].setdefault(habit, []).append(id(o))


gc.disable()
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
for i in range(40):
    lost = {"lost": i}
    habits.forget(lost)
    TRUTH["leaked"].append(id(lost))
del lost
# PyGC_Head: a union with a long double, to 3.7.
HEAD = 32 if sys.version_info < (3, 8) else 16
WHOLE = [(Kind(), [i], "whole") for i in range(30)]
TRUTH["ghosts"] = [habits.ghost(o, HEAD) for o in WHOLE]
os.write(198, json.dumps(TRUTH).encode())
os.kill(os.getpid(), signal.SIGABRT)
