"""Twisted: a line server with 50 open connections, deferreds that wait, a thread pool; then it dies."""

import gc
import sys

import record
from twisted.internet import defer, endpoints, protocol, reactor, task, threads
from twisted.protocols import basic
from twisted.web import client, resource, server

gc.disable()
OPEN, HELD = [], []
count = int(sys.argv[2])


class Chat(basic.LineReceiver):
    def connectionMade(self):
        self.factory.members[id(self)] = self
        self.words = []

    def lineReceived(self, line):
        self.words.append(line)
        self.sendLine(b"heard " + line)


class ChatFactory(protocol.Factory):
    protocol = Chat

    def __init__(self):
        self.members = {}


class Caller(basic.LineReceiver):
    def connectionMade(self):
        OPEN.append(self)
        self.done = defer.Deferred()
        self.heard = 0
        self.sendLine(b"hello")

    def lineReceived(self, line):
        self.heard += 1
        if self.heard == 5:
            self.done.callback(line)
        else:
            self.sendLine(b"more %d" % self.heard)


class Page(resource.Resource):
    isLeaf = True

    def render_GET(self, request):
        if request.args.get(b"wait"):
            HELD.append(request)
            return server.NOT_DONE_YET
        return b"page " + request.uri


@defer.inlineCallbacks
def slowly(n):
    mine = ["slow", n]
    yield task.deferLater(reactor, 3600, lambda: None)
    return mine


@defer.inlineCallbacks
def main():
    chat = yield endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(ChatFactory())
    factory = protocol.Factory.forProtocol(Caller)
    for _ in range(50):
        caller = yield endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", chat.getHost().port).connect(factory)
        yield caller.done
    web = yield endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(server.Site(Page()))
    agent = client.Agent(reactor)
    for i in range(count):
        got = yield agent.request(b"GET", b"http://127.0.0.1:%d/p%d" % (web.getHost().port, i))
        yield client.readBody(got)
    waiting = [agent.request(b"GET", b"http://127.0.0.1:%d/?wait=1" % web.getHost().port) for _ in range(20)]
    slow = [slowly(i) for i in range(20)]
    yield threads.deferToThread(sum, range(1000))
    yield task.deferLater(reactor, 0.5, lambda: None)
    record.die(sys.argv[1])
    return waiting, slow


main().addErrback(lambda f: (f.printTraceback(), reactor.stop()))
reactor.run()
