"""Tornado's server with 50 connections that stay open, coroutines that wait, and a WebSocket; then it dies."""

import asyncio
import gc
import socket
import sys

import record
import tornado.httpclient
import tornado.httpserver
import tornado.locks
import tornado.netutil
import tornado.queues
import tornado.web
import tornado.websocket

gc.disable()
WAITING, CACHE = tornado.locks.Event(), {}
SOCKETS = set()


class Hello(tornado.web.RequestHandler):
    def get(self, name):
        CACHE.setdefault(name, []).append(self.request.headers.get("User-Agent"))
        self.write({"hello": name, "times": len(CACHE[name])})


class Wait(tornado.web.RequestHandler):
    async def get(self):
        mine = [self.request.uri, "waits"]
        await WAITING.wait()
        self.write(mine[0])


class Echo(tornado.websocket.WebSocketHandler):
    def open(self):
        SOCKETS.add(self)

    def on_message(self, message):
        self.write_message(message)


async def worker(queue):
    async for item in queue:
        CACHE.setdefault("worked", []).append(item)
        queue.task_done()


async def main():
    app = tornado.web.Application([("/hello/(.*)", Hello), ("/wait", Wait), ("/echo", Echo)])
    (listener,) = tornado.netutil.bind_sockets(0, "127.0.0.1", socket.AF_INET)
    port = listener.getsockname()[1]
    server = tornado.httpserver.HTTPServer(app)
    server.add_socket(listener)
    client = tornado.httpclient.AsyncHTTPClient(max_clients=60)
    for i in range(int(sys.argv[2]) // 20):
        await asyncio.gather(*[client.fetch("http://127.0.0.1:%d/hello/n%d" % (port, j)) for j in range(20)])
    queue = tornado.queues.Queue()
    workers = [asyncio.create_task(worker(queue)) for _ in range(3)]
    for i in range(100):
        await queue.put({"job": i})
    await queue.join()
    echo = await tornado.websocket.websocket_connect("ws://127.0.0.1:%d/echo" % port)
    await echo.write_message("text")
    assert await echo.read_message() == "text"
    waiting = [client.fetch("http://127.0.0.1:%d/wait" % port) for _ in range(50)]
    await asyncio.sleep(0.5)
    record.die(sys.argv[1])
    return workers, waiting


asyncio.run(main())
