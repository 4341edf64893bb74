"""Every sentence the verifier can say is said of some record, in both languages."""

import copy
import string
from collections.abc import Callable
from typing import Any

import pytest

from inspection_plans.draw import findings
from inspection_plans.draw.verify import verify
from tests.inspection_plans.draw.cases import PLAN, Office, Row, a_seed, an_office
from tests.inspection_plans.draw.forgery import Tamper, drop, edit, late, rewritten, twice
from tests.inspection_plans.draw.histories import (
    eventful,
    events_sealed,
    external,
    second_attempt,
    short_of_people,
    supplemented,
    with_a_chain,
    withdraw,
)

Make = Callable[[], Row]


def forged(tamper: Tamper, make: Callable[[], Office] = an_office) -> Make:
    """The record of a draw whose log was rewritten."""

    def made() -> Row:
        office = make()
        return {**office.record(), "log": rewritten(office.log, tamper)}

    return made


def put(make: Callable[[], Row], *path: Any, value: Any) -> Make:
    """A record with one value changed."""

    def made() -> Row:
        whole = copy.deepcopy(make())
        inner: Any = whole
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return whole

    return made


def full() -> Row:
    return an_office().record()


def sealed() -> Row:
    return an_office().sealed("91370001/T", "91370002/T")


def total(**more: Any) -> Make:
    def made() -> Row:
        whole = sealed()
        whole["totals"] = [{**whole["totals"][0], **more}, *whole["totals"][1:]]
        return whole

    return made


def signature(**more: Any) -> Make:
    def made() -> Row:
        whole = full()
        [one] = whole["countersigns"]
        whole["countersigns"] = [{**one, **more}]
        return whole

    return made


def planned(plan: Row, *, prepare: Callable[[Office], object] = lambda _: None) -> Make:
    def made() -> Row:
        office = Office(plan=plan)
        prepare(office)
        office.year()
        office.result(office.attempt(1, ("operator",), ()))
        return office.record()

    return made


def excluded(reason: str, count: int, plan: Row = PLAN) -> Make:
    def prepare(office: Office) -> None:
        for row in office.frames["objects"][:count]:
            row["excl"] = reason
            row.pop("must", None)

    return planned(plan, prepare=prepare)


def noted_exclusions() -> Row:
    office = Office()
    office.year()
    office.result(office.attempt(exclusions=[{"code": "MANUAL", "count": 2}]))
    return office.record()


def years(draws: list[Row]) -> Make:
    return forged(edit("plan_year", draws=draws))


def red() -> Row:
    office = Office()
    office.year()
    office.attempt()
    office.write("void", draw=office.draw, attempt=1, party=None, reason="nobody liked it")
    office.result(office.attempt(2), 2)
    return office.record()


def redrawn() -> Row:
    office = an_office()
    office.outcome = {}
    office.result(office.attempt(2), 2)
    return office.record()


def unended() -> Row:
    office = an_office()
    office.log = [entry for entry in office.log if entry["type"] not in ("result", "void")]
    return {**office.record(), "log": rewritten(office.log, lambda log: log)}


def other_people() -> Row:
    office = short_of_people(again=False)
    office.frames["inspectors"] = Office().frames["inspectors"]
    office.result(office.attempt(2, stage="assignment"), 2)
    return office.record()


def same_plan() -> Row:
    office = an_office()
    office.write(
        "plan_year", year=2027, draws=[{"draw": "twin", "due": "2027-09-01", "number": 2}]
    )
    office.draw = "twin"
    office.attempt()
    office.draw = "2027-01"
    return office.record()


def not_returned() -> Row:
    office = eventful()
    row = {"draw": "2027-02", "due": "2027-06-30", "number": 2}
    office.write("plan_year", year=2027, draws=[row])
    office.draw, office.outcome, office.plan = "2027-02", {}, {**PLAN, "code": "second"}
    office.result(office.attempt())
    return office.record()


def too_many_withdrawn() -> Row:
    office = an_office()
    for part in office.outcome["selection"]:
        for ident in part["random"][:2]:
            withdraw(office, ident)
    return office.record()


def level_d() -> Row:
    office = Office()
    office.year()
    office.result(office.attempt(1, ("operator",), ()))
    return office.record()


def opened(**more: Any) -> Make:
    def made() -> Row:
        whole = sealed()
        return {**whole, "openings": [{**whole["openings"][0], **more}, whole["openings"][1]]}

    return made


def keys_of(**more: str) -> list[Row]:
    body = next(entry["body"] for entry in an_office().log if entry["type"] == "freeze")
    return [{**one, **more} for one in body["party_keys"]]


