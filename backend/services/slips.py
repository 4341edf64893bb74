"""One-time slips 一次性问卷条: trainees answer on their own phones, nobody can tell who.

What is kept of an answer is that it was counted: the slip is spent, the counts of its choices go
up by one. No row says which slip, when, or from where.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from backend.db.engine import Scope
from backend.piccolo_conf import DB
from backend.services import audit, visit_events
from backend.services.act import Act, system
from backend.services.bodies import SlipIssue
from backend.services.deeds import Deed, Effect
from backend.services.errors import Absent, ServiceRefusal
from backend.services.policy import OFFICE
from backend.services.questions import questions
from inspection_plans import policy
from inspection_plans.errors import Family

FORM = re.compile(r"[A-Za-z0-9_-]{22}")
ISSUE = """
insert into slip (id, region, visit, code_sha256, until, spent)
select t.id, $3, $4, t.code, $5, false from unnest($1::uuid[], $2::text[]) as t (id, code)
on conflict do nothing
"""
SHOW = "select set_config('app.slip', $1, true)"
FIND = """
select s.region, s.visit, s.until, s.spent, v.jurisdiction, i.name as institution
from slip s join visit v on v.id = s.visit join institution i on i.id = v.institution
where s.code_sha256 = $1
"""
REGION = "select region from slip where code_sha256 = $1"
SPEND = """
update slip set spent = true where code_sha256 = $1 and not spent and until >= $2
returning region, visit
"""
COUNT = """
insert into slip_count (visit, region, question, option, persons)
select $1, $2, t.question, t.option, 1 from unnest($3::text[], $4::text[]) as t (question, option)
on conflict (visit, question, option) do update set persons = slip_count.persons + 1
"""
SITE = """
select v.jurisdiction, count(s.id) as issued, count(s.id) filter (where s.spent) as answered
from visit v left join slip s on s.visit = v.id where v.id = $1 and ($2::uuid is null or exists (
  select from assignment a where a.visit = v.id and a.inspector = $2 and a.state = 'active'))
group by v.id
"""
COUNTS = "select question, option, persons from slip_count where visit = $1 order by 1, 2"


class SlipSpent(ServiceRefusal):
    """The slip was answered before; the first answer counts."""

    code = "slip.spent"
    family = Family.CONFLICT


class SlipOver(ServiceRefusal):
    """The days during which the slip could be answered are over."""

    code = "slip.over"
    family = Family.CONFLICT


class SlipAnswer(ServiceRefusal):
    """An answer names what the questionnaire does not have, or nothing at all."""

    code = "slip.answer_unknown"


class Slip(msgspec.Struct, frozen=True):
    """A slip that may be answered now: of which institution."""

    institution: str


class SlipCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many answered; ``counts`` by question and choice, none while there are too few."""

    issued: int
    answered: int
    shown_from: int
    counts: dict[str, dict[str, int]]


def digest(code: str) -> str:
    """What is kept of a slip's code: SHA-256 as 64 hex digits."""
    return sha256(code.encode()).hexdigest()


async def issue(deed: Deed, body: SlipIssue) -> Effect:
    """Hand out slips; only digests of their codes are known here.

    Source: policy "slip_days".
    """
    site = deed.site
    days = policy.number("slip_days", site.jurisdiction)
    await visit_events.keep(deed)
    await DB.connection.execute(
        ISSUE,
        [UUID(one.id) for one in body.slips],
        [one.code_sha256 for one in body.slips],
        site.region,
        site.id,
        deed.act.at + timedelta(days=days),
    )
    return Effect(object_id=site.id, data={"slips": len(body.slips)})


async def _region(code: str) -> int:
    """Whose slip this is; raises Absent for a code that was never handed out."""
    if not FORM.fullmatch(code):
        raise Absent
    async with DB.transaction(Scope(), readonly=True):
        await DB.connection.execute(SHOW, digest(code))
        region: int | None = await DB.connection.fetchval(REGION, digest(code))
    if region is None:
        raise Absent
    return region


async def look(code: str, *, at: datetime) -> Slip:
    """The slip of a code; looking does not spend it.

    Raises: Absent, SlipSpent ("slip.spent"), SlipOver ("slip.over").
    """
    region = await _region(code)
    async with DB.transaction(Scope(regions=(region,)), readonly=True):
        row = await DB.connection.fetchrow(FIND, digest(code))
    if row["spent"]:
        raise SlipSpent
    if row["until"] < at:
        raise SlipOver(until=row["until"].isoformat())
    return Slip(row["institution"])


async def answer(
    code: str, chosen: Mapping[str, str], *, at: datetime, new_id: Callable[[], UUID]
) -> None:
    """Count the choices by question, once a slip; questions may be left out, not all of them.

    Raises: SlipAnswer ("slip.answer_unknown"), Absent, SlipSpent, SlipOver ("slip.…").
    """
    known = {one.code: {option.code for option in one.options} for one in questions().anonymous}
    if not chosen or any(option not in known.get(name, ()) for name, option in chosen.items()):
        raise SlipAnswer(field="answers")
    region = await _region(code)
    act = Act(by=system((region,), region), at=at, new_id=new_id)
    async with DB.transaction(Scope(regions=(region,))):
        row = await DB.connection.fetchrow(SPEND, digest(code), at)
        if row is not None:
            names = sorted(chosen)
            picked = [chosen[name] for name in names]
            await DB.connection.execute(COUNT, row["visit"], region, names, picked)
            await audit.record(act, "slip.answered", "visit", row["visit"], region=region)
    if row is None:
        await look(code, at=at)
        raise SlipSpent


async def counts(visit: UUID, *, act: Act) -> SlipCounts:
    """How many slips of a visit were answered; what they say only from enough answers on.

    An inspector without an office's role sees the visits of their own team.
    Raises: Absent.
    Source: policy "slip_counts_from".
    """
    alone = None if act.by.roles & OFFICE else act.by.inspector or act.by.id
    async with DB.transaction(act.by.scope, readonly=True):
        row = await DB.connection.fetchrow(SITE, visit, alone)
        if row is None:
            raise Absent(field="visit")
        found = await DB.connection.fetch(COUNTS, visit)
    least = policy.number("slip_counts_from", row["jurisdiction"])
    told: dict[str, dict[str, int]] = {}
    if row["answered"] >= least:
        for one in found:
            told.setdefault(one["question"], {})[one["option"]] = one["persons"]
    return SlipCounts(
        issued=row["issued"], answered=row["answered"], shown_from=least, counts=told
    )
