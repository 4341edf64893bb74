"""The rows that desk review reads: made from what an institution filed and what directories say.

A key is unique in a list: ``<credit code>:<class or year>:<number in the filing>``. A filing may
leave out what stands before: ``12`` is row 12 of the same filing, ``C001:12`` that of another of
the same institution; only another institution's row needs all three parts. Classes and batches
are called ``<credit code>:<code>``.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import derived_rows, registers
from backend.services.act import Act
from backend.services.errors import Absent
from inspection_plans import filings
from inspection_plans.filings.words import Filed
from inspection_plans.records import plain

ROOMS = frozenset({"class_id", "batch_id"})
REFERENCES = frozenset({"trainee_id", "candidate_id", "certificate_id", "commitment_id"})
MANY = frozenset({"attended", "due", "trainees"})
OWN = "own"  # how a filing names its own institution
WHOLE = 3  # parts of a whole key
KEY_SIGNS, DIGEST_SIGNS = 80, 32
OWNER = "select id, region, credit_code, home_region, is_base from institution where id = $1"
FILED = """
select id, register, period, state, payload, submitted_at, decided_at from filing
where institution = $1 and state in ('submitted', 'accepted') order by register, period
"""
GENERAL = """
select id, register, period, state, payload, submitted_at, decided_at from filing
where institution is null and region = $1 and state in ('submitted', 'accepted')
order by register, period
"""
HELD = """
select register, key, body, filing from filed_row
where region = $1 and institution is not distinct from $2 and body is not null
"""
PUT = """
insert into filed_row (id, region, institution, filing, register, key, person, refs, body,
  changed_at)
select t.id, $1, $2, t.filing, t.register, t.key, t.person,
  array(select jsonb_array_elements_text(t.refs)), t.body, $3
from jsonb_to_recordset($4::jsonb)
  as t(id uuid, filing uuid, register text, key text, person text, refs jsonb, body jsonb)
on conflict (region, institution, register, key) do update set filing = excluded.filing,
  person = excluded.person, refs = excluded.refs, body = excluded.body,
  changed_at = excluded.changed_at
"""
TAKE = """
update filed_row r set body = null, changed_at = $3
from unnest($4::text[], $5::text[]) as t(register, key)
where r.region = $1 and r.institution is not distinct from $2 and r.register = t.register
  and r.key = t.key
"""
Place = tuple[str, str]


@dataclasses.dataclass(frozen=True)
class Held:
    """One row with the filing it comes from; None for what the directories say."""

    row: Filed
    filing: UUID | None


def whole(value: str, owner: str, period: str, *, room: bool) -> str:
    """A key with what its filing leaves out put before it.

    A longer one than a key may be is cut, and told apart by its digest.
    """
    parts = value.split(":")
    wanted = WHOLE - room
    before = [owner, period][: max(wanted - len(parts), 0)]
    key = ":".join([*before, *parts])
    if len(key) <= KEY_SIGNS:
        return key
    return (
        f"{key[: KEY_SIGNS - DIGEST_SIGNS - 1]}~{sha256(key.encode()).hexdigest()[:DIGEST_SIGNS]}"
    )


def qualified(row: Filed, owner: str, period: str) -> Filed:
    """A row of a filing with all its keys whole."""
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if value is None:
            continue
        if field.name == "institution_id" or (field.name == "payee_id" and value == OWN):
            changed[field.name] = owner
        elif field.name in ROOMS:
            changed[field.name] = whole(value, owner, period, room=True)
        elif field.name in REFERENCES:
            changed[field.name] = whole(value, owner, period, room=False)
        elif field.name in MANY:
            changed[field.name] = tuple(whole(one, owner, period, room=False) for one in value)
        elif field.name == "id":
            room = filings.registers()[type(row)] == "exam_batches"
            changed["id"] = whole(value, owner, period, room=room)
    return dataclasses.replace(row, **changed)


def references(row: Filed) -> list[str]:
    """The keys of other rows that a row names."""
    found: list[str] = []
    for field in dataclasses.fields(row):
        value = getattr(row, field.name)
        if value is not None and field.name in ROOMS | REFERENCES:
            found.append(value)
        elif value is not None and field.name in MANY:
            found += value
    return sorted(set(found))


def of_filing(filed: Mapping[str, Any], owner: str) -> Iterator[Filed]:
    """The rows that one filing lists, keys whole."""
    content = registers.read(filed["register"], filed["period"], filed["payload"])
    for rows in content.lists.values():
        for row in rows:
            yield qualified(row, owner, filed["period"])


async def _of_institution(institution_id: UUID) -> tuple[int, dict[Place, Held]]:
    owner = await DB.connection.fetchrow(OWNER, institution_id)
    if owner is None:
        raise Absent
    filed = await DB.connection.fetch(FILED, institution_id)
    found: dict[Place, Held] = {}
    for row in await derived_rows.of_directories(owner, filed):
        found[_place(row)] = Held(row, None)
    for one in filed:
        made = [*derived_rows.of_form(one, owner["credit_code"])]
        made += of_filing(one, owner["credit_code"])
        found |= {_place(row): Held(row, one["id"]) for row in made}
    return owner["region"], found


async def _of_office(region: int) -> dict[Place, Held]:
    found: dict[Place, Held] = {}
    for one in await DB.connection.fetch(GENERAL, region):
        content = registers.read(one["register"], one["period"], one["payload"])
        for rows in content.lists.values():
            found |= {_place(row): Held(row, one["id"]) for row in rows}
    return found


def _place(row: Filed) -> Place:
    return filings.registers()[type(row)], filings.key_of(row)


def _order(place: Place, held: Held, act: Act) -> dict[str, Any]:
    return {
        "id": str(act.new_id()),
        "filing": str(held.filing) if held.filing else None,
        "register": place[0],
        "key": place[1],
        "person": getattr(held.row, "person", None),
        "refs": references(held.row),
        "body": plain(held.row),
    }


async def _write(
    region: int, institution: UUID | None, wanted: Mapping[Place, Held], act: Act
) -> int:
    held = {
        (row["register"], row["key"]): (row["body"], row["filing"])
        for row in await DB.connection.fetch(HELD, region, institution)
    }
    orders = [
        _order(place, one, act)
        for place, one in wanted.items()
        if held.get(place) != (plain(one.row), one.filing)
    ]
    gone = sorted(held.keys() - wanted.keys())
    if orders:
        await DB.connection.execute(PUT, region, institution, act.at, orders)
    if gone:
        await DB.connection.execute(TAKE, region, institution, act.at, *_columns(gone))
    return len(orders) + len(gone)


def _columns(places: Iterable[Place]) -> tuple[list[str], list[str]]:
    pairs = list(places)
    return [register for register, _ in pairs], [key for _, key in pairs]


async def bring_up(institution_id: UUID, *, act: Act) -> int:
    """Make the rows of one institution what filings and directories say now; how many changed.

    Runs in the caller's transaction. Raises: Absent ("thing.absent").
    """
    region, wanted = await _of_institution(institution_id)
    return await _write(region, institution_id, wanted, act)


async def bring_up_office(region: int, *, act: Act) -> int:
    """The same for what the office of a region files about itself."""
    return await _write(region, None, await _of_office(region), act)
