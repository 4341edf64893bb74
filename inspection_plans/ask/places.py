"""What applies at a place: the effective set, a sheet as it stands there, a paper by number."""

from datetime import date
from typing import Annotated, Any

from inspection_plans.ask.questions import Answer, Handler, Placed, Question
from inspection_plans.ask.refusals import NotInForce, UnknownWord
from inspection_plans.library import SheetNotInForce
from inspection_plans.papers import look_up
from inspection_plans.records import Meta, plain
from inspection_plans.rulebook import Rulebook


class EffectiveSet(Placed, frozen=True, kw_only=True):
    """有效条款: which clauses bind somebody at a place on a day; nobody named means everybody."""

    on: date
    subject: str | None = None


class SheetAsked(Placed, frozen=True, kw_only=True):
    """检查表: a sheet as it applies at a place on a day."""

    sheet: str
    on: date


def effective_set(question: EffectiveSet, rules: Rulebook) -> Answer:
    """Answer with clause ids, the nation's papers first, and the papers in force.

    Source: clause register, "effective set".
    """
    if question.subject is not None and question.subject not in rules.library.terms.subjects:
        raise UnknownWord(f"nobody is bound as {question.subject}", field="subject")
    place, on = question.jurisdiction, question.on
    found = rules.library.effective_set(place, on, question.subject)
    papers = [pack.id for pack in rules.library.packs_in_force(place, on)]
    return {"clauses": [clause.id for clause in found], "papers": papers}


def sheet(question: SheetAsked, rules: Rulebook) -> Answer:
    """Answer with the items, each with its clauses in force, and the version of the sheet.

    Source: settled point 4 (items are inherited by children).
    """
    if question.sheet not in rules.library.sheets:
        known = ", ".join(sorted(rules.library.sheets))
        raise UnknownWord(f"no such sheet; there are {known}", field="sheet")
    try:
        applied = rules.library.sheet(question.sheet, question.jurisdiction, question.on)
    except SheetNotInForce:
        raise NotInForce("no clause in force supports this sheet then", field="on") from None
    written: dict[str, Any] = plain(applied)
    cited = dict.fromkeys(clause for item in applied.items for clause in item.clauses)
    return {
        "sheet": applied.id,
        "version": applied.version,
        "zh": applied.zh,
        "en": applied.en,
        "sections": written.get("sections", []),
        "items": written["items"],
        "scoring": written.get("scoring"),
        "clauses": list(cited),
    }


class PaperAsked(Question, frozen=True, kw_only=True):
    """文号: which notice is meant by a number, a title or a known slip of one."""

    number: Annotated[str, Meta(min_length=1, max_length=200)]


def paper(question: PaperAsked, rules: Rulebook) -> Answer:
    """Answer with the papers under their own numbers, and by what each was found.

    Source: clause register K22 (aliases for look-ups, never for display).
    """
    found = look_up(rules.library.packs.values(), question.number)
    if not found:
        raise UnknownWord("no paper of this number", field="number")
    ids = {pack.id for pack, _ in found}
    return {
        "papers": [
            {**{key: value for key, value in plain(pack).items() if key in SHOWN}, "by": how}
            for pack, how in found
        ],
        "clauses": [clause.id for clause in rules.library.clauses.values() if clause.pack in ids],
    }


SHOWN = ("id", "number", "title", "issuer", "jurisdiction", "valid_from", "valid_until")
HANDLERS: dict[str, Handler[Any]] = {
    "paper": Handler(PaperAsked, paper),
    "effective_set": Handler(EffectiveSet, effective_set),
    "sheet": Handler(SheetAsked, sheet),
}
