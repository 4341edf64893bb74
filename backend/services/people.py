"""People 人员 as administrators see them: accounts, their roles and phones; never case content."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.errors import Absent

# Roles and counts come with the page: one query, however many people it shows.
COLUMNS = """
a.id, a.login, a.display_name as name, a.kind, a.region, a.office, a.institution, a.created_at,
  a.disabled_at, case when a.locked_until > $1 then a.locked_until end as locked_until,
  a.password_hash is null as awaits_password,
  array(select distinct r.role from role_assignment r where r.account = a.id
    and r.revoked_at is null and r.valid_from <= $2
    and (r.valid_until is null or r.valid_until >= $2) order by r.role) as roles,
  (select count(*) from device d where d.account = a.id and d.revoked_at is null) as phones
"""
PAGE = f"""
select {COLUMNS} from account a where ($3::uuid is null or a.id < $3)
  and ($4 = '' or position($4 in a.display_name) > 0 or a.login = $4)
  and ($5::text is null or exists (select from role_assignment r where r.account = a.id
    and r.role = $5 and r.revoked_at is null and r.valid_from <= $2
    and (r.valid_until is null or r.valid_until >= $2)))
  and a.kind <> 'system'
order by a.id desc limit $6
"""  # noqa: S608 - our own constant
ONE = f"select {COLUMNS} from account a where a.id = $3 and a.kind <> 'system'"  # noqa: S608
ROLES = """
select r.id, r.role, r.region, r.department, r.valid_from, r.valid_until, r.revoked_at,
  g.display_name as delegated_by
from role_assignment r left join account g on g.id = r.delegated_by
where r.account = $1 order by r.revoked_at is not null, r.valid_from desc, r.id desc limit 200
"""
PHONES = """
select d.id, d.account, a.display_name as holder, a.region, d.kid, d.platform, d.persisted,
  d.enrolled_at, d.last_seen_at, d.revoked_at, d.compromised_since, b.display_name as approved_by,
  (d.heartbeat ->> 'pending_count')::bigint as pending
from device d join account a on a.id = d.account left join account b on b.id = d.approved_by
where ($1::uuid is null or d.id < $1) and ($2::uuid is null or d.account = $2)
  and ($3 or d.revoked_at is null)
order by d.id desc limit $4
"""
NAMES = "select id, display_name as name from account where id = any ($1)"
OFFICES = "select id, region, name, short_name, department from office order by region, department"


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account in a list: ``roles`` are those valid today, ``phones`` those not revoked."""

    id: UUID
    login: str
    name: str
    kind: str
    region: int
    office: UUID | None
    institution: UUID | None
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None
    awaits_password: bool
    roles: tuple[str, ...]
    phones: int


class RoleLine(msgspec.Struct, frozen=True, kw_only=True):
    """角色: one assignment, standing or ended."""

    id: UUID
    role: str
    region: int
    department: str | None
    valid_from: date
    valid_until: date | None
    revoked_at: datetime | None
    delegated_by: str | None


class PhoneLine(msgspec.Struct, frozen=True, kw_only=True):
    """设备: an enrolled phone; ``kid`` names its key, ``pending`` is what it said it holds."""

    id: UUID
    account: UUID
    holder: str
    region: int
    kid: str
    platform: str
    persisted: bool
    enrolled_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None
    compromised_since: datetime | None
    approved_by: str | None
    pending: int | None


class PersonView(msgspec.Struct, frozen=True):
    """One account with every assignment and phone."""

    person: PersonLine
    roles: tuple[RoleLine, ...]
    phones: tuple[PhoneLine, ...]


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """An office 人社部门; ``short_name`` stands in document numbers."""

    id: UUID
    region: int
    name: str
    short_name: str
    department: str


def _line(row: Any) -> PersonLine:  # noqa: ANN401 - a driver's row
    return PersonLine(**{**dict(row), "roles": tuple(row["roles"])})


async def page(
    *,
    act: Act,
    search: str = "",
    role: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[PersonLine, ...]:
    """Accounts of the caller's regions, newest first; part of a name, or a whole login."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(
            PAGE, act.at, on_day(act.at), after, search, role, min(limit, 200)
        )
    return tuple(_line(row) for row in rows)


async def view(account: UUID, *, act: Act) -> PersonView:
    """One account.

    Raises: Absent ("thing.absent").
    """
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(ONE, act.at, on_day(act.at), account)
        if row is None:
            raise Absent
        roles = await DB.connection.fetch(ROLES, account)
        held = await DB.connection.fetch(PHONES, None, account, True, 200)
    return PersonView(
        _line(row),
        tuple(RoleLine(**dict(one)) for one in roles),
        tuple(PhoneLine(**dict(one)) for one in held),
    )


async def phones(
    *, act: Act, after: UUID | None = None, ended: bool = False, limit: int = 50
) -> tuple[PhoneLine, ...]:
    """Phones of the caller's regions, newest first; ``ended`` shows revoked ones too."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PHONES, after, None, ended, min(limit, 200))
    return tuple(PhoneLine(**dict(row)) for row in rows)


async def offices(*, act: Act) -> tuple[Office, ...]:
    """The offices of the caller's regions."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(OFFICES)
    return tuple(Office(**dict(row)) for row in rows)


async def names(accounts: Iterable[UUID | None], *, act: Act) -> dict[UUID, str]:
    """The names of accounts by id, for a page that says who did what."""
    wanted = sorted({one for one in accounts if one is not None})
    if not wanted:
        return {}
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(NAMES, wanted)
    return {row["id"]: row["name"] for row in rows}
