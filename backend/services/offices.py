"""Offices 人社部门, the installation itself, and the first three administrators."""

from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.db.tables.installation import Installation
from backend.piccolo_conf import DB
from backend.services import accounts, audit
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

ADMINISTRATORS = (
    ("sysadmin", "系统管理员"),
    ("secadmin", "安全管理员"),
    ("auditadmin", "审计管理员"),
)


class AlreadySettled(ServiceRefusal):
    """This installation has accounts already; administrators open further ones."""

    code = "installation.settled"
    family = Family.CONFLICT


class OfficeExists(ServiceRefusal):
    """This department of this region has its office already."""

    code = "office.exists"
    family = Family.CONFLICT


class NewOffice(msgspec.Struct, frozen=True, kw_only=True):
    """An office; ``short_name`` stands in document numbers, ``department`` parts joint ones."""

    region: int
    name: str
    short_name: str
    department: str


async def every_region() -> tuple[int, ...]:
    """All known region codes: the scope of the product's own jobs."""
    async with DB.transaction(Scope(), readonly=True):
        rows = await DB.connection.fetch("select code from region order by code")
    return tuple(row["code"] for row in rows)


async def register(installation: UUID, *, name: str, log_origin: str, act: Act) -> None:
    """Give the installation its identity once; a second call changes nothing."""
    async with DB.transaction(act.by.scope):
        if await DB.connection.fetchval("select true from installation limit 1"):
            return
        await Installation.insert(
            Installation(
                {
                    Installation.id: installation,
                    Installation.name: name,
                    Installation.log_origin: log_origin,
                    Installation.created_at: act.at,
                }
            )
        )
        await audit.record(
            act, "installation.registered", "installation", installation, region=act.by.region
        )


async def open_office(new: NewOffice, *, act: Act) -> UUID:
    """Open an office and return its id; raises Absent, OfficeExists ("office.exists")."""
    office = act.new_id()
    async with DB.transaction(act.by.scope):
        if new.region not in act.by.regions:
            raise Absent
        added = await DB.connection.fetchval(
            "insert into office (id, region, name, short_name, department, created_at)"
            " values ($1, $2, $3, $4, $5, $6) on conflict (region, department) do nothing"
            " returning id",
            office,
            new.region,
            new.name,
            new.short_name,
            new.department,
            act.at,
        )
        if added is None:
            raise OfficeExists(field="department")
        await audit.record(
            act, "office.opened", "office", office, region=new.region, title=new.name
        )
    return office


async def settle(secrets: tuple[str, str, str], *, act: Act) -> dict[str, str]:
    """Open the three administrators 三员 of an empty installation; login → one-time secret.

    Raises: AlreadySettled ("installation.settled").
    """
    links: dict[str, str] = {}
    async with DB.transaction(act.by.scope):
        await DB.connection.execute("lock table account in share row exclusive mode")
        if await DB.connection.fetchval("select true from account limit 1"):
            raise AlreadySettled
        for (role, name), secret in zip(ADMINISTRATORS, secrets, strict=True):
            new = accounts.NewAccount(login=role, name=name, kind="office", region=act.by.region)
            account = await accounts.open_account(new, act=act)
            await accounts.assign_role(account, role, region=act.by.region, act=act)
            await accounts.make_link(account, secret, act=act)
            links[role] = secret
    return links
