"""Frees lists, dicts and sets, so that CPython keeps them for their next use; takes most of them again; tells ten
lists and ten dicts that were freed last, and dies. Ten dicts that outgrow their tables leave these, too."""

import os

KEPT = []


def work():
    many = [[[n], {n: n}, set([n])] for n in range(70)]
    del many[:]
    # Those that stay leave their addresses in the arrays.
    KEPT.extend([[n], {n: n}, set([n])] for n in range(40))
    grown = [{n: n} for n in range(10)]
    KEPT.extend(grown)
    last = [[[n], {n: n}] for n in range(10)]
    told = [id(x) for pair in last for x in pair]
    del last[:]
    for d in grown:
        for n in range(30):
            d[n] = n
    return told


truth = os.fdopen(198, "w")
told = work()
for address in told:
    truth.write("freed %d\n" % address)
truth.close()
os.abort()
