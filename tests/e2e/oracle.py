"""Reads what an oracle program wrote about itself (tests/programs/oracle.h)."""

import struct
from collections import defaultdict

KEY = 0xA5A5A5A5A5A5A5A5
RECORD = struct.Struct("<IIQQ24s")
ALLOC, FREE, EXPECT, LEAK, HEAD, ISFREE, ROOT, TYPE, VALUE, MALLINFO, CYCLE, TRIM, \
    GONE, GIVEN, EQUAL, ROOM, SPARE, HEADER, CUT, CUT_OF, CUT_FREES, CUT_GIVEN = range(1, 23)
MALLINFO_FIELDS = (
    "arena ordblks smblks hblks hblkhd fsmblks uordblks fordblks keepcost".split()
)


class Oracle:
    """The truth about one process at its death.

    live      {address: usable bytes} of every block that malloc gave out and did not get back
    reachable {address: 0, 1 or 2} where the program said so
    clusters  {address: {cluster numbers}} of lost blocks; any one of them is right
    heads     {cluster number: address}
    cycles    {cycle number: {addresses}}
    free      {address: (usable bytes, kind)} where the program knows the place
    roots     {address: {kinds}}; types, values {address: text}
    mallinfo  {field: value}, as the allocator itself counts
    trim      resident bytes that malloc_trim(0) gives back
    gone      addresses of what goes with the thing the program is about
    given     bytes that the system gets then
    equal     {group: {addresses}} of live blocks that say the same
    rooms     {address: (form, capacity, used)} of containers' blocks
    spare     {address: bytes} that the container would not have if made anew
    headers   {address: address} where the container itself is
    cuts      {number: {"how", "at", "offset", "to", "objects", "bytes", "given"}} of pointers that a copy cut
    freed     addresses that were once live and are not now
    """

    def __init__(self, path):
        self.live = {}
        self.reachable = {}
        self.clusters = defaultdict(set)
        self.heads = {}
        self.cycles = defaultdict(set)
        self.free = {}
        self.roots = defaultdict(set)
        self.types = {}
        self.values = {}
        self.mallinfo = {}
        self.trim = None
        self.gone = set()
        self.given = None
        self.equal = defaultdict(set)
        self.rooms, self.spare, self.headers = {}, {}, {}
        self.cuts = defaultdict(dict)
        self.freed = set()
        with open(path, "rb") as f:
            data = f.read()
        assert data and len(data) % RECORD.size == 0, f"{path}: no truth was written"
        for op, arg, address, size, text in RECORD.iter_unpack(data):
            address ^= KEY
            size ^= KEY
            text = text.rstrip(b"\0").decode()
            if op == ALLOC:
                assert address not in self.live, f"oracle: {address:#x} given out twice"
                self.live[address] = size
                self.freed.discard(address)
            elif op == FREE:
                if self.live.pop(address, None) is not None:
                    self.freed.add(address)
            elif op == EXPECT:
                self.reachable[address] = arg
            elif op == LEAK:
                self.reachable[address] = 0
                self.clusters[address].add(arg)
            elif op == EQUAL:
                self.equal[arg].add(address)
            elif op == ROOM:
                self.rooms[address] = (text, size, arg)
            elif op == SPARE:
                self.spare[address] = size
            elif op == HEADER:
                self.headers[address] = size
            elif op == HEAD:
                self.heads[arg] = address
            elif op == ISFREE:
                self.free[address] = (size, text)
            elif op == ROOT:
                self.roots[address].add(text)
            elif op == TYPE:
                self.types[address] = text
            elif op == VALUE:
                self.values[address] = text
            elif op == MALLINFO:
                self.mallinfo[MALLINFO_FIELDS[arg]] = size
            elif op == CYCLE:
                self.cycles[arg].add(address)
            elif op == TRIM:
                self.trim = size
            elif op == GONE:
                self.gone.add(address)
            elif op == GIVEN:
                self.given = size
            elif op == CUT:
                self.cuts[arg] |= {"how": text, "at": address, "offset": size}
            elif op == CUT_OF:
                self.cuts[arg]["to"] = address
            elif op == CUT_FREES:
                self.cuts[arg] |= {"objects": address, "bytes": size}
            elif op == CUT_GIVEN:
                self.cuts[arg]["given"] = size
            else:
                raise AssertionError(f"oracle: unknown record {op}")
        for name in ("reachable", "roots", "types", "values", "rooms"):
            stale = getattr(self, name).keys() - self.live.keys()
            assert not stale, f"oracle: {name} said of blocks that are not live: {stale}"

    @property
    def lost(self):
        return {a for a, r in self.reachable.items() if r == 0}
