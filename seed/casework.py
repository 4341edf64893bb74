"""Acts 5 and 6: visits reviewed, findings verified by a person, notices served."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from backend.services import (
    approvals,
    consents,
    findings,
    notices,
    service_proofs,
    visit_lists,
    visit_reviews,
)
from backend.services.accounts import on_day
from backend.services.consents import Consent, NewConsent
from backend.services.findings import Finding, Wanted
from backend.services.notices import Demand, Draft, Notice
from backend.services.service_proofs import AnyWay, Electronic, InPerson
from seed import people
from seed.field import Field, Trip, complete_again
from seed.stage import Stage, Stuck

REVIEWED_ON, SERVED_ON = date(2026, 4, 28), date(2026, 5, 7)
RETURNED = "subcontract"  # whose record is sent back once
BY_WIRE = "loan"  # who agreed to electronic service
DAYS = 30
ITEM_OF = {"TI": "TI-SITE", "EI": "EI-SITE", "CV": "CV-CLASS"}
DEMAND = "立即停止并改正，提交整改情况说明"
ASKED = "整改后的照片、文件及说明"


@dataclass
class Matter:
    """A visit with verified findings, and the notices that follow."""

    trip: Trip
    findings: tuple[Finding, ...]
    notices: list[Notice] = field(default_factory=list)

    @property
    def notice(self) -> Notice:
        """The notice that stands."""
        return self.notices[-1]

    def stand(self, notice: Notice) -> Notice:
        """Keep what became of the standing notice."""
        self.notices[-1] = notice
        return notice


@dataclass
class Reviewed:
    """What the office made of the visits."""

    accepted: int = 0
    returned: int = 0
    verified: int = 0
    dismissed: int = 0
    matters: list[Matter] = field(default_factory=list)


async def review_all(here: Field, trips: list[Trip]) -> Reviewed:
    """Accept and conclude every visit; one goes back to its team first."""
    stage, cast, done = here.stage, here.cast, Reviewed()
    stage.clock.move(REVIEWED_ON)
    for trip in trips:
        if trip.fate != "unreachable":
            if trip.fate == RETURNED:
                await _send_back(here, trip)
                done.returned += 1
            act = people.of(cast, trip.region, "supervisor", stage)
            await _is_complete(stage, here, trip)
            await visit_reviews.accept(trip.visit, act=act)
            done.accepted += 1
        act = people.of(cast, trip.region, "supervisor", stage)
        await visit_reviews.conclude(trip.visit, act=act)
    return done


async def _send_back(here: Field, trip: Trip) -> None:
    stage = here.stage
    await visit_reviews.send_back(
        trip.visit,
        "合同首页照片不清，请补拍一张",
        act=people.of(here.cast, trip.region, "supervisor", stage),
    )
    stage.clock.tick(3600)
    await complete_again(here, trip)


async def _is_complete(stage: Stage, here: Field, trip: Trip) -> None:
    act = people.of(here.cast, trip.region, "supervisor", stage)
    found = await visit_lists.view(trip.visit, act=act)
    if found.visit.state != "complete":
        raise Stuck(f"{trip.code} is {found.visit.state}; waits for {found.waiting.missing}")


async def judge_all(here: Field, trips: list[Trip], done: Reviewed) -> None:
    """A person verifies each finding and names its evidence; the misread one is dismissed."""
    stage, cast = here.stage, here.cast
    stage.clock.move(REVIEWED_ON + timedelta(days=1))
    for trip in trips:
        act = people.of(cast, trip.region, "supervisor", stage)
        found = await findings.page(Wanted(visit=trip.visit), act=act, limit=200)
        if trip.fate == "misread":
            for one in found:
                reason = "复核影像资料，评估结果已上墙公示，系现场误读"
                act = people.of(cast, trip.region, "supervisor", stage)
                await findings.dismiss(one.id, reason=reason, act=act)
                done.dismissed += 1
        elif found:
            verified = tuple([await _verified(here, trip, one) for one in found])
            done.matters.append(Matter(trip, verified))
            done.verified += len(verified)


async def _verified(here: Field, trip: Trip, finding: Finding) -> Finding:
    of_item = [c.id for c in trip.captures if c.body["manifest"]["item"] == finding.item]
    named = tuple(of_item or [trip.captures[0].id])
    act = people.of(here.cast, trip.region, "supervisor", here.stage)
    return await findings.verify(finding.id, evidence=named, act=act)


async def serve_all(here: Field, matters: list[Matter]) -> None:
    """A notice for every matter: written, reviewed for law, approved, issued, served, seen."""
    here.stage.clock.move(SERVED_ON)
    for matter in matters:
        kind = "advice" if matter.trip.fate == "advice" else "order"
        act = people.of(here.cast, matter.trip.region, "supervisor", here.stage)
        matter.notices.append(await notices.draft(draft_of(matter, kind), act=act))
        await through(here, matter)


def draft_of(matter: Matter, kind: str = "order", days: int = DAYS) -> Draft:
    """The words of a notice about all findings of a matter."""
    said = "；".join(one.detail for one in matter.findings)
    words = "提示你单位关注并完善" if kind == "advice" else "责令你单位限期改正"
    return Draft(
        kind="advice" if kind == "advice" else "order",
        text=f"经现场检查核实：{said}。{words}，并在期限内书面答复。",
        inspection_item=ITEM_OF[matter.findings[0].item[:2]],
        demands=tuple(
            Demand(finding=one.id, demand=DEMAND, evidence_asked=ASKED, days=days)
            for one in matter.findings
        ),
    )


async def through(here: Field, matter: Matter) -> None:
    """Take the standing draft past the other eyes to the institution."""
    stage, cast, region = here.stage, here.cast, matter.trip.region
    notice = matter.notice
    if any(one.severity == "critical" for one in matter.findings):
        notice = await approvals.send_to_legal(
            notice.id, rev=notice.rev, act=people.of(cast, region, "supervisor", stage)
        )
        notice = await approvals.clear(
            notice.id,
            rev=notice.rev,
            opinion="事实清楚，依据适当，同意。",
            act=people.of(cast, region, "legal", stage),
        )
    notice = await approvals.approve(
        notice.id, rev=notice.rev, act=people.of(cast, region, "approver", stage)
    )
    notice = await approvals.issue(notice.id, act=people.of(cast, region, "supervisor", stage))
    way = await _way(here, matter)
    act = people.of(cast, region, "supervisor", stage)
    matter.stand(await service_proofs.serve(notice.id, way, act=act))
    user = await people.user_of(stage, cast, matter.trip.institution)
    await notices.get(notice.id, act=stage.act(user))


async def _way(here: Field, matter: Matter) -> AnyWay:
    """By wire where the institution consented, which is recorded once; else by hand."""
    act = people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    today = on_day(act.at)
    if matter.trip.fate == BY_WIRE:
        known = await consents.of(matter.trip.institution.id, act=act)
        consent = known[0] if known else await _consent(here, matter)
        return Electronic(receiver=consent.receiver, served_on=today, consent=consent.id)
    return InPerson(receiver="现场负责人（虚构）", receiver_title="负责人", served_on=today)


async def _consent(here: Field, matter: Matter) -> Consent:
    act = people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    new = NewConsent(
        reference="送达地址确认书 示-01（虚构）",
        address="inbox@institution.invalid",
        receiver="经办人（虚构）",
        agreed_on=on_day(act.at),
    )
    return await consents.record(matter.trip.institution.id, new, act=act)


async def again(here: Field, matter: Matter, notice_id: UUID) -> Notice:
    """The standing notice as it is now, for the office."""
    act = people.of(here.cast, matter.trip.region, "supervisor", here.stage)
    return await notices.get(notice_id, act=act)
