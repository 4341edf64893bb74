"""Reads a bundle, as the one ZIP it may be or as the folder that was made of it.

The ZIP is store-only and has one spelling: its directory and every local header are written anew
from what was read and must be the same bytes, so that two programs never see two bundles in one
file. Source: evidence-and-sync 9 (V1).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from media.offline.reading import PATTERNS, Fault

CHUNK = 1 << 20
WIDE = 0xFFFFFFFF
MANY = 0xFFFF
EXTRA_BYTES = 12
NAME_MOST = 120
FILES_MOST = 200_000
STAMP = 0x0021  # the first day of a ZIP's calendar: the time stands in extraction.json
LOCAL, ENTRY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
WIDE_END, WIDE_PLACE = b"PK\6\6", b"PK\6\7"
_NAME = re.compile(PATTERNS["name"])


class Entry(NamedTuple):
    """One file of a ZIP: where its local header begins, what it holds."""

    name: str
    size: int
    crc: int
    offset: int


def local_header(entry: Entry) -> bytes:
    """Spell the header in front of a file's bytes; sizes stay below 4 GiB."""
    name = entry.name.encode("ascii")
    fields = (10, 0, 0, 0, STAMP, entry.crc, entry.size, entry.size, len(name), 0)
    return LOCAL + struct.pack("<HHHHHIIIHH", *fields) + name


def directory(entries: list[Entry], start: int) -> bytes:
    """Spell all that follows the files, from offset `start`: directory and end records."""
    parts = []
    for entry in entries:
        name = entry.name.encode("ascii")
        wide = entry.offset >= WIDE
        extra = struct.pack("<HHQ", 1, 8, entry.offset) if wide else b""
        need = 45 if wide else 10
        head = (need, need, 0, 0, 0, STAMP, entry.crc, entry.size, entry.size)
        tail = (len(name), len(extra), 0, 0, 0, 0, WIDE if wide else entry.offset)
        parts.append(ENTRY + struct.pack("<HHHHHHIIIHHHHHII", *head, *tail) + name + extra)
    body = b"".join(parts)
    count, size = len(entries), len(body)
    if start >= WIDE or count >= MANY:
        fields = (44, 45, 45, 0, 0, count, count, size, start)
        body += WIDE_END + struct.pack("<QHHIIQQQQ", *fields)
        body += WIDE_PLACE + struct.pack("<IQI", 0, start + size, 1)
    count, start = min(count, MANY), min(start, WIDE)
    return body + END + struct.pack("<HHHHIIH", 0, 0, count, count, size, start, 0)


class Box:
    """Files by name, read whole or hashed piece by piece."""

    sealed = False
    names: list[str]

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give a file's bytes, a mebibyte at a time."""
        raise NotImplementedError

    def read(self, name: str) -> bytes:
        """Give a whole file, which is a small one."""
        return b"".join(self.pieces(name))

    def hashed(self, name: str) -> str:
        """Give SHA-256 of a file, 64 hexadecimal digits. Raises: Fault."""
        digest = sha256()
        for piece in self.pieces(name):
            digest.update(piece)
        return digest.hexdigest()

    def crc_holds(self, _name: str) -> bool:
        """Whether the container's own sum of a file is right, where it has one."""
        return True


class Zip(Box):
    """A bundle as one file. Raises: Fault of V1."""

    sealed = True

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._size = handle.seek(0, os.SEEK_END)
        self._entries: dict[str, Entry] = {}
        self._crcs: dict[str, int] = {}
        self.names = []
        try:
            self._open()
        except (struct.error, UnicodeDecodeError):
            raise Fault("V1", "zip.form") from None

    def _at(self, offset: int, length: int) -> bytes:
        if not (0 <= offset <= offset + length <= self._size):
            raise Fault("V1", "zip.form")
        self._handle.seek(offset)
        return self._handle.read(length)

    def _open(self) -> None:
        """Read the directory loosely, then write it again and compare."""
        end = self._at(self._size - 22, 22)
        if end[:4] != END:
            raise Fault("V1", "zip.end")
        count, size, start = struct.unpack("<HII", end[10:20])
        if start == WIDE or count == MANY:
            wide = self._at(self._size - 98, 56)
            count, size, start = struct.unpack("<QQQ", wide[32:56])
        if count > FILES_MOST or start + size > self._size:
            raise Fault("V1", "zip.form")
        raw = self._at(start, self._size - start)
        entries = self._listed(raw, count)
        place = 0
        for entry in entries:
            header = local_header(entry)
            if entry.offset != place or self._at(place, len(header)) != header:
                raise Fault("V1", "zip.header", entry.name)
            place += len(header) + entry.size
            self._entries[entry.name] = entry
        if place != start or directory(entries, start) != raw:
            raise Fault("V1", "zip.directory")
        self.names = [entry.name for entry in entries]

    @staticmethod
    def _listed(raw: bytes, count: int) -> list[Entry]:
        found, at = [], 0
        for _ in range(count):
            if raw[at : at + 4] != ENTRY:
                raise Fault("V1", "zip.directory")
            crc, size, _, length, extra = struct.unpack("<IIIHH", raw[at + 16 : at + 32])
            [offset] = struct.unpack("<I", raw[at + 42 : at + 46])
            name = raw[at + 46 : at + 46 + length].decode("ascii")
            if offset == WIDE and extra == EXTRA_BYTES:
                [offset] = struct.unpack("<Q", raw[at + 50 + length : at + 58 + length])
            found.append(Entry(name, size, crc, offset))
            at += 46 + length + extra
        return found

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give a file's bytes and keep their CRC-32."""
        entry = self._entries[name]
        at = entry.offset + len(local_header(entry))
        left, crc = entry.size, 0
        while left:
            piece = self._at(at, min(CHUNK, left))
            crc = zlib.crc32(piece, crc)
            at, left = at + len(piece), left - len(piece)
            yield piece
        self._crcs[name] = crc

    def crc_holds(self, name: str) -> bool:
        """Whether the CRC-32 of the last reading is the stated one."""
        return self._crcs[name] == self._entries[name].crc


class Folder(Box):
    """A bundle that was unpacked; what the container said is gone. Raises: Fault of V1."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.names = sorted(self._walk(root, ""))

    def _walk(self, folder: Path, prefix: str) -> Iterator[str]:
        with os.scandir(folder) as found:
            for one in sorted(found, key=lambda one: one.name):
                if one.is_dir(follow_symlinks=False) and not prefix:
                    yield from self._walk(folder / one.name, one.name + "/")
                elif one.is_file(follow_symlinks=False):
                    yield prefix + one.name
                else:
                    raise Fault("V1", "name.link", plain(prefix + one.name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give a file's bytes."""
        with (self._root / name).open("rb") as handle:
            while True:
                piece = handle.read(CHUNK)
                if not piece:
                    return
                yield piece


def plain(name: str) -> str:
    """Give a name as it may be printed."""
    return re.sub("[^!-~]", "?", name)


def legal(name: str) -> bool:
    """Whether a bundle may hold a file of this name: plain letters, at most one folder."""
    return len(name) <= NAME_MOST and _NAME.fullmatch(name) is not None
