"""The rule about what advertisements promise: DR-28."""

from inspection_plans.desk.frame import At, Results, check
from inspection_plans.filings.catalogue import Advert


@check("DR-28", over=Advert)
def promises(at: At, one: Advert) -> Results:
    """Tell every place where a text promises what a paper in force forbids, for a person to judge.

    Positions count code points of the text, the end exclusive.
    Source: national-2021-71/6.3/false-advertising and the bans beside it.
    """
    on = one.published_on
    in_force = at.rules.library.effective_set(at.jurisdiction, on)
    hits = at.rules.lexicon.scan(one.text, at.jurisdiction, in_force)
    for hit in hits:
        inputs = {
            "concept": hit.concept,
            "term": hit.term,
            "start": hit.start,
            "end": hit.end,
            "text": one.text[hit.start : hit.end],
        }
        part = f"{hit.start}-{hit.end}/{hit.concept}"
        yield at.say(hit.mark.value, one, on, inputs, clauses=hit.clauses, part=part)
    if not hits:
        yield at.say("clean", one, on)
