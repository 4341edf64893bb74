"""Factories of draws: directories, plans, parties and ceremonies, made through the services."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from backend.clock import token
from backend.keyring import Keyring
from backend.services import ceremony, draws, parties, plans
from backend.services.act import Act
from backend.services.credit_code import complete
from backend.services.errors import ServiceRefusal
from backend.services.imports import take
from backend.services.records.draws import DrawRecord, NewParty
from backend.services.records.plans import (
    Entropy,
    PlanDraft,
    PlanRecord,
    PlanSpec,
    Stratum,
    VisitRule,
)
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.seed import commitment
from inspection_plans.errors import RuleRefusal
from inspection_plans.loader import load
from media.keys import ServerKey
from tests import world

DICE = Entropy(source="dice", ref="威海会议室 2026-03-02")
DIGITS = "31415926535897932384"
WITNESSES = ("张甲", "李乙")
TRAINING = VisitRule(object="training", kind="training_site", sheet="TI")
SESSION = VisitRule(object="class_session", kind="class_session", sheet="CV")


@dataclass
class Office:
    """An office with the two people a plan needs, and the server's keys."""

    id: UUID
    supervisor: world.Login
    approver: world.Login
    keys: Keyring
    at: datetime

    @property
    def act(self) -> Act:
        """The supervisor's deed."""
        return self.supervisor.act(self.at)

    @property
    def second(self) -> Act:
        """The approver's deed."""
        return self.approver.act(self.at)

    async def product(self) -> Act:
        """The product's own deed at this office's instant."""
        return await world.the_product(self.at)


async def an_office(app: Litestar, at: datetime, region: int = world.SHANDONG) -> Office:
    """An office with a supervisor and an approver."""
    office = await world.an_office(at, region)
    return Office(
        office,
        await world.a_person(at, "supervisor", region=region, office=office),
        await world.a_person(at, "approver", region=region, office=office),
        app.state.jobs.keys,
        at,
    )


def credit_code(number: int) -> str:
    """A valid unified social credit code 统一社会信用代码 of an invented institution."""
    return complete(f"91370000MA{number:07}")


async def institutions(
    act: Act, numbers: Sequence[int], *, listed: bool = True, **cells: str
) -> None:
    """Training institutions with these numbers, in the catalogue unless said otherwise."""
    rows = [
        {
            "credit_code": credit_code(number),
            "name": f"虚构培训机构{number:03}",
            "kinds": "training",
            "home_region": "370000",
            "fictional": "yes",
            **cells,
        }
        for number in numbers
    ]
    await take("institutions", rows, act=act, rules=load())
    entries = [
        {
            "credit_code": credit_code(number),
            "kind": "training",
            "occupation": "ai",
            "levels": "junior",
            "listed_on": "2025-01-01",
            "valid_until": "2027-12-31",
            "source_notice": "虚构公告1号",
        }
        for number in numbers
    ]
    if listed:
        await take("catalogue", entries, act=act, rules=load())


async def inspectors(act: Act, numbers: Sequence[int], **cells: str) -> None:
    """Inspectors with these numbers, certified until 2028, allowed everywhere in the province."""
    rows = [
        {
            "staff_code": f"S{number:03}",
            "name": f"虚构人员{number:03}",
            "department": "hr",
            "unit": "虚构执法支队",
            "licence_no": f"LIC-{number:05}",
            "licence_until": "2028-12-31",
            "lead": "yes",
            "skills": "",
            "areas": str(act.by.region),
            "cap": "12",
            **cells,
        }
        for number in numbers
    ]
    await take("inspectors", rows, act=act, rules=load())


async def relation(act: Act, inspector: int, institution: int) -> None:
    """A declared relation 回避."""
    row = {
        "licence_no": f"LIC-{inspector:05}",
        "credit_code": credit_code(institution),
        "ground": "kinship",
        "declared_on": "2026-01-05",
    }
    await take("relations", [row], act=act, rules=load())


