"""growth_names.py COUNT DUMPS: before each core (of forks) but the first, COUNT names that nobody keeps are asked for.
Leaves dump0, dump1 and so on."""

import os
import sys


class Visitor:
    pass


def dump(number):
    child = os.fork()
    if not child:
        os.mkdir("dump%d" % number)
        os.chdir("dump%d" % number)
        os.abort()
    os.waitpid(child, 0)


def main():
    count, dumps = int(sys.argv[1]), int(sys.argv[2])
    for number in range(dumps):
        for i in range(count if number else 0):
            getattr(Visitor, "visit_%d_%d" % (number, i), None)
        dump(number)


main()
