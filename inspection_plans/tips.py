"""举报线索: what may be told of a tip without telling who sent it."""

from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal


class TooClose(RuleRefusal):
    """The paraphrase repeats the sender's wording; ``run`` is the longest piece it shares."""

    code: ClassVar[str] = "tip.too_close"
    family: ClassVar[Family] = Family.GATE


def plain(text: str) -> str:
    """A text without what wording does not depend on: case, blanks, punctuation."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def shared(original: str, paraphrase: str) -> str:
    """The longest piece that both texts have, without blanks and punctuation; the first of equals.

    Shapes: quadratic in the lengths, which the caller bounds.
    """
    first, second = plain(original), plain(paraphrase)
    best, end = 0, 0
    lengths = [0] * (len(second) + 1)
    for sign in first:
        before = 0
        for place, other in enumerate(second, 1):
            before, lengths[place] = lengths[place], before + 1 if sign == other else 0
            if lengths[place] > best:
                best, end = lengths[place], place
    return second[end - best : end]


def require_paraphrase(originals: list[str], paraphrase: str, *, most: int) -> None:
    """Refuse words that share more than ``most`` signs in a row with what the sender wrote.

    Raises: TooClose ("tip.too_close").
    Source: casework 6 (paraphrased disclosure, so that wording does not identify the sender).
    """
    for original in originals:
        run = shared(original, paraphrase)
        if len(run) > most:
            raise TooClose(field="paraphrase", run=run, length=len(run), most=most)
