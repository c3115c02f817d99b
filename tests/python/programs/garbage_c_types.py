"""Garbage that goes through, and hangs on, objects of types written in C: sqlite3's, and its fork's verdict.

Lines "garbage ADDRESS TYPE", what gc.collect() finds; "alive ADDRESS TYPE" of what is made alike, and held."""

import gc
import os
import signal
import sqlite3

gc.disable()


class Node(object):
    def __init__(self, name):
        self.name = name

    def row(self, cursor, row):
        return row


def made(name):
    """A ring through a connection, which holds a method of the node's; a list that only the connection holds."""
    node = Node(name)
    node.connection = sqlite3.connect(":memory:")
    node.connection.row_factory = node.row
    node.cursor = node.connection.cursor()
    node.cursor.row_factory = Node("behind " + name).row
    return node


def tell(what, objects):
    os.write(198, "".join("%s %d %s\n" % (what, id(o), type(o).__name__) for o in objects).encode())


KEPT = [made("kept %d" % i) for i in range(20)]
gc.collect()
for i in range(50):
    made("lost %d" % i)
pid = os.fork()
if not pid:
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    tell("garbage", gc.garbage)
    tell("alive", [o for node in KEPT for o in (node, node.connection, node.cursor, node.cursor.row_factory.__self__)])
    os._exit(0)
os.waitpid(pid, 0)
os.kill(os.getpid(), signal.SIGABRT)
