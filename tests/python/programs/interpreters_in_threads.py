"""Interpreters that work in threads of their own, at the same time: each is blocked in a function whose
local alone leads to a list. Lines "mark ADDRESS NUMBER" to descriptor 198, then a core."""

import os
import sys
import threading
import time

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

SCRIPT = """
import os, sys, time

class Request:
    pass

def blocked(number):
    table = {"ring": [Request() for _ in range(number + 5)]}
    os.write(198, ("mark %%d %%d\\n" %% (id(table["ring"]), number)).encode())
    time.sleep(1000)

blocked(%d)
"""


def run(number):
    run_string = getattr(interpreters, "exec", None) or interpreters.run_string
    run_string(interpreters.create(), SCRIPT % number)


threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in (1, 2)]
for n, thread in enumerate(threads):
    thread.start()
    while os.read(os.open("/proc/self/fd/198", os.O_RDONLY), 1000).count(b"mark") <= n:
        time.sleep(0.01)
time.sleep(0.05)
os.abort()
