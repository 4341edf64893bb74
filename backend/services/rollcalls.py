"""点名: who was called against the filed roster, and what a partial call proves, exactly."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby
from uuid import UUID

import msgspec

from backend.piccolo_conf import DB
from backend.services import visit_events
from backend.services.bodies import RollcallRecord
from backend.services.deeds import Deed, Effect
from backend.services.errors import Absent, ServiceRefusal
from inspection_plans import attendance
from media import canon

ROSTERS = """
select training_class, institution, id, roster_no, name, id_tail from trainee
where training_class = any ($1) order by training_class, institution, roster_no
"""
RECORD = """
with made as (
  insert into rollcall (id, region, institution, visit, training_class, dev, op_id, roster_sha256,
    roster_count, called_count, present_count, absent_count, stranger_count, head_count,
    at_least_absent, statement, taken_at)
  values ($1, $2, $3, $4, $5, $6, $1, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16))
insert into rollcall_mark (rollcall, trainee, region, state)
select $1, t.trainee, $2, m.state from unnest($17::uuid[]) with ordinality as t (trainee, n)
join unnest($18::text[]) with ordinality as m (state, n) using (n)
"""


class NotOnRoster(ServiceRefusal):
    """A name that was called is not on the class's filed roster."""

    code = "rollcall.not_on_roster"


class CalledTwice(ServiceRefusal):
    """One roll-call has two marks for one name."""

    code = "rollcall.called_twice"


class OtherClass(ServiceRefusal):
    """The roll was called of another class than the one this visit is about."""

    code = "rollcall.other_class"


class Name(msgspec.Struct, frozen=True):
    """One line of a roster: enough to catch a substitute, no identity number."""

    id: UUID
    roster_no: int
    name: str
    id_tail: str


class Roster(msgspec.Struct, frozen=True):
    """学员名册 as filed now, under the digest a roll-call names."""

    sha256: str
    trainees: tuple[Name, ...]


async def roster_of(training_class: UUID, institution: UUID) -> Roster:
    """The filed roster with its digest, inside the caller's transaction."""
    found = await rosters_of([training_class])
    return found.get((training_class, institution)) or EMPTY


async def rosters_of(training_classes: Sequence[UUID]) -> dict[tuple[UUID, UUID], Roster]:
    """Filed rosters by class and institution, inside the caller's transaction."""
    rows = await DB.connection.fetch(ROSTERS, training_classes)
    return {
        key: _roster(tuple(Name(*row[2:]) for row in group))
        for key, group in groupby(rows, lambda row: (row[0], row[1]))
    }


class _Lines(msgspec.Struct, frozen=True):
    roster: tuple[tuple[str, int, str, str], ...]


def _roster(trainees: tuple[Name, ...]) -> Roster:
    lines = tuple((str(one.id), one.roster_no, one.name, one.id_tail) for one in trainees)
    return Roster(sha256(canon.spell(_Lines(lines))).hexdigest(), trainees)


EMPTY = _roster(())


async def record(deed: Deed, body: RollcallRecord) -> Effect:
    """Keep a roll-call with its exact statement: the fewest absentees it leaves possible.

    Late counts as present, excused as absent. A roster that changed since is a flag.
    Raises: OtherClass, NotOnRoster, CalledTwice ("rollcall.…"), CountsDisagree.
    Source: national-2021-71/6.2/evaluation-mechanism (培训出勤率).
    """
    site, training_class = deed.site, UUID(body.training_class)
    if site.training_class not in (None, training_class):
        raise OtherClass(field="training_class")
    roster = await roster_of(training_class, site.institution)
    if not roster.trainees:
        raise Absent(field="training_class")
    called = [UUID(mark.trainee) for mark in body.marks]
    if len(set(called)) != len(called):
        raise CalledTwice(field="marks")
    if unknown := set(called) - {one.id for one in roster.trainees}:
        raise NotOnRoster(field="marks", trainees=sorted(map(str, unknown)))
    absent = sum(mark.state in ("absent", "excused") for mark in body.marks)
    least = attendance.at_least_absent(len(roster.trainees), len(called), absent)
    statement = {
        "roster": len(roster.trainees),
        "called": len(called),
        "absent": absent,
        "at_least_absent": least,
        "full": len(called) == len(roster.trainees),
    }
    flags = ("roster_changed",) if roster.sha256 != body.roster else ()
    await visit_events.keep(deed, *flags)
    await DB.connection.execute(
        RECORD,
        deed.op_id,
        site.region,
        site.institution,
        site.id,
        training_class,
        deed.dev,
        body.roster,
        len(roster.trainees),
        len(called),
        len(called) - absent,
        absent,
        body.strangers,
        body.heads,
        least,
        statement,
        deed.act.at,
        called,
        [mark.state for mark in body.marks],
    )
    return Effect(object_type="rollcall", object_id=deed.op_id, flags=flags, data=statement)