NO_CEILING = {key: value for key, value in PLAN.items() if key != "manual_limit"}
PERSON = {"id": "p0", "licence": "LIC-0", "salt": a_seed(200)}
OTHERS = [{**PERSON, "id": f"p{i}"} for i in range(1, 6)]
CASES: dict[str, Make] = {
    "shape.field": put(full, "plan", value=[]),
    "shape.extra": put(full, "note", value="trust me"),
    "chain.empty": put(full, "log", value=[]),
    "chain.fields": put(full, "log", 3, "more", value=1),
    "chain.number": put(full, "log", 3, "seq", value=True),
    "chain.link": put(full, "log", 3, "prev", value=a_seed(1)),
    "chain.hash": put(full, "log", 3, "hash", value=a_seed(1)),
    "chain.time": put(full, "log", 3, "time", value="2026-01-01T00:00:00Z"),
    "chain.body": forged(lambda log: [{**log[0], "body": {"draws": []}}, *log[1:]]),
    "signatures.keys": forged(edit("freeze", party_keys=keys_of()[::-1])),
    "signatures.shared": forged(edit("freeze", party_keys=keys_of(key=keys_of()[0]["key"]))),
    "signatures.commit": forged(edit("commit", signature="ab" * 64)),
    "signatures.form": signature(note="x"),
    "signatures.stranger": signature(party="association"),
    "signatures.head": signature(head=a_seed(1)),
    "signatures.bad": signature(party="supervisor"),
    "signatures.order": put(full, "countersigns", value=full()["countersigns"] * 2),
    "signatures.end": put(full, "countersigns", value=[]),
    "year.unannounced": forged(drop("plan_year")),
    "year.late": forged(late("plan_year", "result")),
    "year.twice": years([{"draw": "2027-01", "due": "2027-12-01"}] * 2),
    "year.numbers": years([{"draw": "2027-01", "due": "2027-12-01", "number": 2}]),
    "year.overdue": years(
        [{"draw": "2027-01", "due": "2027-12-01"}, {"draw": "2026-12", "due": "2027-01-03"}]
    ),
    "year.same_plan": same_plan,
    "attempts.numbers": forged(twice("attempt_open")),
    "attempts.stray": forged(edit("opening", attempt=2)),
    "attempts.ends": unended,
    "attempts.overlap": forged(late("void", "result"), second_attempt),
    "attempts.red": red,
    "attempts.single": forged(twice("freeze")),
    "attempts.order": forged(late("commit", "reveal")),
    "attempts.no_party": forged(edit("freeze", parties=[], party_keys=[])),
    "attempts.parties": forged(drop("commit")),
    "attempts.stranger": forged(edit("reveal", party="association")),
    "attempts.commitment": forged(edit("commit", commitment=a_seed(1))),
    "attempts.revealed": forged(edit("reveal", digest=a_seed(1))),
    "attempts.entropy": forged(edit("entropy", ref="hall-2")),
    "attempts.source": forged(edit("entropy", source="my own computer")),
    "attempts.dice": forged(edit("entropy", value="３" * 20)),
    "attempts.witnesses": forged(edit("entropy", witnesses=["W. A"] * 2)),
    "attempts.other_plan": forged(edit("plan", digest=a_seed(1)), second_attempt),
    "attempts.other_frame": forged(edit("freeze", blocked=a_seed(1)), second_attempt),
    "attempts.admitted": forged(edit("void", party="operator"), second_attempt),
    "attempts.second": redrawn,
    "attempts.needless": redrawn,
    "attempts.no_result": forged(drop("result")),
    "plan.digest": forged(edit("plan", digest=a_seed(1))),
    "level.reason": level_d,
    "frames.rows": put(full, "inspectors", value=full()["inspectors"][::-1]),
    "frames.root": put(full, "objects", 2, "w", value=5),
    "frames.order": put(full, "blocked", value=full()["blocked"][::-1]),
    "frames.blocked": put(full, "blocked", value=[]),
    "result.none": forged(drop("result")),
    "result.other": put(full, "days", value={}),
    "result.noted": forged(edit("result", assignment=a_seed(1))),
    "result.first": forged(edit("result", selection=a_seed(1)), short_of_people),
    "totals.sum": total(n=0),
    "totals.frame": total(stratum="S0"),
    "totals.target": total(target=9, shortfall=9 - sealed()["totals"][0]["n"]),
    "totals.noted": total(threshold="1"),
    "exclusions.reason": excluded("FRIEND", 1),
    "exclusions.no_ceiling": excluded("MANUAL", 1, NO_CEILING),
    "exclusions.too_many": excluded("MANUAL", 3),
    "exclusions.noted": noted_exclusions,
    "sealed.numbers": forged(drop("withdraw"), events_sealed),
    "sealed.other": forged(edit("substitute", opens=2, salt=a_seed(1)), events_sealed),
    "withdrawals.not_drawn": forged(edit("withdraw", object="nobody"), eventful),
    "withdrawals.reason": forged(edit("withdraw", reason="unwelcome"), eventful),
    "withdrawals.second": forged(edit("withdraw", second="A"), eventful),
    "withdrawals.evidence": forged(edit("withdraw", evidence=""), eventful),
    "withdrawals.too_many": too_many_withdrawn,
    "returned.missing": not_returned,
    "reserves.nobody": forged(drop("withdraw"), eventful),
    "reserves.order": forged(edit("replace", object="91370000/T"), eventful),
    "reserves.link": forged(edit("replace", link=a_seed(1)), with_a_chain),
    "supplements.missing": other_people,
    "supplements.count": other_people,
    "supplements.rows": forged(edit("supplement", inspectors=[{"id": "p2"}] * 4), short_of_people),
    "substitutes.other": forged(edit("substitute", inspector="p5"), supplemented),
    "persons.unknown": forged(edit("disclose", persons=[{**PERSON, "id": "p77"}])),
    "persons.proof": forged(
        edit("disclose", persons=[{**PERSON, "id": f"p{i}"} for i in range(1, 6)])
    ),
    "openings.form": opened(note=1),
    "openings.order": put(sealed, "openings", value=sealed()["openings"][::-1]),
    "openings.proof": opened(salt=a_seed(1)),
    "external.form": lambda: external(platform=""),
    "external.visits": put(external, "visits", value=[]),
}


