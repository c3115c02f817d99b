"""Writes to dicts in an order that it knows, tells it, oldest write first, and dies."""

import os
import random
from collections import OrderedDict, defaultdict

truth = open("/proc/self/fd/198", "w")
chance = random.Random(17)
dicts = [{"number": n, "other": None} for n in range(600)]
dicts += [defaultdict(list, number=n, other=None) for n in range(50)]
dicts += [OrderedDict(number=n, other=None) for n in range(50)]


def write(d, how):
    if how == 0:
        d["number"] = -1 - d["number"]
    elif how == 1:
        d["new %d" % len(d)] = 1
    elif how == 2:
        d.update(more=2)
    elif how == 3:
        d.pop("other")
    elif how == 4:
        del d["other"]
    elif how == 5:
        d.setdefault("default", 3)
    else:
        d.clear()


order = list(range(len(dicts)))
chance.shuffle(order)
written = order[:500]
for n in written:
    write(dicts[n], n % 7)
# What is only read keeps its place.
for d in dicts:
    d.get("number")
# The rest were last written to when they were made.
others = sorted(set(range(len(dicts))) - set(written))
truth.write("\n".join(str(id(dicts[n])) for n in others + written))
truth.close()
os.abort()
