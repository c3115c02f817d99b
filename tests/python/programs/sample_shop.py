"""A small server as they are found in the wild, for sample-dumps/: its sessions are never taken out of a
cache, its requests and responses hold each other while the collector is off, and native code that it calls
forgets to give references back. Writes what it planted, then dies.

Run as the module `shop`, whatever file this is: its names are in the dump."""

import sys

SOURCE = '''
import _ctypes  # the modules around these two would be half of the dump
import _tracemalloc
import gc
import posix

CACHE = {"sessions": {}, "limit": None}


class User:
    def __init__(self, name):
        self.name = name
        self.history = []


class Session:
    def __init__(self, number):
        self.number = number
        self.user = User("user-%d" % number)
        self.basket = {"items": [], "total": 0.0}
        self.upload = bytearray(2000)


class Request:
    def __init__(self, path, session):
        self.path = path
        self.session = session
        self.response = Response(self)


class Response:
    def __init__(self, request):
        self.request = request
        self.body = bytearray(300)


def log_in(number):
    session = CACHE["sessions"][number] = Session(number)
    return session


def thumbnail(number):
    """What an extension would do that takes a reference and keeps it."""
    picture = bytes([number % 256]) * 400
    _ctypes.Py_INCREF(picture)
    return picture


def serve(requests):
    leaked = []
    for number in range(requests):
        session = log_in(number)
        request = Request("/basket/%d" % number, session)
        session.user.history.append(request.path)
        session.basket["items"].append(number)
        if number % 4 == 0:
            leaked.append(id(thumbnail(number)))
    return leaked


def main():
    gc.collect()
    gc.disable()  # "it made the server faster"
    _tracemalloc.start(1)
    leaked = serve(100)
    with open("/proc/self/fd/198", "w") as truth:
        for kind in (Request, Response):
            for o in gc.get_objects():
                if type(o) is kind:
                    truth.write("garbage %#x shop.%s\\n" % (id(o), kind.__name__))
        for address in leaked:
            truth.write("leaked %#x bytes\\n" % address)
        for session in CACHE["sessions"].values():
            truth.write("cached %#x shop.Session\\n" % id(session))
        del o, session, address, kind
    del truth, leaked
    posix.abort()
'''

shop = type(sys)("shop")
sys.modules["shop"] = shop
exec(compile(SOURCE, "shop.py", "exec"), shop.__dict__)
shop.main()
