"""Objects that are held in several ways, some of which say the same: by one function's local in many threads, by a
module's variable that every function leads to; parents and children. Tells their addresses, and dies."""

import os
import threading

THREADS = 4


class Box(object):
    def __init__(self, name):
        self.name = name


class Wrap(object):
    def __init__(self, box):
        self.box = box


class Node(object):
    def __init__(self, parent=None):
        self.parent = parent
        self.child = None if parent else Node(self)


CACHE = [Box("cached")]
FAMILIES = [Node() for _ in range(30)]
truth = open("/proc/self/fd/198", "w")
ready = [threading.Event() for _ in range(THREADS)]
forever = threading.Lock()
forever.acquire()


def worker(item, wrap, number):
    ready[number].set()
    forever.acquire()


def start():
    item, inside = Box("local"), Box("inside")
    for n in range(THREADS):
        thread = threading.Thread(target=worker, args=(item, Wrap(inside), n))
        thread.daemon = True
        thread.start()
    truth.write("%d %d %d\n" % (id(CACHE[0]), id(item), id(inside)))


start()
for event in ready:
    event.wait()
truth.close()
os.abort()
