"""People 人员: accounts, roles with region and term, sign-in with lock-out, one-time links."""

import asyncio
import hashlib
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.db.engine import Scope
from backend.db.tables.accounts import Account, OneTimeLink, RoleAssignment
from backend.piccolo_conf import DB
from backend.services import audit, policy
from backend.services.act import Act, Person
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family

OURS = """
select ($1::uuid is null or exists (select from office where id = $1))
  and ($2::uuid is null or exists (select from institution where id = $2))
"""
SHANGHAI = ZoneInfo("Asia/Shanghai")
PASSWORD_MIN = 12
TRIES = 5
LOCK = timedelta(minutes=15)
LOCK_MAX = timedelta(hours=1)
LINK_LIFE = timedelta(hours=24)

# argon2id with 19 MiB and two passes: the least that OWASP's storage cheat sheet accepts, so that
# a morning's sign-ins do not exhaust a small office's server.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# An unknown login costs as much as a wrong password, so time tells nobody which it was.
DECOY = hasher.hash("no such account")


class SignInFailed(ServiceRefusal):
    """Login or password is wrong; which of them is not said."""

    code = "session.wrong_login"
    family = Family.DENIED


class SignInLocked(ServiceRefusal):
    """Too many wrong passwords; ``facts.until`` says when to try again."""

    code = "session.locked"
    family = Family.LIMIT


class PasswordWeak(ServiceRefusal):
    """The new password is too short or equals the login."""

    code = "session.weak_password"


class LinkUsed(ServiceRefusal):
    """The one-time link was used already, has expired, or never was."""

    code = "session.link_used"
    family = Family.ABSENT


class LoginTaken(ServiceRefusal):
    """An account with this login exists."""

    code = "account.login_taken"
    family = Family.CONFLICT


class RoleUnknown(ServiceRefusal):
    """No such role."""

    code = "account.role_unknown"


class AdminsExclude(ServiceRefusal):
    """A person holds one of the three administrator roles 三员 alone, beside no other role.

    Source: evidence spec §12.2.
    """

    code = "account.three_admins"
    family = Family.GATE


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to open an account; a password may come later by a one-time link."""

    login: str
    name: str
    kind: Literal["office", "institution"]
    region: int
    institution: UUID | None = None
    office: UUID | None = None
    password: str | None = None


def on_day(at: datetime) -> date:
    """The day in Asia/Shanghai that a right or a term is judged by."""
    return at.astimezone(SHANGHAI).date()


def digest(token: str) -> bytes:
    """What is stored of a token or link: 32 bytes from which it cannot be got back."""
    return hashlib.sha256(token.encode()).digest()


async def load_person(account: UUID, *, at: datetime) -> Person | None:
    """The person of an account with today's roles, or None when it is disabled or gone."""
    async with DB.transaction(Scope(), readonly=True):
        row = await DB.connection.fetchrow(
            "select * from auth_person($1, $2)", account, on_day(at)
        )
    if row is None:
        return None
    return Person(
        id=row["account"],
        name=row["display_name"],
        kind=row["kind"],
        roles=frozenset(row["roles"]),
        region=row["region"],
        regions=tuple(row["regions"]) if row["institution"] is None else (),
        institution=row["institution"],
        office=row["office"],
        inspector=row["inspector"],
    )


async def person_of_session(account: str, *, at: datetime) -> Person | None:
    """The person of a server-side session; ``account`` is what the session stored."""
    return await load_person(UUID(account), at=at)


def _own_scope(row: dict[str, Any]) -> Scope:
    return Scope(regions=(row["region"],), institution=row["institution"])


