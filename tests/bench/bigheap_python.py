"""bigheap_python.py COUNT: dies with about COUNT objects, as a service has them: records, their attributes and
texts, indexes over them, and rings that nothing leads to. The same ones each time. The core is the input of
bench_python.py."""

import gc
import os
import random
import sys
from collections import OrderedDict, deque


class User:
    def __init__(self, r, i):
        self.id = i + 1000
        self.name = "user %d" % i
        self.mail = "u%d@example.org" % r.randrange(1 << 40)
        self.score = r.random()
        self.friends = []
        self.parent = None


class Event:
    __slots__ = "when", "who", "what"

    def __init__(self, when, who, what):
        self.when, self.who, self.what = when, who, what


def user(r, i, users):
    """A record, and how many objects it is made of."""
    u = User(r, i)
    if users:
        u.parent = r.choice(users)
        for _ in range(r.randrange(4)):
            u.friends.append(r.choice(users))
        u.parent.friends.append(u)
    u.settings = {"theme": "dark" if i % 3 else "light", "limit": r.randrange(1 << 30), "tags": (
        "t%d" % r.randrange(1 << 20), i / 7)}
    u.history = [Event(r.random(), u, b"event %d" % k) for k in range(r.randrange(3))]
    return u, 12 + 3 * len(u.history)


def main():
    count, r = int(sys.argv[1]), random.Random(42)
    users, by_name, seen, order, made = [], {}, set(), OrderedDict(), 0
    recent = deque(maxlen=1000)
    while made < count:
        u, objects = user(r, len(users), users)
        made += objects
        users.append(u)
        by_name[u.name] = u
        recent.append((u, made))
        if len(users) % 5 == 0:
            key = frozenset((u.mail, u.name))
            seen.add(key)
            order[u.id] = {"user": u, "lines": [k * made for k in range(r.randrange(8))]}
            made += 8
        if len(users) % 100 == 0:  # rings that nothing leads to
            a, b = User(r, made), User(r, made + 1)
            a.parent, b.parent = b, a
            made += 12
    os.abort()


gc.disable()  # the rings are to be found
main()
