"""What phones record of a visit beside answers and evidence: each an event, kept as signed."""

from uuid import UUID

from backend.piccolo_conf import DB
from backend.services import timetokens
from backend.services.bodies import (
    CertificateShown,
    ContributorList,
    DataExtract,
    DocumentCopy,
    InterviewRecord,
    PartyStatement,
    PreservationList,
    SignatureRecord,
    VisitCheckin,
)
from backend.services.deeds import Blocked, Deed, Effect
from backend.services.errors import ServiceRefusal

KEEP = """
insert into visit_event (op_id, region, institution, visit, dev, inspector, seq, kind, body, flags,
  recorded_at, wave) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
UNKNOWN = """
select t.id::text from unnest($1::uuid[]) as t (id)
where not exists (select from evidence e where e.id = t.id and e.visit = $2) order by t.id
"""
LAPSED = """
select exists (select from unnest($1::uuid[]) as t (id) left join inspector i on i.id = t.id
  where i.licence_until is null or i.licence_until < $2)
"""


class SignatureIncomplete(ServiceRefusal):
    """An inspector's signature names the inspector; a refusal has a reason and a witness."""

    code = "visit.signature_incomplete"


async def keep(deed: Deed, *flags: str) -> None:
    """Write the operation as an event of its visit, its body as signed."""
    site = deed.site
    await DB.connection.execute(
        KEEP,
        deed.op_id,
        site.region,
        site.institution,
        site.id,
        deed.dev,
        deed.inspector,
        deed.seq,
        deed.kind,
        deed.body.decode(),
        [*deed.flags, *flags],
        deed.act.at,
        site.wave,
    )


async def needs(deed: Deed, evidence: tuple[str, ...]) -> None:
    """Make sure that the evidence named is declared; raises Blocked with what is not."""
    if evidence:
        ids = [UUID(one) for one in evidence]
        if missing := await DB.connection.fetch(UNKNOWN, ids, deed.site.id):
            raise Blocked(tuple(row["id"] for row in missing))


async def checkin(deed: Deed, body: VisitCheckin) -> Effect:
    """签到: where the phone says it was, against the challenge of its assignment."""
    server, asg = deed.tools.keys.server, str(deed.site.assignment)
    odd = {
        "challenge_invalid": not timetokens.is_challenge(body.chal, server, asg=asg),
        "no_position": body.loc.st != "ok",
    }
    flags = tuple(name for name, holds in odd.items() if holds)
    await keep(deed, *flags)
    return Effect(object_id=deed.site.id, flags=flags)


async def certificate_shown(deed: Deed, body: CertificateShown) -> Effect:
    """亮证; a licence that has lapsed is told now and judged at the review (gate G1)."""
    ids = [UUID(one) for one in body.inspectors]
    lapsed = await DB.connection.fetchval(LAPSED, ids, deed.site.on_date)
    flags = ("licence_lapsed",) if lapsed else ()
    await keep(deed, *flags)
    return Effect(object_id=deed.site.id, flags=flags)


async def interview(deed: Deed, body: InterviewRecord) -> Effect:
    """访谈 or 询问笔录, with its recordings where there are any."""
    await needs(deed, body.evidence or ())
    await keep(deed)
    return Effect(object_id=deed.site.id)


async def statement(deed: Deed, _body: PartyStatement) -> Effect:
    """The party's words, as said."""
    await keep(deed)
    return Effect(object_id=deed.site.id)


async def document_copy(deed: Deed, body: DocumentCopy) -> Effect:
    """复制件: what was copied, from whom, in which captures."""
    await needs(deed, body.evidence)
    await keep(deed)
    return Effect(object_id=deed.site.id)


async def preservation(deed: Deed, body: PreservationList) -> Effect:
    """先行登记保存: what stays where it is, and who keeps it."""
    await needs(deed, body.evidence or ())
    await keep(deed)
    return Effect(object_id=deed.site.id)


async def extraction(deed: Deed, body: DataExtract) -> Effect:
    """电子数据提取, with the captures that show it."""
    await needs(deed, body.evidence)
    await keep(deed)
    return Effect(object_id=deed.site.id)


async def contributor(deed: Deed, body: ContributorList) -> Effect:
    """A colleague's captures join the record by their hashes.

    Source: evidence spec 3 (recorder and contributors).
    """
    await keep(deed)
    return Effect(object_id=deed.site.id, data={"items": len(body.items)})


async def signature(deed: Deed, body: SignatureRecord) -> Effect:
    """签名 or 拒绝签字.

    Raises: SignatureIncomplete ("visit.signature_incomplete"), Blocked.
    Source: gate G3.
    """
    if body.role == "inspector" and body.inspector is None:
        raise SignatureIncomplete(field="inspector")
    witnessed = body.witness is not None or body.evidence is not None
    if body.role == "refusal" and not (body.reason and witnessed):
        raise SignatureIncomplete(field="reason" if not body.reason else "witness")
    await needs(deed, (body.evidence,) if body.evidence else ())
    await keep(deed)
    return Effect(object_id=deed.site.id)
