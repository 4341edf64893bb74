"""Changes to a bundle, each of which must be refused: to the container, to files, by an insider.

A mutant is made by an integer. Three adversaries: one that changes bytes (``raw``), one that also
writes the list of sums anew (``listed``), one that even holds the server's key and signs that list
(``signed``) but neither phones' keys nor the log's.
"""

import json
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from media import canon, keys
from media.base64url import encode as base64url
from media.dossier.archive import blob, pack, sums
from media.offline.boxes import Entry, directory, local_header
from media.offline.checks import SUMS, SUMS_SIG
from media.offline.curves import der
from tests.media import dossiers
from tests.media.dossiers import PHONES, SERVER, World, sign

Files = dict[str, bytes]
Change = Callable[["Mutant"], None]
FORGER = keys.DeviceKey.from_seed(b"a forger's phone")
STRANGER = keys.ServerKey.from_seed(b"\x66" * 32)
NAMES = (
    "../outside.txt", "/etc/passwd", "originals/../../up.jpg", "a\\b.txt", "C:evil.txt",
    "originals/a/b.jpg", "extra.txt", "originals/\u4e2d.jpg", "originals/.hidden", "a b.txt",
    "SHA256SUMS.txt", "tsa/extra.pem", "log/999999.json", "verify.PY", "./verify.py",
)  # fmt: skip


