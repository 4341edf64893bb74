"""Bodies of a phone's operations, one Struct a kind; published in the OpenAPI.

Source: evidence spec 3, settled point 2.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from media.fields import Bytes, EpochMs, Sha256, Token, Uuid7
from media.manifest import Location
from media.ops import Signature
from media.sealing import WrappedKey

Text40 = Annotated[str, Meta(min_length=1, max_length=40)]
Text200 = Annotated[str, Meta(min_length=1, max_length=200)]
Text400 = Annotated[str, Meta(min_length=1, max_length=400)]
Text4000 = Annotated[str, Meta(min_length=1, max_length=4000)]
Heads = Annotated[int, Meta(ge=0, le=10_000)]
Item = Annotated[str, Meta(pattern=r"\A[A-Z]{2}-[0-9]{2}\Z")]
Evidence = Annotated[tuple[Uuid7, ...], Meta(min_length=1, max_length=50)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all bodies say: the visit, and the phone's own clock (a claim, ms)."""

    visit: Uuid7
    at: EpochMs


class VisitStart(Body, frozen=True):
    """开始检查."""


class VisitCheckin(Body, frozen=True):
    """签到: position with datum, the assignment's challenge, and the code seen on site."""

    loc: Location
    chal: Token
    code: Text40 | None = None


class CertificateShown(Body, frozen=True):
    """亮证: whose licences were shown to whom."""

    inspectors: Annotated[tuple[Uuid7, ...], Meta(min_length=1, max_length=8)]
    to: Text200
    scan: Text200 | None = None


# What an answer's parts may hold; typed, so that no float, null or foreign key gets in.
Name = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,39}\Z")]
Number = Annotated[int, Meta(ge=-(2**53) + 1, le=2**53 - 1)]
Words = Annotated[str, Meta(max_length=2000)]
Part = Words | Number | bool | list[Words] | dict[Name, Words | Number]


class Answered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer: a value by the item's parts, or ``skip`` instead, with its reason.

    ``without`` says why evidence that the item asks for is not there.
    """

    item: Item
    value: dict[Name, Part] | None = None
    skip: Literal["not_applicable", "could_not_check"] | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""
    without: Annotated[str, Meta(max_length=2000)] = ""


class AnswerSet(Body, frozen=True):
    """Up to 200 answers under one signature; each element has the form of ``Answered``."""

    answers: Annotated[list[Raw], Meta(min_length=1, max_length=200)]


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """One name called."""

    trainee: Uuid7
    state: Literal["present", "absent", "late", "excused"]


class RollcallRecord(Body, frozen=True):
    """点名 against the roster of this digest; names not in ``marks`` were not called.

    ``signed_in`` is what the sign-in log shows, ``claimed_minutes`` what is claimed a trainee.
    """

    training_class: Uuid7
    roster: Sha256
    marks: Annotated[tuple[Mark, ...], Meta(max_length=500)]
    strangers: Heads
    heads: Heads | None = None
    signed_in: Heads | None = None
    claimed_minutes: Heads | None = None


class Transport(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The bytes on the wire: the original's own, or sealed for the server, with their key.

    How a blob is sealed stands in ``media.sealing``.
    """

    enc: Literal["none", "a256gcm"]
    sha256: Sha256
    size: Bytes
    wrapped_key: WrappedKey | None = None


class EvidenceDeclare(Body, frozen=True):
    """A capture's manifest as the object that was signed, and its signature."""

    manifest: Raw
    sig: Signature
    transport: Transport
    late_reason: Text400 | None = None


class EvidenceWithdraw(Body, frozen=True):
    """撤回 of an unsent capture; its manifest and number stay."""

    evidence: Uuid7
    reason: Text400


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """One question and its answer."""

    q: Text400
    a: Text4000


class InterviewRecord(Body, frozen=True):
    """访谈 or formal 询问笔录; an anonymous one has no name."""

    role: Literal["trainee", "teacher", "staff", "manager", "other"]
    formal: bool
    questions: Annotated[tuple[Question, ...], Meta(min_length=1, max_length=60)]
    name: Text40 | None = None
    evidence: Evidence | None = None


class PartyStatement(Body, frozen=True):
    """当事人陈述 on site."""

    role: Text40
    text: Text4000
    name: Text40 | None = None


class RecusalDeclare(Body, frozen=True):
    """回避 declared by the signer."""

    ground: Text400


class ObstructionRecord(Body, frozen=True):
    """The visit could not be made: nobody reachable, place closed, or refused."""

    outcome: Literal["unreachable", "closed", "refused"]
    text: Text4000
    witness: Text40 | None = None


class Slip(Struct, frozen=True, forbid_unknown_fields=True):
    """One one-time slip; only the digest of its code is known here."""

    id: Uuid7
    code_sha256: Sha256


class SlipIssue(Body, frozen=True):
    """One-time slips by which trainees answer later on their own phone."""

    slips: Annotated[tuple[Slip, ...], Meta(min_length=1, max_length=200)]


class DocumentCopy(Body, frozen=True):
    """复制件: pictures of a paper, who holds it, whether it was compared with the original."""

    title: Text200
    holder: Text200
    pages: Annotated[int, Meta(ge=1, le=10_000)]
    compared: bool
    evidence: Evidence


class Preserved(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is registered: what it is, how many, in what condition."""

    name: Text200
    count: Text40
    condition: Text200


class PreservationList(Body, frozen=True):
    """先行登记保存清单: things that stay where they are until a decision, and who keeps them."""

    things: Annotated[tuple[Preserved, ...], Meta(min_length=1, max_length=50)]
    place: Text200
    keeper: Text40
    evidence: Evidence | None = None


class DataExtract(Body, frozen=True):
    """电子数据提取: from which system and how, with whom, and what was kept of it.

    Source: 法释〔2019〕19号 93, 94 (environment, person, way of the extraction).
    """

    system: Text200
    holder: Text200
    way: Text400
    content: Text4000
    evidence: Evidence
    witness: Text40 | None = None


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """One capture by its id and its original's hash."""

    id: Uuid7
    sha256: Sha256


class ContributorList(Body, frozen=True):
    """A colleague's captures, scanned from the colleague's phone."""

    dev: Uuid7
    items: Annotated[tuple[Listed, ...], Meta(min_length=1, max_length=400)]


class SignatureRecord(Body, frozen=True):
    """签名, or 拒绝签字 with a reason and a witness or recording; ``over`` is the record read."""

    role: Literal["inspector", "party", "refusal", "witness"]
    over: Sha256
    inspector: Uuid7 | None = None
    name: Text40 | None = None
    reason: Text400 | None = None
    witness: Text40 | None = None
    evidence: Uuid7 | None = None


class VisitFinalize(Body, frozen=True):
    """提交: a claim of all captures and of the device's answers; ``complete`` is computed."""

    items: Annotated[tuple[Listed, ...], Meta(max_length=400)]
    answers_sha: Sha256