async def _verify(stored: str | None, password: str) -> bool:
    """Compare in a thread: argon2id takes tens of milliseconds of processor time."""
    try:
        return await asyncio.to_thread(hasher.verify, stored or DECOY, password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


async def sign_in(login: str, password: str, *, at: datetime) -> Person:
    """The person with this login and password.

    Raises: SignInFailed ("session.wrong_login"), SignInLocked ("session.locked") after five wrong
    passwords; each further five double the wait up to an hour.
    """
    async with DB.transaction(Scope()):
        found = await DB.connection.fetchrow("select * from auth_login($1)", login)
    row = dict(found) if found else {}
    if row and row["locked_until"] and row["locked_until"] > at:
        raise SignInLocked(until=row["locked_until"].isoformat())
    right = await _verify(row.get("password_hash"), password)
    if not row or row["disabled_at"]:
        raise SignInFailed
    await _count(row, right=right, at=at)
    if not right:
        raise SignInFailed
    person = await load_person(row["id"], at=at)
    if person is None:
        raise SignInFailed
    return person


async def _count(row: dict[str, Any], *, right: bool, at: datetime) -> None:
    async with DB.transaction(_own_scope(row)):
        if right:
            await Account.update({Account.failed_count: 0, Account.locked_until: None}).where(
                Account.id == row["id"]
            )
            return
        # Counted in the statement: two wrong tries at once are two.
        failed = await DB.connection.fetchval(
            "update account set failed_count = failed_count + 1 where id = $1"
            " returning failed_count",
            row["id"],
        )
        if failed % TRIES == 0:
            wait = min(LOCK * 2 ** (failed // TRIES - 1), LOCK_MAX)
            await Account.update({Account.locked_until: at + wait}).where(Account.id == row["id"])


async def hash_password(login: str, password: str) -> str:
    """The argon2id hash; raises PasswordWeak ("session.weak_password")."""
    if len(password) < PASSWORD_MIN or password.casefold() == login.casefold():
        raise PasswordWeak(field="password", minimum=PASSWORD_MIN)
    return await asyncio.to_thread(hasher.hash, password)


async def open_account(new: NewAccount, *, act: Act) -> UUID:
    """Open an account and return its id; raises LoginTaken, PasswordWeak, Absent."""
    hashed = await hash_password(new.login, new.password) if new.password else None
    account = act.new_id()
    async with DB.transaction(act.by.scope):
        if act.by.regions and new.region not in act.by.regions:
            raise Absent
        # The foreign keys look behind the policies: without this a stranger's office would do.
        if not await DB.connection.fetchval(OURS, new.office, new.institution):
            raise Absent
        added = await DB.connection.fetchval(
            "insert into account (id, region, institution, office, kind, login, display_name,"
            " password_hash, created_at, failed_count, password_changed_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)"
            " on conflict (login) do nothing returning id",
            account,
            new.region,
            new.institution,
            new.office,
            new.kind,
            new.login,
            new.name,
            hashed,
            act.at,
            act.at if hashed else None,
        )
        if added is None:
            raise LoginTaken(field="login")
        await audit.record(act, "account.opened", "account", account, region=new.region)
    return account


async def assign_role(
    account: UUID, role: str, *, region: int, act: Act, until: date | None = None
) -> UUID:
    """Give a role within a region and term; raises RoleUnknown, AdminsExclude, Absent."""
    if role not in policy.ROLES:
        raise RoleUnknown(field="role", known=sorted(policy.ROLES))
    given = act.new_id()
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "select a.institution, array(select r.role from role_assignment r"
            " where r.account = a.id and r.revoked_at is null) as roles"
            " from account a where a.id = $1 for update",
            account,
        )
        if row is None or region not in act.by.regions:
            raise Absent
        held = set(row["roles"])
        if held and (role in policy.ADMINS) != bool(held & policy.ADMINS):
            raise AdminsExclude(held=sorted(held), wanted=role)
        if role in policy.ADMINS and held - {role}:
            raise AdminsExclude(held=sorted(held), wanted=role)
        await RoleAssignment.insert(
            RoleAssignment(
                {
                    RoleAssignment.id: given,
                    RoleAssignment.account: account,
                    RoleAssignment.region: region,
                    RoleAssignment.institution: row["institution"],
                    RoleAssignment.role: role,
                    RoleAssignment.valid_from: on_day(act.at),
                    RoleAssignment.valid_until: until,
                    RoleAssignment.created_at: act.at,
                }
            )
        )
        await audit.record(act, "role.assigned", "account", account, region=region, title=role)
    return given


async def revoke_role(assignment: UUID, *, act: Act) -> None:
    """End a role now; raises Absent."""
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "update role_assignment set revoked_at = $2 where id = $1 and revoked_at is null"
            " returning account, region, role",
            assignment,
            act.at,
        )
        if row is None:
            raise Absent
        await audit.record(
            act, "role.revoked", "account", row["account"], region=row["region"], title=row["role"]
        )


async def disable(account: UUID, *, act: Act) -> None:
    """Close an account now: its tokens and sessions end with the next request; raises Absent."""
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(
            "update account set disabled_at = $2 where id = $1 and disabled_at is null"
            " returning region",
            account,
            act.at,
        )
        if region is None:
            raise Absent
        await audit.record(act, "account.disabled", "account", account, region=region)


async def make_link(account: UUID, secret: str, *, act: Act) -> None:
    """Store a one-time link (24 h) by which the account sets its password; raises Absent."""
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval("select region from account where id = $1", account)
        if region is None:
            raise Absent
        await OneTimeLink.insert(
            OneTimeLink(
                {
                    OneTimeLink.hash: digest(secret),
                    OneTimeLink.region: region,
                    OneTimeLink.account: account,
                    OneTimeLink.purpose: "password",
                    OneTimeLink.created_at: act.at,
                    OneTimeLink.expires_at: act.at + LINK_LIFE,
                }
            )
        )
        await audit.record(act, "account.link_made", "account", account, region=region)


async def use_link(secret: str, password: str, *, at: datetime) -> Person:
    """Set the password of the link's account and return the person; the link is used up.

    Raises: LinkUsed ("session.link_used"), PasswordWeak ("session.weak_password").
    """
    async with DB.transaction(Scope()):
        link = await DB.connection.fetchrow("select * from auth_link($1, $2)", digest(secret), at)
    person = await load_person(link["account"], at=at) if link else None
    if link is None or person is None:
        raise LinkUsed
    hashed = await hash_password("", password)
    async with DB.transaction(Scope(regions=(link["region"],), institution=person.institution)):
        used = await DB.connection.fetchval(
            "update one_time_link set used_at = $2 where hash = $1 and used_at is null"
            " returning account",
            digest(secret),
            at,
        )
        if used is None:
            raise LinkUsed
        await Account.update(
            {
                Account.password_hash: hashed,
                Account.password_changed_at: at,
                Account.failed_count: 0,
                Account.locked_until: None,
            }
        ).where(Account.id == used)
        act = Act(by=person, at=at, new_id=_no_ids)
        await audit.record(act, "account.password_set", "account", used, region=link["region"])
    return person


def _no_ids() -> UUID:
    raise AssertionError("setting a password makes nothing that needs an id")
