"""zmq, protobuf, gRPC, psycopg2, ujson and bcrypt: servers and clients of one process; then it dies."""

import concurrent.futures
import gc
import sys

import bcrypt
import grpc
import psycopg2.extensions
import psycopg2.extras
import record
import ujson
import zmq
from google.protobuf import descriptor_pb2, struct_pb2, timestamp_pb2

gc.disable()
KEPT = {}


def messages(n):
    KEPT["structs"] = []
    for i in range(n):
        s = struct_pb2.Struct()
        s.update({"number": i, "list": [1, "two", None], "inner": {"a": True}})
        KEPT["structs"].append(s)
    KEPT["again"] = [struct_pb2.Struct.FromString(s.SerializeToString()) for s in KEPT["structs"]]
    stamp = timestamp_pb2.Timestamp()
    stamp.GetCurrentTime()
    KEPT["stamp"] = stamp
    file = descriptor_pb2.FileDescriptorProto(name="made.proto", package="made")
    file.message_type.add(name="M").field.add(name="f", number=1, type=9, label=1)
    KEPT["file"] = file


def sockets(n):
    context = zmq.Context()
    back, front = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    port = back.bind_to_random_port("tcp://127.0.0.1")
    front.connect("tcp://127.0.0.1:%d" % port)
    KEPT["frames"] = []
    for i in range(n):
        front.send_multipart([b"a", b"number %d" % i], copy=i % 2 == 0)
        KEPT["frames"].append(back.recv_multipart(copy=i % 3 == 0))
    poller = zmq.Poller()
    poller.register(back, zmq.POLLIN)
    KEPT["zmq"] = [context, back, front, poller, poller.poll(1)]


def calls(n):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request + b"!")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("made.S", {"Call": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel("127.0.0.1:%d" % port)
    call = channel.unary_unary("/made.S/Call")
    KEPT["answers"] = [call(b"%d" % i) for i in range(n)]
    KEPT["waits"] = [call.future(b"later") for _ in range(3)]
    KEPT["results"] = [f.result() for f in KEPT["waits"]]
    KEPT["grpc"] = [server, channel, call]


def others(n):
    KEPT["json"] = ujson.loads(ujson.dumps([{"a": [i, 1.5, None, "x"]} for i in range(n)]))
    KEPT["hash"] = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))
    KEPT["adapted"] = [psycopg2.extensions.adapt(x) for x in ("text", 3, 1.5, None, [1, 2], b"raw")]
    KEPT["dsn"] = psycopg2.extensions.parse_dsn("host=localhost dbname=test")
    try:
        psycopg2.connect("host=127.0.0.1 port=1 connect_timeout=1")
    except psycopg2.OperationalError as e:
        KEPT["error"] = e


n = int(sys.argv[2])
messages(n)
sockets(n)
calls(n)
others(n)
record.die(sys.argv[1])
