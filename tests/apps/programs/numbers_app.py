"""numpy and pandas: views, arrays of objects and records, memory maps, iterators, frames; then it dies."""

import gc
import sys
import tempfile

import numpy as np
import record

gc.disable()
KEPT = {}


class Mine(np.ndarray):
    """A subclass with attributes."""

    def __array_finalize__(self, whence):
        self.origin = getattr(whence, "origin", ["nowhere"])


def arrays(n):
    base = np.arange(10000, dtype=float).reshape(100, 100)
    KEPT["base"] = base
    KEPT["views"] = [base[i, ::2] for i in range(50)] + [base.T, base.flat, base[base > 3]]
    KEPT["objects"] = np.array([{"row": i, "list": [i]} for i in range(n)], dtype=object)
    KEPT["strings"] = np.array(["text %d" % i for i in range(n)])
    kind = np.dtype([("id", "i4"), ("name", "U10"), ("held", "O"), ("pos", "f8", (3,))])
    records = np.zeros(n, dtype=kind)
    for i in range(n):
        records[i]["held"] = ["held by record", i]
    KEPT["records"], KEPT["record"] = records, records[3]
    KEPT["recarray"] = np.rec.fromrecords([(1, 2.0), (3, 4.0)], names="a,b")
    KEPT["scalars"] = [np.float64(1.5), np.int8(3), np.datetime64("2020-01-01"), np.str_("x"), np.void(b"abc"),
                       np.complex128(1j), np.timedelta64(3, "D"), np.bool_(True)]
    mapped = np.memmap(tempfile.TemporaryFile(), dtype="u1", mode="w+", shape=(100000,))
    KEPT["mapped"] = [mapped, mapped[10:20]]
    KEPT["mine"] = np.zeros(5).view(Mine)
    KEPT["masked"] = np.ma.masked_array([1, 2, 3], mask=[0, 1, 0])
    KEPT["iterators"] = [np.nditer([base, base.T]), np.broadcast(base, base[0]), np.ndenumerate(base),
                         np.nditer(base, flags=["external_loop", "buffered"], op_dtypes=["f4"], casting="unsafe")]
    KEPT["ufuncs"] = [np.frompyfunc(lambda a, b: (a, b), 2, 1), np.vectorize(lambda x: x + 1)]
    KEPT["random"] = np.random.default_rng(3)
    KEPT["buffers"] = [memoryview(base), np.frombuffer(b"abcdefgh" * 100, dtype="u2"),
                       np.asarray(memoryview(bytearray(64)))]
    ring = np.empty(3, dtype=object)
    ring[0] = ring
    record.LOST.append(id(ring))
    KEPT["finfo"] = [np.finfo("f8"), np.iinfo("i4")]
    KEPT["poly"] = np.polynomial.Polynomial([1, 2, 3])
    KEPT["sums"] = [np.linalg.svd(np.random.rand(20, 20)), np.fft.fft(np.arange(64))]


def tables(n):
    import pandas as pd
    frame = pd.DataFrame({"a": range(n), "b": ["word %d" % (i % 7) for i in range(n)], "c": np.random.rand(n)})
    frame["when"] = pd.date_range("2020-01-01", periods=n)
    frame["kind"] = frame["b"].astype("category")
    KEPT["frame"] = frame
    KEPT["grouped"] = frame.groupby("b")
    KEPT["means"] = frame.groupby("b")[["a", "c"]].mean()
    KEPT["joined"] = frame.merge(frame.head(5), on="a")
    KEPT["index"] = frame.set_index(["b", "a"]).sort_index()
    KEPT["indexed"] = KEPT["index"].loc["word 3"]
    KEPT["series"] = frame["b"].str.upper().value_counts()
    KEPT["times"] = [pd.Timestamp("2020-02-02", tz="UTC"), pd.Timedelta("3h"), pd.Period("2020-01")]
    KEPT["rows"] = frame.iterrows()
    next(KEPT["rows"])


arrays(int(sys.argv[2]))
if "pandas" in sys.argv:
    tables(int(sys.argv[2]))
for _ in range(5):
    bunch = [np.empty(3, dtype=object)]
    bunch[0][1] = bunch
record.die(sys.argv[1])
