"""waiting_nested.py: generators that hold one another, of two functions in turn and each with bytes of its own. Dies.
Runs on 2.7, too."""

import os

SIZE = 1 << 20


def even(inner):
    mine = b"e" * SIZE
    yield mine, inner


def odd(inner):
    mine = b"o" * SIZE
    yield mine, inner


def nested(depth):
    g = None
    for n in range(depth):
        g = (odd if n % 2 else even)(g)
        next(g)
    return g


kept = [nested(6) for _ in range(4)]  # the outermost is odd
os.abort()
