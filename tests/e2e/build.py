"""Compiles the oracle programs: one source file, many ways to build it."""

import os
import re
import shlex
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAMS = TOP / "tests" / "programs"
BUILD = Path(os.environ.get("BUILD", TOP / "build")).resolve()
PROGRAMS_DIR = Path(os.environ.get("PROGRAMS_DIR", BUILD / "programs")).resolve()

# An optimizer that sees a block's whole life removes it.
COMMON = """-g -Wall -Wextra -Wno-unused-function -fno-builtin-malloc -fno-builtin-calloc
    -fno-builtin-realloc -fno-builtin-free -pthread""".split()
STATIC = ["-static", "-Wl,-z,muldefs"]

# variant: (C compiler, C++ compiler, flags, command that runs it)
VARIANTS = {
    "gcc-O0": ("gcc", "g++", ["-O0"], []),
    "gcc-O2": ("gcc", "g++", ["-O2"], []),
    "clang-O2": ("clang", "clang++", ["-O2"], []),
    "no-pie": ("gcc", "g++", ["-O2", "-no-pie"], []),
    "static": ("gcc", "g++", ["-O2", *STATIC], []),
    "static-pie": ("gcc", "g++", ["-O2", "-static-pie", "-Wl,-z,muldefs"], []),
    "stripped": ("gcc", "g++", ["-O2", "-s"], []),
    "static-stripped": ("gcc", "g++", ["-O2", "-s", *STATIC], []),
    "i686": ("i686-linux-gnu-gcc", "i686-linux-gnu-g++", ["-O2", *STATIC], []),
    "aarch64": ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++",
                ["-O2", "-static-pie", "-Wl,-z,muldefs"],
                ["qemu-aarch64"]),
}
# LLVM's C++ library, as scripts/fetch-libcxx unpacked it.
LIBCXX = Path(os.environ.get("LIBCXX_DIR", BUILD / "libcxx")).resolve()
_LIBCXX = ["-nostdinc++", "-isystem", f"{LIBCXX}/include", "-nostdlib++", f"-L{LIBCXX}/lib", f"-Wl,-rpath,{LIBCXX}/lib",
           "-lc++", "-lc++abi", "-Wl,--as-needed", "-lunwind"]
# Variants for what asks for them.
MORE = {
    "libc++-O0": ("clang", "clang++", ["-O0", *_LIBCXX], []),
    "libc++-O2": ("clang", "clang++", ["-O2", *_LIBCXX], []),
    "libc++-gcc-stripped": ("gcc", "g++", ["-O2", "-s", "-nostdinc++", "-isystem", f"{LIBCXX}/include",
                                           "-nodefaultlibs", f"-L{LIBCXX}/lib", f"-Wl,-rpath,{LIBCXX}/lib"], []),
    "libc++-loaded": ("gcc", "g++", ["-O2", f"-L{LIBCXX}/lib", f"-Wl,--no-as-needed,-rpath,{LIBCXX}/lib"], []),
    "old-strings": ("gcc", "g++", ["-O2", "-D_GLIBCXX_USE_CXX11_ABI=0"], []),
    "old-strings-clang-O0": ("clang", "clang++", ["-O0", "-D_GLIBCXX_USE_CXX11_ABI=0"], []),
    "old-strings-stripped": ("gcc", "g++", ["-O2", "-s", *STATIC, "-D_GLIBCXX_USE_CXX11_ABI=0"], []),
    "old-strings-i686": ("i686-linux-gnu-gcc", "i686-linux-gnu-g++",
                         ["-O2", *STATIC, "-D_GLIBCXX_USE_CXX11_ABI=0"], []),
}
# Behind the source: the linker looks for what it needs so far.
LIBRARIES = {"libc++-gcc-stripped": ["-lc++", "-lc++abi", "-lm", "-lc", "-lgcc_s", "-lgcc"],
             "libc++-loaded": ["-lc++"]}


def is_static(variant):
    return any(f.startswith("-static") for f in (VARIANTS | MORE)[variant][2])


class Program:
    """One file of tests/programs. A line `build: ...` in it says what it needs:

    dynamic        shared libraries: no static variants
    link=FILE      a library of its own to be linked with
    dlopen=FILE    a library of its own that it opens (its path is ORACLE_LIB)
    args=A,B       arguments
    only=A,B       these variants: it takes a compiler long, and the others show no more
    """

    def __init__(self, source):
        self.source = Path(source)
        self.name = self.source.stem
        found = re.search(r"build: (.*?)\s*(\*/)?$", self.source.read_text(), re.M)
        words = found.group(1).split() if found else []
        options = dict(w.partition("=")[::2] for w in words)
        self.dynamic = "dynamic" in options
        self.link = options.get("link")
        self.dlopen = options.get("dlopen")
        self.args = options.get("args", "").split(",") if options.get("args") else []
        self.only = options.get("only", "").split(",") if options.get("only") else VARIANTS

    def __repr__(self):
        return self.name

    def possible(self, variant):
        return variant in self.only and not (self.dynamic and is_static(variant))


def programs():
    files = sorted([*PROGRAMS.glob("*.c"), *PROGRAMS.glob("*.cc")])
    return {p.stem: Program(p) for p in files if not p.name.startswith("lib_")}


def _newer(target, *sources):
    try:
        made = target.stat().st_mtime
    except FileNotFoundError:
        return True
    return any(s.stat().st_mtime > made for s in sources)


def run_compiler(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stderr}"


def build(program, variant, extra=(), compiler=None, directory=None):
    """Path of the program, compiled if its source is newer."""
    cc, cxx, flags, _ = (VARIANTS | MORE)[variant]
    if compiler:
        cc, cxx = compiler
    out = (directory or PROGRAMS_DIR / variant) / program.name
    out.parent.mkdir(parents=True, exist_ok=True)
    libs, defines = [], []
    for source, linked in ((program.link, True), (program.dlopen, False)):
        if not source:
            continue
        so = out.parent / (Path(source).stem + ".so")
        if _newer(so, PROGRAMS / source):
            run_compiler([cc, "-shared", "-fPIC", "-O2", "-g", *extra, PROGRAMS / source,
                          "-o", so])
        if linked:
            libs += [so, f"-Wl,-rpath,{so.parent}"]
        else:
            defines.append(f'-DORACLE_LIB="{so}"')
    if _newer(out, program.source, PROGRAMS / "oracle.h", Path(__file__)):
        compile_ = cxx if program.source.suffix == ".cc" else cc
        part = out.with_suffix(f".{os.getpid()}")
        run_compiler([compile_, *COMMON, *flags, *extra, *defines, program.source, "-o", part,
                      *libs, "-ldl", *LIBRARIES.get(variant, [])])
        os.rename(part, out)
    return out