def a_spec(**changes: Any) -> PlanSpec:
    """One stratum, half of it, dice before witnesses."""
    given: dict[str, Any] = {
        "strata": (Stratum(name="全部", ratio="1/2"),),
        "visits": (TRAINING,),
        "reserve": 2,
        "entropy": (DICE,),
    }
    return PlanSpec(**given | changes)


def a_draft(at: datetime, code: str = "2026-Q1-01", **changes: Any) -> PlanDraft:
    """A plan whose draw is due in an hour and whose visits are from next week on."""
    spec = changes.pop("spec", None) or a_spec()
    given: dict[str, Any] = {
        "code": code,
        "title": "一季度培训机构抽查",
        "year": 2026,
        "period": "2026Q1",
        "window_from": date(2026, 3, 9),
        "window_until": date(2026, 4, 30),
        "fire_at": at + timedelta(hours=1),
        "spec": spec,
    }
    return PlanDraft(**given | changes)


async def an_approved_plan(office: Office, **changes: Any) -> PlanRecord:
    """A plan that a second person approved."""
    plan = await plans.create(a_draft(office.at, **changes), act=office.act)
    await plans.submit(plan.id, act=office.act)
    return await plans.approve(plan.id, act=office.second)


async def a_frozen_draw(office: Office, plan: PlanRecord) -> DrawRecord:
    """The next attempt of a plan, an instant after it is due."""
    office.at = max(office.at, plan.fire_at)
    return await draws.freeze(plan.id, act=office.act, keys=office.keys, token=token)


async def throw_dice(office: Office, draw: DrawRecord, digits: str = DIGITS) -> DrawRecord:
    """The dice of the default plan, read before two witnesses."""
    return await ceremony.enter(
        draw.id, DICE.source, DICE.ref, digits, WITNESSES, act=office.act, keys=office.keys
    )


@dataclass
class Signer:
    """A party outside the office: its key, and its secret for one draw."""

    code: str
    key: ServerKey
    secret: bytes

    def commits(self, draw: DrawRecord) -> str:
        """The commitment of this secret."""
        return commitment(draw.alg, draw.code, draw.attempt, self.code, self.secret.hex())

    async def commit(self, office: Office, draw: DrawRecord) -> DrawRecord:
        """Commit, signed."""
        commits = self.commits(draw)
        signature = self.key.sign(ceremony.COMMIT_TAG + bytes.fromhex(commits)).hex()
        return await ceremony.commit(
            draw.id, self.code, commits, signature, act=office.act, keys=office.keys
        )

    async def reveal(
        self,
        office: Office,
        draw: DrawRecord,
        secret: bytes | None = None,
        link: str | None = None,
    ) -> DrawRecord:
        """Reveal with a signature over the draw's head."""
        head = (await draws.draw(draw.id, act=office.act)).draw.head
        return await ceremony.reveal(
            draw.id,
            self.code,
            (secret or self.secret).hex(),
            head=head,
            signature=self.key.sign(bytes.fromhex(head)).hex(),
            act=office.act,
            keys=office.keys,
            link=link,
        )


async def a_party(office: Office, code: str = "supervision", seed: int = 7) -> Signer:
    """A registered party with a key of its own."""
    signer = Signer(code, ServerKey.from_seed(bytes([seed]) * 32), bytes([seed + 1]) * 32)
    new = NewParty(
        code=code, name=f"参与方{code}", kind="supervisor", public_key=signer.key.public.hex()
    )
    await parties.register(new, act=office.act)
    return signer


async def refused(code: str, deed: Awaitable[object]) -> dict[str, object]:
    """The deed is refused with this code; what the refusal says, its field included."""
    with pytest.raises((ServiceRefusal, RuleRefusal, DrawRefusal)) as refusal:
        await deed
    assert refusal.value.code == code
    return {"field": refusal.value.field, **refusal.value.facts}
