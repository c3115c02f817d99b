"""gevent and greenlets, suspended on stacks of their own, in two threads; then it dies."""

import gc
import sys
import threading

import gevent
import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import gevent.server
import gevent.socket
import greenlet
import record

gc.disable()
KEPT = {}
n = int(sys.argv[2])


def echo(socket, address):
    mine = ["connection", address]
    while True:
        line = socket.recv(100)
        if not line:
            return
        KEPT.setdefault("heard", []).append((line, mine[0]))
        socket.sendall(line)


def client(port, number):
    s = gevent.socket.create_connection(("127.0.0.1", port))
    own = {"number": number, "list": [number]}
    for i in range(4):
        s.sendall(b"line %d" % i)
        s.recv(100)
    gevent.event.Event().wait()
    return own


def deep(level, passed):
    here = ["level", level]
    if level:
        return deep(level - 1, here)
    return greenlet.getcurrent().parent.switch(passed)


def sorted_by(key):
    """A switch out of a C function: list.sort holds the list on the stack of C."""
    def compare(x):
        greenlet.getcurrent().parent.switch("in sort")
        return x
    return sorted([[3], [1], [2]], key=compare)


def other_thread():
    mine = [greenlet.greenlet(deep) for _ in range(3)]
    for g in mine:
        g.switch(4, ["of the other thread"])
    KEPT["other"] = mine
    READY.set()
    STOP.wait()


READY, STOP = threading.Event(), threading.Event()
threading.Thread(target=other_thread, daemon=True).start()
READY.wait()
KEPT["deep"] = [greenlet.greenlet(deep) for _ in range(20)]
for g in KEPT["deep"]:
    g.switch(10, ["first"])
KEPT["fresh"] = [greenlet.greenlet(deep), greenlet.greenlet(lambda: [1])]
KEPT["done"] = greenlet.greenlet(lambda: [1])
KEPT["done"].switch()
KEPT["sorting"] = greenlet.greenlet(sorted_by)
KEPT["sorting"].switch(1)
server = gevent.server.StreamServer(("127.0.0.1", 0), echo)
server.start()
clients = [gevent.spawn(client, server.server_port, i) for i in range(n)]
gevent.sleep(0.5)
KEPT["pool"] = gevent.pool.Pool(3)
KEPT["mapped"] = KEPT["pool"].map(lambda x: [x], range(20))
KEPT["queue"] = gevent.queue.Queue()
KEPT["waiters"] = [gevent.spawn(KEPT["queue"].get) for _ in range(5)]
KEPT["timer"] = gevent.spawn_later(3600, print, ["later"])
gevent.sleep(0.1)
lost = greenlet.greenlet(deep)
lost.switch(3, [lost])
del lost, g
record.die(sys.argv[1])
