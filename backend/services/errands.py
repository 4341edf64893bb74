"""From a result to visits: who goes where, on which day, with which sheet, sealed until when."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import msgspec

from backend.services import visits
from backend.services.accounts import SHANGHAI
from backend.services.act import Act
from backend.services.drawrows import Frozen
from backend.services.frames import Target
from backend.services.records.draws import DrawRecord
from backend.services.records.plans import PlanRecord, VisitRule
from inspection_plans.draw.select import Urn, prepare
from inspection_plans.loader import applied_sheet, jurisdiction_of


def chances(alg: str, seed_hex: str, kept: Frozen) -> dict[str, str]:
    """Object id → its published chance of being drawn at random, an exact fraction.

    Source: draw.md section 5: n' times weight over the pool's weight.
    """
    groups, wanted = prepare(alg, seed_hex, kept.plan, kept.frames["objects"])
    chances: dict[str, str] = {}
    for ident, part in groups.items():
        urn = Urn(part, min(wanted[ident], part.eligible))
        for row in urn.pool:
            chances[row] = f"{urn.open * urn.weight(row)}/{urn.total}"
    return chances


def opens(on: date, hour: int) -> datetime:
    """The instant until which a task is sealed: an hour of the visit day in Shanghai."""
    return datetime.combine(on, time(hour), SHANGHAI).astimezone(UTC)


class Errands(msgspec.Struct, frozen=True):
    """What turns a drawn object into a visit."""

    draw: DrawRecord
    plan: PlanRecord
    kept: Frozen
    drawn: dict[str, Any]
    chances: dict[str, str]

    def rule(self, kind: str) -> VisitRule:
        """The plan's rule for objects of a kind; the checks made sure there is one."""
        return next(rule for rule in self.plan.spec.visits if rule.object == kind)

    def team(self, names: list[str | None]) -> tuple[visits.NewAssignment, ...]:
        """The people behind the pseudonyms; a team with an open place is not sent."""
        aliases = self.kept.pseudonyms["aliases"]
        found = [UUID(aliases[name]["inspector"]) for name in names if name is not None]
        if len(found) < len(names):
            return ()
        return tuple(
            visits.NewAssignment(inspector=one, place=place, lead=place == 1)
            for place, one in enumerate(found, 1)
        )

    def visit(self, number: int, team: dict[str, Any], *, act: Act) -> visits.NewVisit:
        """One visit, sealed until its hour."""
        ident = team["visit"]
        target = msgspec.convert(self.kept.pseudonyms["targets"][ident], Target)
        rule, day = self.rule(target.kind), self.drawn["days"][ident]
        jurisdiction = jurisdiction_of(target.region)
        on = datetime.fromisoformat(day).date()
        return visits.NewVisit(
            id=act.new_id(),
            region=target.region,
            institution=target.institution,
            code=f"{self.draw.code}-{number:04}",
            kind=rule.kind,
            unannounced=self.plan.spec.unannounced,
            selection="random",
            sheet=rule.sheet,
            sheet_digest=applied_sheet(rule.sheet, jurisdiction, on)[1],
            jurisdiction=jurisdiction,
            on_date=on,
            sealed_until=opens(on, self.plan.spec.tasks_open_at_hour),
            team=self.team(team["team"]),
            plan=self.plan.id,
            draw=self.draw.id,
            chance=self.chances.get(ident, "1"),
            training_class=target.training_class,
            class_session=target.class_session,
        )
