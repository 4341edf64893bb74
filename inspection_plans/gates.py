"""Due-process gates G1 to G12 as far as they are pure: values in, a refusal or nothing out.

Every refusal has the fact ``gate``; ``packs/gates.yaml`` holds the basis that screens show.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from inspection_plans.errors import Family, RuleRefusal
from inspection_plans.states import Noun
from inspection_plans.vocabulary import Severity


class GateRefusal(RuleRefusal):
    """Root of the gates: nothing was done because due process asks for something first."""

    code: ClassVar[str] = "gate.refused"
    family: ClassVar[Family] = Family.GATE
    gate: ClassVar[str] = ""

    def __init__(self, *, field: str | None = None, **facts: object) -> None:
        super().__init__(field=field, gate=self.gate, **facts)


class TeamTooSmall(GateRefusal):
    """Fewer inspectors with a valid certificate than the law or the plan asks for."""

    code: ClassVar[str] = "visit.team_too_small"
    gate: ClassVar[str] = "G1"


class CertificateExpired(GateRefusal):
    """An inspector's certificate 执法证 is not valid on the day."""

    code: ClassVar[str] = "visit.certificate_expired"
    gate: ClassVar[str] = "G1"


class DeclaredRelation(GateRefusal):
    """An inspector has a declared relation 回避 to the institution."""

    code: ClassVar[str] = "visit.declared_relation"
    gate: ClassVar[str] = "G1"


class CertificateNotShown(GateRefusal):
    """亮证 is not recorded."""

    code: ClassVar[str] = "visit.certificate_not_shown"
    gate: ClassVar[str] = "G2"


class RecordIncomplete(GateRefusal):
    """The record lacks completeness, signatures or the party's signature or refusal."""

    code: ClassVar[str] = "visit.record_incomplete"
    gate: ClassVar[str] = "G3"


class FindingNotVerified(GateRefusal):
    """A suspected finding 疑似问题 may not burden anybody."""

    code: ClassVar[str] = "finding.not_verified"
    gate: ClassVar[str] = "G4"


class VerificationUnfounded(GateRefusal):
    """A finding is verified by a person who names the evidence."""

    code: ClassVar[str] = "finding.no_evidence_named"
    gate: ClassVar[str] = "G4"


class PartyNotHeard(GateRefusal):
    """The statement 陈述申辩 is not there and its term has not run out."""

    code: ClassVar[str] = "case.party_not_heard"
    gate: ClassVar[str] = "G5"


class LegalReviewMissing(GateRefusal):
    """A major decision without a legal review 法制审核."""

    code: ClassVar[str] = "notice.legal_review_missing"
    gate: ClassVar[str] = "G6"


class LegalReviewerInvolved(GateRefusal):
    """The legal reviewer inspected or supervises the matter."""

    code: ClassVar[str] = "notice.legal_reviewer_involved"
    gate: ClassVar[str] = "G6"


class CaseReviewMissing(LegalReviewMissing):
    """A case without a legal review."""

    code: ClassVar[str] = "case.legal_review_missing"


class CaseReviewerInvolved(LegalReviewerInvolved):
    """The legal reviewer inspected, verified, opened or investigated the case."""

    code: ClassVar[str] = "case.legal_reviewer_involved"


class SamePerson(GateRefusal):
    """The author of an act tried to approve it."""

    code: ClassVar[str] = "gate.same_person"
    family: ClassVar[Family] = Family.DENIED
    gate: ClassVar[str] = "G7"


class PlanSamePerson(SamePerson):
    """Plan approval."""

    code: ClassVar[str] = "plan.same_person"


class DrawSamePerson(SamePerson):
    """Voiding a draw."""

    code: ClassVar[str] = "draw.same_person"


class VisitSamePerson(SamePerson):
    """Concluding a visit with a gap."""

    code: ClassVar[str] = "visit.same_person"


class EvidenceSamePerson(SamePerson):
    """Release of quarantined evidence."""

    code: ClassVar[str] = "evidence.same_person"


class NoticeSamePerson(SamePerson):
    """Notice approval."""

    code: ClassVar[str] = "notice.same_person"


class CaseSamePerson(SamePerson):
    """Case closing."""

    code: ClassVar[str] = "case.same_person"


class PublicationSamePerson(SamePerson):
    """Approval of a publication."""

    code: ClassVar[str] = "publication.same_person"


class NotServed(GateRefusal):
    """No service 送达, no clock."""

    code: ClassVar[str] = "notice.not_served"
    gate: ClassVar[str] = "G8"


class UnknownWording(GateRefusal):
    """A published result uses the standard wordings only, at least one and each once."""

    code: ClassVar[str] = "publication.unknown_wording"
    gate: ClassVar[str] = "G9"


