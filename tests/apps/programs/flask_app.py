"""Flask on werkzeug's threaded server, asked over HTTP by eight clients; then it dies."""

import gc
import http.client
import json
import logging
import sqlite3
import sys
import threading

import flask
import record
from werkzeug.serving import make_server

gc.disable()
logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = flask.Flask("shop")
app.secret_key = "not very secret"
SESSIONS, LOCK = {}, threading.Lock()


class User:
    def __init__(self, name, cart):
        self.name, self.cart, self.seen = name, cart, {"pages": []}


@app.before_request
def connect():
    flask.g.db = sqlite3.connect(":memory:")
    flask.g.db.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)")


@app.route("/user/<name>", methods=["GET", "POST"])
def user(name):
    with LOCK:
        known = SESSIONS.setdefault(name, User(name, []))
    known.seen["pages"].append(flask.request.url)
    if flask.request.method == "POST":
        known.cart.append(flask.request.get_json())
    flask.session["user"] = name
    flask.g.db.execute("INSERT INTO item (name) VALUES (?)", (name,))
    rows = flask.g.db.execute("SELECT * FROM item").fetchall()
    return flask.render_template_string(
        "<p>{{ user.name }}: {% for c in user.cart %}{{ c.item }} {% endfor %}</p>", user=known, rows=rows)


@app.route("/fail")
def fail():
    flask.abort(404, {"reason": ["nobody", "knows"]})


def client(port, n):
    for i in range(n):
        c = http.client.HTTPConnection("127.0.0.1", port)
        if i % 3 == 2:
            c.request("GET", "/fail")
        elif i % 3:
            c.request("POST", "/user/u%d" % (i % 40), json.dumps({"item": "thing %d" % i}),
                      {"Content-Type": "application/json"})
        else:
            c.request("GET", "/user/u%d" % (i % 40))
        c.getresponse().read()
        c.close()


server = make_server("127.0.0.1", 0, app, threaded=True)
serving = threading.Thread(target=server.serve_forever, daemon=True)
serving.start()
clients = [threading.Thread(target=client, args=(server.port, int(sys.argv[2]) // 8)) for _ in range(8)]
for c in clients:
    c.start()
for c in clients:
    c.join()
record.die(sys.argv[1])
