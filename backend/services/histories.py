"""What is on record of an institution before a visit: earlier visits, findings, open orders.

It goes to the phone with the task, as it stands at that hour. Source: experience spec, phone.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB

VISITS_MOST = 5
# What has not been looked at by a person, or was found to be nothing, is no record.
DONE = ("complete", "accepted", "concluded", "concluded_with_gap", "unreachable", "refused")
HELD = ("verified", "ordered", "open", "corrected", "no_action")
RUNNING = ("issued", "served", "answered", "under_review")
PAST = """
select i.id as institution, v.code, v.on_date, v.state, v.visits,
  array(select f.title_zh from finding f where f.visit = v.id and f.state = any ($3)
    order by f.item) as titles,
  array(select f.state from finding f where f.visit = v.id and f.state = any ($3)
    order by f.item) as states
from unnest($1::uuid[]) as i (id) cross join lateral (
  select id, code, on_date, state, count(*) over () as visits from visit
  where institution = i.id and state = any ($2) order by on_date desc, id desc limit $4) v
"""
ORDERS = """
select institution, number, due_on from notice
where institution = any ($1) and kind = 'order' and state = any ($2)
order by institution, due_on, id
"""


class Held(msgspec.Struct, frozen=True):
    """A finding that a person verified, and what became of it."""

    title: str
    state: str


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier visit that is done."""

    code: str
    on_date: date
    state: str
    findings: tuple[Held, ...]


class Order(msgspec.Struct, frozen=True):
    """An order to rectify that is still open; ``due_on`` once it was served."""

    number: str
    due_on: date | None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """``visits`` is how many are done; the latest of them are ``past``, the newest first."""

    visits: int = 0
    past: tuple[Past, ...] = ()
    orders: tuple[Order, ...] = ()


NONE = History()


async def of(institutions: Iterable[UUID]) -> dict[UUID, History]:
    """What is on record of each, inside the running transaction: two questions for all."""
    ids = sorted(set(institutions))
    if not ids:
        return {}
    rows = await DB.connection.fetch(PAST, ids, DONE, HELD, VISITS_MOST)
    running = await DB.connection.fetch(ORDERS, ids, RUNNING)
    return {one: _history(one, rows, running) for one in ids}


def _history(institution: UUID, rows: list[Any], running: list[Any]) -> History:
    mine = [row for row in rows if row["institution"] == institution]
    return History(
        visits=mine[0]["visits"] if mine else 0,
        past=tuple(
            Past(
                code=row["code"],
                on_date=row["on_date"],
                state=row["state"],
                findings=tuple(map(Held, row["titles"], row["states"])),
            )
            for row in mine
        ),
        orders=tuple(
            Order(row["number"], row["due_on"])
            for row in running
            if row["institution"] == institution
        ),
    )