class RemovalNotDecided(GateRefusal):
    """The decision of the project office is not recorded; the platform never removes by itself."""

    code: ClassVar[str] = "case.removal_not_decided"
    gate: ClassVar[str] = "G10"


class NoLawLevelBasis(GateRefusal):
    """Without law-level basis and competent authority the outcome is advice or hand-over."""

    code: ClassVar[str] = "notice.no_law_level_basis"
    gate: ClassVar[str] = "G11"


class DecisionUnfounded(GateRefusal):
    """A major decision lacks the discussion, the offer of a hearing or the remedies text."""

    code: ClassVar[str] = "case.decision_incomplete"
    gate: ClassVar[str] = "G12"


class Stayed(GateRefusal):
    """A stay 中止执行 suspends the execution."""

    code: ClassVar[str] = "case.stayed"
    gate: ClassVar[str] = "G12"


class LegallyStopped(GateRefusal):
    """The legal review stopped it."""

    code: ClassVar[str] = "case.legally_stopped"
    gate: ClassVar[str] = "G6"


class Recused(GateRefusal):
    """The person was recused 回避 from this matter."""

    code: ClassVar[str] = "case.recused"
    family: ClassVar[Family] = Family.DENIED
    gate: ClassVar[str] = "G1"


class OfficeRecused(GateRefusal):
    """整机关回避: the office takes no part in the matters of this institution."""

    code: ClassVar[str] = "office.recused"
    family: ClassVar[Family] = Family.DENIED
    gate: ClassVar[str] = "G1"


class OwnOffice(GateRefusal):
    """Whether an office steps aside is decided by another office above it."""

    code: ClassVar[str] = "office.own_recusal"
    family: ClassVar[Family] = Family.DENIED
    gate: ClassVar[str] = "G1"


_SECOND_PERSON: dict[Noun, type[SamePerson]] = {
    Noun.PLAN: PlanSamePerson,
    Noun.DRAW: DrawSamePerson,
    Noun.VISIT: VisitSamePerson,
    Noun.EVIDENCE: EvidenceSamePerson,
    Noun.NOTICE: NoticeSamePerson,
    Noun.CASE: CaseSamePerson,
    Noun.PUBLICATION: PublicationSamePerson,
}


@dataclass(frozen=True)
class Member:
    """执法检查人员 of a team, as known on the day of the visit."""

    person: Hashable
    certificate_until: date | None


def team(
    members: Sequence[Member], blocked: Collection[Hashable], *, on: date, minimum: int
) -> None:
    """G1: enough inspectors, each with a certificate valid on the day, none with a relation.

    Experts are not members. ``blocked`` are the persons with a relation to the institution.
    Raises: DeclaredRelation, CertificateExpired, TeamTooSmall.
    """
    related = [str(member.person) for member in members if member.person in blocked]
    if related:
        raise DeclaredRelation(field="inspectors", persons=related)
    expired = [
        str(member.person)
        for member in members
        if member.certificate_until is None or member.certificate_until < on
    ]
    if expired:
        raise CertificateExpired(field="inspectors", persons=expired, on=on.isoformat())
    present = len({member.person for member in members})
    if present < minimum:
        raise TeamTooSmall(field="inspectors", present=present, minimum=minimum)


def certificate_shown(shown: bool) -> None:
    """G2: 亮证 is recorded (a scan, a photo or a reason) before the visit starts.

    Raises: CertificateNotShown ("visit.certificate_not_shown").
    """
    if not shown:
        raise CertificateNotShown(field="certificate")


def record_complete(
    *, complete: bool, signatures: int, party_signed: bool, refusal_witnessed: bool
) -> None:
    """G3: the visit is complete, two inspectors signed, the party signed or refused on record.

    Raises: RecordIncomplete ("visit.record_incomplete") with the list of what is missing.
    """
    missing = [
        name
        for name, there in (
            ("evidence", complete),
            ("inspector_signatures", signatures >= 2),  # noqa: PLR2004 - the gate's own number
            ("party_signature", party_signed or refusal_witnessed),
        )
        if not there
    ]
    if missing:
        raise RecordIncomplete(field="record", missing=missing)


def verified_only(states: Iterable[str]) -> None:
    """G4: no notice, change of risk or publication on a finding that was not verified.

    ``states`` are finding states; all but ``suspected`` and ``dismissed`` came after verification.
    Raises: FindingNotVerified ("finding.not_verified").
    """
    unverified = sorted({state for state in states if state in ("suspected", "dismissed")})
    if unverified:
        raise FindingNotVerified(field="findings", states=unverified)


def verification(evidence: Collection[Hashable]) -> None:
    """G4: verification is by a person who names the evidence.

    Raises: VerificationUnfounded ("finding.no_evidence_named").
    """
    if not evidence:
        raise VerificationUnfounded(field="evidence")


