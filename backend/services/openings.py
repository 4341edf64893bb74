"""One institution's own rows of a disclosed frame: proved alone, nobody else's opened."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.keyring import Keyring
from backend.piccolo_conf import DB
from backend.services import drawrows
from backend.services.act import Act
from backend.services.disclosure import NotDisclosed
from backend.services.drawrows import Frozen
from backend.services.errors import Absent
from backend.services.frames import Target
from inspection_plans.draw.merkle import opening
from inspection_plans.draw.select import select_with_totals
from inspection_plans.draw.standing import standing

PUBLISHED = """
select d.id, d.region, d.code, d.attempt, d.alg, d.state, d.disclose_on, d.frame_objects,
  d.object_count, d.seed
from draw d where d.id = $1
"""
# Which office drew is public; whose rows are read beyond it stands in `mine`.
REGION = "select region from draw_page where draw = $1"
COVERED = "select exists (select from institution where region = any (regions_below($1)))"
PLACES = ("must", "certain", "random", "reserve")


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one row fared: key, threshold and weight are decimal texts of exact integers.

    ``place`` is must, certain, random, reserve or none; ``under`` says that the key does not
    exceed the threshold, None where nobody was drawn by lot.
    """

    object: str
    stratum: str
    weight: int
    excluded: str | None
    place: str
    ticket: str
    key: str
    under: bool | None
    total: dict[str, Any]
    proof: dict[str, Any]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """单行公开: whether it was in the frame, with what weight, under which threshold.

    ``root`` is what the freeze entry of the public log committed to.
    """

    draw: str
    attempt: int
    alg: str
    root: str
    count: int
    seed: str
    in_frame: bool
    rows: tuple[Standing, ...]


def _place(ident: str, part: Mapping[str, Any]) -> str:
    return next((name for name in PLACES if ident in part[name]), "none")


def _standings(alg: str, seed: str, kept: Frozen, mine: list[str]) -> tuple[Standing, ...]:
    objects = kept.frames["objects"]
    selection, totals = select_with_totals(alg, seed, kept.plan, objects)
    parts = {part["stratum"]: part for part in selection}
    figures = {total["stratum"]: total for total in totals}
    rows = {row["id"]: row for row in objects if row["id"] in set(mine)}
    return tuple(
        Standing(
            object=ident,
            stratum=row["stratum"],
            weight=row.get("w", 1),
            excluded=row.get("excl"),
            place=_place(ident, parts[row["stratum"]]),
            **standing(alg, seed, row, figures[row["stratum"]]),
            total=figures[row["stratum"]],
            proof=opening(alg, kept.keys["objects"], objects, ident),
        )
        for ident, row in sorted(rows.items())
    )


async def _region(draw_id: UUID, scope: Scope) -> int:
    """The office that drew, if it is the asker's or covers the asking institution's place."""
    async with DB.transaction(Scope(role="public"), readonly=True):
        region: int | None = await DB.connection.fetchval(REGION, draw_id)
    if region is None:
        raise Absent
    async with DB.transaction(scope, readonly=True):
        near: bool = region in scope.regions or await DB.connection.fetchval(COVERED, region)
    if not near:
        raise Absent
    return region


async def own(draw_id: UUID, institution: UUID | None, *, act: Act, keys: Keyring) -> Opening:
    """Open the rows of one institution: its own user's, or the one an office asks about.

    Before the disclosure nothing is said, for a row with its ticket would tell who is drawn.
    Raises: Absent ("thing.absent"), NotDisclosed ("draw.not_disclosed") to an office.
    Source: draw.md sections 2.4, 2.6 and 10 (quiet omission).
    """
    whose = act.by.institution or institution
    region = await _region(draw_id, act.by.scope)
    # An institution sees no frame; the office's rows are read for it and only its own answered.
    async with DB.transaction(Scope(regions=(region,)), readonly=True):
        row = await DB.connection.fetchrow(PUBLISHED, draw_id)
        if row is None or whose is None:
            raise Absent
        if row["state"] != "published" and act.by.institution is not None:
            raise Absent  # the draw's public page says when; nothing of it is an institution's yet
        if row["state"] != "published":
            raise NotDisclosed(disclose_on=row["disclose_on"].isoformat())
        kept = await drawrows.frozen(draw_id, keys=keys)
    targets = msgspec.convert(kept.pseudonyms["targets"], dict[str, Target])
    mine = [ident for ident, target in targets.items() if target.institution == whose]
    rows = await asyncio.to_thread(_standings, row["alg"], row["seed"], kept, mine)
    return Opening(
        draw=row["code"],
        attempt=row["attempt"],
        alg=row["alg"],
        root=row["frame_objects"],
        count=row["object_count"],
        seed=row["seed"],
        in_frame=bool(rows),
        rows=rows,
    )
