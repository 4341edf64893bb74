"""The verifier: true records hold, every trick in the log is found, nothing ends the run."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspection_plans.draw import record, seed
from inspection_plans.draw.errors import DrawRefusal
from inspection_plans.draw.report import lines
from inspection_plans.draw.verify import Report, verify
from tests.inspection_plans.draw.cases import (
    DICE,
    DRAND,
    KEYS,
    PLAN,
    Office,
    Row,
    a_seed,
    an_office,
    rehash,
)
from tests.inspection_plans.draw.forgery import Tamper, drop, edit, late, rewritten, twice
from tests.inspection_plans.draw.histories import (
    eventful,
    external,
    second_attempt,
    short_of_people,
)


def texts(report: Report) -> str:
    return "\n".join(f"{failure.check}: {failure.text}" for failure in report.failures)


@pytest.mark.parametrize("alg", ["sha256", "sm3"])
def test_a_true_record_holds_after_travelling_as_json(alg: str) -> None:
    whole = json.loads(json.dumps(an_office(alg).record()))
    report = verify(whole, [record.head(whole["log"])[:16]])
    assert texts(report) == ""
    assert (report.ok, report.level) == (True, "B")
    assert report.unchecked


@pytest.mark.parametrize("make", [eventful, second_attempt, short_of_people])
def test_records_with_a_history_hold(make: Callable[[], Office]) -> None:
    assert texts(verify(make().record())) == ""


def test_the_first_teams_of_two_sendings_are_named_as_unchecked() -> None:
    report = verify(short_of_people().record())
    assert any("first sending" in note for note in report.unchecked)


def test_a_log_written_anew_is_found_by_its_countersigned_head() -> None:
    """All parties together wrote another log: only the heads that others kept tell."""
    head = record.head(an_office().log)
    office = Office(day="2027-01-05")
    office.year()
    office.result(office.attempt())
    whole = office.record()
    assert verify(whole).ok
    assert "countersigned" in texts(verify(whole, [head]))
    assert "countersigned" in texts(verify(whole, [head[:16]]))
    assert "countersigned" in texts(verify(whole, [record.head(whole["log"])[:15]]))


@pytest.mark.parametrize("field", list(an_office().record()))
def test_a_missing_or_senseless_field_is_a_failure_and_no_crash(field: str) -> None:
    whole = an_office().record()
    for value in (None, 3, "x", [], {}, [None], {"x": None}, [[]]):
        assert not verify({**whole, field: value}).ok
    del whole[field]
    assert not verify(whole).ok


def test_another_field_is_a_failure() -> None:
    assert not verify({**an_office().record(), "note": "trust me"}).ok


@pytest.mark.parametrize(
    ("parties", "entropy", "level"),
    [
        (("operator", "supervisor"), (DRAND,), "A"),
        (("operator", "supervisor"), (DICE, DRAND), "A"),
        (("operator", "supervisor"), (DICE,), "B"),
        (("operator", "supervisor"), (), "B"),
        (("operator",), (DICE,), "C"),
        (("operator",), (), "D"),
    ],
)
def test_levels(parties: tuple[str, ...], entropy: tuple[Row, ...], level: str) -> None:
    plan = {**PLAN, "level_d_accepted": "training data"}
    office = Office(plan=plan)
    office.year()
    office.result(office.attempt(1, parties, entropy))
    report = verify(office.record())
    assert (texts(report), report.level) == ("", level)


def test_level_d_needs_a_reason_in_the_plan() -> None:
    office = Office()
    office.year()
    office.result(office.attempt(1, ("operator",), ()))
    report = verify(office.record())
    assert (report.ok, report.level) == (False, "D")
    assert "gives no reason" in texts(report)


MINE = {"draw": "2027-01", "attempt": 1}


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (drop("plan_year"), "not among the draws announced"),
        (late("plan_year", "result"), "announced after it began"),
        (edit("plan_year", draws=[{"draw": "2027-01", "due": "x"}] * 2), "announces a draw twice"),
        (drop("plan"), "entries of type plan"),
        (drop("freeze"), "cannot be read"),
        (twice("freeze"), "entries of type freeze"),
        (drop("commit"), "the parties of commit"),
        (twice("commit"), "the parties of commit"),
        (drop("reveal"), "the parties of reveal"),
        (drop("opening"), "the parties of opening"),
        (drop("entropy"), "not the entropy announced"),
        (drop("result"), "no result"),
        (twice("result"), "2 ends"),
        (drop("attempt_open"), "no result"),
        (twice("attempt_open"), "attempts are numbered"),
        (late("freeze", "reveal"), "came after"),
        (late("commit", "entropy"), "came after"),
        (late("commit", "reveal"), "came after"),
        (late("entropy", "reveal"), "came after"),
        (late("reveal", "result"), "came after"),
        (late("plan", "commit"), ""),
        (late("plan", "freeze"), "came after"),
        (late("result", "opening"), "came after"),
        (edit("commit", commitment=a_seed(1)), "does not open its commitment"),
        (edit("reveal", digest=a_seed(1)), "not the one revealed"),
        (edit("opening", value=a_seed(1)), "does not open its commitment"),
        (edit("entropy", value="3" * 20), "seed gives another selection"),
        (edit("entropy", value="3" * 19), "at least 20 digits"),
        (edit("entropy", value="３" * 20), "at least 20 digits"),
        (edit("entropy", witnesses=["W. A", "W. A"]), "two named witnesses"),
        (edit("entropy", ref="hall-2"), "not the entropy announced"),
        (edit("freeze", parties=["operator"]), "the parties of commit"),
        (edit("freeze", blocked=a_seed(1)), "blocked pairs"),
        (edit("freeze", objects={"root": a_seed(1), "count": 12}), "frame of objects"),
        (edit("freeze", inspectors={"root": a_seed(1), "count": 6}), "frame of inspectors"),
        (edit("plan", digest=a_seed(1)), "the plan is not the one"),
        (edit("result", seed=a_seed(1)), "noted another seed"),
        (edit("result", selection=a_seed(1)), "noted another selection"),
        (edit("result", assignment=a_seed(1)), "noted another assignment"),
        (edit("result", days=a_seed(1)), "noted another days"),
        (edit("result", status="infeasible"), "noted another status"),
        (edit("opening", attempt=2), "never opened"),
        (edit("attempt_open", stage="assignment"), "second assignment"),
    ],
)
def test_tricks_with_the_log(tamper: Tamper, says: str) -> None:
    office = an_office()
    whole = {**office.record(), "log": rewritten(office.log, tamper)}
    report = verify(whole)
    if not says:
        says = "came after"
    assert not report.ok
    assert says in texts(report)


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (edit("withdraw", reason="unwelcome"), "no listed reason"),
        (edit("withdraw", second="A"), "without a second person"),
        (edit("withdraw", evidence=""), "without evidence"),
        (edit("withdraw", object="nobody"), "was not drawn"),
        (drop("withdraw"), "was not withdrawn"),
        (twice("withdraw"), "or twice"),
        (edit("replace", stratum="S9"), "was not withdrawn"),
        (edit("replace", object="91370000/T"), "not the next of the reserve"),
        (edit("substitute", inspector="p5"), "not the one the seed gives"),
        (edit("substitute", event=5), "not the one the seed gives"),
        (drop("substitute"), "not the one the seed gives"),
    ],
)
def test_tricks_with_later_events(tamper: Tamper, says: str) -> None:
    office = eventful()
    before = {e["body"].get("inspector") for e in office.log if e["type"] == "substitute"}
    assert before - {"p5"}
    whole = {**office.record(), "log": rewritten(office.log, tamper)}
    assert says in texts(verify(whole))


def test_a_void_after_all_secrets_is_red() -> None:
    office = Office()
    office.year()
    office.attempt()
    office.write("void", **MINE, party=None, reason="nobody liked it")
    office.result(office.attempt(2), 2)
    assert "RED" in texts(verify(office.record()))


def test_a_new_attempt_keeps_the_frames_and_loses_the_party() -> None:
    office = second_attempt()
    log = rewritten(office.log, edit("void", party="operator"))
    assert "admits operator" in texts(verify({**office.record(), "log": log}))
    other = {"root": a_seed(1), "count": 12}
    log = rewritten(office.log, edit("freeze", objects=other))
    assert "another frame of objects" in texts(verify({**office.record(), "log": log}))
    log = rewritten(office.log, edit("plan", digest=a_seed(1)))
    assert "another plan" in texts(verify({**office.record(), "log": log}))


def test_the_first_selection_stays_when_the_sending_is_tried_anew() -> None:
    office = short_of_people()
    log = rewritten(office.log, edit("result", selection=a_seed(1)))
    found = texts(verify({**office.record(), "log": log}))
    assert "first result noted another selection" in found


def test_an_attempt_ends_before_the_next_begins() -> None:
    office = second_attempt()
    log = rewritten(office.log, late("void", "result"))
    found = texts(verify({**office.record(), "log": log}))
    assert "ended after the next attempt began" in found


def test_an_entry_that_hangs_on_another_chain_is_found() -> None:
    whole = an_office().record()
    last = {**whole["log"][-1], "prev": a_seed(1)}
    last["hash"] = record.entry_hash("sha256", last)
    found = texts(verify({**whole, "log": [*whole["log"][:-1], last]}))
    assert found.startswith("chain:")
    assert "does not follow" in found


def test_blocked_pairs_out_of_order_are_found() -> None:
    whole = an_office().record()
    found = texts(verify({**whole, "blocked": whole["blocked"][::-1]}))
    assert "not in the order of their bytes" in found


def test_a_redraw_of_a_complete_result_is_found() -> None:
    office = an_office()
    office.outcome = {}
    office.result(office.attempt(2), 2)
    found = texts(verify(office.record()))
    assert "second draw for one plan" in found
    assert "although everything was drawn" in found


def test_an_omitted_draw_of_the_year_is_found() -> None:
    def omitted(due: str) -> str:
        office = Office()
        office.year(**{"2026-12": due})
        office.result(office.attempt())
        return texts(verify(office.record()))

    assert "2026-12 was due" in omitted("2027-01-03")
    assert omitted("2027-01-04") == ""


def test_exclusions_by_hand_have_a_ceiling_and_listed_reasons() -> None:
    def excluded(reason: str, count: int, plan: Row) -> str:
        office = Office(plan=plan)
        for row in office.frames["objects"][:count]:
            row["excl"] = reason
            row.pop("must", None)
        office.year()
        office.result(office.attempt())
        return texts(verify(office.record()))

    no_ceiling = {key: value for key, value in PLAN.items() if key != "manual_limit"}
    assert "no listed reason" in excluded("FRIEND", 1, PLAN)
    assert "more than the plan allows" in excluded("MANUAL", 3, PLAN)
    assert "names no ceiling" in excluded("MANUAL", 1, no_ceiling)
    assert excluded("COOLDOWN", 5, PLAN) == ""


def test_withdrawals_beyond_the_limit_are_found() -> None:
    office = Office(plan={**PLAN, "withdrawal_limit": 0})
    office.year()
    office.result(office.attempt())
    gone = office.outcome["selection"][0]["random"][0]
    more = {"reason": "moved", "evidence": a_seed(1), "by": "A", "second": "B"}
    office.write("withdraw", draw=office.draw, object=gone, **more)
    assert "the plan allows 0" in texts(verify(office.record()))


def test_who_was_withdrawn_must_be_drawn_next_time() -> None:
    def next_draw(*, must: bool) -> str:
        office = eventful()
        office.year(**{"2027-02": "2027-06-30"})
        office.log.pop()
        gone = next(e for e in office.log if e["type"] == "withdraw")["body"]["object"]
        office.draw, office.outcome = "2027-02", {}
        office.plan = {**PLAN, "code": "second"}
        office.write(
            "plan_year", year=2027, draws=[{"draw": "2027-02", "due": "2027-06-30", "number": 2}]
        )
        for row in office.frames["objects"]:
            if row["id"] == gone and must:
                row["must"] = True
        office.result(office.attempt())
        return texts(verify(office.record()))

    assert "had to be drawn this time" in next_draw(must=False)
    assert next_draw(must=True) == ""


def test_the_log_refuses_what_is_no_entry() -> None:
    with pytest.raises(DrawRefusal, match="E_TYPE"):
        record.append([], "redraw", {}, "2027-01-04T08:00:00Z")
    with pytest.raises(DrawRefusal, match="E_TYPE"):
        record.append([], "disclose", MINE, "2027-01-04 08:00")
    with pytest.raises(DrawRefusal, match="E_KEY"):
        record.append([], "disclose", {"draw": "d"}, "2027-01-04T08:00:00Z")
    assert record.head([]) == "0" * 64
    first = record.append([], "disclose", MINE, "2027-01-04T08:00:00Z")
    assert (first["seq"], first["prev"]) == (0, "0" * 64)
    second = record.append([first], "disclose", MINE, "2027-01-04T08:00:00Z")
    assert (second["seq"], second["prev"]) == (1, first["hash"])


def test_blocked_pairs_are_frozen_in_order() -> None:
    frames = Office().frames
    frames["blocked"].reverse()
    with pytest.raises(DrawRefusal, match="E_BLOCK_REF"):
        record.frozen("sha256", frames, KEYS)


def test_a_secret_of_another_party_does_not_open() -> None:
    one, other = (
        seed.commitment("sha256", "d", 1, party, a_seed(1)) for party in ("operator", "supervisor")
    )
    assert one != other


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


def spoil(value: Any, data: st.DataObject) -> Any:
    """The value with something else somewhere in it."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 9)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: spoil(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 9)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], spoil(value[at], data), *value[at + 1 :]]
    return data.draw(ANYTHING)


WHOLE: dict[str, Row] = {
    "full": eventful().record(),
    "sealed": eventful().sealed("91370001/T"),
    "external": external(),
}


@given(st.sampled_from(sorted(WHOLE)), st.data())
@settings(max_examples=200, deadline=None)
def test_no_record_ends_the_verifier(profile: str, data: st.DataObject) -> None:
    """The forger writes all hashes anew, so that the checks behind the chain see it too."""
    whole = spoil(WHOLE[profile], data)
    with contextlib.suppress(AttributeError, TypeError, KeyError, DrawRefusal):
        whole["log"] = rehash("sha256", whole["log"])
    report = verify(whole)
    assert report.verdict in ("failed", "unverifiable", "verified")
    for failure in report.failures:
        assert failure.say("zh")
        assert failure.say("en")
    named = whole if isinstance(whole, dict) else {}
    assert "\n".join(lines(report, named, ["zh", "en"]))


def test_an_opened_row_of_no_stratum_is_a_failure() -> None:
    office = Office()
    office.year()
    office.result(office.attempt())
    whole = office.sealed("91370001/T")
    whole["openings"][0]["row"] = {"id": "91370001/T"}
    assert not verify(whole).ok
