"""What documents of every kind share: parties, clauses as they are cited, photos, days."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.accounts import SHANGHAI
from backend.services.act import Act
from backend.services.documents.templates import words
from backend.services.errors import Absent
from inspection_plans.loader import load
from inspection_plans.vocabulary import ClauseId

PARTY = """
select name, credit_code, address, legal_person, home_region from institution where id = $1
"""
ISSUER = "select name, short_name, region from office where id = $1"
# The nearest office whose reach a place lies in: a town without one is served from above.
OFFICE = """
select id from office where $1 = any (regions_below(region)) order by region desc, created_at, id
limit 1
"""
FINDINGS = """
select item, title_zh, detail, severity, clauses from finding where id = any ($1) order by item
"""
# The blackened copy where one was made; else the preview, which has lost the picture's metadata.
PHOTOS = """
select distinct on (e.id) e.id, e.item, e.captured_at, e.sha256 as original, d.object_key, d.sha256
from evidence e join derivative d on d.evidence = e.id and d.kind in ('redacted', 'preview')
where e.visit = $1 and e.state in ('verified', 'sealed') and e.mime like 'image/%'
order by e.id, d.kind desc, d.variant desc limit $2
"""
PHOTOS_MOST = 60


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What a document will say, and whose it is; ``number`` when its matter has one already."""

    region: int
    institution: UUID | None
    facts: dict[str, Any]
    office: UUID | None = None
    number: str | None = None


def stamp(at: datetime | None) -> str | None:
    """An instant as documents print it: Asia/Shanghai, to the second."""
    return None if at is None else at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def iso(day: date | None) -> str | None:
    """A day as documents take it."""
    return None if day is None else day.isoformat()


def word(group: str, code: str | None) -> str:
    """The word of a code; a code that nobody worded stands for itself."""
    return words().get(f"{group}.{code}", code or "")


async def party(institution: UUID | None) -> dict[str, Any] | None:
    """The institution as it is named today; None for a document about nobody."""
    row = await DB.connection.fetchrow(PARTY, institution) if institution else None
    return dict(row) if row else None


async def issuer(office: UUID) -> dict[str, Any]:
    """The office that issues. Raises: Absent."""
    row = await DB.connection.fetchrow(ISSUER, office)
    if row is None:
        raise Absent
    return {"name": row["name"], "short": row["short_name"]}


async def office_of(region: int, *, act: Act) -> UUID | None:
    """Who issues: the office of the person who acts, or the region's own when nobody does."""
    if act.by.kind != "system":
        return act.by.office
    found: UUID | None = await DB.connection.fetchval(OFFICE, region)
    return found


def cited(ids: Sequence[str]) -> list[dict[str, str]]:
    """Clauses as papers cite them: number of the paper and place in it, its title, the rule."""
    library = load()
    found = []
    for ident in ids:
        clause = library.clauses.get(ClauseId(ident))
        if clause is None:
            found.append({"cite": ident, "pack": "", "text": ""})
            continue
        pack = library.packs[ident.split("/", 1)[0]]
        cite = f"{pack.number} {clause.section}"
        found.append({"cite": cite, "pack": pack.title, "text": clause.rule.zh})
    return found


async def findings(ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Findings with their clauses, by item."""
    rows = await DB.connection.fetch(FINDINGS, list(ids))
    return [finding(row) for row in rows]


def finding(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    """One finding's row as a document says it."""
    return {
        "item": row["item"],
        "title": row["title_zh"],
        "detail": row["detail"],
        "severity": row["severity"],
        "clauses": cited(row["clauses"]),
    }


async def photos(visit: UUID) -> list[dict[str, Any]]:
    """Safe copies of a visit's pictures, with the digests of copy and original."""
    rows = await DB.connection.fetch(PHOTOS, visit, PHOTOS_MOST)
    return [
        {
            "file": f"{row['id']}.jpg",
            "key": row["object_key"],
            "sha256": row["sha256"],
            "original": row["original"],
            "caption": row["item"] or "",
            "at": stamp(row["captured_at"]),
        }
        for row in sorted(rows, key=lambda row: (stamp(row["captured_at"]) or "", row["id"]))
    ]
