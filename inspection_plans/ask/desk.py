"""What filings show: ``desk_review``, and ``filings_schema``, the shape they are given in."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from inspection_plans.ask.questions import Answer, Handler, Placed, Question, basis, counted
from inspection_plans.ask.refusals import UnknownWord, WrongField
from inspection_plans.desk.frame import Result
from inspection_plans.desk.review import Review
from inspection_plans.desk.rules import RuleId, Verdict
from inspection_plans.desk.view import View
from inspection_plans.filings import FiledTwice, Filings
from inspection_plans.filings.schema import schema
from inspection_plans.records import Meta, plain
from inspection_plans.rulebook import Rulebook
from inspection_plans.vocabulary import Setting


class DeskReview(Placed, frozen=True, kw_only=True):
    """案头审查: what the rules, or some of them, say of filings at a place as of a day."""

    as_of: date
    filings: Filings
    rules: Annotated[tuple[RuleId, ...], Meta(min_length=1)] | None = None
    verdicts: Annotated[tuple[Verdict, ...], Meta(min_length=1)] | None = None


class SchemaAsked(Question, frozen=True, kw_only=True):
    """备案数据格式: the JSON Schema of the filings document."""


def desk_review(question: DeskReview, rules: Rulebook) -> Answer:
    """Answer with the results, in the order of rules and objects, whatever order the rows had.

    Source: issue of the rules, "desk_review".
    """
    only = question.rules
    if only is not None and (unknown := sorted(set(only) - rules.desk.keys())):
        raise UnknownWord(f"no such rule: {', '.join(unknown)}", field="rules")
    try:
        view = View.of(question.filings)
    except FiledTwice as twice:
        message = f"two rows of {twice.facts['register']} have the key {twice.facts['key']}"
        raise WrongField(message, field=f"filings.{twice.field}") from None
    review = Review(rules, view, question.jurisdiction, question.as_of, only)
    wanted = set(question.verdicts or Verdict)
    found = sorted((one for one in review.run() if one.verdict in wanted), key=_order)
    cited = dict.fromkeys(clause for result in found for clause in result.clauses)
    return {
        "results": [result.written(rules.filing_words) for result in found],
        "clauses": list(cited),
        "basis": _basis(found, review, question.jurisdiction, rules),
    }


def _order(result: Result) -> tuple[str, str, str]:
    return (result.rule.id, result.about, result.outcome)


def _basis(
    found: Iterable[Result], review: Review, place: str, rules: Rulebook
) -> list[dict[str, Any]]:
    """Show the countings and settings that the rules which said something were judged by."""
    said = {result.rule.id: result.rule for result in found}
    terms: dict[str, dict[str, Any]] = {}
    settings: dict[str, Setting] = {}
    for at in review.places:
        rule = said.get(at.rule.id)
        if rule is None:
            continue
        for concept, used in sorted(at.counted.items()):
            terms[concept] = counted(rules.clock.counting(concept))
            settings |= {setting.name: setting for setting in used}
        settings |= {name: rules.setting(name, place) for name in rule.settings}
    return [*terms.values(), *basis(settings.values())]


def filings_schema(_question: SchemaAsked, rules: Rulebook) -> Answer:
    """Answer with the schema, an invented example beside every register."""
    return {"schema": schema(plain(rules.example)), "clauses": []}


HANDLERS: dict[str, Handler[Any]] = {
    "desk_review": Handler(DeskReview, desk_review),
    "filings_schema": Handler(SchemaAsked, filings_schema),
}
