# Fills Python's allocator, frees a part, writes the truth, dumps core. For every version since 2.7.
#
# argv: load N       objects of many sizes, some of them freed: 9 N or so
#       high_water N a few objects of N left in each arena
#       sub          the core is taken inside another interpreter, with a load of its own
#       malloc PATH  arenas by malloc, through a library that hands out an arena allocator
import os
import sys

# What the allocator says of itself goes to C's stderr.
TRUTH = 198


class Node(object):
    pass


def load(n):
    keep = []
    for i in range(n):
        node = Node()
        node.number = i * 1000003
        node.text = "v%d" % i
        keep.append(node)
        keep.append((i, str(i)))
        keep.append({"a": i} if i % 3 == 0 else [i])
        keep.append(b"x" * (i % 480))
    for i in range(0, len(keep), 7):
        keep[i] = None
    plain = [object() for i in range(5 * n)]
    del plain[::2]
    keep.append(plain)
    return keep


def high_water(n):
    every = [[] for i in range(n)]
    return [every[i] for i in range(0, len(every), 3000)]


def truth(plain):
    text = "".join("object %d\n" % id(o) for o in plain)
    os.write(TRUTH, text.encode("ascii"))


def die():
    stats = getattr(sys, "_debugmallocstats", None)
    abort = os.abort
    os.dup2(TRUTH, 2)
    if stats is not None:
        stats()
    abort()


def sub():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    run = getattr(interpreters, "run_string", None) or getattr(interpreters, "exec")
    with open(__file__) as f:
        text = f.read().split("def sub")[0]
    idle, busy = interpreters.create(), interpreters.create()
    run(idle, "keep = [str(i) for i in range(20000)]\ndel keep[::3]\n")
    run(busy, text + "\nkeep = load(4000)\ntruth(keep[-1])\ndie()\n")


def malloc(library):
    import ctypes
    lib = ctypes.PyDLL(library)
    lib.install()
    return load(4000)


if __name__ == "__main__":
    if sys.argv[1] == "sub":
        keep = load(2000)
        sub()
    keep = {"load": lambda: load(int(sys.argv[2])), "high_water": lambda: high_water(int(sys.argv[2])),
            "malloc": lambda: malloc(sys.argv[2])}[sys.argv[1]]()
    truth(keep[-1] if sys.argv[1] != "high_water" else [])
    die()
