"""Secrets in every place that a program has, then death."""
import ctypes
import os
import sys

SECRETS = os.environ["PLANTED"].split(",")


class User(object):
    def __init__(self, name, password):
        self.name = name
        self.password = password


def holder(text):
    local = [text, {text: text.upper()}, text.encode("ascii"), bytearray(text.encode("ascii"))]
    buffer = ctypes.create_string_buffer(text.encode("ascii") * 20)
    wide = text + u"\u20ac"
    if len(REGISTRY) < 100000:
        os.abort()
    return local, buffer, wide


REGISTRY = {}
NUMBER = int(os.environ["PLANTED_NUMBER"])
for i, secret in enumerate(SECRETS):
    REGISTRY[secret] = User(secret + "-name", secret + "-password")
    REGISTRY[(secret, i)] = [secret] * 3
    REGISTRY[i] = NUMBER * 1000 + i
cycle = [SECRETS[0] + "-cycle"]
cycle.append(cycle)
del cycle
holder(SECRETS[0])
