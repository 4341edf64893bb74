"""What documents about a visit say: approval, notice, record, lists, interviews."""

from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import sheet_versions
from backend.services.act import Act
from backend.services.documents.common import (
    Gathered,
    cited,
    finding,
    office_of,
    party,
    photos,
    stamp,
    word,
)
from backend.services.errors import Absent
from inspection_plans import policy

VISIT = """
select v.*, n.number as origin, p.title as plan_title from visit v
left join notice n on n.id = v.origin_notice left join plan p on p.id = v.plan
where v.id = $1 and v.sealed_until <= $2
"""
TEAM = """
select i.name, i.licence_no as licence, i.licence_until::text from assignment a
join inspector i on i.id = a.inspector
where a.visit = $1 and a.ended_at is null order by a.lead desc, a.place
"""
RECUSED = "select count(*) from assignment where visit = $1 and state = 'recused'"
EVENTS = """
select v.op_id, v.kind, v.body, v.recorded_at, i.name from visit_event v
left join inspector i on i.id = v.inspector
where v.visit = $1 and v.kind = any ($2) order by v.recorded_at, v.op_id
"""
EVENT = "select visit, kind, body, recorded_at from visit_event where op_id = $1"
COUNTS = "select verdict, count(distinct item) as n from answer where visit = $1 group by verdict"
FINDINGS = """
select item, title_zh, detail, severity, clauses from finding
where visit = $1 and ($2 and state not in ('suspected', 'dismissed') or not $2
  and state <> 'dismissed') order by item
"""
ROLLCALLS = """
select r.*, c.title, c.level from rollcall r join training_class c on c.id = r.training_class
where r.visit = $1 order by r.taken_at
"""
MARKS = """
select t.roster_no, t.name, m.state from rollcall_mark m join trainee t on t.id = m.trainee
where m.rollcall = $1 order by t.roster_no
"""
PIECES = """
select item, mime, sha256, size, captured_at from evidence
where visit = $1 and state in ('verified', 'sealed') order by captured_at, id
"""
RECHECKED = """
select f.item, f.title_zh, nf.outcome, nf.outcome_reason from visit v
join notice_finding nf on nf.notice = v.origin_notice join finding f on f.id = nf.finding
where v.id = $1 order by f.item
"""
SIGNED = frozenset({"inspector", "party", "refusal", "witness"})


async def gather(kind: str, visit: UUID, *, act: Act) -> Gathered:
    """The facts of a document about a visit. Raises: Absent, also while it is sealed."""
    row = await DB.connection.fetchrow(VISIT, visit, act.at)
    if row is None:
        raise Absent
    facts = await _base(row)
    more = MORE.get(kind)
    if more is not None:
        facts |= await more(row)
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=await office_of(row["region"], act=act),
        facts=facts,
    )


