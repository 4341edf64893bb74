"""The risk class of an institution, by the facts of the question and the published formula."""

from datetime import date
from typing import Any

from inspection_plans import risk
from inspection_plans.ask.questions import Answer, Handler, Placed, basis, cited
from inspection_plans.risk import Facts
from inspection_plans.rulebook import Rulebook


class RiskAsked(Placed, frozen=True, kw_only=True):
    """信用风险分类: an institution's facts, graded as of a day."""

    on: date
    facts: Facts


def grade(question: RiskAsked, rules: Rulebook) -> Answer:
    """Answer with class, points and every factor.

    Source: design, step 10 (a published, explained, appealable rule).
    """
    place = question.jurisdiction
    found = risk.grade(question.facts, rules.settings, place, question.on)
    return {
        **risk.shown(found),
        **cited(rules.in_force(place, question.on), "double_random", "supervision_system"),
        "basis": basis(found.settings),
    }


HANDLERS: dict[str, Handler[Any]] = {"risk": Handler(RiskAsked, grade)}
