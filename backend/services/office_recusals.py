"""整机关回避: an office takes no part in the matters of an institution; another one acts instead.

A superior office decides it and by its own reach takes the matters over: its people see the region
below them. Whoever belongs to the office that stepped aside is refused in every deed about the
institution, and none of its inspectors is drawn or sent there. Source: casework 1 (G1).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from backend.db.tables.office_recusals import OfficeRecusal as Row
from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import gates
from inspection_plans.errors import Family

Text = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
STANDING = """
select exists (select from office_recusal where office = $1 and institution = $2
  and ended_at is null)
"""
OF = """
select r.*, o.name as office_name from office_recusal r join office o on o.id = r.office
where r.institution = $1 order by r.id
"""
SEEN = (
    "select (select region from institution where id = $1), (select id from office where id = $2)"
)


class AlreadyAside(ServiceRefusal):
    """The office takes no part in this institution's matters already."""

    code = "office.already_aside"
    family = Family.CONFLICT


class NotAside(ServiceRefusal):
    """This recusal has ended."""

    code = "office.not_aside"
    family = Family.CONFLICT


class NewOfficeRecusal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which office steps aside for which institution, why, and on which paper it was decided."""

    office: UUID
    institution: UUID
    ground: Text
    paper: Line


class OfficeRecusal(msgspec.Struct, frozen=True, kw_only=True):
    """整机关回避: as decided, and when and why it ended."""

    id: UUID
    office: UUID
    office_name: str
    institution: UUID
    ground: str
    paper: str
    decided_by: UUID
    decided_at: datetime
    ended_at: datetime | None
    ended_reason: str | None


async def refuse(institution: UUID, *, act: Act) -> None:
    """Refuse a deed about an institution by a person of an office that stepped aside.

    Call it in the deed's transaction. Raises: OfficeRecused ("office.recused").
    """
    if act.by.office is not None:
        gates.office_takes_part(await DB.connection.fetchval(STANDING, act.by.office, institution))


async def decide(new: NewOfficeRecusal, *, act: Act) -> OfficeRecusal:
    """Record that an office steps aside; its own people decide nothing about that.

    Raises: Absent, Denied, OwnOffice ("office.own_recusal"), AlreadyAside.
    """
    policy.require(act.by, "offices.recuse")
    ident = act.new_id()
    async with DB.transaction(act.by.scope):
        region, office = await DB.connection.fetchrow(SEEN, new.institution, new.office)
        if region is None or office is None:
            raise Absent
        gates.another_office(own=act.by.office, office=new.office)
        try:
            async with DB.transaction(act.by.scope):
                await Row.insert(
                    Row(
                        {
                            Row.id: ident,
                            Row.region: region,
                            Row.office: new.office,
                            Row.institution: new.institution,
                            Row.ground: new.ground,
                            Row.paper: new.paper,
                            Row.decided_by: act.by.id,
                            Row.decided_at: act.at,
                        }
                    )
                )
        except asyncpg.UniqueViolationError:
            raise AlreadyAside(field="office") from None
        await audit.record(
            act,
            "office.stepped_aside",
            "office_recusal",
            ident,
            region=region,
            title=new.paper,
            reason=new.ground,
        )
        return await _one(new.institution, ident)


async def end(ident: UUID, *, reason: str, act: Act) -> OfficeRecusal:
    """The ground is gone: the office takes part again from now on.

    Raises: Absent, Denied, NotAside, OwnOffice.
    """
    policy.require(act.by, "offices.recuse")
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "select * from office_recusal where id = $1 for update", ident
        )
        if row is None:
            raise Absent
        gates.another_office(own=act.by.office, office=row["office"])
        if row["ended_at"] is not None:
            raise NotAside
        await Row.update(
            {Row.ended_at: act.at, Row.ended_by: act.by.id, Row.ended_reason: reason}
        ).where(Row.id == ident)
        await audit.record(
            act,
            "office.takes_part_again",
            "office_recusal",
            ident,
            region=row["region"],
            title=row["paper"],
            reason=reason,
        )
        return await _one(row["institution"], ident)


async def _one(institution: UUID, ident: UUID) -> OfficeRecusal:
    return next(one for one in await _all(institution) if one.id == ident)


async def _all(institution: UUID) -> tuple[OfficeRecusal, ...]:
    rows = await DB.connection.fetch(OF, institution)
    names = OfficeRecusal.__struct_fields__
    return tuple(msgspec.convert({n: row[n] for n in names}, OfficeRecusal) for row in rows)


async def of(institution: UUID, *, act: Act) -> tuple[OfficeRecusal, ...]:
    """The recusals of offices about an institution, oldest first; raises Absent."""
    async with DB.transaction(act.by.scope, readonly=True):
        if not await DB.connection.fetchval(
            "select true from institution where id = $1", institution
        ):
            raise Absent
        return await _all(institution)
