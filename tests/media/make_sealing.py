"""Writes the vectors of sealed transport anew: ``python -m tests.media.make_sealing``.

They hold the phone's sealing to the server's opening; ``test_sealing`` compares them with the
code of today.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from media import sealing
from media.keys import TransportKey

FILE = Path(__file__).parent / "sealing.json"
SEED = sha256(b"mingcha vectors: transport").digest()
UNIT = bytes(range(251))
SIZES = (1, 16, 1000, sealing.CHUNK_BYTES, sealing.CHUNK_BYTES + 1, 3 * sealing.CHUNK_BYTES + 5)


def fresh(number: int, what: str) -> bytes:
    return sha256(f"mingcha vectors: {what} {number}".encode()).digest()


def a_case(server: TransportKey, number: int, size: int) -> dict[str, Any]:
    blob = UUID(f"019a0000-0000-7000-8000-{number:012x}")
    key, once = fresh(number, "key"), fresh(number, "once")
    plain = (UNIT * (size // len(UNIT) + 1))[:size]
    wire = sealing.seal(plain, blob, key)
    return {
        "id": str(blob),
        "size": size,
        "plain": {"unit": UNIT.hex(), "sha256": sha256(plain).hexdigest()},
        "key": key.hex(),
        "once": once.hex(),
        "wrapped_key": sealing.wrap(key, blob, server.spki, once=once),
        "wire": {
            "size": len(wire),
            "sha256": sha256(wire).hexdigest(),
            "head": wire[:48].hex(),
            "tail": wire[-48:].hex(),
        },
    }


def refusals(server: TransportKey) -> list[dict[str, Any]]:
    blob = UUID("019a0000-0000-7000-8000-0000000000ff")
    key, once = fresh(255, "key"), fresh(255, "once")
    wire = sealing.seal(UNIT, blob, key)
    wrapped = sealing.wrap(key, blob, server.spki, once=once)
    foreign = TransportKey.from_seed(fresh(255, "foreign server"))
    altered = bytes([wire[0] ^ 1]) + wire[1:]
    cases = (
        ("one bit of the wire is other", wrapped, altered, blob, "seal.altered"),
        ("the end is cut", wrapped, wire[:-1], blob, "seal.truncated"),
        ("bytes behind the end", wrapped, wire + b"\0", blob, "seal.truncated"),
        ("another blob's id", wrapped, wire, UUID(int=blob.int + 1), "seal.altered"),
        (
            "sealed for another server",
            sealing.wrap(key, blob, foreign.spki, once=once),
            wire,
            blob,
            "seal.key_unknown",
        ),
        ("no wrapped key", "A" * 163, wire, blob, "seal.malformed"),
    )
    return [
        {
            "why": why,
            "wrapped_key": text,
            "wire": raw.hex(),
            "id": str(ident),
            "size": len(UNIT),
            "code": code,
        }
        for why, text, raw, ident, code in cases
    ]


def vectors() -> dict[str, Any]:
    server = TransportKey.from_seed(SEED)
    return {
        "about": "plain = unit repeated and cut to size; hex everywhere but wrapped_key",
        "server": {"seed": SEED.hex(), "kid": server.kid, "spki": server.spki.hex()},
        "cases": [a_case(server, number, size) for number, size in enumerate(SIZES, 1)],
        "refused": refusals(server),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n", "utf-8")
