"""growth.py GROWER ROUNDS: dies in a fork after each round, so that a core of each is left; between the
rounds GROWER adds to one place, and much else comes and goes."""

import collections
import os
import sys

EACH = 3000  # things a round


class User:
    def __init__(self, n):
        self.name = "user %d" % n
        self.data = bytearray(600)


class Session:
    def __init__(self, n):
        self.user = User(n)
        self.events = [n + 100000, n + 200000]


class Node:
    def __init__(self, next):
        self.next = next
        self.payload = "payload %d" % id(self)


class Link:
    def __init__(self, prev, name):
        self.prev = prev
        self.next = None
        self.name = name


class Ends:
    """A list that is reached from both of its ends."""

    def __init__(self):
        self.first = self.last = Link(None, "first")

    def append(self, name):
        link = Link(self.last, name)
        self.last.next = link
        self.last = link


ENDS = Ends()
CACHE = {"sessions": {}, "limits": {"a": 1}}
QUEUE = collections.deque()
SEEN = set()
TABLE = []
NOTHING = []
HEAD = Node(None)


class Registry:
    instances = []


def remember(what, into=[]):
    into.append(what)


def counter():
    calls = []

    def count(what):
        calls.append(what)

    return count


COUNT = counter()


def grow_cache(n):
    CACHE["sessions"]["key %d" % n] = Session(n)


def grow_queue(n):
    QUEUE.append(("job %d" % n, n + 1000000))


def grow_set(n):
    SEEN.add("seen %d" % n)


def grow_table(n):
    TABLE.append([float(n)])


def grow_chain(n):
    HEAD.next = Node(HEAD.next)


def grow_default(n):
    remember("default %d" % n)


def grow_closure(n):
    COUNT("closure %d" % n)


def grow_class(n):
    Registry.instances.append(User(n))


def grow_ends(n):
    ENDS.append("link %d" % n)


def grow_nothing(n):
    """As a list of one and the same thing: no new object, but a longer table."""
    NOTHING.extend([None] * 20)


def grow_all(n):
    for name in sorted(globals()):
        if name.startswith("grow_") and name != "grow_all":
            globals()[name](n)


def grow_none(n):
    pass


def churn(round):
    """Comes and goes: 2000 things of every kind, at other addresses each time."""
    kept = [Session(i) for i in range(2000 + 37 * (2 * round % 3))]
    CACHE["current"] = {i: s for i, s in enumerate(kept)}
    TABLE[:0] = [{} for _ in range(50)]
    del TABLE[:50]


def dump(round):
    os.mkdir("dump%d" % round)
    pid = os.fork()
    if not pid:
        os.chdir("dump%d" % round)
        os.abort()
    os.waitpid(pid, 0)


def main():
    grow = globals()["grow_" + sys.argv[1]]
    n = 0
    for round in range(int(sys.argv[2])):
        for _ in range(EACH):
            grow(n)
            n += 1
        churn(round)
        dump(round)
    os.abort()


if __name__ == "__main__":
    main()
