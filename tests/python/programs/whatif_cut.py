"""whatif_cut.py TRUTH: references of all kinds. For each a forked child drops that alone, and tells which of the objects
that know of their end went, and which of these only when garbage was collected:

    case EXPRESSION
    now ID / later ID ...
"""

import gc
import os
import sys

OUT = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
NOTED = [None]


class Item(object):
    """Two blocks: itself and its name."""

    __slots__ = ("name", "other", "more")

    def __init__(self, name):
        self.name, self.other, self.more = "item %s %d" % (name, id(name)), None, None

    def __del__(self):
        if NOTED[0]:
            os.write(OUT, b"%s %x\n" % (NOTED[0], id(self)))


class Box(object):
    pass


def drop_item(holder, key):
    del holder[key]


def drop_only(holder, key):
    holder.clear()


def drop_attribute(holder, key):
    setattr(holder, key, None)


def drop_place(holder, key):
    holder[key] = None


def ring(name, n):
    """As many items that only a collector finds, and one that the first of them holds."""
    items = [Item("%s %d" % (name, i)) for i in range(n)]
    for i in range(n):
        items[i].other = items[(i + 1) % n]
    items[0].more = Item(name + " tail")
    return items[0]


def joint():
    """A key and a value that both refer to one item."""
    both = Item("both")
    key, value = Item("key"), Item("value")
    key.other = value.other = both
    both.more = Item("below both")
    return key, value


def chain(name, n):
    first = None
    for i in range(n):
        item = Item("%s %d" % (name, i))
        item.other, first = first, item
    return first


DICT = {"gone": chain("gone", 20), "stays": Item("stays")}
DICT["shared"] = Item("shared")
LIST = [Item("list %d" % i) for i in range(10)]
LIST[7].other = DICT["shared"]
BOX = Box()
BOX.ring = ring("ring", 12)
BOX.held = chain("held", 5)
HELD = BOX.held.other  # the rest of the chain stays
KEY, VALUE = joint()
JOINT = {KEY: VALUE}
del KEY, VALUE
ALONE = chain("alone", 30)
CASES = [
    ("__main__.DICT['gone']", drop_item, DICT, "gone"),
    ("__main__.DICT['shared']", drop_item, DICT, "shared"),
    ("__main__.LIST[3]", drop_place, LIST, 3),
    ("__main__.LIST[7]", drop_place, LIST, 7),
    ("__main__.BOX.ring", drop_attribute, BOX, "ring"),
    ("__main__.BOX.held", drop_attribute, BOX, "held"),
    ("__main__.JOINT[<__main__.Item>]", drop_only, JOINT, None),
    ("__main__.ALONE", drop_item, globals(), "ALONE"),
]


def child(expression, drop, holder, key):
    os.write(OUT, b"case %s\n" % expression.encode())
    gc.disable()
    NOTED[0] = b"now"
    drop(holder, key)
    NOTED[0] = b"later"
    gc.collect()
    NOTED[0] = None


gc.collect()
for case in CASES:
    pid = os.fork()
    if pid == 0:
        child(*case)
        os._exit(0)
    os.waitpid(pid, 0)
del case, CASES
gc.collect()
os.abort()
