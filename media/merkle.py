"""The audit log's tree: RFC 6962 roots and proofs from stored nodes, without reading leaves.

Source: evidence-and-sync 8.  A node is stored once its subtree is full, under ``(level, index)``:
leaves are level 0, and ``(l, i)`` covers leaves ``i << l`` up to ``(i + 1) << l``.  Every question
has two halves, so that a caller can fetch from a database in one query: ``..._nodes`` names what
is needed, the other computes from it.  Hashes are 32 bytes.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import ClassVar

from media.errors import MediaRefusal
from media.offline.proofs import extends, includes, leaf_hash, node_hash

__all__ = [
    "append",
    "consistency_nodes",
    "consistency_proof",
    "cover",
    "edge",
    "extends",
    "includes",
    "inclusion_nodes",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root",
]

Address = tuple[int, int]
Nodes = Mapping[Address, bytes]

EMPTY_ROOT = sha256(b"").digest()


class OutsideTree(MediaRefusal):
    """The asked index or size is not in this tree."""

    code: ClassVar[str] = "log.outside_tree"


def cover(start: int, stop: int) -> list[Address]:
    """Full subtrees that make up leaves ``start`` to ``stop``, largest first.

    ``start`` is a multiple of the largest one's width, as in every range that proofs ask for.
    """
    found: list[Address] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def edge(size: int) -> list[Address]:
    """Nodes on the right edge of a tree of ``size`` leaves: all that root and append need."""
    return cover(0, size)


def root(size: int, nodes: Nodes) -> bytes:
    """Root of the tree of ``size`` leaves.

    Shapes: ``nodes`` holds ``edge(size)``.
    Source: RFC 6962 2.1, evidence-and-sync 8.
    """
    return _fold(0, size, nodes) if size else EMPTY_ROOT


def append(size: int, nodes: Nodes, leaves: Iterable[bytes]) -> dict[Address, bytes]:
    """Nodes to store when ``leaves`` follow a tree of ``size``, the leaves among them.

    Shapes: ``nodes`` holds ``edge(size)``; ``leaves`` are leaf hashes in order.
    Source: evidence-and-sync 8 (sequencer).
    """
    stack = [(address, nodes[address]) for address in edge(size)]
    new: dict[Address, bytes] = {}
    for index, leaf in enumerate(leaves, start=size):
        level, position, value = 0, index, leaf
        new[level, position] = value
        while position & 1:
            (_, left) = stack.pop()
            level, position, value = level + 1, position >> 1, node_hash(left, value)
            new[level, position] = value
        stack.append(((level, position), value))
    return new


def inclusion_nodes(index: int, size: int) -> list[Address]:
    """Nodes that ``inclusion_proof`` reads.

    Raises: OutsideTree ("log.outside_tree").
    """
    return [node for start, stop in _path(index, size) for node in cover(start, stop)]


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Audit path of leaf ``index`` in the tree of ``size``, from the leaf upwards.

    Raises: OutsideTree ("log.outside_tree").
    Source: RFC 6962 2.1.1, evidence-and-sync 8.
    """
    return [_fold(start, stop, nodes) for start, stop in _path(index, size)]


def consistency_nodes(old: int, new: int) -> list[Address]:
    """Nodes that ``consistency_proof`` reads.

    Raises: OutsideTree ("log.outside_tree").
    """
    return [node for start, stop in _growth(old, new) for node in cover(start, stop)]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Proof that the tree of ``new`` leaves begins with the tree of ``old``; empty when equal.

    Raises: OutsideTree ("log.outside_tree"); ``old`` is at least 1.
    Source: RFC 6962 2.1.2, evidence-and-sync 8.
    """
    return [_fold(start, stop, nodes) for start, stop in _growth(old, new)]


def _fold(start: int, stop: int, nodes: Nodes) -> bytes:
    *lefts, value = (nodes[address] for address in cover(start, stop))
    for left in reversed(lefts):
        value = node_hash(left, value)
    return value


def _split(start: int, stop: int) -> int:
    return start + (1 << ((stop - start - 1).bit_length() - 1))


def _path(index: int, size: int) -> list[tuple[int, int]]:
    if not 0 <= index < size:
        raise OutsideTree(index=index, size=size)
    siblings: list[tuple[int, int]] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = _split(start, stop)
        if index < middle:
            siblings.append((middle, stop))
            stop = middle
        else:
            siblings.append((start, middle))
            start = middle
    return siblings[::-1]


def _growth(old: int, new: int) -> list[tuple[int, int]]:
    if not 0 < old <= new:
        raise OutsideTree(old=old, size=new)
    ranges: list[tuple[int, int]] = []
    start, stop = 0, new
    while old < stop:
        middle = _split(start, stop)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, stop))
    return ranges[::-1]
