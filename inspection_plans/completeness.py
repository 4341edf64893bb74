"""What a record still lacks: items that are asked, evidence they are owed, bounds they break."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from inspection_plans import expressions, jurisdictions
from inspection_plans.expressions import Known
from inspection_plans.sheets import Fact, Item, Requirement, Sheet, Source, When
from inspection_plans.vocabulary import Record, Verdict


class Carrier(StrEnum):
    """What a phone brings, whatever it shows."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    INTERVIEW = "interview"
    LOCATION = "location"


# A paper may be photographed or filed; any word of ``terms.yaml`` that is not here is a paper.
_CARRIERS: Mapping[str, tuple[Carrier, ...]] = {
    "photo": (Carrier.IMAGE,),
    "video": (Carrier.VIDEO,),
    "recording": (Carrier.VIDEO, Carrier.AUDIO),
    "interview": (Carrier.INTERVIEW,),
    "location": (Carrier.LOCATION,),
}
_PAPER = (Carrier.IMAGE, Carrier.FILE)
_REMOTE = "remote_class"
_JUDGED = (Verdict.PASS, Verdict.FAIL)


class MissingEvidence(Record, frozen=True, kw_only=True):
    """Evidence an item asks for and does not have."""

    item: str
    kind: str
    wanted: int
    held: int


class BrokenBound(Record, frozen=True, kw_only=True):
    """A constraint of an item that the values certainly break, by its place in the item."""

    item: str
    constraint: int


class Told(Record, frozen=True, kw_only=True):
    """One device's latest answer to one item.

    ``without``: it says why evidence is not there; ``reasoned``: it gives a reason.
    """

    device: str
    item: str
    verdict: Verdict
    value: Mapping[str, Any] | None = None
    without: bool = False
    reasoned: bool = False


class Lacking(Record, frozen=True, kw_only=True):
    """Everything a record of one or more devices lacks, in the order of the sheet."""

    items: tuple[str, ...] = ()
    evidence: tuple[MissingEvidence, ...] = ()
    bounds: tuple[BrokenBound, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.items or self.evidence or self.bounds)


def facts(
    *,
    kind: str,
    unannounced: bool,
    selection: str,
    jurisdiction: str,
    institution_kinds: Collection[str],
) -> dict[str, Any]:
    """Return what is known of a visit before it starts, by the names conditions use."""
    return {
        Fact.KIND.value: kind,
        Fact.REMOTE.value: kind == _REMOTE,
        Fact.UNANNOUNCED.value: unannounced,
        Fact.SELECTION.value: selection,
        Fact.JURISDICTION.value: jurisdiction,
        Fact.PLACES.value: list(jurisdictions.lineage(jurisdiction)),
        Fact.INSTITUTION_KINDS.value: sorted(institution_kinds),
    }


def carriers(kind: str) -> tuple[Carrier, ...]:
    """Return what may carry a kind of evidence."""
    return _CARRIERS.get(kind, _PAPER)


def visible(sheet: Sheet, known: Known) -> Known:
    """Return what is known without the answers to items that are not asked.

    An item is asked when its condition is true, seen without the answers of items that are not
    asked themselves: what hangs on a hidden item is hidden with it. Every condition sees only
    items that do not depend on its own, for the loader refuses circles.
    Source: experience spec, phone pages (conditional questions).
    """
    asked: dict[str, bool] = {}

    def is_asked(code: str) -> bool:
        if code not in asked:
            # A circle, were there one, ends here.
            asked[code] = False
            item = sheet.item(code)
            asked[code] = item is not None and (
                item.relevant is None
                or expressions.holds(
                    item.relevant, _among(known, filter(is_asked, sorted(_named(item))))
                )
            )
        return asked[code]

    return _among(known, (item.code for item in sheet.items if is_asked(item.code)))


def relevant_items(sheet: Sheet, known: Known) -> tuple[str, ...]:
    """Return the codes of the items that are asked, in the order of the sheet."""
    shown = visible(sheet, known)
    return tuple(
        item.code
        for item in sheet.items
        if item.relevant is None or expressions.holds(item.relevant, shown)
    )


def missing_items(sheet: Sheet, known: Known) -> tuple[str, ...]:
    """Return the required items that are asked and have no answer, in the order of the sheet.

    Source: evidence spec, section 3 (completion predicate).
    """
    return tuple(
        item.code
        for item in _asked(sheet, known)
        if item.required and item.code not in known.verdicts
    )


def missing_evidence(
    sheet: Sheet,
    known: Known,
    held: Mapping[str, Mapping[str, int]],
    excused: Collection[str] = (),
) -> tuple[MissingEvidence, ...]:
    """Return what inspectors still owe; ``held`` counts by item code and carrier.

    Items that were skipped or excused owe nothing; what the platform supplies is not listed. One
    piece serves one requirement of its item; more pieces never make more missing.
    Source: design, step 4 (capture of a visit); the evidence column of the sheets.
    """
    shown = visible(sheet, known)
    found: list[MissingEvidence] = []
    for item in _asked(sheet, known):
        verdict = known.verdicts.get(item.code)
        if verdict in _JUDGED and item.code not in excused:
            owed = [one for one in item.evidence if _is_owed(one, Verdict(verdict), shown)]
            found += _unmet(item.code, owed, held.get(item.code, {}))
    return tuple(found)


