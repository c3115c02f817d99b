"""Buffers in blocks where tuples died: what is left in them looks like an object still. Tells the deques, and dies."""

import os
from collections import deque

# Of the size of a deque's block, 64 pointers and two links: 3 words of the tuple and two of the collector's.
tuples = [tuple([None] * 61) for _ in range(200)]
del tuples
deques = [deque([1, 2]) for _ in range(150)]
with open("/proc/self/fd/198", "w") as truth:
    truth.write(" ".join(str(id(d)) for d in deques))
os.abort()
