"""Sign-in for phones and integrators, accounts, roles and devices."""

import base64
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.datastructures import State
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from backend.api.keys import KeysOut
from backend.api.routes import get, post
from backend.clock import token
from backend.keyring import Keyring
from backend.services import accounts, devices, offices, tokens
from backend.services.act import Act
from backend.settings import Settings

Login = Annotated[str, Meta(min_length=1, max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Region = Annotated[int, Meta(ge=100000, le=999999)]
# Whole quartets only: the decoder raises on a text whose padding does not fit.
BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z"
Secret = Annotated[str, Meta(min_length=20, max_length=128, pattern=r"^[A-Za-z0-9_-]+\Z")]


class SignInIn(Struct, frozen=True, forbid_unknown_fields=True):
    login: Login
    password: Password
    device: UUID | None = None


class RenewIn(Struct, frozen=True, forbid_unknown_fields=True):
    refresh: Secret


class TokensOut(Struct, frozen=True):
    access: str
    refresh: str
    expires_at: datetime


class AccountIn(Struct, frozen=True, forbid_unknown_fields=True):
    login: Annotated[str, Meta(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9._@-]+\Z")]
    name: Name
    kind: Literal["office", "institution"]
    region: Region
    institution: UUID | None = None
    office: UUID | None = None


class AccountOut(Struct, frozen=True):
    id: UUID
    link: str


class RoleIn(Struct, frozen=True, forbid_unknown_fields=True):
    role: Annotated[str, Meta(min_length=1, max_length=40)]
    region: Region
    until: date | None = None


class OfficeIn(Struct, frozen=True, forbid_unknown_fields=True):
    region: Region
    name: Name
    short_name: Annotated[str, Meta(min_length=1, max_length=20)]
    department: Annotated[str, Meta(min_length=1, max_length=60)]


class MadeOut(Struct, frozen=True):
    id: UUID


class EnrolmentOut(Struct, frozen=True):
    code: str
    expires_at: datetime


class DeviceIn(Struct, frozen=True, forbid_unknown_fields=True):
    code: Secret
    spki: Annotated[str, Meta(min_length=40, max_length=400, pattern=BASE64)]
    user_agent: Annotated[str, Meta(max_length=400)]
    platform: Annotated[str, Meta(max_length=100)]
    persisted: bool


class DeviceOut(Struct, frozen=True):
    """The enrolled phone, and the server's keys that it pins from now on."""

    id: UUID
    kid: str
    enrolled_at: datetime
    keys: KeysOut


class RevokeIn(Struct, frozen=True, forbid_unknown_fields=True):
    compromised_since: Annotated[datetime, Meta(tz=True)] | None = None


class MeOut(Struct, frozen=True):
    id: UUID
    name: str
    roles: list[str]
    region: int
    institution: UUID | None
    inspector: UUID | None
    device: UUID | None


def _secret() -> str:
    """256 bits in base64url, for a token or a link."""
    return base64.urlsafe_b64encode(token()).rstrip(b"=").decode()


@post("/api/v1/sessions", action="session.open")
async def sign_in(data: JSONBody[SignInIn], state: State) -> TokensOut:
    """Sign in with login and password; ``device`` binds the tokens to an enrolled phone."""
    at = state.clock()
    person = await accounts.sign_in(data.login, data.password, at=at)
    pair = await tokens.issue(
        person, access=_secret(), refresh=_secret(), at=at, device=data.device
    )
    return TokensOut(pair.access, pair.refresh, pair.expires_at)


@post("/api/v1/sessions/renewal", action="session.open")
async def renew(data: JSONBody[RenewIn], state: State) -> TokensOut:
    """Exchange a refresh token; it works once."""
    pair = await tokens.renew(data.refresh, access=_secret(), refresh=_secret(), at=state.clock())
    return TokensOut(pair.access, pair.refresh, pair.expires_at)


@post("/api/v1/sessions/end", action="session.own", status_code=204)
async def sign_out(act: Act) -> None:
    """End every token of the caller on this device."""
    await tokens.revoke_all(act)


@get("/api/v1/me", action="session.own")
async def me(act: Act) -> MeOut:
    """Who the caller is today: roles and regions."""
    by = act.by
    return MeOut(
        by.id, by.name, sorted(by.roles), by.region, by.institution, by.inspector, by.device
    )


@post("/api/v1/offices", action="accounts.manage")
async def open_office(data: JSONBody[OfficeIn], act: Act) -> MadeOut:
    """Open an office 人社部门; its short name stands in document numbers."""
    new = offices.NewOffice(
        region=data.region,
        name=data.name,
        short_name=data.short_name,
        department=data.department,
    )
    return MadeOut(await offices.open_office(new, act=act))


@post("/api/v1/accounts", action="accounts.manage")
async def open_account(data: JSONBody[AccountIn], act: Act) -> AccountOut:
    """Open an account; the answer's link sets its password once, within 24 hours."""
    link = _secret()
    new = accounts.NewAccount(
        login=data.login,
        name=data.name,
        kind=data.kind,
        region=data.region,
        institution=data.institution,
        office=data.office,
    )
    account = await accounts.open_account(new, act=act)
    await accounts.make_link(account, link, act=act)
    return AccountOut(account, link)


@post("/api/v1/accounts/{account_id:uuid}/roles", action="roles.manage")
async def assign_role(account_id: FromPath[UUID], data: JSONBody[RoleIn], act: Act) -> MadeOut:
    """Give an account a role within a region and term."""
    given = await accounts.assign_role(
        account_id, data.role, region=data.region, until=data.until, act=act
    )
    return MadeOut(given)


@post("/api/v1/roles/{assignment_id:uuid}/end", action="roles.manage", status_code=204)
async def revoke_role(assignment_id: FromPath[UUID], act: Act) -> None:
    """End a role now."""
    await accounts.revoke_role(assignment_id, act=act)


@post("/api/v1/accounts/{account_id:uuid}/closing", action="accounts.manage", status_code=204)
async def disable(account_id: FromPath[UUID], act: Act) -> None:
    """Close an account now."""
    await accounts.disable(account_id, act=act)


@post("/api/v1/accounts/{account_id:uuid}/enrolments", action="devices.approve")
async def approve_enrolment(account_id: FromPath[UUID], act: Act) -> EnrolmentOut:
    """Approve the enrolment of one phone; the code is shown as a QR and lives ten minutes."""
    code = _secret()
    return EnrolmentOut(code, await devices.approve(account_id, code, act=act))


@post("/api/v1/devices", action="devices.enrol")
async def enrol(
    data: JSONBody[DeviceIn], act: Act, keys: Keyring, settings: Settings
) -> DeviceOut:
    """Enrol the caller's phone: its public key, and what it says of itself."""
    new = devices.NewDevice(
        spki=base64.b64decode(data.spki),
        user_agent=data.user_agent,
        platform=data.platform,
        persisted=data.persisted,
    )
    device = await devices.enrol(data.code, new, act=act)
    return DeviceOut(
        device.id, device.kid, device.enrolled_at, KeysOut.of(keys, settings.log_origin)
    )


@post("/api/v1/devices/{device_id:uuid}/revocation", action="devices.revoke", status_code=204)
async def revoke_device(device_id: FromPath[UUID], data: JSONBody[RevokeIn], act: Act) -> None:
    """Revoke a phone's key."""
    await devices.revoke(device_id, compromised_since=data.compromised_since, act=act)


HANDLERS = [
    sign_in,
    renew,
    sign_out,
    me,
    open_office,
    open_account,
    assign_role,
    revoke_role,
    disable,
    approve_enrolment,
    enrol,
    revoke_device,
]
