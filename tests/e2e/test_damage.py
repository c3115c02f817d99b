"""Cores cut and spoiled at every kind of place end in a partial result or a clear message: exit 0 or
2, in bounded time and memory, and whatever database comes out is a sound one."""

import random
import struct

import pytest

from conftest import short
from elfcore import PT_LOAD, PT_NOTE, Core
from heapscan import Database, command

MEMORY = 2 << 30
TIMEOUT = 60


@pytest.fixture(scope="module")
def victim(dumps):
    dump = dumps("free_kinds")
    return Core(dump.core), dump.oracle


@pytest.fixture(scope="module")
def threaded(dumps):
    dump = dumps("threads_one_arena")
    return Core(dump.core), dump.oracle


@pytest.fixture
def survives(tmp_path):
    def check(data, what, sound=True):
        path, db = tmp_path / "core", tmp_path / "db"
        path.write_bytes(data)
        db.unlink(missing_ok=True)
        try:
            done = command(path, "-o", db, status=(0, 2), memory=MEMORY, timeout=TIMEOUT)
        except AssertionError as e:
            raise AssertionError(f"{what}: {e}") from None
        if done.returncode == 2:
            assert done.err.startswith("heapscan:"), f"{what}: no message: {done.err}"
            assert not db.exists(), f"{what}: failed, and left a database"
        elif sound:
            try:
                with_db = Database(db)
                done.damage = with_db.column(
                    "SELECT title FROM finding WHERE kind LIKE '%damage%'")
                with_db.close()
            except AssertionError as e:
                raise AssertionError(f"{what}: {e}") from None
        return done

    return check


def thin(cases):
    """Under the sanitizers, a part of them: always the same."""
    return cases[::7] if short() else cases


