"""Phones 设备: enrolled with a P-256 public key by a one-time code that a supervisor approved."""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from backend.db.tables.devices import Device, Enrolment
from backend.piccolo_conf import DB
from backend.services import audit
from backend.services.accounts import digest
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media import keys

CODE_LIFE = timedelta(minutes=10)


class CodeUsed(ServiceRefusal):
    """The enrolment code was used, is over ten minutes old, or is not this person's."""

    code = "device.code_used"
    family = Family.ABSENT


class KeyEnrolled(ServiceRefusal):
    """This public key belongs to an enrolled device already."""

    code = "device.key_enrolled"
    family = Family.CONFLICT


class NewDevice(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone says of itself; ``spki`` is the DER public key, P-256."""

    spki: bytes
    user_agent: str
    platform: str
    persisted: bool


class EnrolledDevice(msgspec.Struct, frozen=True):
    """An enrolled phone; ``kid`` is the first 16 hex digits of SHA-256 over the key."""

    id: UUID
    kid: str
    enrolled_at: datetime


async def approve(account: UUID, code: str, *, act: Act) -> datetime:
    """Approve one enrolment for an account and return until when; raises Absent."""
    until = act.at + CODE_LIFE
    async with DB.transaction(act.by.scope):
        region = await DB.connection.fetchval(
            "select region from account where id = $1 and disabled_at is null", account
        )
        if region is None:
            raise Absent
        await Enrolment.insert(
            Enrolment(
                {
                    Enrolment.id: act.new_id(),
                    Enrolment.region: region,
                    Enrolment.account: account,
                    Enrolment.code_hash: digest(code),
                    Enrolment.approved_by: act.by.id,
                    Enrolment.created_at: act.at,
                    Enrolment.expires_at: until,
                }
            )
        )
        await audit.record(act, "device.approved", "account", account, region=region)
    return until


async def enrol(code: str, new: NewDevice, *, act: Act) -> EnrolledDevice:
    """Enrol the caller's phone with an approved code.

    Raises: CodeUsed ("device.code_used"), KeyEnrolled ("device.key_enrolled"), KeyRefused.
    """
    kid = keys.check_device_key(new.spki)
    device = EnrolledDevice(act.new_id(), kid, act.at)
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(
            "update enrolment set used_at = $3 where code_hash = $1 and account = $2"
            " and used_at is null and expires_at > $3 returning approved_by, region",
            digest(code),
            act.by.id,
            act.at,
        )
        if row is None:
            raise CodeUsed(field="code")
        added = await DB.connection.fetchval(
            "insert into device (id, region, account, spki, kid, user_agent, platform, persisted,"
            " enrolled_at, approved_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
            " on conflict (kid) do nothing returning id",
            device.id,
            row["region"],
            act.by.id,
            new.spki,
            kid,
            new.user_agent,
            new.platform,
            new.persisted,
            act.at,
            row["approved_by"],
        )
        if added is None:
            raise KeyEnrolled(field="spki")
        await audit.record(
            act,
            "device.enrolled",
            "device",
            device.id,
            region=row["region"],
            title=kid,
            after_sha256=sha256(new.spki).hexdigest(),
        )
    return device


async def revoke(device: UUID, *, act: Act, compromised_since: datetime | None = None) -> None:
    """Revoke a phone's key; what it still sends is quarantined, never dropped; raises Absent."""
    async with DB.transaction(act.by.scope):
        rows = (
            await Device.update(
                {Device.revoked_at: act.at, Device.compromised_since: compromised_since}
            )
            .where((Device.id == device) & Device.revoked_at.is_null())
            .returning(Device.region)
        )
        if not rows:
            raise Absent
        # Bundles prove from this entry since when the key is not trusted.
        since = compromised_since and str(int(compromised_since.timestamp() * 1000))
        await audit.record(
            act, "device.revoked", "device", device, region=rows[0]["region"], title=since or ""
        )