def codes(whole: Row, **more: Any) -> set[str]:
    return {failure.code for failure in verify(whole, **more).failures}


@pytest.mark.parametrize("code", CASES)
def test_each_finding_is_found(code: str) -> None:
    assert code in codes(CASES[code]())


def test_heads_and_keys_that_somebody_else_kept() -> None:
    assert codes(full(), heads=["ab" * 32]) == {"heads.missing"}
    assert codes(full(), keys={"operator": "ab" * 32}) == {"signatures.other_key"}
    assert codes(full(), keys={"association": "ab" * 32}) == set()


def test_nothing_can_be_said_that_no_test_has_heard() -> None:
    elsewhere = {"heads.missing", "signatures.other_key", "reserves.session"}
    assert set(CASES) | elsewhere == set(findings.FINDINGS)


def test_every_check_has_a_finding_and_each_finding_a_check() -> None:
    assert {code.split(".")[0] for code in findings.FINDINGS} == set(findings.CHECKS)


@pytest.mark.parametrize("table", [findings.FINDINGS, findings.NOTES])
def test_both_languages_name_the_same_facts(table: dict[str, tuple[str, str]]) -> None:
    def facts(text: str) -> list[str]:
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    for english, chinese in table.values():
        assert facts(english) == facts(chinese)
        assert english.isascii()
        assert any("\u4e00" <= c <= "\u9fff" for c in chinese)


def test_a_draw_made_elsewhere_may_show_signatures_nobody_can_check() -> None:
    whole = external()
    known = {"party": "operator", "head": whole["log"][-1]["hash"], "signature": "ab" * 64}
    assert codes({**whole, "countersigns": [known]}) == set()
    assert codes({**whole, "countersigns": [{**known, "head": a_seed(1)}]}) == {"signatures.head"}


def test_what_no_record_limits_is_noted() -> None:
    plan = {key: value for key, value in PLAN.items() if key != "withdrawal_limit"}
    report = verify(planned({**plan, "level_d_accepted": "training data"})())
    assert (report.verdict, report.level) == ("verified", "D")
    assert "note.limit" in {note.code for note in report.notes}


def test_a_draw_without_countersignatures_says_who_was_silent() -> None:
    office = Office()
    office.year()
    secrets = office.attempt()
    office.log = [
        {**e, "body": {**e["body"], "countersigned": []}} if e["type"] == "reveal" else e
        for e in office.log
    ]
    office.log = rewritten(office.log, lambda log: log)
    office.result(secrets)
    report = verify(office.record())
    assert report.ok
    assert [note.code for note in report.notes if note.code == "note.freeze"] == ["note.freeze"]
    assert "operator, supervisor" in "".join(report.unchecked)
