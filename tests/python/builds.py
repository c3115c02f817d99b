"""How CPython may be built, started and embedded: programs/embed.c with a libpython in it."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

from build import PROGRAMS_DIR, _newer, run_compiler

PROGRAMS = Path(__file__).resolve().parent / "programs"

QUERY = """import sysconfig
v = sysconfig.get_config_var
for name in ('INCLUDEPY', 'LIBDIR', 'LIBPL', 'LDVERSION', 'VERSION', 'LIBS', 'SYSLIBS', 'MODLIBS', 'LIBRARY',
             'prefix'):
    print(v(name) or '')
"""


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(more)
    return env


def clean(path):
    """A dump may be big: none is left behind."""
    shutil.rmtree(path, ignore_errors=True)


class Config:
    """Where an interpreter's headers and libraries are."""

    def __init__(self, python):
        done = subprocess.run([python.path, "-c", QUERY], capture_output=True, text=True, check=True,
                              timeout=60)
        (self.include, self.libdir, self.static_dir, name, version, libs, syslibs, modlibs,
         library, self.prefix) = done.stdout.splitlines()
        self.name = name or version
        self.libs = " ".join([modlibs, libs, syslibs]).split()
        self.static = Path(self.static_dir) / library
        if not self.static.exists():
            self.static = Path(self.libdir) / library


def embed(python, how, folder):
    """programs/embed.c with this interpreter's libpython, by words of `how`: shared or static; c++,
    no-pie, stripped (no symbols), headless (no section headers either). None: it has no such library."""
    config = Config(python)
    words = how.split()
    # Debian's libpython.a is for programs that are not PIE.
    if "no-pie" not in words and config.prefix == "/usr" and "static" in words:
        return None
    shared = sorted(Path(config.libdir).glob(f"libpython{config.name}.so"))
    if not (Path(config.include) / "Python.h").exists():
        return None
    if not (shared if "shared" in words else config.static.exists()):
        return None
    out = folder / "embed"
    folder.mkdir(parents=True, exist_ok=True)
    language = ["g++", "-x", "c++"] if "c++" in words else ["gcc"]
    flags = ["-no-pie", "-fno-pie"] if "no-pie" in words else ["-pie", "-fPIE"]
    flags += ["-s"] if "stripped" in words or "headless" in words else []
    library = ([f"-L{config.libdir}", f"-lpython{config.name}", f"-Wl,-rpath,{config.libdir}"]
               if "shared" in words else [config.static, *config.libs])
    run_compiler([*language, "-O1", "-g", "-w", "-pthread", *flags, f"-I{config.include}",
                  PROGRAMS / "embed.c", "-x", "none", "-o", out, *library, "-lm", "-ldl", "-lutil"])
    if "headless" in words:
        headless(out)
    # 2.7's extension modules bring the shared libpython along, a second one: none for a static one.
    home = f"{config.prefix}:{folder}" if "static" in words and python.version < (3,) else config.prefix
    return out, environment(PYTHONHOME=home)


def two_pythons():
    """programs/two_pythons.c: no libpython in it."""
    out, source = PROGRAMS_DIR / "python" / "two_pythons", PROGRAMS / "two_pythons.c"
    out.parent.mkdir(parents=True, exist_ok=True)
    if _newer(out, source):
        run_compiler(["gcc", "-O1", "-g", "-Wall", "-Wextra", source, "-o", out, "-ldl"])
    return out


def headless(path):
    """No section headers, as sstrip leaves a program: 64-bit ELF's e_shoff, e_shnum, e_shstrndx."""
    with open(path, "r+b") as f:
        f.seek(0x28)
        f.write(struct.pack("<Q", 0))
        f.seek(0x3c)
        f.write(struct.pack("<HH", 0, 0))
