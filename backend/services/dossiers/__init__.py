"""Evidence bundles 证据包: ordered for a visit or a case, made in the background, fetched.

Every order and every fetch is an entry of the audit log; a bundle that is cancelled or fails stays
in the list with its reason. ``gather`` collects what goes in, ``making`` writes it.
Source: evidence spec 9.
"""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import audit, tasks
from backend.services.act import Act
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media.bucket import Bucket
from media.rooms import Room

KIND = "dossier.make"
QUEUE = "dossier"
HOURLY = 10
Audience = Literal["office", "institution"]

COLUMNS = """id, region, institution, visit, case_file, audience, purpose, witness, state,
  done_bytes, total_bytes, pieces, left_out, sha256, size, stamped, fault, ordered_by, ordered_at,
  ended_at"""
ONE = f"select {COLUMNS}, object_key, entry from dossier where id = $1"  # noqa: S608 - constants
PAGE = f"""
select {COLUMNS} from dossier where ($1::uuid is null or visit = $1)
  and ($2::uuid is null or case_file = $2) and ($3::uuid is null or id < $3)
order by id desc limit $4
"""  # noqa: S608 - constants
ABOUT = {
    "visit": "select region, institution from visit where id = $1",
    "case": "select region, institution from case_file where id = $1",
}
RECENT = "select count(*) from dossier where ordered_by = $1 and ordered_at > $2"
ADD = """
insert into dossier (id, region, institution, visit, case_file, audience, purpose, witness, state,
  done_bytes, total_bytes, pieces, left_out, entry, ordered_by, ordered_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'running', 0, 0, 0, 0, $9, $10, $11)
"""
END = """
update dossier set state = $2, ended_at = $3, fault = $4 where id = $1 and state = 'running'
returning region
"""


class TooOften(ServiceRefusal):
    """Ten bundles an hour is what one person may order."""

    code = "dossier.hourly"
    family = Family.LIMIT


class NotThere(ServiceRefusal):
    """The bundle is not finished; there is nothing to fetch yet."""

    code = "dossier.not_there"
    family = Family.CONFLICT


class Over(ServiceRefusal):
    """The bundle is finished or ended; there is nothing to cancel."""

    code = "dossier.over"
    family = Family.CONFLICT


class NewDossier(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: exactly one of visit and case, why, and who watched if anybody did."""

    visit: UUID | None = None
    case_id: UUID | None = None
    purpose: str
    audience: Audience = "office"
    witness: str | None = None


class DossierAboutNothing(ServiceRefusal):
    """A bundle is of one visit or of one case."""

    code = "dossier.about"
    family = Family.INVALID


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """证据包 as stored: ``done_bytes`` of ``total_bytes`` are read; ``sha256`` once it is done."""

    id: UUID
    region: int
    institution: UUID
    visit: UUID | None
    case_file: UUID | None
    audience: Audience
    purpose: str
    witness: str | None
    state: Literal["running", "done", "cancelled", "failed"]
    done_bytes: int
    total_bytes: int
    pieces: int
    left_out: int
    sha256: str | None
    size: int | None
    stamped: bool | None
    fault: str | None
    ordered_by: UUID
    ordered_at: datetime
    ended_at: datetime | None


def _of(row: Any) -> Dossier:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return msgspec.convert(dict(row), Dossier)


async def order(new: NewDossier, *, act: Act) -> Dossier:
    """Order a bundle; an institution gets the one that is made for it.

    Raises: Absent, DossierAboutNothing ("dossier.about"), TooOften ("dossier.hourly").
    Source: evidence spec 9 (worker job, 10 an hour, audited).
    """
    if (new.visit is None) is (new.case_id is None):
        raise DossierAboutNothing(field="visit")
    kind, subject = ("visit", new.visit) if new.visit else ("case", new.case_id)
    audience = "institution" if act.by.institution else new.audience
    async with DB.transaction(act.by.scope):
        about = await DB.connection.fetchrow(ABOUT[kind], subject)
        if about is None:
            raise Absent
        # One person's orders come one after another: two at once would both be the tenth.
        await DB.connection.execute("select pg_advisory_xact_lock(hashtext($1))", str(act.by.id))
        since = act.at - timedelta(hours=1)
        if await DB.connection.fetchval(RECENT, act.by.id, since) >= HOURLY:
            raise TooOften(most=HOURLY)
        ident = act.new_id()
        entry = await audit.record(
            act,
            "dossier.ordered",
            "dossier",
            ident,
            region=about["region"],
            title=f"{kind} {subject} {audience}",
            reason=new.purpose,
        )
        await DB.connection.execute(
            ADD,
            ident,
            about["region"],
            about["institution"],
            new.visit,
            new.case_id,
            audience,
            new.purpose,
            new.witness,
            entry,
            act.by.id,
            act.at,
        )
        await tasks.enqueue(
            KIND,
            {"dossier": str(ident)},
            region=about["region"],
            at=act.at,
            dedupe=str(ident),
            queue=QUEUE,
        )
        return await _held(ident)


async def _held(ident: UUID) -> Dossier:
    return _of(await DB.connection.fetchrow(ONE, ident))


async def dossier(ident: UUID, *, act: Act) -> Dossier:
    """One bundle and how far it is. Raises: Absent ("thing.absent")."""
    async with DB.transaction(act.by.scope, readonly=True):
        return await _held(ident)


async def page(
    *,
    act: Act,
    visit: UUID | None = None,
    case_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[Dossier, ...]:
    """Bundles of the caller's scope, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, visit, case_id, after, limit)
    return tuple(_of(row) for row in rows)


async def cancel(ident: UUID, *, act: Act) -> Dossier:
    """End one that is being made. Raises: Absent, Over ("dossier.over")."""
    async with DB.transaction(act.by.scope):
        held = await _held(ident)
        region = await DB.connection.fetchval(END, ident, "cancelled", act.at, None)
        if region is None:
            raise Over(state=held.state)
        await audit.record(act, "dossier.cancelled", "dossier", ident, region=region)
        return await _held(ident)


async def link(ident: UUID, *, act: Act, bucket: Bucket) -> str:
    """An address for the file, good for 60 seconds; every fetch is an audit entry.

    Raises: Absent, NotThere ("dossier.not_there").
    Source: evidence spec 9, 12.7.
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(ONE, ident)
        held = _of(row)
        if held.sha256 is None or held.state != "done":
            raise NotThere(state=held.state)
        await audit.record(
            act,
            "dossier.fetched",
            "dossier",
            ident,
            region=held.region,
            after_sha256=held.sha256,
        )
    return bucket.presign_get(
        Room.EXPORTS,
        row["object_key"],
        filename=f"bundle-{ident}-{held.ordered_at:%Y%m%d}.zip",
        mime="application/zip",
        now=act.at,
    ).url
