"""Transition tables of everything that has a state; the words are those of the design, verbatim.

Verbs by noun (a verb leads to one state, whatever it starts from):

* plan: submit, approve, reject, revise, start, close, cancel
* draw: reveal, draw, publish, void
* visit: assign, open, start, submit, complete, accept, return, conclude, recuse, replace,
  mark_unreachable, mark_closed, mark_refused, suspend, conclude_with_gap
* evidence: upload, receive, verify, seal, quarantine, release, give_up, lose, heal, withdraw, void
* finding: verify, dismiss, order, waive, correct, leave_open, withdraw
* notice: send_to_legal, send_back, approve, issue, serve, answer, review, return_reply, close,
  order_again, escalate, void
* case: verify, propose_delisting, decide, hand_over, close
* publication: approve, publish, correct, expire
* filing: submit, accept, return
* tip: triage, link, answer, close

``overdue`` and ``late`` are computed from dates and are no states. A void draw is no end of its
plan: a person opens the next attempt. A void notice keeps its number; a finding is withdrawn
when an objection is upheld.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal


class Noun(StrEnum):
    """Things that have a state."""

    PLAN = "plan"
    DRAW = "draw"
    VISIT = "visit"
    EVIDENCE = "evidence"
    FINDING = "finding"
    NOTICE = "notice"
    CASE = "case"
    PUBLICATION = "publication"
    FILING = "filing"
    TIP = "tip"


class WrongState(RuleRefusal):
    """The verb is not allowed in this state; facts are state, verb and what is allowed."""

    family: ClassVar[Family] = Family.CONFLICT
    code: ClassVar[str] = "state.wrong"


class PlanWrongState(WrongState):
    """抽查计划."""

    code: ClassVar[str] = "plan.wrong_state"


class DrawWrongState(WrongState):
    """抽取."""

    code: ClassVar[str] = "draw.wrong_state"


class VisitWrongState(WrongState):
    """现场检查."""

    code: ClassVar[str] = "visit.wrong_state"


class EvidenceWrongState(WrongState):
    """证据."""

    code: ClassVar[str] = "evidence.wrong_state"


class FindingWrongState(WrongState):
    """问题."""

    code: ClassVar[str] = "finding.wrong_state"


class NoticeWrongState(WrongState):
    """责令整改通知书."""

    code: ClassVar[str] = "notice.wrong_state"


class CaseWrongState(WrongState):
    """案件."""

    code: ClassVar[str] = "case.wrong_state"


class PublicationWrongState(WrongState):
    """公示."""

    code: ClassVar[str] = "publication.wrong_state"


class FilingWrongState(WrongState):
    """备案报送."""

    code: ClassVar[str] = "filing.wrong_state"


class TipWrongState(WrongState):
    """举报线索."""

    code: ClassVar[str] = "tip.wrong_state"


_REFUSALS: Mapping[Noun, type[WrongState]] = {
    Noun.PLAN: PlanWrongState,
    Noun.DRAW: DrawWrongState,
    Noun.VISIT: VisitWrongState,
    Noun.EVIDENCE: EvidenceWrongState,
    Noun.FINDING: FindingWrongState,
    Noun.NOTICE: NoticeWrongState,
    Noun.CASE: CaseWrongState,
    Noun.PUBLICATION: PublicationWrongState,
    Noun.FILING: FilingWrongState,
    Noun.TIP: TipWrongState,
}

# verb -> (states it may start from, the state it leads to); the first state listed per noun is
# where a new thing starts.
_FIRST: Mapping[Noun, str] = {
    Noun.PLAN: "draft",
    Noun.DRAW: "frozen",
    Noun.VISIT: "drawn",
    Noun.EVIDENCE: "declared",
    Noun.FINDING: "suspected",
    Noun.NOTICE: "draft",
    Noun.CASE: "opened",
    Noun.PUBLICATION: "prepared",
    Noun.FILING: "draft",
    Noun.TIP: "received",
}

_VERBS: Mapping[Noun, Mapping[str, tuple[str, str]]] = {
    Noun.PLAN: {
        "submit": ("draft", "submitted"),
        "approve": ("submitted", "approved"),
        "reject": ("submitted", "rejected"),
        "revise": ("rejected", "draft"),
        "start": ("approved", "running"),
        "close": ("running", "closed"),
        "cancel": ("draft submitted approved running", "cancelled"),
    },
    Noun.DRAW: {
        "reveal": ("frozen", "revealed"),
        "draw": ("revealed", "drawn"),
        "publish": ("drawn", "published"),
        "void": ("frozen revealed drawn published", "void"),
    },
    Noun.VISIT: {
        "assign": ("drawn reserve needs_decision", "assigned"),
        "open": ("assigned", "opened"),
        "start": ("opened unreachable closed refused", "started"),
        "submit": ("started returned", "submitted"),
        "complete": ("submitted", "complete"),
        "accept": ("complete", "accepted"),
        "return": ("complete", "returned"),
        "conclude": ("accepted unreachable closed refused", "concluded"),
        "recuse": ("assigned opened", "recused"),
        "replace": ("recused", "reserve"),
        "mark_unreachable": ("assigned opened started needs_decision", "unreachable"),
        "mark_closed": ("assigned opened started needs_decision", "closed"),
        "mark_refused": ("opened started needs_decision", "refused"),
        "suspend": ("assigned opened started submitted recused reserve closed", "needs_decision"),
        "conclude_with_gap": ("submitted needs_decision", "concluded_with_gap"),
    },
    Noun.EVIDENCE: {
        "upload": ("declared", "uploading"),
        "receive": ("declared uploading missing", "received"),
        "verify": ("received", "verified"),
        "seal": ("verified", "sealed"),
        "quarantine": ("declared uploading received verified", "quarantined"),
        "release": ("quarantined", "received"),
        "give_up": ("declared uploading", "missing"),
        "lose": ("received verified sealed", "missing"),
        "heal": ("missing", "verified"),
        "withdraw": ("declared uploading missing", "withdrawn"),
        "void": ("received verified sealed quarantined", "withdrawn"),
    },
    Noun.FINDING: {
        "verify": ("suspected", "verified"),
        "dismiss": ("suspected", "dismissed"),
        "order": ("verified open", "ordered"),
        "waive": ("verified", "no_action"),
        "correct": ("ordered open", "corrected"),
        "leave_open": ("ordered", "open"),
        "withdraw": ("ordered open", "dismissed"),
    },
    Noun.NOTICE: {
        "send_to_legal": ("draft", "legal_review"),
        "send_back": ("legal_review", "draft"),
        "approve": ("draft legal_review", "approved"),
        "issue": ("approved", "issued"),
        "serve": ("issued", "served"),
        "answer": ("served", "answered"),
        "review": ("served answered", "under_review"),
        "return_reply": ("under_review", "served"),
        "close": ("under_review", "closed"),
        "order_again": ("under_review", "second_order"),
        "escalate": ("under_review", "case"),
        "void": ("issued served answered under_review", "void"),
    },
    Noun.CASE: {
        "verify": ("opened", "verified"),
        "propose_delisting": ("verified", "delisting_proposed"),
        "decide": ("delisting_proposed", "decided"),
        "hand_over": ("verified decided", "handed_over"),
        "close": ("verified delisting_proposed decided handed_over", "closed"),
    },
    Noun.PUBLICATION: {
        "approve": ("prepared", "approved"),
        "publish": ("approved", "published"),
        "correct": ("published corrected", "corrected"),
        "expire": ("published corrected", "expired"),
    },
    Noun.FILING: {
        "submit": ("draft returned", "submitted"),
        "accept": ("submitted", "accepted"),
        "return": ("submitted", "returned"),
    },
    Noun.TIP: {
        "triage": ("received", "triaged"),
        "link": ("triaged", "linked"),
        "answer": ("triaged linked", "answered"),
        "close": ("linked answered", "closed"),
    },
}


def _table(noun: Noun) -> Mapping[str, Mapping[str, str]]:
    verbs = {verb: (tuple(start.split()), end) for verb, (start, end) in _VERBS[noun].items()}
    states = {_FIRST[noun]: None} | {end: None for _, end in verbs.values()}
    return MappingProxyType(
        {
            state: MappingProxyType(
                {v: end for v, (start, end) in verbs.items() if state in start}
            )
            for state in states
        }
    )


TRANSITIONS: Mapping[Noun, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {noun: _table(noun) for noun in Noun}
)


def states(noun: Noun) -> tuple[str, ...]:
    """Return all states of a noun, the first one first; for CHECK constraints and texts."""
    return tuple(TRANSITIONS[noun])


def initial(noun: Noun) -> str:
    """Return the state a new thing starts in."""
    return _FIRST[noun]


def final(noun: Noun, state: str) -> bool:
    """Say whether no verb leads out of a state."""
    return not TRANSITIONS[noun].get(state)


def require(noun: Noun, state: str, verb: str) -> str:
    """Return the state ``verb`` leads to.

    Raises: the noun's WrongState ("plan.wrong_state" and so on) with state, verb and allowed
    verbs; an unknown state or verb is refused the same way.
    Source: design, section States.
    """
    allowed = TRANSITIONS[noun].get(state, {})
    if verb not in allowed:
        raise _REFUSALS[noun](field="state", state=state, verb=verb, allowed=sorted(allowed))
    return allowed[verb]
