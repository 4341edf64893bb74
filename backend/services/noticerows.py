"""Notices out of their rows, many at once: lines, clocks and stops in one query each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import terms
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.records.notices import Line, Notice, Stopped
from inspection_plans import stops
from inspection_plans.stops import Ground, Interval, Whose

OVER = ("closed", "second_order", "case", "void")
SETTLED = ("accepted", "withdrawn")
# A wish for more time is no answer: it neither ends the term nor makes the paper answered.
ANSWERED = """
exists (select from reply r where r.notice = nf.notice and r.state = 'submitted'
  and r.kind <> 'extension' and (r.finding is null or r.finding = nf.finding)
  and (nf.decided_at is null or r.submitted_at > nf.decided_at))
"""
LINES = f"""
select nf.notice, nf.finding, f.item, f.title_zh, f.detail, f.severity, f.clauses,
  f.state as finding_state, nf.demand, nf.evidence_asked, nf.due_on, nf.due_basis, nf.outcome,
  nf.outcome_reason, nf.refused_count, nf.decided_by, nf.decided_at, {ANSWERED} as answered,
  (select count(*) from reply_decision d where d.notice = nf.notice and d.kind = 'extension'
    and d.granted and (d.finding is null or d.finding = nf.finding)) as extended
from notice_finding nf join finding f on f.id = nf.finding where nf.notice = any ($1)
order by nf.notice, f.item
"""  # noqa: S608 - constants of this module
STOPS = """
select notice as about, whose, ground, first_on, last_on from clock_stop
where notice = any ($1) order by first_on, id
"""
FIRST_REPLY = """
select notice, min(submitted_at) as at from reply where notice = any ($1)
  and state = 'submitted' and kind <> 'extension' group by notice
"""
Rows = Sequence[Mapping[str, Any]]


def interval(row: Mapping[str, Any]) -> Interval:
    """The rule's form of a stop's row."""
    return Interval(Whose(row["whose"]), Ground(row["ground"]), row["first_on"], row["last_on"])


async def intervals(notice_ids: Sequence[UUID]) -> dict[UUID, list[Interval]]:
    """The recorded stops of notices, oldest first, inside the caller's transaction."""
    found: dict[UUID, list[Interval]] = defaultdict(list)
    for row in await DB.connection.fetch(STOPS, list(notice_ids)):
        found[row["about"]].append(interval(row))
    return found


async def _lines(notice_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in await DB.connection.fetch(LINES, list(notice_ids)):
        found[row["notice"]].append(dict(row))
    return found


def _line(row: dict[str, Any], *, days: dict[str, int], running: bool, today: date) -> Line:
    due_on: date | None = row["due_on"]
    late = due_on is not None and due_on < today and running
    term = row["due_basis"] and msgspec.convert(row["due_basis"], terms.Term)
    full = {
        **row,
        "days": days[str(row["finding"])],
        "term": term,
        "days_left": None if due_on is None else terms.days_left(due_on, today),
        "overdue": late and not row["answered"] and row["outcome"] not in SETTLED,
    }
    return msgspec.convert({name: full[name] for name in Line.__struct_fields__}, Line)


def _stopped(known: Sequence[Interval], today: date) -> tuple[Stopped, ...]:
    standing = (stops.standing(known, whose, today=today) for whose in Whose)
    return tuple(
        Stopped(whose=one.whose, ground=one.ground, since=one.first) for one in standing if one
    )


def _review_term(
    row: Mapping[str, Any], answered_on: date | None, known: Sequence[Interval], today: date
) -> terms.Term | None:
    """The office's own term since the first answer; only its own stops count for it."""
    if answered_on is None or row["state"] in OVER:
        return None
    own = terms.term(terms.REVIEW, trigger=answered_on, region=row["region"])
    return terms.recounted(own, stops.of(known, Whose.OFFICE, until=today))


async def records(rows: Rows, *, act: Act) -> tuple[Notice, ...]:
    """Notices of rows, in their order; three queries however many there are."""
    ids, today = [row["id"] for row in rows], on_day(act.at)
    lines, known = await _lines(ids), await intervals(ids)
    first = {row["notice"]: row["at"] for row in await DB.connection.fetch(FIRST_REPLY, ids)}
    return tuple(
        _record(
            row,
            lines[row["id"]],
            known[row["id"]],
            answered_on=on_day(first[row["id"]]) if row["id"] in first else None,
            today=today,
        )
        for row in rows
    )


def _record(
    row: Mapping[str, Any],
    lines: Sequence[dict[str, Any]],
    known: Sequence[Interval],
    *,
    answered_on: date | None,
    today: date,
) -> Notice:
    body, stopped = row["body"], _stopped(known, today)
    still = any(one.whose is Whose.PARTY for one in stopped)
    running = row["state"] not in OVER and not still
    seen = tuple(_line(line, days=body["days"], running=running, today=today) for line in lines)
    full = {
        **row,
        "text": body["text"],
        "remedies": body.get("remedies", ""),
        "findings": seen,
        "term": terms.restored(row["due_basis"], "rectify"),
        "statement_term": terms.restored(row["due_basis"], "statement"),
        "review_term": _review_term(row, answered_on, known, today),
        "stopped": stopped,
        "stayed": stops.suspends(known, today=today),
        "overdue": any(line.overdue for line in seen),
    }
    return msgspec.convert({name: full[name] for name in Notice.__struct_fields__}, Notice)