def party_heard(*, stated_on: date | None, term_ends_on: date | None, today: date) -> None:
    """G5: a burdening decision needs the party's statement, or its term must have run out.

    ``term_ends_on`` is None while nothing was served.
    Raises: PartyNotHeard ("case.party_not_heard").
    """
    if stated_on is not None and stated_on <= today:
        return
    if term_ends_on is None or today <= term_ends_on:
        ends = term_ends_on.isoformat() if term_ends_on else None
        raise PartyNotHeard(field="statement", term_ends_on=ends)


def legal_review_needed(
    severities: Iterable[Severity], *, removal: bool = False, recovery: bool = False
) -> bool:
    """G6: a critical finding, a removal proposal or recovery of money needs a legal review."""
    return removal or recovery or Severity.CRITICAL in set(severities)


def legal_review(
    *, needed: bool, reviewer: Hashable | None, involved: Collection[Hashable]
) -> None:
    """G6: the legal reviewer is neither inspector nor supervisor of the matter.

    Raises: LegalReviewMissing, LegalReviewerInvolved.
    """
    if needed and reviewer is None:
        raise LegalReviewMissing(field="legal_review")
    if reviewer is not None and reviewer in involved:
        raise LegalReviewerInvolved(field="legal_review", reviewer=str(reviewer))


def second_person(noun: Noun, *, author: Hashable, approver: Hashable) -> None:
    """G7: nobody approves an act of their own.

    Raises: the noun's SamePerson ("plan.same_person" and so on).
    """
    if author == approver:
        raise _SECOND_PERSON.get(noun, SamePerson)(field="approver", author=str(author))


def service_before_clock(served_on: date | None) -> date:
    """G8: return the day a term is counted from; the first day of the term is the next one.

    Raises: NotServed ("notice.not_served").
    """
    if served_on is None:
        raise NotServed(field="served_on")
    return served_on


def standard_wordings(codes: Sequence[str], known: Collection[str]) -> None:
    """G9: a result is published in the standard wordings only, at least one, none twice.

    Raises: UnknownWording ("publication.unknown_wording").
    """
    wrong = sorted({code for code in codes if code not in known or codes.count(code) > 1})
    if wrong or not codes:
        raise UnknownWording(field="wordings", wordings=wrong)


def removal_decided(*, decided_on: date | None, reference: str | None) -> None:
    """G10: a removal is recorded with day and reference of the project office's decision.

    Raises: RemovalNotDecided ("case.removal_not_decided").
    """
    if decided_on is None or not reference:
        raise RemovalNotDecided(field="decision")


def law_level_basis(basis: str | None, authority: str | None) -> None:
    """G11: an order names a law-level basis and the competent authority of the item.

    Raises: NoLawLevelBasis ("notice.no_law_level_basis").
    """
    missing = [
        name for name, said in (("basis", basis), ("authority", authority)) if not (said or "")
    ]
    if missing:
        raise NoLawLevelBasis(field=missing[0], missing=missing)


def major_decision(
    *, discussed_on: date | None, hearing_needed: bool, hearing_offered: bool, remedies: str
) -> None:
    """G12: collective discussion, an offered hearing where asked for, remedies in the text.

    Raises: DecisionUnfounded ("case.decision_incomplete") with the list of what is missing.
    """
    missing = [
        name
        for name, there in (
            ("discussion", discussed_on is not None),
            ("hearing", hearing_offered or not hearing_needed),
            ("remedies", bool(remedies.strip())),
        )
        if not there
    ]
    if missing:
        raise DecisionUnfounded(field=missing[0], missing=missing)


def not_stayed(stayed: bool) -> None:
    """G12: nothing is executed while a stay lasts.

    Raises: Stayed ("case.stayed").
    """
    if stayed:
        raise Stayed(field="stop")


def legally_cleared(cleared: bool | None) -> None:
    """G6: the legal review is there and lets it pass.

    Raises: CaseReviewMissing ("case.legal_review_missing"), LegallyStopped
    ("case.legally_stopped").
    """
    if cleared is None:
        raise CaseReviewMissing(field="legal_review")
    if not cleared:
        raise LegallyStopped(field="legal_review")


def not_recused(person: Hashable, recused: Collection[Hashable]) -> None:
    """G1: who was recused at the party's request takes no further part.

    Raises: Recused ("case.recused").
    """
    if person in recused:
        raise Recused(field="person")


def office_takes_part(aside: bool) -> None:
    """G1: an office that stepped aside for an institution does nothing about it.

    Raises: OfficeRecused ("office.recused").
    """
    if aside:
        raise OfficeRecused(field="institution")


def another_office(*, own: Hashable | None, office: Hashable) -> None:
    """G1: nobody decides about the recusal of the office they belong to, or without an office.

    Raises: OwnOffice ("office.own_recusal").
    """
    if own is None or own == office:
        raise OwnOffice(field="office")