@dataclass
class Mutant:
    """Files on their way to a ZIP; ``skip`` names what a folder cannot show."""

    files: Files
    rng: random.Random
    done: list[str] = field(default_factory=list)
    after: list[Callable[[bytes, random.Random], bytes]] = field(default_factory=list)
    adversary: str = "raw"
    renamed: dict[str, str] = field(default_factory=dict)
    seen: World | None = None

    def pick(self, *beginnings: str) -> str:
        """One of the files whose names begin so."""
        found = [name for name in sorted(self.files) if name.startswith(beginnings)]
        return self.rng.choice(found)

    def edit(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a record and spell it canonically."""
        said = json.loads(self.files[name])
        change(said)
        self.files[name] = canon.encode(said)


def flip(mutant: Mutant, *beginnings: str) -> None:
    """One bit of one file."""
    name = mutant.pick(*beginnings)
    raw = bytearray(mutant.files[name])
    raw[mutant.rng.randrange(len(raw))] ^= 1 << mutant.rng.randrange(8)
    mutant.files[name] = bytes(raw)


# ---- the container ------------------------------------------------------------------------------


def _flip_anywhere(raw: bytes, rng: random.Random) -> bytes:
    out = bytearray(raw)
    out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _parts(raw: bytes) -> tuple[int, int, int]:
    """Count, size and offset of the directory, as the end record states them."""
    count, size, start = struct.unpack("<HII", raw[-12:-2])
    return count, size, start


def _second_directory(raw: bytes, rng: random.Random) -> bytes:
    """A whole directory and end in front of the true ones, or behind."""
    _, _, start = _parts(raw)
    twin = raw[start:]
    if rng.random() < 0.5:
        return raw + twin
    tail = bytearray(twin)
    tail[-6:-2] = struct.pack("<I", start + len(twin))
    return raw[:start] + twin + bytes(tail)


def _local_field(raw: bytes, rng: random.Random) -> bytes:
    """A local header that says something else than the directory."""
    out = bytearray(raw)
    at = rng.choice((4, 6, 8, 10, 12, 14, 18, 22, 26, 28, 30))
    out[at] ^= 1
    return bytes(out)


def _directory_field(raw: bytes, rng: random.Random) -> bytes:
    """A field of a directory entry: version, flags, method, sums, sizes, attributes, offset."""
    _, _, start = _parts(raw)
    out = bytearray(raw)
    out[start + rng.choice((4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 30, 32, 34, 36, 38, 42))] ^= 1
    return bytes(out)


def _wide(raw: bytes, _rng: random.Random) -> bytes:
    """ZIP64 records where none are needed."""
    count, size, start = _parts(raw)
    end = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
    place = struct.pack("<IQI", 0, start + size, 1)
    last = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, size, 0xFFFFFFFF, 0)
    return raw[: start + size] + b"PK\6\6" + end + b"PK\6\7" + place + last


def _gap(raw: bytes, _rng: random.Random) -> bytes:
    """Bytes between the files and the directory, with all offsets right."""
    _, _, start = _parts(raw)
    tail = bytearray(raw[start:])
    tail[-6:-2] = struct.pack("<I", start + 7)
    return raw[:start] + b"smuggle" + bytes(tail)


def _twice(raw: bytes, _rng: random.Random) -> bytes:
    """The first file a second time, under the same name, everywhere consistent."""
    count, _, start = _parts(raw)
    entries, at = [], start
    for _ in range(count):
        crc, size, _, length, _ = struct.unpack("<IIIHH", raw[at + 16 : at + 32])
        [offset] = struct.unpack("<I", raw[at + 42 : at + 46])
        entries.append(Entry(raw[at + 46 : at + 46 + length].decode(), size, crc, offset))
        at += 46 + length
    first = entries[0]._replace(offset=start)
    begin = len(local_header(first))
    content = raw[begin : begin + first.size]
    grown = raw[:start] + local_header(first) + content
    return grown + directory([*entries, first], len(grown))


CONTAINER: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flip anywhere": _flip_anywhere,
    "cut": lambda raw, rng: raw[: rng.randrange(len(raw))],
    "data after the end": lambda raw, rng: raw + rng.randbytes(1 + rng.randrange(60)),
    "data before the start": lambda raw, _: b"#!/bin/sh\n" + raw,
    "comment": lambda raw, _: raw[:-2] + b"\x05\x00hello",
    "two directories": _second_directory,
    "local header differs": _local_field,
    "directory differs": _directory_field,
    "zip64": _wide,
    "gap": _gap,
    "same name twice": _twice,
    "empty": lambda _raw, _rng: b"",
    "no zip": lambda _raw, rng: rng.randbytes(200),
}

# Those that need no true directory in front of them.
ANYWHERE = ("flip anywhere", "cut", "data after the end", "data before the start")


def container(name: str) -> Change:
    def change(mutant: Mutant) -> None:
        mutant.after.append(CONTAINER[name])

    return change


# ---- files --------------------------------------------------------------------------------------


def lose(mutant: Mutant) -> None:
    name = mutant.pick("")
    del mutant.files[name]


def add(mutant: Mutant) -> None:
    mutant.files[mutant.rng.choice(NAMES)] = b"extra"


def rename(mutant: Mutant) -> None:
    name = mutant.pick("")
    mutant.files[mutant.rng.choice(NAMES)] = mutant.files.pop(name)


def swap(mutant: Mutant) -> None:
    """Two originals, manifests, signatures or entries change places."""
    kind = mutant.rng.choice(("originals/", "manifests/", "log/", "proofs/"))
    one = mutant.pick(kind)
    ending = one.partition(".")[2]
    others = [n for n in mutant.files if n.startswith(kind) and n.endswith("." + ending)]
    other = mutant.rng.choice(sorted(set(others) - {one}) or [one])
    mutant.files[one], mutant.files[other] = mutant.files[other], mutant.files[one]


def sums_edit(mutant: Mutant) -> None:
    """The list of sums loses a line, gains one twice, another spelling, another order."""
    mutant.adversary = "listed"
    lines = sums({n: blob(raw) for n, raw in mutant.files.items()}).decode().splitlines(True)
    at = mutant.rng.randrange(len(lines))
    way = mutant.rng.randrange(6)
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(at, lines[at])
    elif way == 2:
        lines[at] = lines[at].upper()
    elif way == 3:
        lines.reverse()
    elif way == 4:
        lines[at] = lines[at].replace("  ", " *")
    else:
        lines[-1] = lines[-1].rstrip("\n")
    mutant.files[SUMS] = "".join(lines).encode()


ANY: dict[str, Change] = {
    "flip": lambda mutant: flip(mutant, ""),
    "lose": lose,
    "add": add,
    "rename": rename,
    "swap": swap,
}

# ---- an insider with the server's key ----------------------------------------------------------

PROVED = ("manifests/", "originals/", "log/", "proofs/", "checkpoints/")


def _capture(mutant: Mutant) -> str:
    found = [n for n in mutant.files if n.endswith(".sig.der")]
    return mutant.rng.choice(sorted(found))[: -len(".sig.der")]


def other_algorithm(mutant: Mutant) -> None:
    alg = mutant.rng.choice(("none", "RS256", "HS256", "ES384", "SM2", ""))
    mutant.edit(_capture(mutant) + ".json", lambda said: said.update(alg=alg))


def key_algorithm(mutant: Mutant) -> None:
    alg = mutant.rng.choice(("none", "RS256", "ES256K", "Ed25519", "ES256"))
    name = mutant.pick("keys/")
    before = json.loads(mutant.files[name])["alg"]
    mutant.edit(name, lambda said: said.update(alg="X" if alg == before else alg))


def key_replaced(mutant: Mutant) -> None:
    """A phone's key becomes the forger's, under the old id."""
    name = f"keys/{mutant.rng.choice(PHONES[:2]).kid}.json"
    mutant.edit(name, lambda said: said.update(spki=base64url(FORGER.spki)))


def key_forged(mutant: Mutant) -> None:
    """A new key with its own id signs a manifest; the log never heard of it."""
    base = _capture(mutant)
    said = json.loads(mutant.files[base + ".json"])
    old = f"keys/{said['kid']}.json"
    raw = canon.encode(said | {"kid": FORGER.kid})
    signature = FORGER.sign(keys.Tag.CAPTURE, raw)
    mutant.files |= {base + ".json": raw, base + ".sig": signature,
                     base + ".sig.der": der(signature)}  # fmt: skip
    entry = json.loads(mutant.files[old]) | {"kid": FORGER.kid, "spki": base64url(FORGER.spki)}
    mutant.files[f"keys/{FORGER.kid}.json"] = canon.encode(entry)
    mutant.edit("extraction.json", lambda x: x.update(keys=sorted([*x["keys"], FORGER.kid])))


def key_times(mutant: Mutant) -> None:
    """When a key was enrolled, or that it was revoked, against the log."""
    name = f"keys/{mutant.rng.choice(PHONES[:2]).kid}.json"
    what = mutant.rng.choice(("enrolled", "revoked", "since", "enrolled_entry", "revoked_entry"))
    mutant.edit(name, lambda said: said.update({what: said.get(what, 5) + 1}))


def proof_cut(mutant: Mutant) -> None:
    name = mutant.pick("proofs/", "checkpoints/consistency")
    mutant.edit(name, lambda said: said.update(proof=said["proof"][:-1]))


def proof_longer(mutant: Mutant) -> None:
    name = mutant.pick("proofs/", "checkpoints/consistency")
    mutant.edit(name, lambda said: said.update(proof=[*said["proof"], "00" * 32]))


def proof_index(mutant: Mutant) -> None:
    name = mutant.pick("proofs/")
    what = mutant.rng.choice(("index", "size"))
    mutant.edit(name, lambda said: said.update({what: said[what] + 1}))


def head_forged(mutant: Mutant) -> None:
    """A head by another key, or of another log."""
    log = dossiers.Log()
    for number in range(mutant.rng.randrange(2, 9)):
        log.add(dossiers.an_entry("forged", dossiers.uuid7(number), number))
    key = mutant.rng.choice((STRANGER, dossiers.LOG))
    origin = mutant.rng.choice(("evil.invalid/log", dossiers.ORIGIN + "x"))
    origin = dossiers.ORIGIN if key is STRANGER else origin
    mutant.files[mutant.pick("checkpoints/at-")] = log.note(key=key, origin=origin).encode()


def heads_swapped(mutant: Mutant) -> None:
    one, other = "checkpoints/at-seal.note", "checkpoints/at-export.note"
    mutant.files[one], mutant.files[other] = mutant.files[other], mutant.files[one]


def entry_rewritten(mutant: Mutant) -> None:
    """An entry says something else; its leaf is written anew, its path is not."""
    name = mutant.pick("log/")
    what = mutant.rng.choice(("t", "verb", "after_sha"))
    mutant.edit(name, lambda said: said.update({what: 7 if what == "t" else "x"}))


def entries_crossed(mutant: Mutant) -> None:
    """A piece leans on another piece's entry."""

    def cross(said: dict[str, Any]) -> None:
        one, other = said["items"][0], said["items"][1]
        what = mutant.rng.choice(("received", "verified"))
        one[what], other[what] = other[what], one[what]

    mutant.edit("extraction.json", cross)


def item_lost(mutant: Mutant) -> None:
    """A piece vanishes from the list, its files stay."""
    mutant.edit("extraction.json", lambda said: said["items"].pop())


def order_forged(mutant: Mutant) -> None:
    what = mutant.rng.choice(("ordered", "entry"))
    mutant.edit("extraction.json", lambda said: said.update({what: said[what] - 1}))


def case_replaced(mutant: Mutant) -> None:
    """Another case file, another number for it, or another document's entry."""

    def other(said: dict[str, Any]) -> None:
        what = mutant.rng.choice(("id", "number", "entry"))
        one = {"id": dossiers.uuid7(651), "number": "另号", "entry": said["entry"]}
        said["case"][what] = one[what]

    if mutant.rng.random() < 0.5:
        mutant.files["case.pdf"] = b"%PDF-1.7 another case file"
    else:
        mutant.edit("extraction.json", other)


def signature_of_other(mutant: Mutant) -> None:
    """Another message of the same phone, or another purpose, signed by the true key."""
    base = _capture(mutant)
    kid = json.loads(mutant.files[base + ".json"])["kid"]
    key = next((one for one in PHONES if one.kid == kid), FORGER)
    tag = mutant.rng.choice((keys.Tag.OP, keys.Tag.REQUEST, keys.Tag.TIME))
    signature = key.sign(tag, mutant.files[base + ".json"])
    mutant.files[base + ".sig"] = signature
    mutant.files[base + ".sig.der"] = der(signature)


def der_alone(mutant: Mutant) -> None:
    """The other valid half-plane of a signature, in one of the two spellings only."""
    base = _capture(mutant)
    signature = mutant.files[base + ".sig"]
    s = keys.P256_ORDER - int.from_bytes(signature[32:])
    mutant.files[base + ".sig.der"] = der(signature[:32] + s.to_bytes(32))


def spelling(mutant: Mutant) -> None:
    """The same record in another spelling: spaces, order, escapes, a key twice."""
    name = mutant.pick("manifests/01890000", "keys/", "proofs/", "extraction", "derivatives/deriv")
    name = name if name.endswith(".json") else _capture(mutant) + ".json"
    raw = mutant.files[name]
    mutant.files[name] = mutant.rng.choice(
        (
            raw.replace(b":", b": ", 1),
            raw + b"\n",
            b"\xef\xbb\xbf" + raw,
            raw.replace(b'{"', b'{"\\u0061lg":"ES256","', 1),
            raw[:-1] + b',"zz":null}',
            raw[:-1] + b',"zz":1.0}',
            raw[:-1] + b"}}",
            b"[" * 3000 + raw,
        )
    )


INSIDER: dict[str, Change] = {
    "flip what is proved": lambda mutant: flip(mutant, *PROVED),
    "swap": swap,
    "other algorithm": other_algorithm,
    "key algorithm": key_algorithm,
    "key replaced": key_replaced,
    "key forged": key_forged,
    "key times": key_times,
    "proof cut": proof_cut,
    "proof longer": proof_longer,
    "proof index": proof_index,
    "head forged": head_forged,
    "heads swapped": heads_swapped,
    "entry rewritten": entry_rewritten,
    "entries crossed": entries_crossed,
    "item lost": item_lost,
    "order forged": order_forged,
    "case replaced": case_replaced,
    "signature of another purpose": signature_of_other,
    "one spelling of a signature": der_alone,
    "another spelling": spelling,
}


def plain_files(world: World) -> Files:
    """The files of a world's bundle as bytes."""
    return {name: b"".join(file.read()) for name, file in world.files().items()}


def make(number: int, files: Files) -> Mutant:
    """Mutant ``number``: one to three changes by one adversary."""
    rng = random.Random(number)
    mutant = Mutant(dict(files), rng)
    mutant.adversary = ("raw", "raw", "listed", "signed", "signed")[number % 5]
    if mutant.adversary == "raw" and number % 2:
        table: dict[str, Change] = {name: container(name) for name in CONTAINER}
    elif mutant.adversary == "signed":
        table = INSIDER
    else:
        table = ANY | {"list of sums": sums_edit}
    # Each at most once: swapping twice would change nothing.
    names = rng.sample(sorted(table), rng.choice((1, 1, 1, 2, 3)))
    names.sort(key=lambda name: name in ("flip what is proved", "another spelling"))
    for place, name in enumerate(names):
        if not (place and name in CONTAINER and name not in ANYWHERE):
            table[name](mutant)
            mutant.done.append(name)
    if mutant.files == files and not mutant.after:  # what was added was lost again
        flip(mutant, *PROVED)
    return mutant


def listed(mutant: Mutant, files: Files) -> dict[str, bytes]:
    """All files with their list and its signature, as this adversary can write them."""
    true = sums({name: blob(raw) for name, raw in files.items()})
    own = sums({name: blob(raw) for name, raw in mutant.files.items() if name != SUMS})
    text = mutant.files.get(SUMS) or (true if mutant.adversary == "raw" else own)
    signature = sign(text) if mutant.adversary == "signed" else sign(true)
    return mutant.files | {SUMS: text, SUMS_SIG: signature}


def zipped(mutant: Mutant, files: Files) -> bytes:
    """The mutant's ZIP, in order, whatever its names are."""
    found = listed(mutant, files)
    order = [*sorted(set(found) - {SUMS, SUMS_SIG}), SUMS, SUMS_SIG]
    entries: list[Entry] = []
    out = b""
    for name in order:
        one = blob(found[name])
        entries.append(Entry(name, one.size, one.crc, len(out)))
        out += _header(entries[-1]) + found[name]
    raw = out + _directory(entries, len(out))
    for change in mutant.after:
        raw = change(raw, mutant.rng) if raw else raw
    return raw


def _header(entry: Entry) -> bytes:
    if entry.name.isascii():
        return local_header(entry)
    name = entry.name.encode()
    plain = local_header(entry._replace(name="x" * len(name)))
    return plain[: -len(name)] + name


def _directory(entries: list[Entry], start: int) -> bytes:
    spelled = [one._replace(name="\x7f" * len(one.name.encode())) for one in entries]
    raw = directory(spelled, start)
    for one in entries:
        name = one.name.encode()
        raw = raw.replace(b"\x7f" * len(name), name, 1) if not one.name.isascii() else raw
    return directory(entries, start) if all(one.name.isascii() for one in entries) else raw


def true_zip(files: Files) -> bytes:
    """The unchanged bundle."""
    return b"".join(pack({name: blob(raw) for name, raw in files.items()}, sign))


__all__ = ["SERVER", "Mutant", "listed", "make", "plain_files", "true_zip", "zipped"]
