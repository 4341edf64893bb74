"""The transition tables: the states of the design, a closed world, one refusal per noun."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspection_plans import states
from inspection_plans.errors import Family
from inspection_plans.states import TRANSITIONS, Noun, WrongState, final, initial, require

OF_THE_DESIGN = {
    "plan": "draft submitted approved running closed rejected cancelled",
    "draw": "frozen revealed drawn published void",
    "visit": "drawn assigned opened started submitted complete accepted returned concluded"
    " recused reserve unreachable closed refused needs_decision concluded_with_gap",
    "evidence": "declared uploading received verified sealed quarantined missing withdrawn",
    "finding": "suspected verified dismissed ordered no_action corrected open",
    "notice": "draft legal_review approved issued served answered under_review closed"
    " second_order case void",
    "case": "opened verified delisting_proposed decided handed_over closed",
    "publication": "prepared approved published corrected expired",
    "filing": "draft submitted accepted returned",
    "tip": "received triaged linked answered closed",
}
PATHS = {
    "plan": "submit reject revise submit approve start close",
    "draw": "reveal draw publish void",
    "visit": "assign recuse replace assign open start submit complete return submit complete"
    " accept conclude",
    "evidence": "upload receive quarantine release verify seal",
    "finding": "verify order leave_open correct",
    "notice": "send_to_legal send_back send_to_legal approve issue serve answer review"
    " return_reply review close",
    "case": "verify propose_delisting decide hand_over close",
    "publication": "approve publish correct correct expire",
    "filing": "submit return submit accept",
    "tip": "triage link answer close",
}
ENDS = {
    "plan": {"closed", "cancelled"},
    "draw": {"void"},
    "visit": {"concluded", "concluded_with_gap"},
    "evidence": {"withdrawn"},
    "finding": {"dismissed", "no_action", "corrected"},
    "notice": {"closed", "second_order", "case", "void"},
    "case": {"closed"},
    "publication": {"expired"},
    "filing": {"accepted"},
    "tip": {"closed"},
}
# What may be done in each state; a state that is not named is an end.
ALLOWED = {
    "plan": """
        draft: submit cancel
        submitted: approve reject cancel
        approved: start cancel
        rejected: revise
        running: close cancel
    """,
    "draw": """
        frozen: reveal void
        revealed: draw void
        drawn: publish void
        published: void
    """,
    "visit": """
        drawn: assign
        assigned: open recuse mark_unreachable mark_closed suspend
        opened: start recuse mark_unreachable mark_closed mark_refused suspend
        started: submit mark_unreachable mark_closed mark_refused suspend
        submitted: complete suspend conclude_with_gap
        complete: accept return
        accepted: conclude
        returned: submit
        recused: replace suspend
        reserve: assign suspend
        unreachable: conclude start
        closed: conclude start suspend
        refused: conclude start
        needs_decision: assign mark_unreachable mark_closed mark_refused conclude_with_gap
    """,
    "evidence": """
        declared: upload receive quarantine give_up withdraw
        uploading: receive quarantine give_up withdraw
        received: verify quarantine lose void
        verified: seal quarantine lose void
        sealed: lose void
        quarantined: release void
        missing: receive heal withdraw
    """,
    "finding": """
        suspected: verify dismiss
        verified: order waive
        ordered: correct leave_open withdraw
        open: order correct withdraw
    """,
    "notice": """
        draft: send_to_legal approve
        legal_review: send_back approve
        approved: issue
        issued: serve void
        served: answer review void
        answered: review void
        under_review: return_reply close order_again escalate void
    """,
    "case": """
        opened: verify
        verified: propose_delisting hand_over close
        delisting_proposed: decide close
        decided: hand_over close
        handed_over: close
    """,
    "publication": """
        prepared: approve
        approved: publish
        published: correct expire
        corrected: correct expire
    """,
    "filing": """
        draft: submit
        submitted: accept return
        returned: submit
    """,
    "tip": """
        received: triage
        triaged: link answer
        linked: answer close
        answered: close
    """,
}
LISTED = re.compile(r"^\* (\w+): ([^*]+?)(?=\n\*|\n\n)", re.MULTILINE)
VERBS = sorted({verb for table in TRANSITIONS.values() for row in table.values() for verb in row})
STATES = sorted({state for table in TRANSITIONS.values() for state in table})
nouns = st.sampled_from(list(Noun))
words = st.one_of(st.sampled_from(VERBS), st.sampled_from(STATES), st.text(max_size=12))


@pytest.mark.parametrize("noun", list(Noun))
def test_the_states_are_those_of_the_design(noun: Noun) -> None:
    assert sorted(states.states(noun)) == sorted(OF_THE_DESIGN[noun].split())
    assert states.states(noun)[0] == initial(noun) == OF_THE_DESIGN[noun].split()[0]


@pytest.mark.parametrize("noun", list(Noun))
def test_nothing_else_may_be_done(noun: Noun) -> None:
    rows = [line.split(":") for line in ALLOWED[noun].strip().splitlines()]
    allowed = {state.strip(): sorted(verbs.split()) for state, verbs in rows}
    assert {state: sorted(row) for state, row in TRANSITIONS[noun].items() if row} == allowed


@pytest.mark.parametrize("noun", list(Noun))
def test_a_whole_life_is_possible(noun: Noun) -> None:
    state = initial(noun)
    for verb in PATHS[noun].split():
        state = require(noun, state, verb)
    assert final(noun, state) or noun is Noun.EVIDENCE


@pytest.mark.parametrize("noun", list(Noun))
def test_every_state_can_be_reached_and_only_ends_are_final(noun: Noun) -> None:
    reached, waiting = {initial(noun)}, [initial(noun)]
    while waiting:
        for target in TRANSITIONS[noun][waiting.pop()].values():
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    assert reached == set(states.states(noun))
    assert {state for state in reached if final(noun, state)} == ENDS[noun]


@given(nouns, words, words)
def test_a_verb_leads_to_a_state_of_its_noun_or_is_refused(
    noun: Noun, state: str, verb: str
) -> None:
    if verb in TRANSITIONS[noun].get(state, {}):
        assert require(noun, state, verb) in states.states(noun)
        return
    with pytest.raises(WrongState) as refused:
        require(noun, state, verb)
    assert refused.value.code == f"{noun}.wrong_state"
    assert refused.value.family is Family.CONFLICT
    allowed = sorted(TRANSITIONS[noun].get(state, {}))
    assert refused.value.facts == {"state": state, "verb": verb, "allowed": allowed}


@pytest.mark.parametrize(
    ("noun", "state", "verb"),
    [
        (Noun.PLAN, "draft", "approve"),
        (Noun.PLAN, "closed", "cancel"),
        (Noun.DRAW, "void", "reveal"),
        (Noun.DRAW, "drawn", "reveal"),
        (Noun.VISIT, "submitted", "accept"),
        (Noun.VISIT, "started", "complete"),
        (Noun.EVIDENCE, "declared", "seal"),
        (Noun.EVIDENCE, "quarantined", "verify"),
        (Noun.FINDING, "suspected", "order"),
        (Noun.NOTICE, "draft", "issue"),
        (Noun.NOTICE, "issued", "answer"),
        (Noun.CASE, "opened", "decide"),
        (Noun.PUBLICATION, "prepared", "publish"),
        (Noun.FILING, "accepted", "return"),
        (Noun.TIP, "received", "close"),
    ],
)
def test_no_step_is_skipped(noun: Noun, state: str, verb: str) -> None:
    with pytest.raises(WrongState):
        require(noun, state, verb)


def test_the_docstring_lists_every_verb() -> None:
    listed = {match.group(1): match.group(2) for match in LISTED.finditer(states.__doc__ or "")}
    assert set(listed) == set(Noun)
    for noun, text in listed.items():
        verbs = {verb for row in TRANSITIONS[Noun(noun)].values() for verb in row}
        assert {word.strip() for word in text.replace("\n", " ").split(",")} == verbs
