"""Checks RFC 6962 proofs: that an entry lies in a tree, that a tree grew out of another.

``media.merkle`` makes what is checked here and takes these functions from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf_hash(body: bytes) -> bytes:
    """Hash of one entry's canonical body (RFC 6962 2.1)."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether ``proof`` leads from leaf hash ``leaf`` at ``index`` to the root of ``size`` leaves.

    Source: RFC 9162 2.1.3.2 (the same tree as RFC 6962), evidence-and-sync 8.
    """
    if not 0 <= index < size:
        return False
    position, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and value == root_hash


def extends(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether ``proof`` shows that the tree of ``new`` leaves begins with the tree of ``old``.

    Source: RFC 9162 2.1.4.2, evidence-and-sync 8.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    # A full old tree is itself the first node of the path, so it is not repeated in the proof.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
