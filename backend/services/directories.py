"""Reads of the directories: institutions with their catalogue, inspectors with their relations."""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import audit, versions
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from backend.services.imports.inspectors import INSPECTORS as INSPECTOR_DIRECTORY
from backend.services.records.directories import (
    CatalogueEntry,
    InspectionItem,
    Inspector,
    InspectorRelation,
    Institution,
)
from inspection_plans.errors import Family

Status = Literal["active", "suspended", "closed", "moved"]

INSTITUTIONS = """
select * from institution
where ($1::uuid is null or id < $1) and ($2::text is null or $2 = any(kinds))
  and ($3::text is null or status = $3)
  and ($4 = '' or position($4 in name) > 0 or credit_code = $4)
order by id desc limit $5
"""
INSTITUTION = "select * from institution where id = $1"
BY_CREDIT_CODE = """
select * from institution where credit_code = $1 and ($2::int is null or region = $2)
order by id limit 2
"""
CATALOGUE = "select * from catalogue_entry where institution = $1 order by listed_on desc, id desc"
INSPECTORS = """
select * from inspector where ($1::uuid is null or id < $1)
  and ($2 = '' or position($2 in name) > 0 or staff_code = $2 or licence_no = $2)
order by id desc limit $3
"""
INSPECTOR = "select * from inspector where id = $1"
LOCKED = INSPECTOR + " for update"
RELATIONS = (
    "select * from inspector_relation where inspector = $1 order by declared_on desc, id desc"
)
LINK = (
    "update inspector set account = $2, rev = rev + 1, updated_at = $3 where id = $1 returning *"
)
ITEMS = """
select * from inspection_item where $1::uuid is null or id < $1 order by id desc limit $2
"""
NAMES = "select id, name from institution where id = any ($1)"
HOLDER = "select id from inspector where account = $1 and id <> $2"


class Linked(ServiceRefusal):
    """The inspector or the account is already joined to another."""

    code: ClassVar[str] = "inspector.linked"
    family: ClassVar[Family] = Family.CONFLICT


def _present(row: Any) -> Any:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return row


async def institutions(
    *,
    act: Act,
    after: UUID | None = None,
    limit: int = 100,
    kind: str | None = None,
    status: Status | None = None,
    search: str = "",
) -> tuple[Institution, ...]:
    """Institutions, newest first; ``search`` is part of a name or a whole credit code."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(INSTITUTIONS, after, kind, status, search, limit)
    return tuple(Institution.of(row) for row in rows)


async def institution(institution_id: UUID, *, act: Act) -> Institution:
    """One institution.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(INSTITUTION, institution_id)
    return Institution.of(_present(row))


async def names(ids: Iterable[UUID | None], *, act: Act) -> dict[UUID, str]:
    """The names of institutions by id, for a list that shows many; strangers' are left out."""
    wanted = sorted({one for one in ids if one is not None})
    if not wanted:
        return {}
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(NAMES, wanted)
    return {row["id"]: row["name"] for row in rows}


async def own_institution(*, act: Act) -> Institution:
    """The institution the caller belongs to.

    Raises: Absent ("thing.absent") for somebody who belongs to none.
    """
    if act.by.institution is None:
        raise Absent
    return await institution(act.by.institution, act=act)


async def institution_by_credit_code(
    credit_code: str, *, act: Act, region: int | None = None
) -> Institution:
    """The institution a region lists under the code; without a region the oldest visible one.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(BY_CREDIT_CODE, credit_code, region)
    return Institution.of(_present(row))


async def catalogue(institution_id: UUID, *, act: Act) -> tuple[CatalogueEntry, ...]:
    """Catalogue entries of an institution, the latest listed first.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        _present(await DB.connection.fetchrow(INSTITUTION, institution_id))
        rows = await DB.connection.fetch(CATALOGUE, institution_id)
    return tuple(CatalogueEntry.of(row) for row in rows)


async def inspectors(
    *, act: Act, after: UUID | None = None, limit: int = 100, search: str = ""
) -> tuple[Inspector, ...]:
    """Inspectors, newest first; ``search`` is part of a name, a staff code or a licence."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(INSPECTORS, after, search, limit)
    return tuple(Inspector.of(row) for row in rows)


async def inspector(inspector_id: UUID, *, act: Act) -> Inspector:
    """One inspector.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(INSPECTOR, inspector_id)
    return Inspector.of(_present(row))


async def relations(inspector_id: UUID, *, act: Act) -> tuple[InspectorRelation, ...]:
    """Declared relations of an inspector, the latest first.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        _present(await DB.connection.fetchrow(INSPECTOR, inspector_id))
        rows = await DB.connection.fetch(RELATIONS, inspector_id)
    return tuple(InspectorRelation.of(row) for row in rows)


async def items(
    *, act: Act, after: UUID | None = None, limit: int = 100
) -> tuple[InspectionItem, ...]:
    """The list of inspection items 抽查事项清单, newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(ITEMS, after, limit)
    return tuple(InspectionItem.of(row) for row in rows)


async def link_account(inspector_id: UUID, account_id: UUID, *, act: Act) -> Inspector:
    """Say which account the inspector signs in with; the same link again changes nothing.

    Raises: Absent ("thing.absent"), Linked ("inspector.linked").
    """
    async with DB.transaction(act.by.scope):
        held = Inspector.of(_present(await DB.connection.fetchrow(LOCKED, inspector_id)))
        if held.account == account_id:
            return held
        if held.account or await DB.connection.fetchval(HOLDER, account_id, inspector_id):
            raise Linked(field="account")
        row = await DB.connection.fetchrow(LINK, inspector_id, account_id, act.at)
        linked = Inspector.of(row)
        changes = await INSPECTOR_DIRECTORY.changes([linked])
        await versions.record("inspector", changes, act=act, run=None)
        await audit.record(
            act, "inspector.linked", "inspector", linked.id, region=linked.region, rev=linked.rev
        )
    return linked
