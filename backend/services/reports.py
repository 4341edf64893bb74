"""Reports 统计报表: three indicators, coverage, results; every share comes with its two numbers.

Like statistics they count rows, in one moment and in the caller's scope. Visits that were not
drawn at random stand apart: only random ones say something about everybody.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from backend.piccolo_conf import DB
from backend.services.act import Act

# A visit that took place, whatever its record came to.
DONE = "('submitted', 'complete', 'accepted', 'returned', 'concluded', 'concluded_with_gap')"
FILED = """
with filed as (
  select f.register, f.payload, i.home_region as place from filing f
  join institution i on i.id = f.institution
  where f.state in ('submitted', 'accepted') and f.submitted_at >= $1::date
    and f.submitted_at < $2::date + 1)
select place,
  sum((l ->> 'present')::bigint) filter (where register = 'R13') as attended,
  sum((l ->> 'enrolled')::bigint) filter (where register = 'R13') as due,
  0::bigint as passed, 0::bigint as sat
from filed, jsonb_array_elements(payload -> 'lessons') l where register = 'R13' group by place
union all
select place, 0, 0, sum((payload ->> 'passed')::bigint), sum((payload ->> 'candidates')::bigint)
from filed where register = 'R19' group by place
"""
# Each person once, and only in classes whose number of trained persons is filed, too.
EMPLOYED = """
with filed as (select f.institution, f.register, f.period, f.payload from filing f
  where f.register in ('R15', 'R33') and f.state in ('submitted', 'accepted')
    and f.submitted_at >= $1::date and f.submitted_at < $2::date + 1),
working as (select institution, period, count(distinct e ->> 'trainee_id') as persons
  from filed, jsonb_array_elements(payload -> 'lists' -> 'employments') e
  where register = 'R33' group by 1, 2)
select i.home_region as place, sum(w.persons)::bigint as part,
  sum((c.payload ->> 'trained')::bigint)::bigint as whole
from working w join filed c on c.institution = w.institution and c.period = w.period
  and c.register = 'R15' join institution i on i.id = w.institution
group by 1 order by 1
"""
COVERAGE = f"""
select i.home_region as place, i.risk_class, count(*) as listed,
  count(*) filter (where v.n > 0) as seen, coalesce(sum(v.n), 0)::bigint as visits,
  coalesce(sum(v.random), 0)::bigint as random
from institution i left join lateral (
  select count(*) as n, count(*) filter (where selection = 'random') as random from visit
  where institution = i.id and on_date between $1 and $2 and state in {DONE}) v on true
where i.status = 'active' group by 1, 2 order by 1, 2
"""  # noqa: S608 - our own constant
SELECTION = f"""
select v.selection, count(*) as visits, count(*) filter (where exists (
  select from finding f where f.visit = v.id and f.state not in ('suspected', 'dismissed')))
  as with_findings
from visit v where v.on_date between $1 and $2 and v.state in {DONE} group by 1 order by 1
"""  # noqa: S608 - our own constant
MONTHS = f"""
select to_char(v.on_date, 'YYYY-MM') as month, count(*) as visits,
  count(*) filter (where f.n > 0) as with_findings, coalesce(sum(f.n), 0)::bigint as findings
from visit v left join lateral (select count(*) as n from finding
  where visit = v.id and state not in ('suspected', 'dismissed')) f on true
where v.on_date between $1 and $2 and v.state in {DONE} group by 1 order by 1
"""  # noqa: S608 - our own constant
CITIES = f"""
select i.home_region as place, count(*) as visits,
  count(*) filter (where f.n > 0) as with_findings, coalesce(sum(f.n), 0)::bigint as findings
from visit v join institution i on i.id = v.institution
left join lateral (select count(*) as n from finding
  where visit = v.id and state not in ('suspected', 'dismissed')) f on true
where v.on_date between $1 and $2 and v.state in {DONE} group by 1 order by 1
"""  # noqa: S608 - our own constant
CLAUSES = """
select c.clause, count(*) as findings,
  count(*) filter (where f.state = 'suspected') as suspected,
  count(*) filter (where f.state = 'dismissed') as dismissed,
  count(*) filter (where f.severity = 'critical') as critical,
  count(distinct f.institution) as institutions
