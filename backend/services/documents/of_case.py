"""What documents about a case or a publication say: letters, proposals, the whole file."""

from typing import Any
from uuid import UUID

from backend.piccolo_conf import DB
from backend.services.accounts import on_day
from backend.services.act import Act
from backend.services.documents.common import (
    Gathered,
    findings,
    iso,
    office_of,
    party,
    stamp,
    word,
)
from backend.services.documents.templates import kinds
from backend.services.errors import Absent

CASE = "select * from case_file where id = $1"
STEP = """
select s.kind, s.body, s.number, s.by_account, c.region, c.institution, c.findings, a.office
from case_step s join case_file c on c.id = s.case_file join account a on a.id = s.by_account
where s.id = $1
"""
STEPS = {
    "hand_over_letter": "hand_over",
    "removal_proposal": "proposal",
    "recovery_order": "recovery",
}
# What papers of the case are about: itself, its notices, their replies, the visits behind its
# findings; $1 the case, $2 its findings.
PAPERS_OF = """
select m.id from (select $1::uuid as id union select unnest($2::uuid[])
  union select notice from case_file where id = $1
  union select id from case_step where case_file = $1
  union select visit from finding where id = any ($2)
  union select v.op_id from visit_event v join finding f on f.visit = v.visit where f.id = any ($2)
  union select nf.notice from notice_finding nf where nf.finding = any ($2)
  union select r.id from reply r join notice_finding nf on nf.notice = r.notice
    where nf.finding = any ($2)) m where m.id is not null
"""
PAPERS = f"""
select d.id, d.kind, d.number, d.issued_on, d.sha256, d.pages, d.object_key from document d
where d.matter_id in ({PAPERS_OF}) and d.standing = 'issued'
  and d.sha256 is not null and d.kind <> 'case_index' order by d.issued_at, d.id
"""  # noqa: S608 - constants
PUBLICATION = "select * from publication where id = $1 and published_at is not null"


async def gather_step(kind: str, step: UUID, *, act: Act) -> Gathered:  # noqa: ARG001 - as others
    """The facts of a numbered step of a case. Raises: Absent."""
    row = await DB.connection.fetchrow(STEP, step)
    if row is None or row["kind"] != STEPS[kind] or row["number"] is None:
        raise Absent
    body: dict[str, Any] = row["body"]
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=row["office"],
        number=row["number"],
        facts={
            "party": await party(row["institution"]),
            "findings": await findings(row["findings"]),
            "step": {
                "to": body.get("receiver"),
                "text": body["text"],
                "remedies": body.get("remedies"),
                "payee": body.get("payee"),
                "amount_fen": body.get("amount_fen"),
                "instalments": body.get("instalments", []),
            },
        },
    )


async def gather(kind: str, case: UUID, *, act: Act) -> Gathered:  # noqa: ARG001 - as others
    """The facts of a case's file: the case, and every rendered paper that belongs to it."""
    row = await DB.connection.fetchrow(CASE, case)
    if row is None:
        raise Absent
    papers = [
        {
            "title": kinds()[paper["kind"]].title,
            "number": paper["number"],
            "issued_on": iso(paper["issued_on"]),
            "sha256": paper["sha256"],
            "pages": paper["pages"],
            "file": f"{paper['id']}.pdf",
            "key": paper["object_key"],
        }
        for paper in await DB.connection.fetch(PAPERS, case, list(row["findings"]))
    ]
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=await office_of(row["region"], act=act),
        facts={
            "party": await party(row["institution"]),
            "case": {
                "opened_at": stamp(row["opened_at"]),
                "closed_at": stamp(row["closed_at"]),
                "reason": row["reason"],
                "outcome_words": word("case", row["outcome"]),
            },
            "papers": papers,
        },
    )


async def gather_publication(kind: str, publication: UUID, *, act: Act) -> Gathered:  # noqa: ARG001
    """The facts of what was published, word for word. Raises: Absent before it is public."""
    row = await DB.connection.fetchrow(PUBLICATION, publication)
    if row is None:
        raise Absent
    body: dict[str, Any] = row["body"]
    said = await party(row["institution"])
    return Gathered(
        region=row["region"],
        institution=row["institution"],
        office=await office_of(row["region"], act=act),
        facts={
            "party": said,
            "published": {
                "subject": said["name"] if said else body.get("title", ""),
                "wordings": [wording["zh"] for wording in body.get("wordings", [])],
                "facts": [_line(fact) for fact in body.get("facts", [])],
                "on": on_day(row["published_at"]).isoformat(),
                "until": iso(row["expires_on"]),
                "digest": row["digest"],
            },
        },
    )


def _line(fact: Any) -> str:  # noqa: ANN401 - a published fact, text or record
    return fact if isinstance(fact, str) else str(fact.get("text") or fact.get("title") or "")
