"""Salted Merkle frames after RFC 6962, and openings of single rows (draw.md section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .canon import canonical
from .digest import Hasher, hasher
from .errors import DrawRefusal
from .seed import tagged, unhex

_DIGEST_BYTES = 32


def salt(alg: str, key: str, ident: str) -> bytes:
    """Derive the 32-byte salt of one row; `key` is the frame's 32-byte secret in hex."""
    secret = unhex(key, "salt_key")
    return hasher(alg)(tagged("ssj1.salt") + secret + ident.encode()).digest()


def leaf(alg: str, row_salt: bytes, row: Mapping[str, Any]) -> bytes:
    """Give 32 bytes: H(0x00, salt, canonical row)."""
    return hasher(alg)(b"\0" + row_salt + canonical(row).encode()).digest()


def _level(new: Hasher, nodes: list[bytes]) -> list[bytes]:
    """Build the next level up: pairs from the left, a last single node moves up as it is."""
    joined = [new(b"\1" + nodes[i] + nodes[i + 1]).digest() for i in range(0, len(nodes) - 1, 2)]
    return joined + nodes[len(joined) * 2 :]


def root(alg: str, leaves: Sequence[bytes]) -> str:
    """Fold 32-byte leaves into the root, 64 hexadecimal digits; no leaf gives H of nothing."""
    new = hasher(alg)
    # Pairing level by level equals the split at the largest power of two, without recursion.
    nodes = list(leaves)
    while len(nodes) > 1:
        nodes = _level(new, nodes)
    return nodes[0].hex() if nodes else new(b"").hexdigest()


def row_id(row: Mapping[str, Any]) -> str:
    """Give the id by which a frame is ordered. Raises: E_ID."""
    ident = row.get("id") if isinstance(row, Mapping) else None
    if not isinstance(ident, str):
        raise DrawRefusal("E_ID", "rows")
    return ident


def _leaves(alg: str, key: str, ordered: Sequence[Mapping[str, Any]]) -> list[bytes]:
    new = hasher(alg)
    salts = new(tagged("ssj1.salt") + unhex(key, "salt_key"))
    leaves = []
    for row in ordered:
        text = canonical(row).encode()
        salted = salts.copy()
        salted.update(row_id(row).encode())
        leaves.append(new(b"\0" + salted.digest() + text).digest())
    return leaves


def frame_root(alg: str, key: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Give the root of a frame: rows by id bytes, equal ids in input order (section 13, 1)."""
    return root(alg, _leaves(alg, key, sorted(rows, key=row_id)))


def opening(alg: str, key: str, rows: Sequence[Mapping[str, Any]], ident: str) -> dict[str, Any]:
    """Prove one row without giving the key away: {row, salt, index, count, path of hex digests}.

    Raises: E_ID when no row has this id.
    """
    ordered = sorted(rows, key=row_id)
    index = next((i for i, row in enumerate(ordered) if row["id"] == ident), -1)
    if index < 0:
        raise DrawRefusal("E_ID", "id", id=ident)
    new = hasher(alg)
    nodes, at, path = _leaves(alg, key, ordered), index, []
    while len(nodes) > 1:
        beside = at ^ 1
        if beside < len(nodes):
            path.append(nodes[beside].hex())
        nodes, at = _level(new, nodes), at // 2
    return {
        "row": dict(ordered[index]),
        "salt": salt(alg, key, ident).hex(),
        "index": index,
        "count": len(ordered),
        "path": path,
    }


def check_opening(alg: str, frame: str, proof: Mapping[str, Any]) -> bool:
    """Tell whether the proof's row stands at its index in the frame with this root."""
    new = hasher(alg)
    at, size = proof["index"], proof["count"]
    path = [unhex(step, "path") for step in proof["path"]]
    if not 0 <= at < size:
        return False
    node = leaf(alg, unhex(proof["salt"], "salt"), proof["row"])
    while size > 1:
        if at ^ 1 < size:
            if not path:
                return False
            beside = path.pop(0)
            node = new(b"\1" + (beside + node if at & 1 else node + beside)).digest()
        at, size = at // 2, (size + 1) // 2
    return not path and node.hex() == frame
