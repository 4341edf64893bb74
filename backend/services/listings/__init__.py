"""Exports of lists: ordered, written in the background, found again, cancelled, deleted in time.

A file shows what its orderer may see: the rows are read in that person's own scope. ``running``
writes it. Source: casework, exports; settled 18.
"""

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import yaml

from backend.db.queries.listings import LISTINGS, columns
from backend.piccolo_conf import DB
from backend.services import audit, policy, tasks
from backend.services.act import Act, Person
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans.errors import Family
from media.bucket import Bucket
from media.rooms import Room

KIND = "listing.write"
QUEUE = "listing"
HOURLY = 30
KEPT = timedelta(days=7)
FILE = Path(__file__).parents[2] / "texts" / "listings.yaml"
Form = Literal["xlsx", "csv", "json", "geojson"]
FORMS: tuple[Form, ...] = ("xlsx", "csv", "json", "geojson")
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
MIMES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
    "geojson": "application/geo+json",
}
COLUMNS = """id, list, form, filters, progress, done_rows, sha256, size, fault, ordered_at,
  ended_at, expires_at, deleted_at"""
ONE = f"""
select {COLUMNS}, region, object_key from export_order where id = $1 and ordered_by = $2
"""  # noqa: S608 - constants
PAGE = f"""
select {COLUMNS} from export_order where ordered_by = $1 and ($2::uuid is null or id < $2)
order by id desc limit $3
"""  # noqa: S608 - constants
ADD = """
insert into export_order (id, region, institution, list, form, filters, progress, done_rows,
  ordered_by, ordered_at, expires_at) values ($1, $2, $3, $4, $5, $6, 'running', 0, $7, $8, $9)
"""
RECENT = "select count(*) from export_order where ordered_by = $1 and ordered_at > $2"
THERE = "select $1::uuid is null or exists (select from institution where id = $1)"
END = """
update export_order set progress = $2, ended_at = $3, fault = $4
where id = $1 and progress = 'running' returning region
"""


class ListUnknown(ServiceRefusal):
    """No such list."""

    code = "listing.unknown"


class FilterUnknown(ServiceRefusal):
    """This list cannot be narrowed by that."""

    code = "listing.filter_unknown"


class TooOften(ServiceRefusal):
    """Thirty exports an hour is what one person may order."""

    code = "listing.hourly"
    family = Family.LIMIT


class NotThere(ServiceRefusal):
    """The file is not finished, or it was deleted when its time had come."""

    code = "listing.not_there"
    family = Family.CONFLICT


class Over(ServiceRefusal):
    """The export has ended; there is nothing to cancel."""

    code = "listing.over"
    family = Family.CONFLICT


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list as people know it, and the action that shows it."""

    zh: str
    en: str
    action: str


class _Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lists: dict[str, Described]
    columns: dict[str, dict[str, str]]


class Filters(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What narrows a list: a region and all below, an institution, a span of days, and the rest.

    ``kind`` is a kind, a register or a rule, as the list has it; ``search`` a part of a name or
    number.
    """

    region: int | None = None
    institution: UUID | None = None
    state: Word | None = None
    kind: Word | None = None
    severity: Word | None = None
    year: Annotated[int, msgspec.Meta(ge=1900, le=2999)] | None = None
    search: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    since: date | None = None
    until: date | None = None


class NewExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for."""

    list: str
    form: Form
    filters: Filters = Filters()


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One export and how far it is; the file is there while ``deleted_at`` is not set."""

    id: UUID
    list: str
    form: Form
    filters: dict[str, Any]
    progress: Literal["running", "done", "cancelled", "failed"]
    done_rows: int
    sha256: str | None
    size: int | None
    fault: str | None
    ordered_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    deleted_at: datetime | None


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A list the caller may export, in which forms, narrowed by what."""

    name: str
    zh: str
    en: str
    forms: tuple[Form, ...]
    filters: tuple[str, ...]


@cache
def texts() -> _Texts:
    """Names and heads, read once per process; a list or column without words is a fault."""
    found = msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), _Texts)
    keys = {key for name in LISTINGS for key, _ in columns(name, places=True)}
    if gaps := sorted(keys - found.columns.keys()) + sorted(LISTINGS.keys() ^ found.lists.keys()):
        raise ValueError(f"{FILE.name}: not worded: {gaps}")
    return found


def narrowing(name: str) -> tuple[str, ...]:
    """The fields of ``Filters`` that narrow this list."""
    named = LISTINGS[name].filters
    spans = {"since": "day", "until": "day"}
    return tuple(one for one in Filters.__struct_fields__ if spans.get(one, one) in named)


def names(person: Person) -> tuple[str, ...]:
    """The lists that this person may export."""
    return tuple(
        name
        for name, described in texts().lists.items()
        if policy.allowed(described.action, person.roles, signed_in=True)
    )


def offered(person: Person) -> tuple[Offered, ...]:
    """What this person may export, in which forms, narrowed by what."""
    lists = texts().lists
    return tuple(
        Offered(
            name=name,
            zh=lists[name].zh,
            en=lists[name].en,
            forms=FORMS,
            filters=narrowing(name),
        )
        for name in names(person)
    )


def _of(row: Any) -> Export:  # noqa: ANN401 - a driver's row or None
    if row is None:
        raise Absent
    return msgspec.convert({name: row[name] for name in Export.__struct_fields__}, Export)


def _checked(new: NewExport, person: Person) -> dict[str, Any]:
    """The filters that were given. Raises: ListUnknown, Denied, FilterUnknown."""
    if new.list not in LISTINGS:
        raise ListUnknown(field="list", known=sorted(LISTINGS))
    policy.require(person, texts().lists[new.list].action)
    given: dict[str, Any] = msgspec.to_builtins(new.filters)
    if unknown := sorted(given.keys() - set(narrowing(new.list))):
        raise FilterUnknown(field="filters", unknown=unknown)
    return given


async def order(new: NewExport, *, act: Act) -> Export:
    """Order an export of a list; every order is an entry of the audit log.

    Raises: ListUnknown, FilterUnknown, Denied, Absent for an institution that is not there,
    TooOften ("listing.hourly").
    """
    given = _checked(new, act.by)
    async with DB.transaction(act.by.scope):
        if not await DB.connection.fetchval(THERE, new.filters.institution):
            raise Absent
        await DB.connection.execute("select pg_advisory_xact_lock(hashtext($1))", str(act.by.id))
        since = act.at - timedelta(hours=1)
        if await DB.connection.fetchval(RECENT, act.by.id, since) >= HOURLY:
            raise TooOften(most=HOURLY)
        ident, until = act.new_id(), act.at + KEPT
        who = (act.by.region, act.by.institution)
        what = (new.list, new.form, given, act.by.id, act.at, until)
        await DB.connection.execute(ADD, ident, *who, *what)
        await audit.record(
            act,
            "listing.ordered",
            "export_order",
            ident,
            region=act.by.region,
            title=f"{new.list} {new.form}",
        )
        await tasks.enqueue(
            KIND,
            {"export": str(ident)},
            region=act.by.region,
            at=act.at,
            dedupe=str(ident),
            queue=QUEUE,
        )
        return _of(await DB.connection.fetchrow(ONE, ident, act.by.id))


async def get(ident: UUID, *, act: Act) -> Export:
    """One of the caller's exports. Raises: Absent, also for another person's."""
    async with DB.transaction(act.by.scope, readonly=True):
        return _of(await DB.connection.fetchrow(ONE, ident, act.by.id))


async def page(*, act: Act, after: UUID | None = None, limit: int = 50) -> tuple[Export, ...]:
    """The caller's exports, the newest first."""
    async with DB.transaction(act.by.scope, readonly=True):
        rows = await DB.connection.fetch(PAGE, act.by.id, after, limit)
    return tuple(_of(row) for row in rows)


async def cancel(ident: UUID, *, act: Act) -> Export:
    """End one that is being written. Raises: Absent, Over ("listing.over")."""
    async with DB.transaction(act.by.scope):
        held = _of(await DB.connection.fetchrow(ONE, ident, act.by.id))
        region = await DB.connection.fetchval(END, ident, "cancelled", act.at, None)
        if region is None:
            raise Over(progress=held.progress)
        await audit.record(act, "listing.cancelled", "export_order", ident, region=region)
        return _of(await DB.connection.fetchrow(ONE, ident, act.by.id))


async def link(ident: UUID, *, act: Act, bucket: Bucket) -> str:
    """An address for the file, good for 60 seconds; every fetch is an audit entry.

    Raises: Absent, NotThere ("listing.not_there").
    """
    async with DB.transaction(act.by.scope):
        row = await DB.connection.fetchrow(ONE, ident, act.by.id)
        held = _of(row)
        if held.sha256 is None or held.deleted_at is not None:
            raise NotThere(progress=held.progress)
        await audit.record(
            act,
            "listing.fetched",
            "export_order",
            ident,
            region=row["region"],
            after_sha256=held.sha256,
        )
    return bucket.presign_get(
        Room.EXPORTS,
        row["object_key"],
        filename=f"{held.list}-{held.ordered_at:%Y%m%d-%H%M%S}.{held.form}",
        mime=MIMES[held.form],
        now=act.at,
    ).url
