"""What documents about a notice say: the order itself, its service, what was replied."""

from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.act import Act
from backend.services.documents.common import Gathered, finding, iso, party, stamp, word
from backend.services.documents.templates import kinds
from backend.services.errors import Absent
from inspection_plans import policy
from inspection_plans.loader import jurisdiction_of

NOTICE = "select * from notice where id = $1 and number is not null"
LINES = """
select f.item, f.title_zh, f.detail, f.severity, f.clauses, f.id, nf.demand, nf.evidence_asked
from notice_finding nf join finding f on f.id = nf.finding where nf.notice = $1 order by f.item
"""
PROOF = "select * from service_proof where notice = $1 order by id desc limit 1"
REPLY = """
select r.*, n.number as notice_number, n.office from reply r join notice n on n.id = r.notice
where r.id = $1 and r.state = 'submitted'
"""
FILES = "select sha256 from evidence where id = any ($1) order by id"
DECISION = "select * from reply_decision where reply = $1 and kind = 'extension'"
SPOKEN = frozenset({"statement", "objection"})


async def gather(kind: str, notice: UUID, *, act: Act) -> Gathered:  # noqa: ARG001 - as others
    """The facts of a notice's own document, or of the proof of its service. Raises: Absent."""
    row = await DB.connection.fetchrow(NOTICE, notice)
    if row is None or (kind in ("order", "advice") and row["kind"] != kind):
        raise Absent
    facts = {"party": await party(row["institution"])}
    facts |= await MORE.get(kind, _said)(row)
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=row["office"],
        number=row["number"] if kind == row["kind"] else None,
        facts=facts,
    )


async def _said(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    place, days = jurisdiction_of(row["region"]), row["body"]["days"]
    lines = [
        {
            **finding(line),
            "demand": line["demand"],
            "evidence_asked": line["evidence_asked"],
            "days": days[str(line["id"])],
        }
        for line in await DB.connection.fetch(LINES, row["id"])
    ]
    return {
        "text": row["body"]["text"],
        "findings": lines,
        "basis": row["basis"],
        "authority": row["competent_authority"],
        "remedies": row["kind"] == "order",
        "terms": {
            "statement": policy.number("days_to_state_case", place),
            "objection": policy.number("days_to_object", place),
        },
    }


async def _served(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    proof = await DB.connection.fetchrow(PROOF, row["id"])
    if proof is None:
        raise Absent
    details: dict[str, Any] = proof["details"]
    refusal = None
    if proof["way"] == "left_with_witness":
        refusal = {
            "reason": details["refusal_reason"],
            "witness": details["witness"],
            "title": details["witness_title"],
        }
    served_on = details.get("served_on") or iso(row["served_on"])
    return {
        "notice": {"title": kinds()[row["kind"]].title, "number": row["number"]},
        "served_on": served_on,
        "proof": {
            "way_words": word("way", proof["way"]),
            "receiver": proof["receiver"],
            "recorded_at": stamp(proof["served_at"]),
            "first_viewed_at": stamp(proof["first_viewed_at"]),
            "details": [
                {"label": word("detail", name), "value": str(value)}
                for name, value in sorted(details.items())
                if name != "served_on" and value not in (None, "")
            ],
            "refusal": refusal,
        },
    }


async def _closed(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a driver's row
    """The closing record as it was kept with the notice. Raises: Absent before it is closed."""
    if row["closing"] is None:
        raise Absent
    ended = {one["finding"]: one for one in row["closing"]["findings"]}
    return {
        "notice": {"title": kinds()[row["kind"]].title, "number": row["number"]},
        "served_on": iso(row["served_on"]),
        "closing": {
            "on": row["closing"]["closed_on"],
            "answers": len(row["closing"]["answers"]),
            "visits": [one["visit"] for one in row["closing"]["visits"]],
            "digest": row["closing"]["digest"],
            "findings": [
                {
                    "item": line["item"],
                    "title": line["title_zh"],
                    "demand": line["demand"],
                    "outcome_words": word("outcome", ended[str(line["id"])]["outcome"]),
                }
                for line in await DB.connection.fetch(LINES, row["id"])
            ],
        },
    }


MORE = {"proof_of_service": _served, "closing_record": _closed}


async def gather_reply(kind: str, reply: UUID, *, act: Act) -> Gathered:  # noqa: ARG001 - as others
    """The facts of a record of the party's words, or of a decision on its request.

    Raises: Absent, also for a reply of another kind.
    """
    row = await DB.connection.fetchrow(REPLY, reply)
    if row is None or (kind == "statement_record" and row["kind"] not in SPOKEN):
        raise Absent
    files = await DB.connection.fetch(FILES, list(row["evidence"]))
    facts: dict[str, Any] = {
        "party": await party(row["institution"]),
        "notice": {"number": row["notice_number"]},
        "reply": {
            "at": stamp(row["submitted_at"]),
            "kind_words": word("reply", row["kind"]),
            "text": row["text"],
            "files": [file["sha256"] for file in files],
            "digest": row["digest"],
        },
    }
    number = None
    if kind == "extension_decision":
        decided = await DB.connection.fetchrow(DECISION, reply)
        if decided is None:
            raise Absent
        number = decided["number"]
        facts["decision"] = {
            "granted": decided["granted"],
            "due_before": iso(decided["due_before"]),
            "due_on": iso(decided["due_on"]),
            "reason": decided["reason"],
        }
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=row["office"],
        number=number,
        facts=facts,
    )