from finding f cross join lateral unnest(f.clauses) as c (clause)
where f.created_at >= $1::date and f.created_at < $2::date + 1
group by 1 order by 2 desc, 1 limit 200
"""


class Pair(msgspec.Struct, frozen=True):
    """A share by its two counts; ``whole`` zero means nothing was filed."""

    part: int
    whole: int


class Indicators(msgspec.Struct, frozen=True):
    """The three indicators by the home region of the institutions that filed."""

    attendance: dict[int, Pair]
    passes: dict[int, Pair]
    employment: dict[int, Pair]

    @property
    def attended(self) -> Pair:
        """培训出勤率 of all regions together: person-lessons attended of those due."""
        return _sum(self.attendance)

    @property
    def passed(self) -> Pair:
        """考核通过率 of all regions together: persons who passed both of those who sat."""
        return _sum(self.passes)

    @property
    def employed(self) -> Pair:
        """就业创业成功率 of all regions together: persons in work of those trained."""
        return _sum(self.employment)


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """Active institutions of one region and risk class, and how many were visited."""

    place: int
    risk_class: str
    listed: int
    seen: int
    visits: int
    random: int


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Visits under one heading, those with a verified finding, and the findings."""

    heading: str
    visits: int
    with_findings: int
    findings: int = 0


class OfClause(msgspec.Struct, frozen=True, kw_only=True):
    """Findings that cite one clause; one finding may cite several."""

    clause: str
    findings: int
    suspected: int
    dismissed: int
    critical: int
    institutions: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything from ``since`` to ``until``, both days included."""

    since: date
    until: date
    indicators: Indicators
    coverage: tuple[Covered, ...]
    selections: tuple[Results, ...]
    months: tuple[Results, ...]
    cities: tuple[Results, ...]
    clauses: tuple[OfClause, ...]


def _sum(pairs: Mapping[int, Pair]) -> Pair:
    return Pair(sum(one.part for one in pairs.values()), sum(one.whole for one in pairs.values()))


def _indicators(rows: list[Any], employed: list[Any]) -> Indicators:
    """The union's rows: those of attendance have no ``sat``, those of examinations no ``due``."""
    return Indicators(
        {row["place"]: Pair(int(row["attended"]), int(row["due"])) for row in rows if row["due"]},
        {row["place"]: Pair(int(row["passed"]), int(row["sat"])) for row in rows if row["sat"]},
        {row["place"]: Pair(min(row["part"], row["whole"]), row["whole"]) for row in employed},
    )


def _results(rows: list[Any], heading: str) -> tuple[Results, ...]:
    return tuple(
        Results(
            heading=str(row[heading]),
            visits=row["visits"],
            with_findings=row["with_findings"],
            findings=row.get("findings", 0),
        )
        for row in rows
    )


async def report(since: date, until: date, *, act: Act) -> Report:
    """The report of a span, one consistent moment.

    Source: national-2021-71/6.2/evaluation-mechanism (the three indicators), design step 10.
    """
    scope = act.by.scope
    async with DB.transaction(scope, isolation="repeatable_read", readonly=True):
        found = {
            name: await DB.connection.fetch(query, since, until)
            for name, query in (
                ("filed", FILED),
                ("employed", EMPLOYED),
                ("coverage", COVERAGE),
                ("selection", SELECTION),
                ("month", MONTHS),
                ("place", CITIES),
                ("clause", CLAUSES),
            )
        }
    return Report(
        since=since,
        until=until,
        indicators=_indicators(found["filed"], found["employed"]),
        coverage=tuple(Covered(**dict(row)) for row in found["coverage"]),
        selections=_results(found["selection"], "selection"),
        months=_results(found["month"], "month"),
        cities=_results(found["place"], "place"),
        clauses=tuple(OfClause(**dict(row)) for row in found["clause"]),
    )
