"""What an institution may know of itself: visits, results, what is left of the year, its class."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import directories, risk
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent
from backend.services.records.directories import CatalogueEntry, Institution
from inspection_plans import policy
from inspection_plans.loader import jurisdiction_of

CAP = "frequency_cap"
VISITS = """
select v.id, v.code, v.kind, v.selection, v.on_date, v.state,
  (select p.id from publication p where p.kind = 'result' and p.subject = v.id
    and p.state in ('published', 'corrected') order by p.id desc limit 1) as publication
from visit v where v.institution = $1 order by v.id desc limit $2
"""
RANDOM = """
select count(*) from visit where institution = $1 and selection = 'random'
  and on_date between $2 and $3
"""
PIECES = """
select distinct on (e.id) e.id, nf.finding, e.mime, e.size, e.state, e.channel
from evidence e
  left join (select nf.finding, unnest(f.evidence) as piece from notice_finding nf
    join finding f on f.id = nf.finding where nf.notice = $1) nf on nf.piece = e.id
where nf.finding is not null or (e.notice = $1 and e.channel = 'portal')
order by e.id
"""
PEOPLE = """
select a.id, a.login, a.display_name as name, a.disabled_at is not null as disabled,
  coalesce(array_agg(r.role order by r.role) filter (where r.role is not null), '{}') as roles
from account a left join role_assignment r on r.account = a.id
  and r.revoked_at is null and r.valid_from <= $2
  and (r.valid_until is null or r.valid_until >= $2)
where a.institution = $1 group by a.id order by a.login
"""


# A visit that has not begun stays unnamed: who asks after every licence would learn of it.
LICENCE = """
select i.name, i.unit, i.department, i.licence_until, exists (
  select from assignment a join visit v on v.id = a.visit
  where a.inspector = i.id and a.state = 'active' and v.institution = $2 and v.on_date = $3
    and v.started_at is not null) as sent
from inspector i where i.licence_no = $1 and i.region = any ($4) limit 1
"""


class OwnVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that the institution knows of; ``publication`` is where its result is public."""

    id: UUID
    code: str
    kind: str
    selection: str
    on_date: date
    state: str
    publication: UUID | None


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a notice shows, or that a reply brought; ``finding`` is what it shows."""

    id: UUID
    finding: UUID | None
    mime: str
    size: int
    state: str
    channel: str


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the institution with an account, and their roles today."""

    id: UUID
    login: str
    name: str
    disabled: bool
    roles: tuple[str, ...]


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """执法证: who bears a licence, and whether a visit of theirs goes on here today."""

    name: str
    unit: str
    department: str
    licence_until: date
    valid: bool
    sent: bool


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """机构自己的记录: ``left`` random inspections may still come this year, of ``cap``."""

    institution: Institution
    catalogue: tuple[CatalogueEntry, ...]
    visits: tuple[OwnVisit, ...]
    cap: int
    left: int
    standing: risk.Standing


def own(act: Act) -> UUID:
    """The caller's institution; raises Absent for anybody else."""
    if act.by.institution is None:
        raise Absent
    return act.by.institution


def _seen_by_office(act: Act, region: int) -> Act:
    """The same deed over the office's rows: for figures that rest on more than one may read."""
    return msgspec.structs.replace(act, by=msgspec.structs.replace(act.by, regions=(region,)))


async def record(*, act: Act, limit: int = 100) -> Record:
    """Everything on one page; raises Absent.

    The class is reckoned over the office's rows, as the office reckons it, and of them only this
    institution's own sums are answered.  Source: experience spec, portal (own record).
    """
    mine = own(act)
    held = await directories.own_institution(act=act)
    year = on_day(act.at).year
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(VISITS, mine, limit)
        done = await DB.connection.fetchval(RANDOM, mine, date(year, 1, 1), date(year, 12, 31))
    cap = held.frequency_cap or policy.number(CAP, jurisdiction_of(held.region))
    return Record(
        institution=held,
        catalogue=await directories.catalogue(mine, act=act),
        visits=tuple(msgspec.convert(dict(row), OwnVisit) for row in rows),
        cap=cap,
        left=max(0, cap - done),
        standing=await risk.standing(mine, act=_seen_by_office(act, held.region)),
    )


async def pieces(notice_id: UUID, *, act: Act) -> tuple[Piece, ...]:
    """What a served notice shows, and what the institution's replies brought."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PIECES, notice_id)
    return tuple(msgspec.convert(dict(row), Piece) for row in rows)


async def people(*, act: Act) -> tuple[Colleague, ...]:
    """The institution's accounts with their roles today; raises Absent."""
    mine = own(act)
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PEOPLE, mine, on_day(act.at))
    return tuple(msgspec.convert(dict(row), Colleague) for row in rows)


async def bearer(licence: str, *, act: Act) -> Bearer:
    """Who bears a licence of the offices above this institution; raises Absent.

    Source: experience spec, portal (check an inspector by QR).
    """
    mine = own(act)
    held, today = await directories.own_institution(act=act), on_day(act.at)
    near = _above(held.region)
    seen = msgspec.structs.replace(act.by, regions=near)
    async with DB.transaction(seen.scope, readonly=True):
        row = await DB.connection.fetchrow(LICENCE, licence, mine, today, list(near))
    if row is None:
        raise Absent
    return msgspec.convert({**dict(row), "valid": row["licence_until"] >= today}, Bearer)


def _above(region: int) -> tuple[int, ...]:
    """The region itself, its city and its province, as GB/T 2260 nests them."""
    return tuple(sorted({region, region // 100 * 100, region // 10_000 * 10_000}))


def by_finding(found: tuple[Piece, ...]) -> Mapping[UUID, list[Piece]]:
    """The office's pieces by the finding they show."""
    sorted_out: dict[UUID, list[Piece]] = {}
    for piece in found:
        if piece.finding is not None and piece.channel != "portal":
            sorted_out.setdefault(piece.finding, []).append(piece)
    return sorted_out
