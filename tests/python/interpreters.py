"""The interpreters that this machine has: Debian's, pyenv's, and what PYTHONS names (paths, ":")."""

import functools
import os
import subprocess
from pathlib import Path

QUERY = """import sys, struct
try:
    import sysconfig
    free = sysconfig.get_config_var('Py_GIL_DISABLED') or 0
    debug = sysconfig.get_config_var('Py_DEBUG') or 0
except ImportError:
    free = debug = 0
print('%d %d %d %d %d %s' % (sys.version_info[:2] + (struct.calcsize('P'), free, debug,
                                                     sys.executable)))
"""


class Interpreter:
    def __init__(self, path, version, word, free_threaded, debug):
        self.path, self.version = Path(path), version
        self.word, self.free_threaded, self.debug = word, free_threaded, debug
        where = "pyenv" if "pyenv" in self.path.parts or ".pyenv" in self.path.parts else (
            "system" if self.path.parts[:2] == ("/", "usr") else "other")
        self.id = f"{where}-{version[0]}.{version[1]}" + ("t" if free_threaded else "")

    def __repr__(self):
        return self.id


def _places():
    yield Path("/usr/bin/python3")
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob("versions/*/bin/python"))
    yield from (Path(p) for p in os.environ.get("PYTHONS", "").split(":") if p)


@functools.lru_cache(maxsize=None)
def interpreters():
    found = {}
    for place in _places():
        try:
            done = subprocess.run([str(place), "-S", "-c", QUERY], capture_output=True, text=True,
                                  timeout=60, stdin=subprocess.DEVNULL)
        except OSError:
            continue
        if done.returncode:
            continue
        major, minor, word, free, debug, path = done.stdout.split(None, 5)
        real = Path(path.strip()).resolve()
        i = Interpreter(real, (int(major), int(minor)), int(word), free == "1", debug == "1")
        found.setdefault(real, i)
    return sorted(found.values(), key=lambda i: (i.version, i.id))