def test_cut(victim, survives):
    core, _ = victim
    places = {0, 1, 4, 15, 16, 63, 64, 65, core.phoff, len(core.data) - 1}
    for s in core.segments:
        places |= {s.header + 1, s.header + core.phentsize, s.offset, s.offset + 1,
                   s.offset + s.filesz // 2, s.offset + s.filesz - 1}
    for at in thin(sorted(places)):
        done = survives(core.data[:at], f"cut at {at}")
        if at < 64:
            assert done.returncode == 2, f"cut at {at}: not even a header, and yet a result"
        elif done.returncode == 0 and at < len(core.data) - 1:
            assert done.damage, f"cut at {at}: no word about it"


def header_cases(core):
    def edit(what, *changes):
        data = bytearray(core.data)
        for at, format_, value in changes:
            struct.pack_into(format_, data, at, value)
        return what, data

    top, most = 1 << 63, (1 << 64) - 1
    yield edit("e_phnum 0", (56, "<H", 0))
    yield edit("e_phnum 65534", (56, "<H", 65534))
    yield edit("e_phnum in a section header that is not there", (56, "<H", 65535))
    yield edit("e_phnum 65535, e_shoff past the end", (56, "<H", 65535), (40, "<Q", top))
    yield edit("e_phnum 65535, sh_info 2^32-1", (56, "<H", 65535), (40, "<Q", core.phoff),
               (core.phoff + 44, "<I", 0xFFFFFFFF))
    for value in (0, 1, len(core.data), top, most, most - 55):
        yield edit(f"e_phoff {value:#x}", (32, "<Q", value))
    for value in (0, 1, 55, 57, 65535):
        yield edit(f"e_phentsize {value}", (54, "<H", value))
    yield edit("another machine", (18, "<H", 0xFFFF))
    yield edit("big-endian", (5, "<B", 2))
    yield edit("class 0", (4, "<B", 0))
    yield edit("32 bits", (4, "<B", 1))
    loads = [s for s in core.segments if s.type == PT_LOAD]
    some = [loads[0], loads[len(loads) // 2], loads[-1]]
    for s in some:
        h = s.header
        for name, at in (("p_offset", 8), ("p_vaddr", 16), ("p_filesz", 32), ("p_memsz", 40),
                         ("p_align", 48)):
            for value in (0, 1, 4095, top, most, most - 4095):
                yield edit(f"{name} {value:#x} at {s.vaddr:#x}", (h + at, "<Q", value))
        yield edit("filesz and memsz 2^63", (h + 32, "<Q", top), (h + 40, "<Q", top))
        yield edit("memsz 2^47", (h + 40, "<Q", 1 << 47))
        yield edit("p_type 2^32-1", (h, "<I", 0xFFFFFFFF))
    yield edit("all segments at one address",
               *[(s.header + 16, "<Q", loads[0].vaddr) for s in loads])
    yield edit("all segments overlap by a page",
               *[(s.header + 40, "<Q", s.memsz + 4096) for s in loads])
    yield edit("each segment holds all that follow",
               *[(s.header + 40, "<Q", loads[-1].vaddr + loads[-1].memsz - s.vaddr)
                 for s in loads])
    yield edit("all segments from one offset", *[(s.header + 8, "<Q", 0) for s in loads])
    yield edit("segments in reverse",
               *[(a.header + 16, "<Q", b.vaddr) for a, b in zip(loads, reversed(loads))])
    for s in core.segments:
        if s.type != PT_NOTE:
            continue
        at, end = s.offset, s.offset + s.filesz
        while at + 12 <= end:
            namesz, descsz, type_ = struct.unpack_from("<III", core.data, at)
            desc = at + 12 + (namesz + 3 & ~3)
            for value in (0, 1, 3, 0x7FFFFFFF, 0xFFFFFFFC, 0xFFFFFFFF):
                yield edit(f"note {type_:#x} namesz {value:#x}", (at, "<I", value))
                yield edit(f"note {type_:#x} descsz {value:#x}", (at + 4, "<I", value))
            yield edit(f"note {type_:#x} becomes NT_FILE", (at + 8, "<I", 0x46494C45))
            if type_ == 0x46494C45:
                count, = struct.unpack_from("<Q", core.data, desc)
                for value in (0, count + 1, 1 << 20, 1 << 32, top, most // 24 + 1, most):
                    yield edit(f"NT_FILE count {value:#x}", (desc, "<Q", value))
                for value in (0, 1, 3, top, most):
                    yield edit(f"NT_FILE page size {value:#x}", (desc + 8, "<Q", value))
                what, data = edit("NT_FILE names without end")
                strings = desc + 16 + 24 * count
                data[strings:desc + descsz] = b"x" * (desc + descsz - strings)
                yield what, data
                what, data = edit("NT_FILE ranges upside down")
                for i in range(count):
                    a, b = struct.unpack_from("<QQ", data, desc + 16 + 24 * i)
                    struct.pack_into("<QQ", data, desc + 16 + 24 * i, b, a)
                yield what, data
            if type_ == 6:
                what, data = edit("auxv all ones")
                data[desc:desc + descsz] = b"\xff" * descsz
                yield what, data
            if type_ == 1:
                what, data = edit("registers all ones")
                data[desc + 112:desc + descsz] = b"\xff" * (descsz - 112)
                yield what, data
            at = desc + (descsz + 3 & ~3)


def test_headers(victim, survives):
    core, _ = victim
    for what, data in thin(list(header_cases(core))):
        survives(data, what)


def chunks(core, oracle):
    """Addresses of chunk headers: of live blocks, and of those whose place among the free ones is
    known."""
    every = sorted([*oracle.live, *oracle.free])
    return [a for a in every if core.offset(a) is not None]


def test_chunk_sizes(victim, survives):
    core, oracle = victim
    every = chunks(core, oracle)
    for address in thin(every[:: max(1, len(every) // 9)]):
        for value in (0, 1, 7, 0x10, 0x18, 1 << 31, 1 << 63, (1 << 63) + 0x21, (1 << 64) - 1,
                      (1 << 64) - 15):
            old = core.word_at(address - 8)
            core.put_word(address - 8, value)
            survives(core.data, f"size {value:#x} before {address:#x}")
            core.put_word(address - 8, old)


def test_sizes_are_reported(victim, survives):
    core, oracle = victim
    address = chunks(core, oracle)[3]
    old = core.word_at(address - 8)
    core.put_word(address - 8, 1 << 63)
    done = survives(core.data, "a size of 2^63")
    core.put_word(address - 8, old)
    assert done.returncode == 0 and any(f"{address:#x}" in t for t in done.damage), done.damage


def test_free_lists(victim, survives):
    """Lists that end in themselves, in each other, in nothing, in the middle of a block."""
    core, oracle = victim
    free = [a for a in oracle.free if core.offset(a) is not None]
    if not free:
        return
    safe = lambda at, to: to ^ (at >> 12)  # noqa: E731
    live = next(iter(oracle.live))
    for i, address in enumerate(free):
        other = free[(i + 1) % len(free)]
        for to in (address, address - 16, other, other - 16, live, 0, 1, 1 << 63, (1 << 64) - 8):
            for value in (to, safe(address, to)):
                for words in ((0,), (8,), (0, 8)):
                    old = [core.word_at(address + w) for w in words]
                    for w in words:
                        core.put_word(address + w, value)
                    if random.Random(f"{i} {to} {value}").random() < (0.02 if short() else 0.08):
                        survives(core.data, f"links of {address:#x} to {value:#x}")
                    for w, v in zip(words, old):
                        core.put_word(address + w, v)


@pytest.mark.parametrize("seed", range(5) if short() else range(40))
def test_flips(victim, threaded, survives, seed):
    """Random bytes anywhere: a few, many, and whole runs of them."""
    core, oracle = threaded if seed % 4 == 3 else victim
    r = random.Random(seed)
    data = bytearray(core.data)
    # half of them where it hurts: headers, notes, the heap
    first = min(core.offset(a) for a in oracle.live if core.offset(a) is not None)
    regions = [(0, len(data)), (0, core.loads[0].offset), (first - 0x300, first + 0x4000)]
    for _ in range(r.choice((1, 8, 100, 1000))):
        low, high = r.choice(regions)
        at = r.randrange(low, high)
        run = r.choice((1, 1, 1, 4, 8, 64))
        for i in range(at, min(at + run, len(data))):
            data[i] = r.choice((r.randrange(256), 0, 255, data[i] ^ 1 << r.randrange(8)))
    survives(data, f"seed {seed}")


def test_many_threads(survives):
    """As many threads as a file has room for must not take the square of their number in time."""
    count, word = 100_000, struct.Struct("<Q")
    status = bytearray(12 + 336)  # note header, its name, then struct elf_prstatus
    struct.pack_into("<III8s", status, 0, 5, 336, 1, b"CORE")
    status += bytes(8)
    base, size = 0x10000000, 1 << 22
    notes = bytearray()
    for i in range(count):
        struct.pack_into("<i", status, 20 + 32, i + 1)
        word.pack_into(status, 20 + 112 + 8 * 19, base + 8 * i)
        word.pack_into(status, 20 + 112 + 8 * 21, base + size // 2 + 16 * i)
        notes += status
    at = 64 + 2 * 56
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", PT_NOTE, 0, at, 0, 0, len(notes), 0, 4)
    head += struct.pack("<IIQQQQQQ", PT_LOAD, 6, at + len(notes), base, 0, size, size, 4096)
    done = survives(bytes(head + notes + bytes(range(256)) * (size // 256)), "100,000 threads",
                    sound=False)
    assert done.returncode == 0 and "100,000 threads" in done.out
