"""The log tree against a naive one for every n up to 70, and against published CT vectors."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import merkle

# Test tree of the certificate-transparency reference implementation: 8 leaves and their roots.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LIMIT = 70


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1 word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def leaves_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % index) for index in range(count)]


def grown(leaves: list[bytes]) -> dict[merkle.Address, bytes]:
    return merkle.append(0, {}, leaves)


LEAVES = leaves_of(LIMIT)
NODES = grown(LEAVES)
ROOTS = [naive_root(LEAVES[:size]) for size in range(LIMIT + 1)]


def test_roots_match_the_published_tree() -> None:
    nodes = grown([merkle.leaf_hash(leaf) for leaf in CT_LEAVES])
    assert [merkle.root(size, nodes).hex() for size in range(1, 9)] == CT_ROOTS
    assert merkle.root(0, {}).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_proofs_match_the_published_ones() -> None:
    nodes = grown([merkle.leaf_hash(leaf) for leaf in CT_LEAVES])
    assert [node.hex() for node in merkle.inclusion_proof(5, 8, nodes)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in merkle.consistency_proof(6, 8, nodes)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in merkle.consistency_proof(1, 8, nodes)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_every_size_has_the_naive_root_from_its_edge_alone() -> None:
    for size in range(LIMIT + 1):
        needed = {address: NODES[address] for address in merkle.edge(size)}
        assert merkle.root(size, needed) == ROOTS[size]


def test_every_append_from_every_size_makes_the_same_nodes() -> None:
    for size in range(LIMIT + 1):
        needed = {address: NODES[address] for address in merkle.edge(size)}
        new = merkle.append(size, needed, LEAVES[size:])
        assert {**grown(LEAVES[:size]), **new} == NODES
        assert not new.keys() & grown(LEAVES[:size]).keys()


def test_every_inclusion_proof_holds_and_for_no_other_place() -> None:
    for size in range(1, LIMIT + 1):
        for index in range(size):
            needed = {a: NODES[a] for a in merkle.inclusion_nodes(index, size)}
            proof = merkle.inclusion_proof(index, size, needed)
            assert merkle.includes(LEAVES[index], index, size, proof, ROOTS[size])
            longer = [*proof, ROOTS[1]]
            assert not merkle.includes(ROOTS[0], index, size, proof, ROOTS[size])
            assert not merkle.includes(LEAVES[index], index, size, proof, ROOTS[size - 1])
            assert not merkle.includes(LEAVES[index], index, size, longer, ROOTS[size])
            if proof:
                assert not merkle.includes(LEAVES[index], index, size, proof[:-1], ROOTS[size])
                other = (index + 1) % size
                assert not merkle.includes(LEAVES[index], other, size, proof, ROOTS[size])


def test_every_pair_of_sizes_is_consistent_and_no_fork_is() -> None:
    fork = LEAVES[:]
    fork[0] = merkle.leaf_hash(b"fork")
    fork_nodes = grown(fork)
    for new in range(1, LIMIT + 1):
        for old in range(1, new + 1):
            needed = {a: NODES[a] for a in merkle.consistency_nodes(old, new)}
            proof = merkle.consistency_proof(old, new, needed)
            assert merkle.extends(old, new, proof, ROOTS[old], ROOTS[new])
            forked = merkle.root(new, fork_nodes)
            assert not merkle.extends(
                old, new, merkle.consistency_proof(old, new, fork_nodes), ROOTS[old], forked
            )
            assert not merkle.extends(old, new, [*proof, ROOTS[1]], ROOTS[old], ROOTS[new])
            if old < new:
                assert not merkle.extends(old, new, proof, ROOTS[old - 1], ROOTS[new])
                assert not merkle.extends(old, new, proof[:-1], ROOTS[old], ROOTS[new])


@given(st.data())
def test_one_flipped_bit_breaks_a_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LIMIT))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, NODES)
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(proof[at])
    flipped[bit // 8] ^= 1 << bit % 8
    proof[at] = bytes(flipped)
    assert not merkle.includes(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_places_outside_the_tree_are_refused(index: int, size: int) -> None:
    with pytest.raises(merkle.OutsideTree):
        merkle.inclusion_proof(index, size, NODES)
    assert not merkle.includes(LEAVES[0], index, size, [], ROOTS[1])


def test_a_proof_of_a_subtree_is_none_of_the_tree() -> None:
    for size in (2, 4, 8, 16, 32):
        proof = merkle.inclusion_proof(1, size, NODES)
        assert merkle.includes(LEAVES[1], 1, size, proof, ROOTS[size])
        assert not merkle.includes(LEAVES[1], 1, size * 2, proof, ROOTS[size])


def test_an_empty_proof_proves_no_growth() -> None:
    assert not merkle.extends(3, 4, [], ROOTS[3], ROOTS[4])
    assert not merkle.extends(2, 4, [], ROOTS[2], ROOTS[4])
    assert not merkle.extends(4, 4, [ROOTS[1]], ROOTS[4], ROOTS[4])


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4), (-1, 4)])
def test_sizes_outside_the_tree_are_refused(old: int, new: int) -> None:
    with pytest.raises(merkle.OutsideTree):
        merkle.consistency_proof(old, new, NODES)
    assert not merkle.extends(old, new, [], ROOTS[1], ROOTS[4])


def test_a_proof_in_a_million_is_short() -> None:
    addresses = merkle.inclusion_nodes(765_432, 1_000_000)
    assert len(addresses) < 40
    assert sum(1 for _ in merkle._path(765_432, 1_000_000)) <= 20  # noqa: SLF001 - its length
