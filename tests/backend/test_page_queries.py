"""Every list of the desk and the portal asks as often for a hundred rows as for one."""

from collections.abc import Iterable
from dataclasses import replace

import asyncpg
import httpx
from litestar import Litestar

from backend.pages.desk import menu
from backend.pages.portal.frame import MENU
from backend.services import cases, listings, publications
from backend.services.listings import Filters, NewExport
from backend.services.publications import Content
from inspection_plans.loader import load
from tests import casework, drawing, world
from tests.backend import sheets
from tests.backend.desk import Desk
from tests.backend.rooms import at_the_desk, queries
from tests.backend.test_tips import sent
from tests.casework import Matter
from tests.conftest import StillClock
from tests.field import a_class, enrolled

COPIES = 99
# A list of more than a page counts its rows once, in a transaction of its own.
COUNTED = 4
MOST = 60
ROLES = ("supervisor", "approver", "legal", "publisher", "sysadmin", "secadmin", "auditadmin")
# What lists are made of; each of them has a row in the world below.
TABLES = (
    "account",
    "case_file",
    "dead_letter",
    "desk_hit",
    "device",
    "device_alarm",
    "draw",
    "evidence",
    "export_order",
    "filing",
    "finding",
    "import_order",
    "inspection_item",
    "inspector",
    "institution",
    "notice",
    "op_doubt",
    "plan",
    "publication",
    "recount",
    "tip",
    "training_class",
    "visit",
)
UNIQUE = """
select a.attname as name, t.typname as type from pg_index i
join lateral (select attrelid, attname, atttypid from pg_attribute
  where attrelid = i.indrelid and attnum = any (i.indkey::int2[])
  order by array_position(i.indkey::int2[], attnum) desc limit 1) a on true
join pg_type t on t.oid = a.atttypid
where i.indrelid = $1::regclass and i.indisunique
"""
FRESH = {
    "uuid": "md5({0}::text || n)::uuid",
    "text": "({0} || '-' || n)",
    "int4": "({0} + n)",
    "int8": "({0} + n)",
    "bytea": "sha256({0} || int4send(n))",
}
# Rows that no service of this world writes: kept as what a phone or a filer left behind.
BY_HAND = (
    """insert into dead_letter (id, region, code, envelope, envelope_sha256, state, created_at)
    select gen_random_uuid(), $1, 'op.malformed', '\\x00', sha256('\\x00'), 'open', now()""",
    """insert into device_alarm (id, region, dev, kind, subject, raised_at)
    select gen_random_uuid(), $1, d.id, 'storage_wiped', 'x', now() from device d""",
    """insert into filing (id, region, institution, register, period, state, payload, rev,
      by_account, created_at, submitted_at)
    select gen_random_uuid(), $1, i.id, 'R15', 'C001', 'submitted', '{}', 1, a.id, now(), now()
    from institution i, account a limit 1""",
    """insert into desk_hit (id, region, institution, rule, judgement, row_key, about, outcome,
      verdict, severity, on_day, inputs, clauses, state, found_at, changed_at)
    select gen_random_uuid(), $1, i.id, 'DR-05', 'x', 'x', 'classes/x', 'x', 'finding', 'major',
      current_date, '{}', '{}', 'suspected', now(), now() from institution i limit 1""",
    """insert into recount (id, region, institution, visit, evidence, ordered_by, ordered_at)
    select gen_random_uuid(), $1, e.institution, e.visit, e.id, a.id, now()
    from evidence e, account a limit 1""",
    """insert into op_doubt (op_id, region, visit, dev, inspector, kind, grounds, standing,
      raised_at) select gen_random_uuid(), $1, v.id, d.id, gen_random_uuid(), 'answer.set',
      '{late}', 'waiting', now() from visit v, device d limit 1""",
    """insert into import_order (id, region, kind, file_name, sha256, size, dry_run, state,
      ordered_by, ordered_at) select gen_random_uuid(), $1, 'items', 'a.csv', 'ab', 1, true,
      'waiting', a.id, now() from account a limit 1""",
)


async def a_world(
    app: Litestar, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StillClock
) -> Matter:
    """One of everything that a list shows."""
    at = clock()
    office = await casework.an_office(at)
    matter = await casework.a_matter(owner, at, "TI_02", "TI_03", office=office)
    first, second = matter.findings
    act = office.author.act(at)
    await casework.served(replace(matter, findings=(second,)), at)
    await cases.open_critical((first.id,), reason="目录外开班", act=act)
    await casework.concluded(owner, matter.visit, at)
    content = Content(wordings=("correction_ordered",))
    await publications.prepare("result", matter.visit, content, rules=load(), act=act)
    drawn = await drawing.an_office(app, at)
    await drawing.institutions(drawn.act, range(1, 21))
    await drawing.inspectors(drawn.act, range(1, 7))
    await drawing.a_frozen_draw(drawn, await drawing.an_approved_plan(drawn))
    desk = Desk(drawn.supervisor, clock, load(), owner)
    await desk.take("institutions", sheets.an_institution())
    await a_class(desk)
    await enrolled(desk, await world.a_person(at, "inspector", region=world.SHANDONG))
    await sent(client)
    await listings.order(NewExport(list="visits", form="csv", filters=Filters()), act=act)
    for statement in BY_HAND:
        await owner.execute(statement, world.SHANDONG)
    return matter


async def multiplied(owner: asyncpg.Connection, table: str) -> None:
    """As many more rows like one of a table, past the triggers and the foreign keys."""
    fresh = {row["name"]: row["type"] for row in await owner.fetch(UNIQUE, table)}
    changes = ", ".join(
        f"'{name}', {FRESH[kind].format('t.' + name)}" for name, kind in fresh.items()
    )
    done = await owner.execute(
        f"insert into {table} overriding system value select made.* from"  # noqa: S608 - our names
        f" (select * from {table} limit 1) t, generate_series(1, {COPIES}) n,"
        f" jsonb_populate_record(null::{table}, to_jsonb(t) || jsonb_build_object({changes})) made"
    )
    assert done == f"INSERT 0 {COPIES}", table


async def asked(app: Litestar, people: Iterable[world.Login]) -> dict[str, int]:
    """How many statements each page of each person's menu sends, once it is warm."""
    found: dict[str, int] = {}
    for who in people:
        at = await at_the_desk(app, who)
        groups = MENU if who.person.institution else menu.of(who.person)
        for entry in (entry for _, entries in groups for entry in entries):
            await at.open(entry.href)
            with queries() as said:
                await at.open(entry.href)
            found[entry.href] = max(len(said), found.get(entry.href, 0))
    return found


async def test_no_list_runs_a_query_a_row(
    app: Litestar,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StillClock,
) -> None:
    matter = await a_world(app, client, owner, clock)
    all_work = await world.a_person(clock(), *ROLES[:4], region=world.SHANDONG)
    keepers = [await world.a_person(clock(), one, region=world.SHANDONG) for one in ROLES[4:]]
    people = [all_work, *keepers, matter.user]
    one = await asked(app, people)
    await owner.execute("set session_replication_role = replica")
    for table in TABLES:
        await multiplied(owner, table)
    await owner.execute("set session_replication_role = origin")
    many = await asked(app, people)
    grown = {path: (one[path], many[path]) for path in one if many[path] > one[path] + COUNTED}
    assert grown == {}
    assert max(many.values()) < MOST
