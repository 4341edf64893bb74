"""What pictures look like: kept when they are verified, and their neighbours found again."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from media import likeness
from media.likeness import Likeness
from media.previews import Place

KEEP = """
insert into likeness (evidence, region, occasion, p, w, dh, dv, fine, detail, lat_e7, lon_e7,
  hashed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (evidence) do nothing
"""
# Where each band of a pHash begins; the indexes of the migration are over these expressions.
SHIFTS = (48, 32, 16, 0)
BANDS = "\nunion\n".join(
    f"select l.p from unnest(${2 * number + 1}::int[], ${2 * number + 2}::bigint[]) as q (band, p)"  # noqa: S608 - numbers of ours
    f" join likeness l on ((l.p >> {shift}) & 65535) = q.band"
    f" and bit_count((l.p # q.p)::bit(64)) <= {likeness.NEAR}"
    for number, shift in enumerate(SHIFTS)
)
# Index-only scans find the pHashes that are near; only their pictures are fetched.
NEAR = f"""
with found as materialized ({BANDS})
select e.id, e.region, l.occasion, e.visit is not null as visited,
  coalesce(e.captured_at, e.declared_at) as taken_at, l.p, l.w, l.dh, l.dv, l.fine, l.detail
from likeness l join evidence e on e.id = l.evidence
where l.p in (select p from found) and l.occasion <> $9 and e.sha256 <> $10
  and e.state in ('verified', 'sealed')
order by (select min(bit_count((l.p # q.p)::bit(64))) from unnest($11::bigint[]) as q (p)),
  e.id desc limit $12
"""  # noqa: S608 - our own constant
NEAR_MAX = 200


class Look(msgspec.Struct, frozen=True):
    """What decoding told about one picture beside its previews."""

    likeness: Likeness
    place: Place | None


async def keep(
    evidence_id: UUID, occasion: UUID, look: Look, *, region: int, at: datetime
) -> None:
    """Keep what a verified picture looks like, in the caller's transaction."""
    like, place = look.likeness, look.place
    await DB.connection.execute(
        KEEP,
        evidence_id,
        region,
        occasion,
        like.p,
        like.w,
        like.dh,
        like.dv,
        like.fine,
        like.detail,
        place and place.lat_e7,
        place and place.lon_e7,
        at,
    )


def of_row(row: Any) -> Likeness:  # noqa: ANN401 - a row of asyncpg
    """The hashes in a row."""
    return Likeness(row["p"], row["w"], row["dh"], row["dv"], row["fine"], row["detail"])


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of another occasion whose pHash is near; ``visited`` when that is a visit."""

    id: UUID
    region: int
    occasion: UUID
    visited: bool
    taken_at: datetime
    look: Likeness


async def near(one: Likeness, *, occasion: UUID, sha256: str) -> tuple[Near, ...]:
    """Pictures of other occasions whose pHash is near, turned and mirrored too, nearest first.

    The same bytes are another signal. In the caller's transaction, as the product.
    Source: evidence spec 10 (across visits only).
    """
    asked = [part for pair in likeness.probes(one) for part in pair]
    turned = [variant.p for variant in likeness.variants(one)]
    rows = await DB.connection.fetch(NEAR, *asked, occasion, sha256, turned, NEAR_MAX)
    return tuple(
        Near(
            id=row["id"],
            region=row["region"],
            occasion=row["occasion"],
            visited=row["visited"],
            taken_at=row["taken_at"],
            look=of_row(row),
        )
        for row in rows
    )
