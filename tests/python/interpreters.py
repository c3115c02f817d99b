"""The interpreters to test with: Debian's, pyenv's, those of other Debian suites that
scripts/fetch-pythons unpacked below PYTHONS_DIR, and what PYTHONS names (paths, ":"). PYTHONS_ONLY
names suites: theirs and no other.

    $ python3 tests/python/interpreters.py       lists them
"""

import functools
import os
import subprocess
from pathlib import Path

BUILD = Path(os.environ.get("BUILD", Path(__file__).resolve().parents[2] / "build"))
SUITES_AT = Path(os.environ.get("PYTHONS_DIR", BUILD / "pythons")).resolve()
ONLY = os.environ.get("PYTHONS_ONLY", "").split()

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
    """path: the executable; command: the words that start it, with its own libraries."""

    def __init__(self, path, version, word, free_threaded, debug):
        self.path, self.version = Path(path), version
        self.command = command(self.path)
        self.home = not suite(self.path)  # installed here, with all that belongs to it
        self.word, self.free_threaded, self.debug = word, free_threaded, debug
        where = "pyenv" if "pyenv" in self.path.parts or ".pyenv" in self.path.parts else (
            "system" if self.path.parts[:2] == ("/", "usr") else suite(self.path) or "other")
        self.id = f"{where}-{version[0]}.{version[1]}" + ("t" if free_threaded else "")

    def __repr__(self):
        return self.id


def suite(path):
    """The name of the suite that fetch-pythons took it from; None: it is at home here."""
    try:
        return Path(path).relative_to(SUITES_AT).parts[0]
    except ValueError:
        return None


def command(path):
    name = suite(path)
    if not name:
        return [str(path)]
    root = SUITES_AT / name
    places = [str(p) for lib in ("lib", "usr/lib") for p in sorted((root / lib).glob("*-linux-gnu"))]
    return ["env", "LD_LIBRARY_PATH=" + ":".join(places), str(path)]


def flags(path, language="c", program=False):
    """What gcc or g++ must be told of code that is to run with this interpreter: with its C library.

    A newer C library takes what was linked with this machine's. An older suite brings its headers and
    libraries, and the linker looks where its own compiler lies before it looks into a sysroot: hence -B, -L."""
    name = suite(path)
    if not name:
        return []
    root = SUITES_AT / name
    places = [p for lib in ("lib", "usr/lib") for p in sorted((root / lib).glob("*-linux-gnu"))]
    found = [f"-I{root}/usr/include"]  # Debian's pyconfig.h is <x86_64-linux-gnu/python3.13/pyconfig.h>
    if (root / "usr/include/stdio.h").exists():
        found.append(f"--sysroot={root}")
        for place in [*(root / "usr/lib/gcc").glob("*/*"), *places]:
            found += [f"-B{place}", f"-L{place}"]
        if language == "c++":
            found.append("-nostdinc++")
            for place in (root / "usr/include").glob("c++/*"):
                found += ["-isystem", place, "-isystem", root / "usr/include/x86_64-linux-gnu/c++" / place.name]
    if program:
        found += [f"-Wl,--dynamic-linker={root}/lib64/ld-linux-x86-64.so.2", "-Wl,--allow-shlib-undefined",
                  "-Wl,-rpath," + ":".join(map(str, places))]
    return found


def _places():
    for found in sorted(SUITES_AT.glob("*/.complete")):
        if not ONLY or found.parent.name in ONLY:
            yield from sorted(found.parent.glob("usr/bin/python[23].*"))
    if ONLY:
        return
    yield Path("/usr/bin/python3")
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob("versions/*/bin/python"))
    yield from (Path(p) for p in os.environ.get("PYTHONS", "").split(":") if p)


@functools.lru_cache(maxsize=None)
def interpreters():
    found = {}
    for place in _places():
        try:
            done = subprocess.run([*command(place), "-S", "-c", QUERY], capture_output=True, text=True,
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


if __name__ == "__main__":
    for each in interpreters():
        print(f"{each}\t{each.path}")
