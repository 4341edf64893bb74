"""Answers on which devices disagree 答案不一致: mine, theirs or both; both unless somebody says.

No row is ever lost: a choice says whose answer counts, and ends when one of them changes.
Source: evidence spec 3 (answers).
"""

from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import answers, audit, policy, visit_reviews, visits
from backend.services.act import Act
from backend.services.answers import AnswerRecord
from backend.services.errors import Absent
from inspection_plans.library import Library

# Rows in which value, verdict or reason of the devices differ, with a choice still about them.
DISPUTED = """
select a.item, a.dev, a.inspector, a.seq, a.value, a.verdict, a.failed, a.reason, a.flags,
  a.recorded_at, c.keep, c.reason as why, c.chosen_by, c.chosen_at
from answer a left join answer_choice c on c.visit = a.visit and c.item = a.item
  and c.compared = (select jsonb_object_agg(b.dev, b.op_id) from answer b
    where b.visit = a.visit and b.item = a.item)
where a.visit = $1 and exists (select from answer b
  where b.visit = a.visit and b.item = a.item and b.dev <> a.dev and b.canon <> a.canon)
order by a.item, a.dev
"""
THERE = "select true from visit where id = $1 and sealed_until <= $2"
MINE = """
select true from visit v join assignment a on a.visit = v.id
where v.id = $1 and v.sealed_until <= $2 and a.inspector = $3 and a.state = 'active'
"""
CHOOSE = """
insert into answer_choice (visit, item, region, keep, compared, reason, chosen_by, chosen_at)
select $1, $2, $3, $4, jsonb_object_agg(b.dev, b.op_id), $5, $6, $7
from answer b where b.visit = $1 and b.item = $2 group by b.item
on conflict (visit, item) do update set keep = excluded.keep, compared = excluded.compared,
  reason = excluded.reason, chosen_by = excluded.chosen_by, chosen_at = excluded.chosen_at
returning compared
"""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said: ``keep`` is the device whose answer counts, None for both."""

    keep: UUID | None
    reason: str | None
    by: UUID
    at: datetime


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One item with what each device says, and the choice if one stands; else both count."""

    item: str
    answers: tuple[AnswerRecord, ...]
    choice: Choice | None


async def of_visit(visit_id: UUID, *, act: Act) -> tuple[Disagreement, ...]:
    """What the devices of a visit disagree on, by item; raises Absent.

    An inspector is shown it of visits in the own hands.
    """
    async with DB.transaction(act.by.scope, readonly=True):
        await _reach(visit_id, act)
        rows = await DB.connection.fetch(DISPUTED, visit_id)
    return tuple(
        _disagreement(item, list(group)) for item, group in groupby(rows, lambda row: row["item"])
    )


async def _reach(visit_id: UUID, act: Act) -> None:
    if policy.allowed("visits.read", act.by.roles, signed_in=True):
        found = await DB.connection.fetchval(THERE, visit_id, act.at)
    else:
        found = await DB.connection.fetchval(MINE, visit_id, act.at, act.by.inspector)
    if not found:
        raise Absent


def _disagreement(item: str, rows: list[Any]) -> Disagreement:
    first = rows[0]
    choice = None
    if first["chosen_at"] is not None:
        choice = Choice(
            keep=first["keep"], reason=first["why"], by=first["chosen_by"], at=first["chosen_at"]
        )
    return Disagreement(item=item, answers=tuple(map(answers.record_of, rows)), choice=choice)


async def choose(
    visit_id: UUID, item: str, keep: UUID | None, reason: str, *, act: Act, rules: Library
) -> None:
    """Say which device's answer to an item counts, or None for both; a later choice replaces it.

    The visit's own inspectors choose until the record is signed, a supervisor too.
    Raises: Absent, RecordClosed ("answer.record_closed").
    Source: evidence spec 3 (answers), experience acceptance 9.
    """
    async with DB.transaction(act.by.scope):
        if not policy.allowed("visits.review", act.by.roles, signed_in=True):
            await _reach(visit_id, act)
        row = await visit_reviews.lock(visit_id)
        if row["state"] in answers.CLOSED:
            raise answers.RecordClosed(field="visit", state=row["state"])
        compared = await DB.connection.fetchval(
            CHOOSE, visit_id, item, row["region"], keep, reason or None, act.by.id, act.at
        )
        if compared is None:
            raise Absent(field="item")
        if keep is not None and str(keep) not in compared:
            raise Absent(field="keep")
        await audit.record(
            act,
            "answer.chosen",
            "visit",
            visit_id,
            region=row["region"],
            title=f"{row['code']} {item}",
            reason=reason or ("both" if keep is None else str(keep)),
        )
        if row["state"] == "submitted":
            await visits.complete_if_ready(visit_id, act=act, rules=rules)
