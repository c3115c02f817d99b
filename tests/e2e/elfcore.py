"""Just enough of a core file's layout to read it independently of heapscan, and to damage it."""

import struct
from collections import namedtuple

Segment = namedtuple("Segment", "header type flags offset vaddr filesz memsz align")
PT_LOAD, PT_NOTE = 1, 4


class Core:
    def __init__(self, path):
        self.data = bytearray(open(path, "rb").read())
        self.wide = self.data[4] == 2
        self.word = 8 if self.wide else 4
        if self.wide:
            self.phoff, = struct.unpack_from("<Q", self.data, 32)
            self.phentsize, self.phnum = struct.unpack_from("<HH", self.data, 54)
        else:
            self.phoff, = struct.unpack_from("<I", self.data, 28)
            self.phentsize, self.phnum = struct.unpack_from("<HH", self.data, 42)
        self.segments = [self._segment(self.phoff + i * self.phentsize) for i in range(self.phnum)]
        self.loads = [s for s in self.segments if s.type == PT_LOAD]

    def _segment(self, at):
        if self.wide:
            t, flags, offset, vaddr, _, filesz, memsz, align = struct.unpack_from(
                "<IIQQQQQQ", self.data, at)
        else:
            t, offset, vaddr, _, filesz, memsz, flags, align = struct.unpack_from(
                "<IIIIIIII", self.data, at)
        return Segment(at, t, flags, offset, vaddr, filesz, memsz, align)

    def offset(self, address):
        """File offset of an address; None: not in the file."""
        for s in self.loads:
            if s.vaddr <= address < s.vaddr + s.filesz:
                return s.offset + address - s.vaddr
        return None

    def word_at(self, address):
        at = self.offset(address)
        return int.from_bytes(self.data[at:at + self.word], "little")

    def put_word(self, address, value):
        at = self.offset(address)
        mask = (1 << 8 * self.word) - 1
        self.data[at:at + self.word] = (value & mask).to_bytes(self.word, "little")

    def words(self, address, size):
        """The aligned words of a range, as far as the file has them."""
        at = self.offset(address)
        if at is None:
            return ()
        segment = next(s for s in self.loads if s.vaddr <= address < s.vaddr + s.filesz)
        size = min(size, segment.vaddr + segment.filesz - address) // self.word
        return struct.unpack_from(f"<{size}{'Q' if self.wide else 'I'}", self.data, at)
