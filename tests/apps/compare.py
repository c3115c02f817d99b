"""What an application said of itself (programs/record.py), against the database of its core."""

from collections import Counter, defaultdict


class Truth:
    def __init__(self, path):
        self.type, self.referents, self.garbage = {}, {}, {}
        with open(path) as f:
            for line in f:
                what, address, kind, *referents = line.split()
                address = int(address, 16)
                if what == "garbage":
                    self.garbage[address] = kind
                else:
                    self.type[address] = kind
                    self.referents[address] = {int(r, 16) for r in referents}


class Compared:
    """Counters by type, or by pairs of types; with one example each in `example`.

    lost        objects that were not found
    wrong       objects of another type: (said, found)
    unknown     objects that the process did not name. It names what the collector knows and what that
                leads to; what only frames and C memory hold is not in it
    missed      referents that were not found: (type, type of the referent)
    extra       referents that are none. Keys of dicts aside, as documented
    garbage     (missing, invented)
    counts      rows of refcount_error: (type, excess)
    """

    def __init__(self, truth, db):
        self.truth, self.db, self.example = truth, db, {}
        rows = db.sql.execute("SELECT o.id, o.address, t.name, t.module FROM object o LEFT JOIN type t "
                              "ON t.id = o.type_id WHERE o.refcount IS NOT NULL").fetchall()
        self.name = {a: (t or "?").replace(" ", "_") for _, a, t, _ in rows}
        self.address = {i: a for i, a, _, _ in rows}
        self.objects()
        self.edges()
        self.collector()
        self.audit()

    def count(self, what, key, address):
        getattr(self, what)[key] += 1
        self.example.setdefault((what, key), address)

    def objects(self):
        truth, segments = self.truth, self.db.rows('SELECT start, "end" FROM segment')
        self.lost, self.wrong, self.unknown = Counter(), Counter(), Counter()
        for a, kind in truth.type.items():
            if a not in self.name:
                # Memory that the child mapped holds what only the child has.
                if any(start <= a < end for start, end in segments):
                    self.count("lost", kind, a)
            elif not same_type(kind, self.name[a]):
                self.count("wrong", (kind, self.name[a]), a)
        for a in self.name.keys() - truth.type.keys():
            self.count("unknown", self.name[a], a)

    def edges(self):
        truth, name = self.truth, self.name
        self.missed, self.extra = Counter(), Counter()
        self.referents = 0
        got, keys = defaultdict(set), defaultdict(set)
        for src, dst, edge in self.db.sql.execute("SELECT src, dst, name FROM referent"):
            if src in self.address and dst in self.address:
                src, dst = self.address[src], self.address[dst]
                (keys if edge and edge.startswith("<key ") else got)[src].add(dst)
        for a, referents in truth.referents.items():
            if a not in name:
                continue
            self.referents += len(referents)
            for r in referents - got[a] - keys[a]:
                if r in name:
                    self.count("missed", (truth.type[a], truth.type.get(r)), (a, r))
            for r in got[a] - referents:
                self.count("extra", (truth.type[a], name[r]), (a, r))

    def collector(self):
        found = set(self.db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id"))
        self.missing, self.invented = Counter(), Counter()
        for a in self.truth.garbage.keys() - found:
            self.count("missing", self.truth.garbage[a], a)
        for a in found - self.truth.garbage.keys():
            self.count("invented", self.name.get(a), a)

    def audit(self):
        self.counts = Counter()
        for a, excess in self.db.rows("SELECT o.address, e.excess FROM refcount_error e "
                                      "JOIN object o ON o.id = e.object_id"):
            self.count("counts", (self.name[a], excess), a)


def same_type(said, found):
    return said == found or said == "builtins." + found or said.rsplit(".", 1)[-1] == found.rsplit(".", 1)[-1]


def main():
    import sys
    from pathlib import Path
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
    from heapscan import Database
    c = Compared(Truth(sys.argv[1]), Database(sys.argv[2]))
    print(len(c.truth.type), "objects,", c.referents, "referents,", len(c.truth.garbage), "garbage")
    for what in ("lost", "wrong", "unknown", "missed", "extra", "missing", "invented", "counts"):
        counter = getattr(c, what)
        print("%s: %d" % (what, sum(counter.values())))
        for key, n in counter.most_common(40):
            e = c.example[what, key]
            print("   %6d  %s   %s" % (n, key, " -> ".join(map(hex, e)) if isinstance(e, tuple) else hex(e)))


if __name__ == "__main__":
    main()
