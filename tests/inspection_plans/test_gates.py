"""The gates of due process: each refuses what it must and lets the rest pass."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import gates, loader
from inspection_plans.errors import Family
from inspection_plans.gates import GateRefusal, Member
from inspection_plans.states import Noun, states
from inspection_plans.vocabulary import Severity

DAY = date(2024, 7, 1)
A, B = Member("a", date(2025, 1, 1)), Member("b", DAY)
AFTER_VERIFICATION = {"verified", "ordered", "no_action", "corrected", "open"}


def refusals() -> set[type[GateRefusal]]:
    found: set[type[GateRefusal]] = set()
    waiting: list[type[GateRefusal]] = [GateRefusal]
    while waiting:
        children = waiting.pop().__subclasses__()
        found.update(children)
        waiting.extend(children)
    return found


def test_every_gate_has_a_basis_and_a_refusal() -> None:
    shown = loader.load().gates
    assert list(shown) == [f"G{number}" for number in range(1, 13)]
    assert {refusal.gate for refusal in refusals()} == set(shown)
    codes = [refusal.code for refusal in refusals()]
    assert len(set(codes)) == len(codes)


def test_a_refusal_names_its_gate() -> None:
    with pytest.raises(gates.CertificateNotShown) as refused:
        gates.certificate_shown(False)
    assert refused.value.facts == {"gate": "G2"}
    gates.certificate_shown(True)


def test_two_inspectors_with_certificates_may_go() -> None:
    gates.team([A, B], blocked=set(), on=DAY, minimum=2)


def test_an_expired_certificate_does_not_count() -> None:
    with pytest.raises(gates.CertificateExpired) as refused:
        gates.team([A, B], blocked=set(), on=DAY + timedelta(days=1), minimum=2)
    assert refused.value.facts["persons"] == ["b"]
    with pytest.raises(gates.CertificateExpired):
        gates.team([A, Member("c", None)], blocked=set(), on=DAY, minimum=2)


def test_a_declared_relation_keeps_an_inspector_away() -> None:
    with pytest.raises(gates.DeclaredRelation) as refused:
        gates.team([A, B], blocked={"a", "z"}, on=DAY, minimum=2)
    assert refused.value.facts["persons"] == ["a"]


@given(st.lists(st.sampled_from("abcde"), max_size=6), st.integers(2, 5))
def test_a_person_counts_once(people: list[str], minimum: int) -> None:
    members = [Member(person, DAY) for person in people]
    if len(set(people)) >= minimum:
        gates.team(members, blocked=set(), on=DAY, minimum=minimum)
        return
    with pytest.raises(gates.TeamTooSmall) as refused:
        gates.team(members, blocked=set(), on=DAY, minimum=minimum)
    assert refused.value.facts["present"] == len(set(people))


@pytest.mark.parametrize(
    ("complete", "signatures", "signed", "refused", "missing"),
    [
        (True, 2, True, False, []),
        (True, 3, False, True, []),
        (False, 2, True, False, ["evidence"]),
        (True, 1, True, False, ["inspector_signatures"]),
        (True, 2, False, False, ["party_signature"]),
        (False, 0, False, False, ["evidence", "inspector_signatures", "party_signature"]),
    ],
)
def test_a_record_needs_all_its_parts(
    *, complete: bool, signatures: int, signed: bool, refused: bool, missing: list[str]
) -> None:
    def conclude() -> None:
        gates.record_complete(
            complete=complete,
            signatures=signatures,
            party_signed=signed,
            refusal_witnessed=refused,
        )

    if not missing:
        conclude()
        return
    with pytest.raises(gates.RecordIncomplete) as refusal:
        conclude()
    assert refusal.value.facts["missing"] == missing


@given(st.lists(st.sampled_from(states(Noun.FINDING)), max_size=5))
def test_only_verified_findings_burden_anybody(found: list[str]) -> None:
    if set(found) <= AFTER_VERIFICATION:
        gates.verified_only(found)
        return
    with pytest.raises(gates.FindingNotVerified):
        gates.verified_only(found)


def test_verification_names_evidence() -> None:
    gates.verification(["photo"])
    with pytest.raises(gates.VerificationUnfounded):
        gates.verification([])


@pytest.mark.parametrize(
    ("stated", "ends", "heard"),
    [
        (DAY, DAY + timedelta(days=9), True),
        (DAY + timedelta(days=1), DAY + timedelta(days=9), False),
        (None, DAY - timedelta(days=1), True),
        (None, DAY, False),
        (None, None, False),
    ],
)
def test_the_party_is_heard_or_its_term_has_run_out(
    *, stated: date | None, ends: date | None, heard: bool
) -> None:
    if heard:
        gates.party_heard(stated_on=stated, term_ends_on=ends, today=DAY)
        return
    with pytest.raises(gates.PartyNotHeard):
        gates.party_heard(stated_on=stated, term_ends_on=ends, today=DAY)


def test_major_matters_need_a_legal_review() -> None:
    assert gates.legal_review_needed([Severity.MINOR, Severity.CRITICAL])
    assert gates.legal_review_needed([], removal=True)
    assert gates.legal_review_needed([], recovery=True)
    assert not gates.legal_review_needed([Severity.MAJOR, Severity.MINOR])
    gates.legal_review(needed=False, reviewer=None, involved={"a"})
    gates.legal_review(needed=True, reviewer="c", involved={"a", "b"})
    with pytest.raises(gates.LegalReviewMissing):
        gates.legal_review(needed=True, reviewer=None, involved={"a"})
    with pytest.raises(gates.LegalReviewerInvolved):
        gates.legal_review(needed=False, reviewer="a", involved={"a"})


@pytest.mark.parametrize("noun", ["plan", "draw", "visit", "evidence", "notice", "case"])
def test_nobody_approves_an_act_of_their_own(noun: str) -> None:
    gates.second_person(Noun(noun), author="a", approver="b")
    with pytest.raises(gates.SamePerson) as refused:
        gates.second_person(Noun(noun), author="a", approver="a")
    assert refused.value.code == f"{noun}.same_person"
    assert refused.value.family is Family.DENIED


def test_without_service_no_clock() -> None:
    assert gates.service_before_clock(DAY) == DAY
    with pytest.raises(gates.NotServed):
        gates.service_before_clock(None)


def test_a_removal_is_the_project_offices_decision() -> None:
    gates.removal_decided(decided_on=DAY, reference="no. 1")
    for day, reference in ((None, "no. 1"), (DAY, None), (DAY, "")):
        with pytest.raises(gates.RemovalNotDecided):
            gates.removal_decided(decided_on=day, reference=reference)


def test_an_order_names_basis_and_authority() -> None:
    gates.law_level_basis("a law", "an authority")
    for basis, authority, missing in (
        (None, "x", ["basis"]),
        ("x", "", ["authority"]),
        (None, None, ["basis", "authority"]),
    ):
        with pytest.raises(gates.NoLawLevelBasis) as refused:
            gates.law_level_basis(basis, authority)
        assert refused.value.facts["missing"] == missing


@given(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["", " ", "复议、诉讼"]))
def test_a_major_decision_is_whole(
    discussed: bool, needed: bool, offered: bool, remedies: str
) -> None:
    missing = ["discussion"] * (not discussed)
    missing += ["hearing"] * (needed and not offered)
    missing += ["remedies"] * (not remedies.strip())

    def decide() -> None:
        gates.major_decision(
            discussed_on=DAY if discussed else None,
            hearing_needed=needed,
            hearing_offered=offered,
            remedies=remedies,
        )

    if not missing:
        decide()
        return
    with pytest.raises(gates.DecisionUnfounded) as refused:
        decide()
    assert refused.value.facts["missing"] == missing
