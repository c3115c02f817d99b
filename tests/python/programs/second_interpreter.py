"""second_interpreter.py FOLDER: a second interpreter imports native_zoo from there, which the main one has not,
makes an object of each of its static types, and dies. Lines "ADDRESS MODULE.TYPE" to descriptor 198."""

import sys

import _xxsubinterpreters

SCRIPT = """
import os
import sys

sys.path.insert(0, %r)
import native_zoo

KEPT = [getattr(native_zoo, name)() for name in ("Blind", "Empty", "Half", "Whole", "Untracked")]
for each in KEPT:
    os.write(198, ("%%d native_zoo.%%s\\n" %% (id(each), type(each).__name__)).encode())
os.abort()
"""

_xxsubinterpreters.run_string(_xxsubinterpreters.create(), SCRIPT % sys.argv[1])