async def _base(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    sheet = await sheet_versions.of(row["sheet_digest"])
    team = await DB.connection.fetch(TEAM, row["id"])
    return {
        "party": await party(row["institution"]),
        "visit": {
            "code": row["code"],
            "on_date": row["on_date"].isoformat(),
            "sheet_title": sheet.zh,
            "source_words": word("selection", row["selection"]),
            "chance": row["chance"],
            "unannounced": row["unannounced"],
            "started_at": stamp(row["started_at"]),
            "submitted_at": stamp(row["submitted_at"]),
            "plan": row["plan_title"],
        },
        "law": _law(sheet),
        "team": [dict(person) for person in team],
        "terms": {"statement": policy.number("days_to_state_case", row["jurisdiction"])},
    }


def _law(sheet: Any) -> list[str]:  # noqa: ANN401 - a sheet of the rules
    """The papers that the sheet's items rest on, each once, by their numbers."""
    ids = [clause for item in sheet.items for clause in item.clauses]
    return sorted({one["cite"].split(" ", 1)[0] for one in cited(ids) if one["pack"]})


async def _approval(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    recused = await DB.connection.fetchval(RECUSED, row["id"])
    return {"recused": recused, "opinion": row["plan_title"] or ""}


async def _record(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    kinds = ["certificate.shown", "party.statement", "signature.record"]
    events = await DB.connection.fetch(EVENTS, row["id"], kinds)
    by_kind: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for event in events:
        by_kind[event["kind"]].append(event)
    counts = {one["verdict"]: one["n"] for one in await DB.connection.fetch(COUNTS, row["id"])}
    names = ("pass", "fail", "not_applicable", "could_not_check")
    pieces = await DB.connection.fetch(PIECES, row["id"])
    return {
        "shown": [
            {"at": stamp(event["recorded_at"]), "words": event["body"]["to"]}
            for event in by_kind["certificate.shown"]
        ],
        "counts": {name: counts.get(name, 0) for name in names} | {"total": sum(counts.values())},
        "findings": await _findings(row["id"], verified=False),
        "rollcalls": await _rollcalls(row["id"], marks=False),
        "statements": [
            {"role": event["body"]["role"], "text": event["body"]["text"]}
            for event in by_kind["party.statement"]
        ],
        "evidence": {"count": len(pieces)},
        **_signatures(by_kind["signature.record"]),
        "photos": await photos(row["id"]),
    }


def _signatures(events: list[Any]) -> dict[str, Any]:
    """Who signed over which record; the party's refusal with witness, reason and time."""
    refused = [event for event in events if event["body"]["role"] == "refusal"]
    refusal = None
    if refused:
        body = refused[-1]["body"]
        refusal = {
            "at": stamp(refused[-1]["recorded_at"]),
            "reason": body.get("reason", ""),
            "witness": body.get("witness"),
            "recorded": bool(body.get("evidence")),
        }
    signed = [
        {
            "role_words": word("role", event["body"]["role"]),
            "name": event["body"].get("name") or event["name"] or "",
            "at": stamp(event["recorded_at"]),
            "over": event["body"]["over"],
        }
        for event in events
        if event["body"]["role"] in SIGNED
    ]
    return {"refusal": refusal, "signatures": signed}


async def _findings(visit: UUID, *, verified: bool) -> list[dict[str, Any]]:
    return [finding(row) for row in await DB.connection.fetch(FINDINGS, visit, verified)]


async def _rollcalls(visit: UUID, *, marks: bool) -> list[dict[str, Any]]:
    return [
        {
            "title": row["title"],
            "at": stamp(row["taken_at"]),
            "roster": row["roster_count"],
            "called": row["called_count"],
            "present": row["present_count"],
            "absent": row["absent_count"],
            "heads": row["head_count"],
            "strangers": row["stranger_count"],
            "at_least_absent": row["at_least_absent"],
            "roster_sha256": row["roster_sha256"],
            "marks": await _marks(row["id"]) if marks else [],
        }
        for row in await DB.connection.fetch(ROLLCALLS, visit)
    ]


async def _marks(rollcall: UUID) -> list[dict[str, Any]]:
    return [
        {"no": row["roster_no"], "name": row["name"], "words": word("mark", row["state"])}
        for row in await DB.connection.fetch(MARKS, rollcall)
    ]


async def _result(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    return {"findings": await _findings(row["id"], verified=True)}


async def _evidence(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    pieces = [
        {
            "item": piece["item"],
            "kind_words": word("piece", piece["mime"].split("/", 1)[0]),
            "sha256": piece["sha256"],
            "size": piece["size"],
            "at": stamp(piece["captured_at"]),
        }
        for piece in await DB.connection.fetch(PIECES, row["id"])
    ]
    return {"pieces": pieces, "photos": await photos(row["id"])}


async def _attendance(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    called = await _rollcalls(row["id"], marks=True)
    if not called:
        raise Absent
    return {"rollcalls": called}


async def _again(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    if row["origin_notice"] is None:
        raise Absent
    rechecked = [
        {
            "item": one["item"],
            "title": one["title_zh"],
            "outcome_words": word("outcome", one["outcome"] or "open"),
            "reason": one["outcome_reason"],
        }
        for one in await DB.connection.fetch(RECHECKED, row["id"])
    ]
    return {
        "origin": row["origin"],
        "rechecked": rechecked,
        "findings": await _findings(row["id"], verified=False),
        "photos": await photos(row["id"]),
    }


MORE = {
    "visit_approval": _approval,
    "onsite_record": _record,
    "result_statement": _result,
    "evidence_list": _evidence,
    "attendance_sheet": _attendance,
    "reinspection_record": _again,
}
EVENT_KINDS = {"interview_record": "interview.record", "preservation_list": "preservation.list"}


async def gather_event(kind: str, op_id: UUID, *, act: Act) -> Gathered:
    """The facts of a document about one event of a visit, by its operation. Raises: Absent."""
    event = await DB.connection.fetchrow(EVENT, op_id)
    if event is None or event["kind"] != EVENT_KINDS[kind]:
        raise Absent
    visit = await gather(kind, event["visit"], act=act)
    body, at = event["body"], stamp(event["recorded_at"])
    if kind == "preservation_list":
        said = {"list": {**body, "at": at}}
    else:
        interview = {
            "name": body.get("name"),
            "role_words": word("person", body["role"]),
            "at": at,
            "questions": body["questions"],
        }
        said = {"interview": interview}
    return Gathered(
        region=visit.region,
        institution=visit.institution,
        office=visit.office,
        facts={**visit.facts, **said},
    )
