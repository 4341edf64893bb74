"""The replay alone, without a database: recoveries settle what they name, and nothing more."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from backend.services import audit, log_verify
from backend.services.act import Act, system
from backend.services.log_replay import Claim, Replay, Row, SignedHead
from backend.services.recovery import VERB
from media import checkpoint, keys, merkle
from media.checkpoint import Checkpoint
from tests.world import SHANDONG

KEY = keys.ServerKey.from_seed(b"l" * 32)
BASE = "test.mingcha.invalid/log"
EPOCH = checkpoint.epoch(BASE, datetime(2026, 3, 2, 1, 0, tzinfo=UTC))
KEPT, PUBLISHED = 6, 9
AT = datetime(2026, 3, 1, tzinfo=UTC)


def entry(number: int, verb: str = "test.done", subject: str = "x", lost: str = "") -> audit.Entry:
    act = Act(by=system((SHANDONG,), SHANDONG), at=AT, new_id=lambda: None)  # type: ignore[arg-type]  # asks for none
    return audit.compose(
        act, verb, "log", subject, region=SHANDONG, reason=str(number), before_sha256=lost
    )


def roots(entries: Sequence[audit.Entry]) -> list[bytes]:
    nodes = merkle.append(0, {}, [one.leaf for one in entries])
    return [merkle.root(size, nodes) for size in range(len(entries) + 1)]


FIRST = [entry(number) for number in range(PUBLISHED)]
LOST = roots(FIRST)[PUBLISHED].hex()
# The database went back to six entries; two persons let it go on, and others came after.
AFTER = [
    *FIRST[:KEPT],
    entry(100, VERB, EPOCH, LOST),
    *(entry(number) for number in range(200, 205)),
]


def replayed(entries: Sequence[audit.Entry], claims: Sequence[Claim], *, batch: int = 4) -> Replay:
    """Feed the entries in batches, with honest nodes and a head at the end of each."""
    replay = Replay(BASE, KEY.public, claims)
    nodes = merkle.append(0, {}, [one.leaf for one in entries])
    turn = next((n for n, one in enumerate(entries) if VERB in one.body), len(entries))
    for start in range(0, len(entries), batch):
        part = entries[start : start + batch]
        size = start + len(part)
        origin = EPOCH if size > turn else BASE
        root = merkle.root(size, nodes)
        heads = [
            SignedHead(
                size, root, checkpoint.sign(Checkpoint(origin, size, root), name=origin, key=KEY)
            )
        ]
        rows = [
            Row(place, SHANDONG, place, one.leaf, one.body)
            for place, one in enumerate(part, start)
        ]
        levels, begins, ends = log_verify.ranges(start, size)
        stored = {
            (level, index): nodes[level, index]
            for level, begin, end in zip(levels, begins, ends, strict=True)
            for index in range(begin, end)
        }
        replay.grow(rows, stored, heads)
    replay.finish(nodes=len(nodes), heads=())
    return replay


def claim(size: int, root: bytes, origin: str = BASE) -> Claim:
    return Claim("paper", f"paper {size}", origin, size, root)


@pytest.mark.parametrize("batch", [1, 3, 5, 100])
def test_an_honest_log_holds_at_any_batch(batch: int) -> None:
    replay = replayed(AFTER, (), batch=batch)
    assert (replay.faults, replay.size) == ([], len(AFTER))
    assert replay.epochs.turns == [(KEPT, EPOCH)]


def test_heads_beyond_a_recovery_are_settled_by_it_and_those_below_are_not() -> None:
    old, new = roots(FIRST), roots(AFTER)
    claims = [
        claim(4, old[4]),
        claim(8, old[8]),
        claim(PUBLISHED, old[PUBLISHED]),
        claim(8, new[8], EPOCH),
    ]
    replay = replayed(AFTER, claims)
    found = {(one.claim.size, one.claim.origin): one.outcome for one in replay.held}
    assert found == {
        (4, BASE): "held",
        (8, BASE): "settled",
        (PUBLISHED, BASE): "settled",
        (8, EPOCH): "held",
    }
    assert replay.faults == []
    other = claim(4, bytes(32))
    assert [one.code for one in replayed(AFTER, [other]).faults] == ["anchor.differs"]


def test_without_an_announcement_nothing_is_settled() -> None:
    lost = claim(PUBLISHED, roots(FIRST)[PUBLISHED])
    replay = replayed(FIRST[:KEPT], [lost])
    assert [(one.code, one.facts["size"]) for one in replay.faults] == [
        ("anchor.beyond", PUBLISHED)
    ]


def test_an_announcement_settles_no_later_epoch() -> None:
    ahead = claim(8, bytes(32), EPOCH)
    beyond = claim(99, bytes(32), EPOCH)
    assert [one.code for one in replayed(AFTER, [ahead, beyond]).faults] == [
        "anchor.differs",
        "anchor.beyond",
    ]


def test_an_epoch_that_goes_back_is_a_fault() -> None:
    earlier = checkpoint.epoch(BASE, datetime(2025, 1, 1, tzinfo=UTC))
    entries = [*AFTER, entry(300, VERB, earlier)]
    assert "entry.epoch" in {one.code for one in replayed(entries, ()).faults}


def test_bodies_hold_in_the_spelling_of_then_and_in_no_other() -> None:
    one = entry(1)
    body = msgspec.json.decode(one.body)
    assert audit.holds(body, one.leaf)
    for odd in (body | {"v": 2}, body | {"v": 1.5}, [body], None, {}, body | {"reason": None}):
        assert not audit.holds(odd, one.leaf)
    assert audit.holds(dict(reversed(body.items())), one.leaf)
    assert not audit.holds([], merkle.leaf_hash(b"[]"))