def broken_bounds(sheet: Sheet, known: Known) -> tuple[BrokenBound, ...]:
    """Return the constraints that the values certainly break, in the order of the sheet."""
    shown = visible(sheet, known)
    return tuple(
        BrokenBound(item=item.code, constraint=place)
        for item in _asked(sheet, known)
        for place, bound in enumerate(item.constraints)
        if expressions.broken(bound.holds, shown)
    )


def views(told: Iterable[Told], facts: Mapping[str, Any]) -> Mapping[str, Known]:
    """Return what is known as each device sees it: its own answers, then what others agree on.

    Where other devices disagree, nothing is known: resolving is a person's work. A record without
    any answer is seen by the device "".
    Source: evidence spec 3 (answers; other devices' rows stand beside it).
    """
    by_device: dict[str, dict[str, Told]] = {}
    for one in told:
        by_device.setdefault(one.device, {})[one.item] = one
    if not by_device:
        return {"": Known(facts=facts)}
    return {
        device: _known({**_agreed(device, by_device), **own}, facts)
        for device, own in sorted(by_device.items())
    }


def lacking(
    sheet: Sheet,
    told: Collection[Told],
    facts: Mapping[str, Any],
    held: Mapping[str, Mapping[str, int]],
) -> Lacking:
    """Return what a record lacks in the eyes of any of its devices.

    An item is answered when any device answered it; evidence is excused, and a bound explained,
    when any device said why.
    Source: evidence spec, section 3 (completion predicate).
    """
    seen = views(told, facts).values()
    answered = {one.item for one in told}
    excused = {one.item for one in told if one.without}
    items = {code for known in seen for code in missing_items(sheet, known)} - answered
    evidence = {one for known in seen for one in missing_evidence(sheet, known, held, excused)}
    reasoned = {one.item for one in told if one.reasoned}
    bounds = {one for known in seen for one in broken_bounds(sheet, known)}
    bounds = {one for one in bounds if one.item not in reasoned}
    order = {item.code: place for place, item in enumerate(sheet.items)}
    return Lacking(
        items=tuple(sorted(items, key=order.__getitem__)),
        evidence=tuple(sorted(evidence, key=lambda one: (order[one.item], one.kind, one.wanted))),
        bounds=tuple(sorted(bounds, key=lambda one: (order[one.item], one.constraint))),
    )


def counting(sheet: Sheet, told: Collection[Told], facts: Mapping[str, Any]) -> tuple[Told, ...]:
    """Return the answers to items that are asked, in the eyes of the device that gave them."""
    asked = {
        device: set(relevant_items(sheet, known)) for device, known in views(told, facts).items()
    }
    return tuple(one for one in told if one.item in asked[one.device])


def _named(item: Item) -> frozenset[str]:
    return expressions.items(item.relevant) if item.relevant is not None else frozenset()


def _among(known: Known, codes: Iterable[str]) -> Known:
    kept = frozenset(codes)
    return Known(
        facts=known.facts,
        answers={code: value for code, value in known.answers.items() if code in kept},
        verdicts={code: value for code, value in known.verdicts.items() if code in kept},
    )


def _asked(sheet: Sheet, known: Known) -> Iterator[Item]:
    codes = set(relevant_items(sheet, known))
    return (item for item in sheet.items if item.code in codes)


def _is_owed(asked: Requirement, verdict: Verdict, shown: Known) -> bool:
    if asked.by is not Source.INSPECTOR:
        return False
    if asked.when is When.FAIL and verdict is not Verdict.FAIL:
        return False
    return asked.given is None or expressions.holds(asked.given, shown)


def _unmet(
    item: str, owed: Iterable[Requirement], held: Mapping[str, int]
) -> Iterator[MissingEvidence]:
    """Give pieces out, first to those that fewest carriers serve.

    The sets of carriers lie inside each other or apart, so this order never wastes a piece.
    """
    left = {carrier: held.get(carrier, 0) for carrier in Carrier}
    for asked in sorted(owed, key=lambda one: (len(carriers(one.kind)), one.kind, one.n)):
        there = 0
        for carrier in carriers(asked.kind):
            taken = min(left[carrier], asked.n - there)
            left[carrier] -= taken
            there += taken
        if there < asked.n:
            yield MissingEvidence(item=item, kind=asked.kind, wanted=asked.n, held=there)


def _agreed(device: str, by_device: Mapping[str, Mapping[str, Told]]) -> dict[str, Told]:
    """What all others that answered an item say of it, where they say the same."""
    found: dict[str, list[Told]] = {}
    for other, answers in by_device.items():
        for item, one in answers.items() if other != device else ():
            found.setdefault(item, []).append(one)
    return {
        item: said[0]
        for item, said in found.items()
        if all((one.value, one.verdict) == (said[0].value, said[0].verdict) for one in said)
    }


def _known(told: Mapping[str, Told], facts: Mapping[str, Any]) -> Known:
    return Known(
        facts=facts,
        answers={item: one.value for item, one in told.items() if one.value is not None},
        verdicts={item: one.verdict.value for item, one in told.items()},
    )
