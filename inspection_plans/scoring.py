"""计分: points of a sheet that says on what basis it scores; whole numbers, no legal weight."""

from collections.abc import Collection

from inspection_plans.checklist import Judged
from inspection_plans.sheets import Sheet
from inspection_plans.vocabulary import Record, Verdict


class Score(Record, frozen=True, kw_only=True):
    """得分: ``points`` of ``possible``; ``open`` of these stand with what was not checked.

    Shapes: points, 0 <= points and open, points + open <= possible. Not applicable counts neither
    way, so a share is ``points : possible - open`` at best; it is never rounded here.
    """

    points: int
    possible: int
    open: int


def score(sheet: Sheet, judged: Collection[Judged], asked: Collection[str]) -> Score | None:
    """Add up a sheet's points over the items that are asked; None where it does not score.

    An item without an answer is open. ``asked`` are item codes, ``judged`` one verdict an item.
    Source: the sheet's own ``scoring`` basis; no notice gives points.
    """
    if sheet.scoring is None:
        return None
    verdicts = {one.item: one.verdict for one in judged}
    earned = possible = still_open = 0
    for item in sheet.items:
        worth, verdict = item.points or 0, verdicts.get(item.code)
        if item.code not in asked or verdict is Verdict.NOT_APPLICABLE:
            continue
        possible += worth
        earned += worth if verdict is Verdict.PASS else 0
        still_open += worth if verdict in (None, Verdict.COULD_NOT_CHECK) else 0
    return Score(points=earned, possible=possible, open=still_open)
