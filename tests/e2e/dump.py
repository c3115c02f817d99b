"""Runs an oracle program until it dies, and finds the core that it left."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

ORACLE_FD = 198
TIMEOUT = 120


class Dump:
    """A dead process: its core file, the program, and the file with the truth."""

    def __init__(self, folder, program, core, truth):
        self.folder, self.program, self.core, self.truth = folder, program, core, truth


def _child(truth, coredump_filter):
    def prepare():
        fd = os.open(truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(fd, ORACLE_FD, inheritable=True)
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        except ValueError:  # no cores here, whoever asks: gdb writes them
            pass
        if coredump_filter is not None:
            with open("/proc/self/coredump_filter", "w") as f:
                f.write(f"{coredump_filter:#x}")

    return prepare


def _find(folder, pid, machine):
    """The core, wherever core_pattern put it; None: it went to a program, or nowhere.

    qemu writes its guest's core itself, and the kernel may write one of qemu: `machine` tells them
    apart."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    place = folder if pattern.startswith("|") else (folder / pattern).parent
    found = [p for p in place.glob("*") if p.is_file() and is_core(p, machine)]
    if place != folder:
        found = [p for p in found if str(pid) in p.name]
    return found[0] if len(found) == 1 else None


def _elf_head(path):
    with open(path, "rb") as f:
        head = f.read(20)
    return head if len(head) == 20 and head[:4] == b"\x7fELF" else None


def machine_of(path):
    head = _elf_head(path)
    return head and head[18:20]


def is_core(path, machine):
    head = _elf_head(path)
    return head is not None and head[16:18] == b"\x04\x00" and head[18:20] == machine


def run(folder, command, program, coredump_filter=None, env=None):
    """Runs command (which runs program) in a fresh folder until it aborts. The kernel's core, or
    gdb's where the kernel hands its cores to another program."""
    folder.mkdir(parents=True)
    truth = folder / "truth"
    # A program that hangs must not leave a process behind.
    child = subprocess.Popen([str(c) for c in command], cwd=folder, stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, close_fds=False,
                             preexec_fn=_child(truth, coredump_filter), env=env)
    try:
        _, stderr = child.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        raise
    assert child.returncode == -6, f"{command}: {child.returncode}, not SIGABRT: {stderr}"
    core = _find(folder, child.pid, machine_of(program))
    if core is None:
        shutil.rmtree(folder)
        return run_gcore(folder, command, program)
    if core.parent != folder:
        core = Path(shutil.move(core, folder / "core"))
    return Dump(folder, Path(program), core, truth)


def run_gcore(folder, command, program):
    """The same, with the core written by gdb."""
    folder.mkdir(parents=True)
    truth = folder / "truth"
    core = folder / "core.gdb"
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
         "-ex", "set startup-with-shell off", "-ex", "run",
         "-ex", f"generate-core-file {core}", "-ex", "kill",
         "--args", *[str(c) for c in command]],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
        close_fds=False, preexec_fn=_child(truth, None))
    assert core.exists(), f"gdb wrote no core of {command}: {done.stdout}{done.stderr}"
    return Dump(folder, Path(program), core, truth)
