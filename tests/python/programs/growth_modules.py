"""growth_modules.py MODULES GROWER ADDED: a program of very many modules, each with settings, classes and a cache
deep inside; between two cores (of forks) the cache of one of them grows. Prints nothing; leaves dump0, dump1."""

import os
import sys
import types

SOURCE = '''
class Setting:
    def __init__(self, value):
        self.value = value

class Table:
    def __init__(self):
        self.rows = {}
        self.index = {"name": [Setting("n")], "size": [Setting(1.5)]}

class Store:
    limits = {"depth": [Setting(3.25)], "width": (Setting(4.5), ["w"])}
    def __init__(self):
        self.tables = {"users": Table(), "cache": Table()}
        self.options = {"verbose": Setting({"on": [False]}), "colour": {"red": [Setting("r")], "blue": {"b": [2.5]}}}

class Entry:
    def __init__(self, number):
        self.number = number
        self.text = "entry %d" % number

STORE = Store()

def fill(first, count):
    rows = STORE.tables["cache"].rows
    for i in range(first, first + count):
        rows[i] = Entry(i)

fill(0, 2)
'''


def dump(number):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.mkdir("dump%d" % number)
        os.chdir("dump%d" % number)
        os.abort()
    os.waitpid(child, 0)


def main():
    modules, grower, added = (int(word) for word in sys.argv[1:4])
    code = compile(SOURCE, "generated.py", "exec")
    made = []
    for i in range(modules):
        module = types.ModuleType("shop_%04d" % i)
        sys.modules[module.__name__] = module
        exec(code, module.__dict__)
        made.append(module)
    dump(0)
    made[grower].fill(1000, added)
    dump(1)


main()
