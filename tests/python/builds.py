"""How CPython may be built, started and embedded."""

import os
import shutil


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env.update(more)
    return env


def clean(path):
    """A dump may be big: none is left behind."""
    shutil.rmtree(path, ignore_errors=True)
