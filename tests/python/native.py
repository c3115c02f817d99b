"""Builds the extension of programs/native_zoo.c for an interpreter, and runs native_zoo.py with it."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from build import PROGRAMS_DIR, _newer, run_compiler  # noqa: E402
from interpreters import flags, suite  # noqa: E402

PROGRAMS = HERE / "programs"
HOLDERS = "libnative_holders.so"


@functools.lru_cache(maxsize=None)
def headers(interpreter):
    """Where Python.h lies; None: this interpreter came without."""
    done = subprocess.run([*interpreter.command, "-c",
                           "import sysconfig; print(sysconfig.get_paths()['include'])"],
                          capture_output=True, text=True, timeout=60)
    place = Path(done.stdout.strip())
    return place if done.returncode == 0 and (place / "Python.h").exists() else None


def holders(interpreter):
    """The library in C++, which knows nothing of Python: once for all, once for each suite."""
    out = PROGRAMS_DIR / "python" / (suite(interpreter.path) or "") / HOLDERS
    source = PROGRAMS / "native_holders.cc"
    out.parent.mkdir(parents=True, exist_ok=True)
    if _newer(out, source):
        run_compiler(["g++", "-O2", "-g", "-Wall", "-Wextra", "-shared", "-fPIC",
                      *flags(interpreter.path, "c++"), source, "-o", out, "-pthread"])
    return out


def extension(interpreter, folder):
    """Folder with the module and its library, of their own: a test may take them away."""
    folder.mkdir(parents=True)
    (folder / HOLDERS).write_bytes(holders(interpreter).read_bytes())
    run_compiler(["gcc", "-O2", "-g", "-Wall", "-shared", "-fPIC", f"-I{headers(interpreter)}",
                  *flags(interpreter.path), PROGRAMS / "native_zoo.c", "-o", folder / "native_zoo.so", f"-L{folder}",
                  "-lnative_holders", "-Wl,-rpath,$ORIGIN"])
    return folder


def strip(folder):
    for file in folder.glob("*.so"):
        run_compiler(["strip", file])


def _numbers(truth):
    """JSON's keys are text."""
    for what in ("leaked", "over"):
        truth[what] = {int(address): n for address, n in truth[what].items()}
    return truth


def run(interpreter, folder, *args, stripped=False):
    """The dump, the truth, and the folder of the module."""
    modules = extension(interpreter, folder / "modules")
    if stripped:
        strip(modules)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder / "run", [*interpreter.command, PROGRAMS / "native_zoo.py", modules, *args],
                      interpreter.path, env=env)
    return made, _numbers(json.loads(made.truth.read_text())), modules
