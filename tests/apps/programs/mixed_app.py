"""aiohttp, SQLAlchemy, cryptography, Pillow, PyYAML, cffi, msgpack and zmq, as they are there; then it dies."""

import asyncio
import gc
import sys

import aiohttp
import record
from aiohttp import web

gc.disable()
KEPT = {}
n = int(sys.argv[2])


def database():
    from sqlalchemy import Column, ForeignKey, Integer, String, create_engine
    from sqlalchemy.orm import declarative_base, relationship, sessionmaker
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parent"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        children = relationship("Child", back_populates="parent")

    class Child(Base):
        __tablename__ = "child"
        id = Column(Integer, primary_key=True)
        parent_id = Column(Integer, ForeignKey("parent.id"))
        parent = relationship("Parent", back_populates="children")

    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    session = sessionmaker(bind=engine)()
    session.add_all([Parent(name="p%d" % i, children=[Child(), Child()]) for i in range(n)])
    session.commit()
    KEPT["session"] = session
    KEPT["parents"] = session.query(Parent).filter(Parent.id < 30).all()
    KEPT["children"] = [p.children for p in KEPT["parents"]]


def others():
    import msgpack
    import simplejson
    import yaml
    import cffi
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.asymmetric import rsa
    from PIL import Image, ImageDraw
    KEPT["yaml"] = yaml.load("[{a: 1, b: [x, y]}, {c: &k {d: 1}, e: *k}]" * 1, Loader=yaml.CSafeLoader)
    KEPT["loader"] = yaml.CSafeLoader("a: [1, 2, 3]")
    KEPT["loader"].get_event()
    KEPT["msgpack"] = msgpack.unpackb(msgpack.packb([{"a": i} for i in range(n)]))
    KEPT["unpacker"] = msgpack.Unpacker()
    KEPT["unpacker"].feed(b"\x93\x01\x02")
    KEPT["simplejson"] = simplejson.loads('[{"a": [1, 2]}, "x"]')
    KEPT["image"] = Image.new("RGB", (200, 100))
    KEPT["drawing"] = ImageDraw.Draw(KEPT["image"])
    KEPT["drawing"].line([(0, 0), (10, 10)], fill=3)
    KEPT["fernet"] = Fernet(Fernet.generate_key())
    KEPT["token"] = KEPT["fernet"].encrypt(b"secret")
    KEPT["key"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ffi = cffi.FFI()
    ffi.cdef("struct p { int x; struct p *next; }; int atoi(const char *);")
    KEPT["cffi"] = [ffi.new("struct p[10]"), ffi.new_handle(["a handle"]), ffi.dlopen(None),
                    ffi.callback("int(int)", lambda x: x), ffi.new("char[]", b"text")]


async def hello(request):
    KEPT.setdefault("seen", []).append(request.headers.get("User-Agent"))
    return web.json_response({"hello": request.match_info["name"]})


async def wait(request):
    mine = ["waits", request.path]
    await asyncio.get_running_loop().create_future()
    return mine


async def main():
    app = web.Application()
    app.add_routes([web.get("/hello/{name}", hello), web.get("/wait", wait)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:
        for i in range(n):
            async with session.get("http://127.0.0.1:%d/hello/n%d" % (port, i)) as answer:
                await answer.json()
        waiting = [asyncio.create_task(session.get("http://127.0.0.1:%d/wait" % port)) for _ in range(30)]
        await asyncio.sleep(0.5)
        record.die(sys.argv[1])
        return waiting


database()
others()
asyncio.run(main())
