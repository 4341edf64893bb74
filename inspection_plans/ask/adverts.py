"""Words of advertisements: what a text promises that a notice in force forbids."""

from datetime import date
from typing import Annotated, Any

from inspection_plans.ask.questions import Answer, Handler, Placed
from inspection_plans.records import Meta, plain
from inspection_plans.rulebook import Rulebook


class AdvertAsked(Placed, frozen=True, kw_only=True):
    """宣传用语: a text as published; without a day, by the papers of the newest one."""

    text: Annotated[str, Meta(max_length=200_000)]
    on: date | None = None


def advert(question: AdvertAsked, rules: Rulebook) -> Answer:
    """Answer with every place that is a promise, a denial of one, or a question for a person.

    Source: national-2021-71/6.3/exaggeration (and the bans beside it).
    """
    place = question.jurisdiction
    hits = rules.lexicon.scan(question.text, place, rules.in_force(place, question.on))
    return {
        "hits": [
            {
                "concept": hit.concept,
                "term": hit.term,
                "mark": hit.mark.value,
                "start": hit.start,
                "end": hit.end,
                "clauses": list(hit.clauses),
            }
            for hit in hits
        ],
        "clauses": list(dict.fromkeys(clause for hit in hits for clause in hit.clauses)),
        "basis": [{"setting": "advert_lexicon", **plain(rules.lexicon.basis)}] if hits else [],
    }


HANDLERS: dict[str, Handler[Any]] = {"advert": Handler(AdvertAsked, advert)}
