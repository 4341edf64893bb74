"""What a superuser of the database can do to the audit log; each deed is one seed's.

He knows how the log is made: he may repair leaves, nodes and roots after his deed, and (``key``)
may even have stolen the signing key. What he cannot reach is a head that was left elsewhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

import asyncpg
import msgspec

from media import canon, checkpoint, merkle
from media.checkpoint import Checkpoint
from media.keys import ServerKey


@dataclass
class Superuser:
    """One superuser, inside a transaction that will be undone, in replica mode."""

    connection: asyncpg.Connection
    dice: Random
    anchor: int  # the deed touches what the first ``anchor`` entries were
    key: ServerKey | None
    origin: str

    async def run(self, sql: str, *values: object) -> None:
        await self.connection.execute(sql, *values)

    @property
    def place(self) -> int:
        """An entry under the anchor."""
        return self.dice.randrange(self.anchor)

    async def body(self, place: int) -> dict[str, object]:
        text = await self.connection.fetchval(
            "select body::text from aud.entry where tree_index = $1", place
        )
        found: dict[str, object] = msgspec.json.decode(text)
        return found

    async def forge(self, place: int, change: dict[str, object]) -> None:
        """Another content, with the leaf that belongs to it."""
        raw = canon.encode(await self.body(place) | change)
        await self.run(
            "update aud.entry set body = $2::text::jsonb, leaf = $3 where tree_index = $1",
            place,
            raw.decode(),
            merkle.leaf_hash(raw),
        )

    async def rebuild(self) -> None:
        """Renumber, grow the tree anew, correct every head; sign them if the key is stolen."""
        await self.run("update aud.entry set tree_index = -1 - tree_index where tree_index >= 0")
        await self.run(
            "update aud.entry e set tree_index = n.place from (select id, row_number() over"
            " (order by -1 - tree_index, id) - 1 as place from aud.entry"
            " where tree_index is not null) n where n.id = e.id"
        )
        rows = await self.connection.fetch(
            "select leaf from aud.entry where tree_index is not null order by tree_index"
        )
        grown = merkle.append(0, {}, [bytes(row["leaf"]) for row in rows])
        await self.run("delete from aud.node")
        await self.run(
            "insert into aud.node select * from unnest($1::int[], $2::bigint[], $3::bytea[])",
            [level for level, _ in grown],
            [index for _, index in grown],
            list(grown.values()),
        )
        await self.run("delete from aud.checkpoint where size > $1", len(rows))
        for head in await self.connection.fetch("select size, note from aud.checkpoint"):
            size, note = head["size"], head["note"]
            root = merkle.root(size, grown)
            if self.key:
                said = Checkpoint(self.origin, size, root)
                note = checkpoint.sign(said, name=self.origin, key=self.key)
            await self.run(
                "update aud.checkpoint set root = $2, note = $3 where size = $1", size, root, note
            )


Deed = Callable[[Superuser], Awaitable[None]]


async def edit(by: Superuser) -> None:
    field = by.dice.choice(["verb", "reason", "after_sha", "t", "region"])
    other: object = by.dice.randrange(1 << 40) if field in ("t", "region") else "else"
    await by.run(
        "update aud.entry set body = jsonb_set(body, array[$2], $3::text::jsonb)"
        " where tree_index = $1",
        by.place,
        field,
        msgspec.json.encode(other).decode(),
    )


async def edit_and_hash(by: Superuser) -> None:
    await by.forge(by.place, {"reason": f"other {by.dice.random()}"})


async def spoil(by: Superuser) -> None:
    """A body that is no body any more."""
    odd = by.dice.choice(["[]", "null", "{}", "1e300", '{"v": 1.5}', '"\\u00e9"'])
    await by.run(
        "update aud.entry set body = $2::text::jsonb where tree_index = $1", by.place, odd
    )


async def announce(by: Superuser) -> None:
    """An entry that pretends to be a recovery, well formed or not."""
    later = {"id": f"{by.origin}/epoch-20300101T000000Z"}
    subject = by.dice.choice(["x", [], {"id": 5}, {}, later])
    await by.forge(by.place, {"verb": "log.recovered", "object": subject})


async def move_region(by: Superuser) -> None:
    await by.run("update aud.entry set region = region + 1 where tree_index = $1", by.place)


async def delete(by: Superuser) -> None:
    await by.run("delete from aud.entry where tree_index = $1", by.place)


async def insert(by: Superuser) -> None:
    """One entry more, in between."""
    place = by.place
    raw = canon.encode(await by.body(place) | {"reason": f"more {by.dice.random()}"})
    await by.run("update aud.entry set tree_index = -2 - tree_index where tree_index >= $1", place)
    await by.run("update aud.entry set tree_index = -1 - tree_index where tree_index < -1")
    await by.run(
        "insert into aud.entry (region, leaf, body, tree_index)"
        " select region, $2, $3::text::jsonb, $1 from aud.entry limit 1",
        place,
        merkle.leaf_hash(raw),
        raw.decode(),
    )


async def swap(by: Superuser) -> None:
    one, other = by.dice.sample(range(by.anchor), 2)
    for was, now in ((one, -7), (other, one), (-7, other)):
        await by.run("update aud.entry set tree_index = $2 where tree_index = $1", was, now)


async def unplace(by: Superuser) -> None:
    await by.run("update aud.entry set tree_index = null where tree_index = $1", by.place)


async def cut(by: Superuser) -> None:
    await by.run("delete from aud.entry where tree_index >= $1", by.place)


async def roll_back(by: Superuser) -> None:
    """The database as it was at an earlier head, or never: what a restore of an old one leaves."""
    sizes = await by.connection.fetch("select size from aud.checkpoint where size < $1", by.anchor)
    size = by.dice.choice([0, *(row["size"] for row in sizes)])
    await by.run("delete from aud.checkpoint where size > $1", size)
    await by.run("delete from aud.entry where tree_index >= $1", size)
    await by.run("delete from aud.node where (idx + 1) << level > $1", size)


async def wipe(by: Superuser) -> None:
    await by.run("delete from aud.checkpoint")
    await by.run("delete from aud.entry")
    await by.run("delete from aud.node")


async def fork(by: Superuser) -> None:
    """Another history from some place on."""
    place = by.place
    last = await by.connection.fetchval("select max(tree_index) from aud.entry")
    for later in range(place, last + 1):
        await by.forge(later, {"reason": f"fork {by.dice.random()}"})
    await by.rebuild()


async def node(by: Superuser) -> None:
    await by.run(
        "update aud.node set h = sha256($2) where (level, idx) = (select level, idx from aud.node"
        " order by level, idx offset $1 limit 1)",
        by.place,
        by.dice.randbytes(4),
    )


async def node_gone(by: Superuser) -> None:
    await by.run(
        "delete from aud.node where (level, idx) = (select level, idx from aud.node"
        " order by level, idx offset $1 limit 1)",
        by.place,
    )


async def node_more(by: Superuser) -> None:
    await by.run(
        "insert into aud.node values ($1, $2, sha256('x'))",
        by.dice.randrange(7, 30),
        by.dice.randrange(5, 1000),
    )


async def head_root(by: Superuser) -> None:
    await by.run("update aud.checkpoint set root = sha256('x') where size = $1", by.anchor)


async def head_note(by: Superuser) -> None:
    await by.run(
        "update aud.checkpoint set note = overlay(note placing $2 from $3) where size = $1",
        by.anchor,
        by.dice.choice("xyz*"),
        by.dice.randrange(1, 100),
    )


async def head_gone(by: Superuser) -> None:
    await by.run("delete from aud.checkpoint where size = $1", by.anchor)


async def head_moved(by: Superuser) -> None:
    await by.run("update aud.checkpoint set size = size + 1000 where size = $1", by.anchor)


# Deeds after which the tree can be made whole again, and the others.
REPAIRABLE: tuple[Deed, ...] = (edit_and_hash, announce, delete, insert, swap, unplace, cut)
PLAIN: tuple[Deed, ...] = (
    *(edit, spoil, move_region, roll_back, wipe, fork, node, node_gone, node_more),
    *(head_root, head_note, head_gone, head_moved),
)
